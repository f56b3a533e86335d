// An answer, laid open: what it cost, where its scores came from, its calls, its plan, and its order.
import { Calls } from "./calls.js";
import { Card, count, counted, html, ms, Notice, percent, Tile } from "./kit.js";
import { Order } from "./order.js";
import { Plan } from "./plan.js";

const REASONS = {
  calibration: "The scale that joins the calls is less certain than 0.1 %, and there was no time for a bridge.",
  unsettled: "Calls failed, or time ran out, before the head of the ranking was settled.",
  upstream: "Some calls failed. What was ranked comes first, the rest stands in your order, without scores.",
  deadline: "Some calls did not answer in time. What was ranked comes first, the rest stands in your order.",
  stale: "The ranking is that of a frame which is past its fresh time.",
  fallback: "Upstream failed and nothing was cached: this is your own order, without scores.",
  metadata: "The ranking is whole, but some items come without the metadata that was asked for.",
};

export function Answer({ answer, input, roundTripMs }) {
  const { usage, timing, degraded, plan } = answer;
  const attempts = attemptsOf(plan);
  const plans = plan.filter((round) => round.sizes || round.sizesByRound); // the others are calls for metadata
  return html`
    <header class="answer-head">
      <h2>${counted(answer.total, "item")} in ${ms(timing.totalMs)} ms</h2>
      <p>
        ${answer.campaign}${answer.variant ? ` · variant ${answer.variant}` : ""} · ${answer.merge} merge · ${ms(roundTripMs)} ms until it was here
        ${!degraded && html` · <span class="pill good">whole</span>`}
      </p>
    </header>
    ${degraded && html`<${Notice} tone="warn" title=${`Degraded: ${degraded}`}><p>${REASONS[degraded] ?? ""}</p><//>`}
    <dl class="tiles">
      <${Tile} label="Billed calls" value=${count(usage.upstreamCalls)} note=${notes(usage)} />
      <${Tile} label="From the cache" value=${percent(usage.candidates ? usage.cached / usage.candidates : null)} note=${`${count(usage.cached)} of ${count(usage.candidates)}`} />
      <${Tile} label="Own work" value=${ms(timing.cpuMs)} unit="ms" note="CPU of the gateway" />
      <${Tile} label="Certain through" value=${count(answer.resolvedThrough)} note="ranks; beyond, rounding hides it" />
    </dl>
    <div class="cards">
      <${Sources} answer=${answer} />
      <${Times} timing=${timing} />
      <${Calls} attempts=${attempts} />
      <${Order} answer=${answer} input=${input} />
      ${plans.map((round, number) => html`<${Plan} round=${round} number=${number} rounds=${plans.length} />`)}
    </div>`;
}

/** The attempts of all rounds, in the order of their calls. */
function attemptsOf(plan) {
  return plan.flatMap((round, number) =>
    (round.attempts ?? []).map((one, place) => ({ ...one, of: number, place })),
  );
}

function notes(usage) {
  const extras = { retry: usage.retries, hedge: usage.hedges, bridge: usage.bridges };
  const said = Object.entries(extras).filter(([, times]) => times > 0);
  if (said.length === 0) return usage.upstreamCalls ? "none tried twice" : "nothing was asked";
  const many = { retry: "retries", hedge: "hedges", bridge: "bridges" };
  return said.map(([word, times]) => `${times} ${times === 1 ? word : many[word]}`).join(", ");
}

const SOURCES = {
  fresh: "scored by these calls",
  cached: "known from earlier calls",
  stale: "known, past its fresh time",
  unknown: "unknown to the model",
  unranked: "could not be scored",
  excluded: "dropped by the filter",
};

function Sources({ answer }) {
  const { usage, degraded } = answer;
  const cached = degraded === "stale" ? 0 : usage.cached;
  const counts = { cached, stale: usage.cached - cached, unknown: usage.unknown, unranked: usage.unranked, excluded: usage.excluded };
  const rest = usage.candidates - Object.values(counts).reduce((sum, one) => sum + one, 0);
  // Unknown items may be known to be so from the cache, and then count as cached as well.
  if (rest < 0) counts.cached = Math.max(0, counts.cached + rest);
  const shares = Object.entries({ fresh: Math.max(0, rest), ...counts }).filter(([, many]) => many > 0);
  return html`
    <${Card} id="sources" title="Where the scores come from">
      <div class="stack" aria-hidden="true">
        ${shares.map(([name, many]) => html`<span class=${`of-${name}`} style=${{ flexGrow: many }} />`)}
      </div>
      <ul class="legend">
        ${shares.map(
          ([name, many]) => html`
            <li><span class=${`dot of-${name}`} /><b>${name}</b> ${count(many)} <span class="fine">${percent(many / usage.candidates)}, ${SOURCES[name]}</span></li>`,
        )}
      </ul>
    <//>`;
}

const STAGES = {
  cacheMs: "Cache",
  upstreamMs: "Upstream",
  queueMs: "… of it waiting for a permit",
  cpuMs: "Own work",
  restMs: "Turns, reading, telling",
};

function Times({ timing: told }) {
  const timing = { ...told, restMs: Math.max(0, told.totalMs - told.cacheMs - told.upstreamMs - told.cpuMs) };
  return html`
    <${Card} id="times" title="Where the time went" aside=${`${ms(timing.totalMs)} ms in all`}>
      <table class="bars">
        <thead class="unseen"><tr><th scope="col">Stage</th><th scope="col">Share</th><th scope="col">Milliseconds</th></tr></thead>
        <tbody>
          ${Object.entries(STAGES).map(
            ([name, words]) => html`
              <tr>
                <th scope="row">${words}</th>
                <td aria-hidden="true"><span class="meter"><span style=${{ width: `${Math.min(100, (100 * timing[name]) / timing.totalMs)}%` }} /></span></td>
                <td class="num">${ms(timing[name])}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    <//>`;
}
