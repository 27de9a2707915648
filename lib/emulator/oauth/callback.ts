import { redirectReply, type Reply } from '../http/reply';

/** Sends the browser back to the app. In the URL, a space becomes `+`, and the `=` of a code becomes `%3D`. */
export function callback(redirectURI: string, state: string | undefined, params: Record<string, string>): Reply {
  const query = new URLSearchParams({ ...params, ...(state === undefined ? {} : { state }) });
  return redirectReply(redirectURI + (redirectURI.includes('?') ? '&' : '?') + query.toString());
}

/** The error response (RFC 6749, section 4.1.2.1). */
export function callbackWithError(
  redirectURI: string,
  state: string | undefined,
  error: string,
  description: string,
): Reply {
  return callback(redirectURI, state, {
    error,
    ...(description === '' ? {} : { error_description: description }),
  });
}
