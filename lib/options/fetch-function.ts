/** Sends one request as `fetch` does. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;
