import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { SalesforceAuthError, type SalesforceAuth } from 'express-salesforce-auth';
import { SALESFORCE } from './salesforce.module';

/** If a new login is needed, redirects the user to the login. Answers every other error with its code and status. */
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
