import { unlessAborted } from '../clock';

/**
 * What `fetch()` was given, as an address and options. A `Request` is what many client libraries hand on. Its body is a stream,
 * whatever it was made of, so the body is read into memory: the request can be repeated with another token.
 *
 * As in the Fetch standard, each option counts before what the `Request` says.
 *
 * @throws TypeError if the body of the `Request` was used before, or the reason of its signal
 */
export async function addressAndOptions(
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<[string | URL, RequestInit | undefined]> {
  if (!isRequest(input)) return [input, init];
  const { url, method, headers, redirect, integrity } = input;
  const given = Object.fromEntries(
    Object.entries(init ?? {}).filter(([, value]) => value !== undefined),
  ) as RequestInit;
  const options: RequestInit = { method, headers, redirect, integrity, signal: input.signal, ...given };
  if (!('body' in given) && input.body) options.body = await unlessAborted(input.arrayBuffer(), options.signal);
  return [url, options];
}

/** Not by `instanceof`: the package undici has a `Request` of its own. */
function isRequest(input: string | URL | Request): input is Request {
  return typeof input === 'object' && 'url' in input;
}
