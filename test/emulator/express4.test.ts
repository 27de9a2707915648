import express from 'express';
import { startTestEmulator } from '../helpers/emulator';
import { get, logIn, refresh } from './support';

jest.mock('express', () => jest.requireActual<object>('express4'));

describe('the emulator under Express 4', () => {
  it('really runs under Express 4', () => {
    // Express 5 has no application.del.
    expect(express.application).toHaveProperty('del');
  });

  it('logs in, refreshes and answers a query, at the root and at the site', async () => {
    const emulator = await startTestEmulator();

    for (const base of [emulator.url, emulator.siteUrl]) {
      const tokens = await logIn(emulator, { base });
      const { json } = await refresh(emulator, tokens.refresh_token);
      const reply = await get(
        `${emulator.url}/services/data/v64.0/query?q=${encodeURIComponent("SELECT Id FROM Account WHERE Name LIKE '%Oil%'")}`,
        json.access_token,
      );
      expect(reply.json['totalSize']).toBe(1);
      expect((await get(`${base}/.well-known/openid-configuration`)).json['issuer']).toBe(base);
    }
  });

  it('answers bad tokens, creates records and records bodies', async () => {
    const emulator = await startTestEmulator();
    const { access_token, id } = await logIn(emulator);

    const created = await get(`${emulator.url}/services/data/v64.0/sobjects/Account`, access_token, {
      method: 'POST',
      body: '{"Name":"Four"}',
      headers: { 'content-type': 'application/json' },
    });

    expect(created.status).toBe(201);
    expect(emulator.requests.at(-1)!.body).toEqual({ Name: 'Four' });
    expect((await get(id, 'bad')).text).toBe('Bad_OAuth_Token');
  });
});
