/**
 * The path a middleware is mounted at, for links to its routes. Where it has a parameter, the request has a say in it, and a
 * browser would take `/\host` for another host. Undefined is that of a request no Express application has.
 */
export function mountPathOf(baseUrl: string | undefined): string {
  return (baseUrl ?? '').replaceAll('\\', '%5C');
}
