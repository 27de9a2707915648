import { Controller, Get, Req } from '@nestjs/common';
import type { Request } from 'express';
import { salesforceApiError } from 'express-salesforce-auth';

@Controller()
export class AccountsController {
  @Get()
  async list(@Req() { salesforce }: Request): Promise<{ user: string | undefined; accounts: string[] }> {
    const reply = await salesforce.fetch('/services/data/v68.0/query?q=SELECT+Name+FROM+Account+ORDER+BY+Name');
    if (!reply.ok) throw await salesforceApiError(reply);
    const { records } = (await reply.json()) as { records: { Name: string }[] };
    return { user: salesforce.user?.displayName, accounts: records.map(({ Name }) => Name) };
  }
}
