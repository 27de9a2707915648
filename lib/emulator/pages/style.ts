/** The styles of all pages. They are inline, because the pages load nothing. */
export const style: string = `
  :root { color-scheme: light dark; --page: #f3f5f9; --surface: #fff; --text: #16203a; --quiet: #4f5b78; --line: #d4dbe8;
    --field: #7a86a1; --accent: #0b5cab; --on-accent: #fff; --tint: #e3effc; --bad: #8c1d18; --bad-tint: #fdeceb;
    --good: #1b7a43; --focus: #c2570c }
  @media (prefers-color-scheme: dark) { :root { --page: #0e1320; --surface: #182031; --text: #e8ecf5; --quiet: #a9b4cc;
    --line: #303b54; --field: #75829f; --accent: #7db8ff; --on-accent: #0b1526; --tint: #16304f; --bad: #ffb4ad;
    --bad-tint: #431d1c; --good: #74d69f; --focus: #ffb27a } }
  * { box-sizing: border-box }
  body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
    overflow-wrap: anywhere; -webkit-text-size-adjust: 100% }
  main { max-width: 27rem; margin: clamp(0rem, 8vh, 5rem) auto; padding: 2rem; background: var(--surface);
    border: 1px solid var(--line); border-radius: .75rem }
  main.popup, main.touch, main.mobile { max-width: 100%; min-height: 100vh; margin: 0; border: 0; border-radius: 0 }
  @media (max-width: 30rem) { main { margin: 0; min-height: 100vh; padding: 1.5rem 1.25rem; border: 0; border-radius: 0 } }
  h1 { margin: 0 0 1rem; font-size: 1.35rem; line-height: 1.25 } h2 { margin: 1.5rem 0 .5rem; font-size: 1.05rem }
  a { color: var(--accent) }
  p { margin: 0 0 .75rem }
  .brand { display: flex; align-items: center; gap: .5rem; margin: 0 0 1.25rem; color: var(--quiet); font-size: .85rem;
    font-weight: 600 }
  .brand::before { content: ""; width: 1.1rem; height: 1.1rem; border-radius: .3rem; background: var(--accent) }
  label { display: block; margin: 1rem 0 .25rem; font-weight: 600 }
  input:not([type=hidden]) { width: 100%; min-height: 2.75rem; padding: .5rem .7rem; border: 1px solid var(--field);
    border-radius: .4rem; background: var(--page); color: inherit; font: inherit }
  button { width: 100%; min-height: 2.75rem; margin-top: 1rem; padding: .5rem 1rem; border: 1px solid var(--accent);
    border-radius: .4rem; background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer }
  button + button { margin-top: .6rem }
  button.quiet { background: transparent; color: var(--accent) }
  button:hover { filter: brightness(1.1) } button.quiet:hover { background: var(--tint); filter: none }
  :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px }
  [role=alert] { padding: .6rem .8rem; border-left: 4px solid var(--bad); border-radius: .25rem; background: var(--bad-tint);
    color: var(--bad) }
  aside { margin-top: 1.75rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .875rem }
  code { font: .9em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
  ul { margin: .5rem 0 1rem; padding-left: 1.2rem } li { margin: .25rem 0 }
  .users { margin-top: 1.25rem; padding: 0; list-style: none } .users li { padding: .35rem 0; border-top: 1px solid var(--line) }
  .users code:first-child { color: var(--text) }
`;
