// The live page: how the gateway and its campaigns are, every two seconds, for as long as somebody looks.
import { useEffect, useState } from "./hooks.js";
import * as api from "./api.js";
import { Campaign } from "./campaign.js";
import { Card, count, counted, html, ms, Notice, percent, Problem, rate } from "./kit.js";
import { before, between, kept, perSecond, quantile, QUANTILES_S, series, share, WINDOW_S } from "./numbers.js";
import { Spark } from "./spark.js";

const EVERY_MS = 2_000;
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 };

export function Live({ keyed }) {
  const [samples, setSamples] = useState([]);
  const [failure, setFailure] = useState(null);
  const [paused, setPaused] = useState(false);
  useEffect(() => {
    if (paused) return undefined;
    const over = new AbortController();
    watch(over.signal, (sample) => setSamples((now) => kept(now, sample)), setFailure);
    return () => over.abort();
  }, [paused, keyed]);

  const now = samples.at(-1);
  return html`
    <div class="live">
      <header class="live-head">
        <h1>Live</h1>
        <p class=${`state ${failure ? "bad" : paused ? "" : "ok"}`} role="status">${failure ? "no answer" : paused ? "paused" : now ? "up to date" : "asking"}</p>
        <button type="button" class="quiet" aria-pressed=${paused} onClick=${() => setPaused(!paused)}>${paused ? "Resume" : "Pause"}</button>
      </header>
      ${failure && html`<${Problem} failure=${failure} />`}
      ${now && html`<${Troubles} now=${now} />`}
      ${now && html`<${Figures} samples=${samples} />`}
      ${now && !now.all && html`<${Notice} tone="info" title="These are your campaigns"><p>What all callers did together is shown where nobody is asked who calls: on the admin port.</p><//>`}
      ${now?.campaigns.map((one) => html`<${Campaign} key=${one.name} campaign=${one} />`)}
      ${now?.all && html`<${Inside} all=${now.all} />`}
    </div>`;
}

/** Ask, wait, ask again, while the page is seen and until it is over. */
async function watch(over, take, fail) {
  while (!over.aborted) {
    if (!document.hidden) {
      try {
        take(await api.live(over));
        fail(null);
      } catch (error) {
        if (over.aborted) return;
        fail(error instanceof api.Failure ? error : new api.Failure({ title: error.message }));
      }
    }
    await new Promise((turn) => setTimeout(turn, EVERY_MS));
  }
}

const gatesOf = (campaigns) => campaigns.flatMap((one) => (one.variants.length ? one.variants : [one]).map((gate) => ({ ...gate, of: one.name })));

/** Breakers that are not closed: said aloud when that changes. */
function Troubles({ now }) {
  const open = gatesOf(now.campaigns).flatMap((gate) => gate.arns.filter((one) => one.breaker !== "closed").map((one) => `${gate.of}: breaker ${one.breaker}`));
  const draining = now.all?.draining ? ["the gateway is ending"] : [];
  const said = [...new Set([...open, ...draining])];
  return html`<div role="status">${said.length > 0 && html`<${Notice} tone="warn" title=${said.join("; ")} />`}</div>`;
}

const ranked = (one) => one.all.rankings.total;
const failed = (one) => one.all.requests.failed;
const degraded = (one) => Object.values(one.all.rankings.degraded).reduce((sum, many) => sum + many, 0);
const hedges = (one) => gatesOf(one.campaigns).reduce((sum, gate) => sum + gate.counts.hedges, 0);
const won = (one) => gatesOf(one.campaigns).reduce((sum, gate) => sum + gate.counts.hedgesWon, 0);
const billed = (one) => one.calls.billed;
const saved = (one) => one.calls.saved;
const candidates = (one) => one.all.rankings.candidates;
const cached = (one) => one.all.rankings.cached;

function Figures({ samples }) {
  const now = samples.at(-1);
  const then = before(samples, WINDOW_S);
  const each = (of) => series(samples, (one, last) => perSecond(one, last, of));
  const savedShare = billed(now) + saved(now) > 0 ? saved(now) / (billed(now) + saved(now)) : null;
  return html`
    <dl class="figures">
      ${now.all && html`<${Traffic} samples=${samples} then=${then} />`}
      <${Figure} label="Billed calls" value=${rate(perSecond(now, then, billed))} unit="/s" note=${`${count(billed(now))} since the start`} lines=${{ a: each(billed) }} />
      <${Figure} label="Saved calls" value=${rate(perSecond(now, then, saved))} unit="/s" note=${`${count(saved(now))}: ${percent(savedShare)} of what would have been billed`} lines=${{ b: each(saved) }} />
      <${Figure} label="Hedges" value=${rate(perSecond(now, then, hedges))} unit="/s" note=${`${count(hedges(now))} made, ${count(won(now))} won`} lines=${{ c: each(hedges) }} />
    </dl>`;
}

function Traffic({ samples, then }) {
  const now = samples.at(-1);
  const each = (of) => series(samples, (one, last) => perSecond(one, last, of));
  const recent = between(now.all.latency, before(samples, QUANTILES_S)?.all?.latency ?? null);
  const some = recent.counts.some((many) => many > 0);
  const shown = some ? recent : now.all.latency;
  const at = (histogram, q) => (quantile(histogram, q) == null ? null : 1e3 * quantile(histogram, q));
  const over = (name) => series(samples, (one, last) => at(between(one.all.latency, last.all.latency), QUANTILES[name]));
  const { underWay, limit, refused } = now.all.inflight ?? {};
  const reasons = Object.entries(now.all.rankings.degraded).filter(([, many]) => many > 0);
  return html`
    <${Figure} label="Rankings" value=${rate(perSecond(now, then, ranked))} unit="/s" note=${`${count(ranked(now))} since the start; ${counted(now.all.requests.failed, "request")} failed`} lines=${{ a: each(ranked), d: each(failed) }} />
    <${Figure} label="Latency, p50" value=${ms(at(shown, 0.5))} unit="ms"
      note=${html`<span class="stroke b" />p95 <b>${ms(at(shown, 0.95))}</b> <span class="stroke c" />p99 <b>${ms(at(shown, 0.99))}</b> · ${some ? "the last 30 s" : "since the start"}`}
      lines=${{ a: over("p50"), b: over("p95"), c: over("p99") }} />
    <${Figure} label="From the cache" value=${percent(share(now, then, cached, candidates) ?? share(now, EMPTY, cached, candidates))} note=${`of the candidates; ${percent(share(now, EMPTY, cached, candidates))} since the start`}
      lines=${{ b: series(samples, (one, last) => share(one, last, cached, candidates)) }} />
    <${Figure} label="Degraded" value=${percent(share(now, then, degraded, ranked) ?? share(now, EMPTY, degraded, ranked))} tone=${degraded(now) > degraded(then) ? "warn" : ""}
      note=${reasons.length ? reasons.map(([reason, many]) => `${reason} ${count(many)}`).join(", ") : "none since the start"} lines=${{ d: each(degraded) }} />
    <${Figure} label="Under way" value=${count(underWay)} unit=${`of ${count(limit)}`} note=${`${counted(refused, "request")} refused`} lines=${{ a: samples.map((one) => one.all.inflight?.underWay ?? null) }} />`;
}

const EMPTY = { all: { rankings: { total: 0, candidates: 0, cached: 0, degraded: {} } } };

const Figure = ({ label, value, unit, note, lines, tone }) => html`
  <div class=${`figure-box ${tone || ""}`}>
    <dt>${label}</dt>
    <dd><span class="figure">${value}</span><span class="unit"> ${unit}</span></dd>
    <dd class="drawn"><${Spark} lines=${lines} /></dd>
    <dd class="note">${note}</dd>
  </div>`;

/** What stands behind: the cache, the credentials, the event loop. */
function Inside({ all }) {
  const lagS = quantile(all.lag, 0.99);
  const process = { "event loop late, p99 ms": lagS && 1e3 * lagS, "work of a ranking ms": all.inflight?.cpuMs };
  return html`
    <div class="cards">
      <${Card} id="frames" title="Frames"><${Facts} of=${all.frames} /><//>
      <${Card} id="store" title="Store"><${Facts} of=${all.store} /><//>
      <${Card} id="credentials" title="Credentials"><${Facts} of=${all.credentials} /><//>
      <${Card} id="process" title="Process"><${Facts} of=${process} /><//>
    </div>`;
}

function Facts({ of }) {
  const flat = Object.entries(of).flatMap(([name, value]) =>
    value !== null && typeof value === "object" ? Object.entries(value).map(([more, one]) => [`${name} ${more}`, one]) : [[name, value]],
  );
  return html`
    <dl class="pairs">
      ${flat.map(([name, value]) => html`<div><dt>${words(name)}</dt><dd>${typeof value === "object" && value !== null ? Object.keys(value).length : plain(value)}</dd></div>`)}
    </dl>`;
}

/** `partialHits` as people say it. */
const words = (name) => name.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase().replace(/ (s|ms)$/, ", $1");

const plain = (value) => (value === null || value === undefined ? "–" : typeof value === "number" ? (Number.isInteger(value) ? count(value) : ms(value)) : value === true ? "yes" : value === false ? "no" : String(value));
