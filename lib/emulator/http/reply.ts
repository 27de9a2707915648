/** How a fault breaks a reply while it is sent. */
type Transmission =
  { how: 'drop' } | { how: 'truncated' } | { how: 'oversized'; bytes: number } | { how: 'drip'; intervalMs: number };

/** A reply as plain data. A fault can change the data before it is sent. */
export interface Reply {
  status: number;
  headers: Record<string, string | string[]>;
  /** If set, sent instead of `text`. */
  json?: unknown;
  text?: string;
  /** If set, sent instead of `json` and `text`: a file. */
  bytes?: Uint8Array;
  /** Default: JSON or plain text, depending on the body. */
  contentType?: string;
  /** Writes `json` in another format. The token endpoint has three formats. */
  render?: (json: unknown) => string;
  transmission?: Transmission;
}

/** Salesforce's JSON content type, without a space. */
export const jsonType = 'application/json;charset=UTF-8';

export function jsonReply(json: unknown, status = 200, headers: Reply['headers'] = {}): Reply {
  return { status, headers, json };
}

function textReply(text: string, status = 200): Reply {
  return { status, headers: {}, text, contentType: 'text/plain;charset=UTF-8' };
}

export function htmlReply(text: string, status = 200): Reply {
  return { status, headers: {}, text, contentType: 'text/html;charset=UTF-8' };
}

export function redirectReply(location: string): Reply {
  return { status: 302, headers: { location }, text: '' };
}

/** The body as it is sent. */
export function replyBody(reply: Reply): Uint8Array {
  if (reply.bytes) return reply.bytes;
  if (reply.json === undefined) return Buffer.from(reply.text ?? '');
  return Buffer.from(reply.render ? reply.render(reply.json) : JSON.stringify(reply.json));
}

/** Errors such as `Bad_OAuth_Token`: plain text with status 403, at `/services/oauth2` and `/id`. */
export function plainError(error: string, _description?: string, status?: number): Reply {
  return textReply(error, status ?? 403);
}

/** An error of the token endpoint. Default status 400. */
export function oauthError(error: string, description?: string, status?: number): Reply {
  return jsonReply({ error, ...(description === undefined ? {} : { error_description: description }) }, status ?? 400);
}
