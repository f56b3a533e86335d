// The console's frame: which of its two pages is shown, and in whose name it asks.
import { render } from "./preact.js";
import { useEffect, useState } from "./hooks.js";
import * as api from "./api.js";
import { html, Notice } from "./kit.js";
import { Live } from "./live.js";
import { Playground } from "./playground.js";

const root = document.getElementById("console");
const asks = root.dataset.asks; // nobody, keys, signatures
const ranks = root.dataset.ranks === "yes";

const PAGES = { playground: "Playground", live: "Live" };
const shown = () => (location.hash.slice(1) in PAGES ? location.hash.slice(1) : ranks ? "playground" : "live");

function Console() {
  const [page, setPage] = useState(shown());
  const [keyed, setKeyed] = useState(0); // counts keys, so that what was refused is asked again
  useEffect(() => {
    const turn = () => setPage(shown());
    addEventListener("hashchange", turn);
    return () => removeEventListener("hashchange", turn);
  }, []);
  useEffect(() => {
    document.title = `${PAGES[page]} · rerank-gateway`;
  }, [page]);
  return html`
    <a class="skip" href="#main" onClick=${toMain}>Skip to the content</a>
    <header class="bar">
      <div class="bar-in">
        <p class="brand"><${Logo} /><span>rerank-gateway</span></p>
        <nav aria-label="Pages">
          ${Object.entries(PAGES).map(
            ([id, name]) => html`<a href=${`#${id}`} aria-current=${page === id ? "page" : null}>${name}</a>`,
          )}
        </nav>
        ${asks === "keys" && html`<${Key} onKey=${() => setKeyed(keyed + 1)} />`}
      </div>
    </header>
    <main id="main" tabindex="-1">
      ${asks === "signatures" && html`<${SignaturesOnly} />`}
      <div hidden=${page !== "playground"}>
        ${ranks ? html`<${Playground} keyed=${keyed} />` : html`<${NoRanking} />`}
      </div>
      ${page === "live" && html`<${Live} keyed=${keyed} />`}
    </main>`;
}

function toMain(event) {
  event.preventDefault(); // the fragment names the page
  document.getElementById("main").focus();
}

function Key({ onKey }) {
  const [said, setSaid] = useState("");
  const use = (event) => {
    event.preventDefault();
    api.useKey(new FormData(event.currentTarget).get("key"));
    setSaid(api.hasKey() ? "in use" : "");
    onKey();
  };
  return html`
    <form class="key" onSubmit=${use} autocomplete="off">
      <label for="key">API key</label>
      <input id="key" name="key" type="password" autocomplete="off" spellcheck="false" placeholder="kept in memory only" />
      <button class="quiet">Use</button>
      <span role="status" class="fine">${said}</span>
    </form>`;
}

const SignaturesOnly = () => html`
  <${Notice} tone="info" title="This gateway takes signed requests only">
    <p>The console sends bearer keys. Set <code>auth.mode</code> to <code>keys-or-sigv4</code> to use it, or give the gateway an admin port.</p>
  <//>`;

const NoRanking = () => html`
  <h1>Playground</h1>
  <${Notice} tone="info" title="Nothing is ranked on the admin port">
    <p>Nobody is asked here who they are, so no ranking is made here in anybody's name: it would be billed, and it could be read. The numbers are on the <a href="#live">Live</a> page.</p>
    <p>To use the playground, run a gateway without <code>server.admin_port</code> (<code>rerank-gateway demo</code> is one), or ask the data port: <code>rerank-gateway rank --help</code>.</p>
  <//>`;

const Logo = () => html`
  <svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" /><g><path d="M8 9c7 0 9 14 16 14" /><path d="M8 16c6 0 9-7 16-7" /><path d="M8 23c7 0 9-7 16-7" opacity=".65" /></g></svg>`;

render(html`<${Console} />`, root);
