/** `error=…&error_description=…`, which Salesforce writes into its error page; empty if the page has none. */
export function errorOnPage(html: string): URLSearchParams {
  const text = html.replace(/&(?:amp|#38|#x26);/gi, '&');
  return new URLSearchParams(/\berror=\w[\w-]*&error_description=[^\s"'<>&]*/.exec(text)?.[0] ?? '');
}
