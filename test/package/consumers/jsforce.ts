import type { GuardedRequest } from 'express-salesforce-auth';
import type { Connection } from 'jsforce';

export async function query(salesforce: GuardedRequest): Promise<Connection> {
  const connection = await salesforce.connection();
  // @ts-expect-error -- a real type, not any
  connection.noSuchMethod();
  return connection;
}
