import express from 'express';
import request from 'supertest';
import { cookiesOf, cookieName, cookieOptions, responseOf, setCookies } from '../../lib/login/cookies';
import { requestOf } from '../helpers/request';

describe('the cookies of this package', () => {
  it.each([
    [true, '__Host-login'],
    [false, 'login'],
  ])('have name and attributes for https %p', (isSecure, name) => {
    expect(cookieName('login', isSecure)).toBe(name);
    expect(cookieOptions(isSecure)).toEqual({ httpOnly: true, sameSite: 'lax', secure: isSecure, path: '/' });
  });

  it('are read from a request, which may have none', async () => {
    expect({ ...cookiesOf(await requestOf('/', { headers: { cookie: 'a=1; b=2' } })) }).toEqual({ a: '1', b: '2' });
    expect({ ...cookiesOf(await requestOf('/')) }).toEqual({});
  });

  it('are set, and removed if they are empty', async () => {
    const app = express();
    app.use((req, res) => {
      setCookies(responseOf(req), [
        { name: 'set', value: 'value', options: { ...cookieOptions(true), maxAge: 60_000 } },
        { name: 'removed', value: '', options: cookieOptions(false) },
      ]);
      res.end();
    });

    const { headers } = await request(app).get('/');

    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^set=value; Max-Age=60; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Lax$/),
      'removed=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
    ]);
  });

  it('cannot be set at a request that is not one of Express', async () => {
    const req = await requestOf('/');
    delete req.res;

    expect(() => responseOf(req)).toThrow(
      expect.objectContaining({ code: 'ERR_SALESFORCE_MIDDLEWARE_MISSING' }) as Error,
    );
  });
});
