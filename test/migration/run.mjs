/** Serves an application of apps/, and prints where. Its address can be that of an earlier one. */
import { once } from 'node:events';
import { createServer } from 'node:http';

const { SALESFORCE_URL: baseUrl, CLIENT_ID: clientID, CLIENT_SECRET: clientSecret, PORT = '0' } = process.env;
const { createApp } = await import(`./apps/${process.argv[2]}.mjs`);
const server = createServer().listen(Number(PORT), 'localhost');
await once(server, 'listening');
const url = `http://localhost:${server.address().port}`;
server.on('request', await createApp({ url, clientID, clientSecret, baseUrl }));
console.log(JSON.stringify({ url }));
