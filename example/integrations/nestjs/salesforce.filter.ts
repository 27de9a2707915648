import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { SalesforceAuthError, type SalesforceAuth } from 'express-salesforce-auth';
import { SALESFORCE } from './salesforce.module';

/** Sends a user whose login has ended to the login and back, and answers everything else with its code and status. */
@Catch(SalesforceAuthError)
export class SalesforceFilter implements ExceptionFilter<SalesforceAuthError> {
  constructor(@Inject(SALESFORCE) private readonly salesforce: SalesforceAuth) {}

  catch(error: SalesforceAuthError, host: ArgumentsHost): void {
    const req = host.switchToHttp().getRequest<Request>();
    const res = host.switchToHttp().getResponse<Response>();
    this.salesforce.errorHandler()(error, req, res, () => {
      const { code, status, userMessage: detail, retryAfterSeconds } = error;
      if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
      res.status(status).type('application/problem+json').send(JSON.stringify({ status, code, detail }));
    });
  }
}
