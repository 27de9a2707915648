/**
 * Watches the login of a page that is built in the browser, while the page is visible.
 *
 * @param show gets what the status route answers, with `endsSoon`; called at once and then every `everyMs`
 * @returns ends it; in React: useEffect(() => watchLogin(setStatus), [])
 */
export function watchLogin(show, { url = '/auth/salesforce/status', everyMs = 60_000, warnMs = 3 * 86_400_000 } = {}) {
  let timer;
  let isOver = false;
  const look = async () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') return;
    const status = await fetch(url, { headers: { accept: 'application/json' } })
      .then((reply) => (reply.ok ? reply.json() : undefined))
      .catch(() => undefined);
    if (isOver) return;
    // No answer says nothing of the login: the page goes on showing what it knows.
    if (status) {
      const leftMs = status.idleUntil === null ? Infinity : Date.parse(status.idleUntil) - Date.now();
      show({ ...status, endsSoon: status.authenticated && (status.loginNeeded || leftMs < warnMs) });
    }
    timer = setTimeout(look, everyMs);
  };
  document.addEventListener('visibilitychange', look);
  void look();
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}
