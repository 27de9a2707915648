/** jsforce's `Connection`; `any` if jsforce, an optional peer, is not installed. */
// eslint-disable-next-line @typescript-eslint/consistent-type-imports -- an import statement would fail without jsforce
export type JsforceConnection = import('jsforce').Connection;
