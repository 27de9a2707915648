import type { Exchange } from '../http/exchange';
import { escapeHtml } from '../pages/html';
import type { Reply } from '../http/reply';

const mediaTypes = {
  json: 'application/json',
  urlencoded: 'application/x-www-form-urlencoded',
  xml: 'application/xml',
} as const;

/** Writes a token reply as JSON, form or XML. `format` decides; without `format`, `Accept` decides. */
export function inRequestedFormat(exchange: Exchange, reply: Reply): Reply {
  const format = exchange.form.get('format') ?? formatOf(exchange.header('accept') ?? '');
  if (format === 'urlencoded')
    return { ...reply, render: toForm, contentType: `${mediaTypes.urlencoded};charset=UTF-8` };
  if (format === 'xml') return { ...reply, render: toXml, contentType: `${mediaTypes.xml};charset=UTF-8` };
  return reply;
}

function formatOf(accept: string): string {
  if (accept.includes(mediaTypes.json)) return 'json';
  return accept.includes(mediaTypes.urlencoded) ? 'urlencoded' : accept.includes(mediaTypes.xml) ? 'xml' : 'json';
}

function toForm(json: unknown): string {
  return new URLSearchParams(texts(json)).toString();
}

function toXml(json: unknown): string {
  const elements = texts(json).map(([name, value]) => `<${name}>${escapeHtml(value)}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8"?><OAuth>${elements.join('')}</OAuth>`;
}

function texts(json: unknown): [string, string][] {
  return Object.entries(json as Record<string, unknown>).map(([name, value]) => [name, String(value)]);
}
