import { Inject, Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import type { SalesforceAuth, SalesforceAuthOptions } from 'express-salesforce-auth';
import { AccountsController } from './accounts.controller';
import { SALESFORCE, SalesforceModule } from './salesforce.module';

@Module({ controllers: [AccountsController] })
export class AppModule implements NestModule {
  constructor(@Inject(SALESFORCE) private readonly salesforce: SalesforceAuth) {}

  static forRoot(options: SalesforceAuthOptions): object {
    return { module: AppModule, imports: [SalesforceModule.forRoot(options)] };
  }

  /** The guard is a middleware, because it may answer with a redirect to the login. */
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(this.salesforce.require()).forRoutes(AccountsController);
  }
}
