import type { SigningKey } from '../client-authentication/client-key';
import type { Clock } from '../clock';
import type { Finding } from './findings';

/** A certificate that ends within this number of days is a warning. */
const warnDays = 30;
const dayMs = 24 * 60 * 60 * 1000;

/** Turns the findings about a client secret, one for each key, into findings about client keys. */
export function clientKeyFindings(findings: readonly Finding[]): Finding[] {
  const isOneAccepted = findings.some(({ level }) => level === 'ok');
  return findings.map((finding, index) => {
    if (finding.check !== 'client-secret') return finding;
    const { level, code, fix: _fix, ...rest } = finding;
    const which = nameOf(index, findings.length);
    if (level === 'ok') return { ...rest, check: 'client-key', level, message: `Salesforce accepts ${which}.` };
    if (code !== 'ERR_SALESFORCE_CLIENT_REJECTED') return { ...finding, check: 'client-key' };
    return {
      ...rest,
      check: 'client-key',
      // While the key is changed, Salesforce refuses one of the two keys, and each request is sent with the other.
      level: isOneAccepted ? 'warning' : 'error',
      message: `Salesforce refuses ${which}.`,
      fix:
        isOneAccepted && index > 0
          ? 'If the change of the key is over, remove this key from clientKey.'
          : 'Upload the certificate of this key to the app with this Consumer Key; an upload can take ten minutes to work. If the certificate is in the app already, see audience in docs/guide/client-keys.md.',
      code,
    };
  });
}

/** Checks whether each key belongs to its certificate, and when the certificate ends. */
export function checkCertificates(keys: readonly SigningKey[], clock: Clock): Finding[] {
  return keys.map((key, index) => checkCertificate(key, nameOf(index, keys.length), clock));
}

function checkCertificate({ key, certificate }: SigningKey, which: string, clock: Clock): Finding {
  const check = 'client-certificate';
  if (!certificate) {
    return {
      check,
      level: 'unknown',
      message: `The end of the certificate of ${which} is not known.`,
      fix: 'Set clientKey.certificate (SALESFORCE_CLIENT_CERTIFICATE) to the certificate you uploaded.',
    };
  }
  if (key && !certificate.checkPrivateKey(key)) {
    return {
      check,
      level: 'error',
      message: `The certificate does not belong to ${which}.`,
      fix: 'Use the certificate that was made with this key, and upload that certificate to the app.',
      code: 'ERR_SALESFORCE_CLIENT_REJECTED',
    };
  }
  const end = Date.parse(certificate.validTo);
  const days = Math.floor((end - clock.now()) / dayMs);
  const date = new Date(end).toISOString().slice(0, 10);
  const isOver = end <= clock.now();
  if (days >= warnDays) {
    const fits = key ? `belongs to ${which}, and` : `of ${which}`;
    return { check, level: 'ok', message: `The certificate ${fits} ends on ${date}, in ${days} days.` };
  }
  return {
    check,
    level: 'warning',
    message: isOver
      ? `The certificate of ${which} ended on ${date}. Users report that Salesforce still accepts such a key; do not rely on that.`
      : `The certificate of ${which} ends on ${date}, in ${days} days.`,
    fix: 'Make a new one with "npx express-salesforce-auth key", and change the key as docs/guide/client-keys.md says.',
  };
}

function nameOf(index: number, count: number): string {
  return count === 1 ? 'the client key' : `client key ${index + 1} of ${count}`;
}
