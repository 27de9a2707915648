import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import session from 'express-session';
import { configurationFromEnv, type SalesforceAuth } from 'express-salesforce-auth';
import { AppModule } from './app.module';
import { SalesforceFilter } from './salesforce.filter';
import { SALESFORCE } from './salesforce.module';

async function start(): Promise<void> {
  const module = AppModule.forRoot({ ...configurationFromEnv(process.env), scope: 'id api refresh_token' });
  const app = await NestFactory.create<NestExpressApplication>(module, { forceCloseConnections: true });
  const salesforce = app.get<SalesforceAuth>(SALESFORCE);
  const secret = process.env.SESSION_SECRET || 'only for development';
  app.use(session({ secret, resave: false, saveUninitialized: false, cookie: { sameSite: 'lax', secure: 'auto' } }));
  app.use(salesforce);
  app.useGlobalFilters(new SalesforceFilter(salesforce));
  app.enableShutdownHooks();
  await app.listen(process.env.PORT || 3000, 'localhost');
  console.log(`Ready: http://localhost:${new URL(await app.getUrl()).port}`);
}

/** Rejects if the application cannot start, for instance because its port is in use. */
export const started: Promise<void> = start();
