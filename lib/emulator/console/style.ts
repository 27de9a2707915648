/** Styles of the console, in addition to the styles of all pages. */
export const consoleStyle: string = `
  .console main { max-width: 80rem; min-height: 0; margin: 0 auto; padding: 1.5rem clamp(1rem, 3vw, 2rem); border: 0;
    background: none }
  h2 { margin: 0 0 .75rem; font-size: 1.05rem }
  p { margin: 0 0 .4rem }
  .columns, .controls, #live { display: grid; gap: 1.25rem; align-content: start }
  .columns > *, .controls > *, #live > * { min-width: 0 }
  @media (min-width: 60rem) { .columns { grid-template-columns: 1fr 22rem } }
  section, .facts { margin: 0; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem;
    background: var(--surface) }
  .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem 1.5rem }
  dt, .hint { color: var(--quiet); font-size: .875rem } dd { margin: 0; font-weight: 600 }
  .empty { margin: 0; padding: 1rem; border: 1px dashed var(--line); border-radius: .5rem; color: var(--quiet);
    text-align: center }
  ol, .rows, [role=alert] { margin: 0; padding: 0; list-style: none }
  ol > li, .rows > li { margin: 0; padding: .55rem 0; border-top: 1px solid var(--line) }
  ol > li:first-child, .rows > li:first-child { padding-top: 0; border: 0 }
  li > :last-child { margin-bottom: 0 }
  time { color: var(--quiet); font-variant-numeric: tabular-nums }
  .parameters { display: flex; flex-wrap: wrap; gap: .1rem 1rem; color: var(--quiet); font-size: .85rem }
  .parameters span { min-width: 0 } b { font-weight: 600 } .parameters b { color: var(--text) }
  .status { display: inline-block; min-width: 2.6rem; padding: 0 .5rem; border-radius: .9rem; background: var(--tint);
    color: var(--accent); font-size: .85rem; font-weight: 600; text-align: center }
  .status.good { background: none; color: var(--good); box-shadow: inset 0 0 0 1px currentColor }
  .status.bad { background: var(--bad-tint); color: var(--bad) }
  [role=alert] { margin-bottom: .6rem; padding: .6rem .8rem }
  label { margin-top: .75rem } form > label:first-child { margin-top: 0 }
  select { width: 100%; min-height: 2.5rem; padding: .35rem .6rem; border: 1px solid var(--field); border-radius: .4rem;
    background: var(--page); color: inherit; font: inherit }
  .check { display: flex; gap: .5rem; align-items: baseline; font-weight: 400 }
  .check input:not([type=hidden]) { width: auto; min-height: 0 }
  .buttons { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: .9rem } form > .buttons:first-child { margin: 0 }
  button, button + button { width: auto; min-height: 2.4rem; margin: 0; padding: .3rem .9rem }
  .rows form { margin-top: .5rem }
`;

/** The script that updates the live part of the page. */
export const consoleScript: string = `(() => {
  const state = document.getElementById('state');
  const live = document.getElementById('live');
  document.getElementById('hint').remove();
  const source = new EventSource('/console/events');
  source.onmessage = ({ data }) => { live.innerHTML = JSON.parse(data); };
  source.onopen = () => { state.textContent = 'This page updates itself.'; };
  source.onerror = () => { state.textContent = 'The emulator does not answer. Check whether it is running.'; };
})();
`;
