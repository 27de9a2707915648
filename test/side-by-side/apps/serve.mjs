/** Serves an application that has to know its own address, and prints that address. */
import { once } from 'node:events';
import { createServer } from 'node:http';

const { SALESFORCE_URL: salesforceUrl, CLIENT_ID: clientID, CLIENT_SECRET: clientSecret } = process.env;

export async function serve(createApp) {
  const server = createServer().listen(0, 'localhost');
  await once(server, 'listening');
  const url = `http://localhost:${server.address().port}`;
  server.on('request', await createApp({ url, salesforceUrl, clientID, clientSecret }));
  console.log(JSON.stringify({ url }));
}

/** A call of Salesforce's API that an application makes by itself. */
export function callApi(instanceUrl, accessToken) {
  return fetch(`${instanceUrl}/services/data/v62.0/limits`, { headers: { authorization: `Bearer ${accessToken}` } });
}
