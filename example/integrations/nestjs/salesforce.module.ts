import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { salesforceAuth, type SalesforceAuth, type SalesforceAuthOptions } from 'express-salesforce-auth';

/** Injects the middleware, for `tokens`, `events` and guards. */
export const SALESFORCE: unique symbol = Symbol('SALESFORCE');

@Module({})
export class SalesforceModule implements OnApplicationShutdown {
  constructor(@Inject(SALESFORCE) private readonly salesforce: SalesforceAuth) {}

  static forRoot(options: SalesforceAuthOptions): DynamicModule {
    const provider = { provide: SALESFORCE, useFactory: () => salesforceAuth(options) };
    return { module: SalesforceModule, global: true, providers: [provider], exports: [SALESFORCE] };
  }

  /** Running refreshes finish before the process ends. */
  onApplicationShutdown(): Promise<void> {
    return this.salesforce.close();
  }
}
