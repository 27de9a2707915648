/** Scripts of the pages: live panels, and copying. The pages work without scripts too. */
(() => {
  const live = document.getElementById('live');
  if (live && 'EventSource' in window) {
    const news = document.getElementById('live-news');
    const source = new EventSource(live.dataset.source);
    document.getElementById('live-hint').remove();
    source.onmessage = ({ data }) => {
      const panel = JSON.parse(data);
      // The server sends the same markup as for the page.
      live.innerHTML = panel.html;
      if (panel.news) news.textContent = panel.news;
    };
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      news.classList.remove('hidden');
      news.textContent = 'This panel is not updated any more. Reload the page.';
    };
  }

  for (const button of document.querySelectorAll('[data-copy]')) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = 'Copied';
      setTimeout(() => (button.textContent = 'Copy'), 2000);
    });
  }
})();
