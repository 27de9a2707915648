// @ts-check
import express from 'express';
import { isSalesforceAuthError } from 'express-salesforce-auth';
import { setupPage } from '../pages/setup.mjs';
import { onlyHere } from '../security.mjs';
import { leaveNotice } from './frame.mjs';

/**
 * The setup page: the steps in Salesforce, and the settings of the app.
 *
 * @param {import('./parts.mjs').Parts} parts
 */
export function setup({ settings, salesforce, frameOf, isAlone }) {
  const router = express.Router();
  router.use('/setup', onlyHere);

  /**
   * @param {import('express').Request} req
   * @param {import('../pages/setup.mjs').SetupForm} form
   * @param {{ wrong?: import('../pages/setup.mjs').WrongField, diagnosis?: import('express-salesforce-auth').Diagnosis }}
   *   [more]
   */
  const page = (req, form, more) =>
    setupPage(
      { ...frameOf(req), path: '/setup' },
      {
        form,
        hasSecret: Boolean(settings.current.clientSecret),
        callbackURL: settings.current.callbackURL ?? `${req.protocol}://${req.get('host')}/auth/salesforce/callback`,
        isChanged: settings.isChanged,
        isFixed: !isAlone,
        ...more,
      },
    );

  const formNow = () => {
    const { clientID, clientSecret, prompt = 'login', baseUrl = 'https://login.salesforce.com' } = settings.current;
    return { clientID, prompt: prompt || '', baseUrl, isPublic: !clientSecret };
  };

  router.get('/setup', (req, res) => {
    res.send(page(req, formNow()));
  });

  router.post('/setup/check', async (req, res) => {
    const diagnosis = await salesforce.diagnose({ origin: `${req.protocol}://${req.get('host')}` });
    res.send(page(req, formNow(), { diagnosis }));
  });

  router.post('/setup', (req, res) => {
    if (!isAlone) return void res.redirect(303, '/setup');
    const { form, clientSecret } = readForm(req.body);
    const { clientID, prompt, baseUrl, isPublic } = form;
    const isKept = clientSecret === '' && clientID === settings.current.clientID;
    const secret = isPublic ? undefined : isKept ? settings.current.clientSecret : clientSecret;
    if (!isPublic && !secret) {
      const message = 'Enter the Consumer Secret, or tick "This app has no secret".';
      res.status(400).send(page(req, form, { wrong: { field: 'clientSecret', message } }));
      return;
    }
    try {
      settings.change({ clientID, clientSecret: secret, prompt: /** @type {any} */ (prompt), baseUrl });
    } catch (error) {
      if (!isSalesforceAuthError(error) || !('option' in error)) throw error;
      res.status(400).send(page(req, form, { wrong: { field: String(error.option), message: error.message } }));
      return;
    }
    leaveNotice(req, 'Saved. The next login uses these settings.');
    res.redirect(303, '/setup');
  });

  router.post('/setup/reset', (req, res) => {
    settings.reset();
    leaveNotice(req, 'The settings of the start are restored.');
    res.redirect(303, '/setup');
  });

  return router;
}

/** @param {Record<string, unknown> | undefined} body */
function readForm(body) {
  const text = (/** @type {string} */ name) => (typeof body?.[name] === 'string' ? body[name].trim() : '');
  return {
    clientSecret: text('clientSecret'),
    form: {
      clientID: text('clientID'),
      prompt: text('prompt'),
      baseUrl: text('baseUrl'),
      isPublic: text('isPublic') === 'yes',
    },
  };
}
