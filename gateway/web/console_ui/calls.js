// The waterfall: every attempt that was made for a ranking, from the moment it was wanted to its end.
import { Card, count, counted, html, ms, Scroll } from "./kit.js";

const KINDS = { first: "first attempt", retry: "retry", hedge: "hedge" };
const GOOD = new Set(["answered"]);
const QUIET = new Set(["overtaken", "cancelled"]);
const TICKS = 5;

export function Calls({ attempts }) {
  const calls = new Set(attempts.map((one) => `${one.of}/${one.call}`)).size;
  if (attempts.length === 0) {
    return html`<${Card} id="calls" title="Calls" wide><p>None: everything was known.</p><//>`;
  }
  const step = tickStep(Math.max(1, ...attempts.map((one) => one.endedMs ?? one.beganMs)));
  const ends = step * Math.ceil(Math.max(1, ...attempts.map((one) => one.endedMs ?? one.beganMs)) / step);
  const ticks = Array.from({ length: Math.round(ends / step) + 1 }, (_, place) => place * step);
  const rows = [...attempts].sort((a, b) => a.of - b.of || a.call - b.call || a.place - b.place);
  const arns = new Set(attempts.map((one) => one.arn).filter(Boolean));
  const grid = { backgroundSize: `${(100 * step) / ends}% 100%` };
  return html`
    <${Card} id="calls" title="Calls" aside=${`${counted(calls, "call")}, ${counted(attempts.length, "attempt")}`} wide>
      <ul class="legend keys" aria-hidden="true">
        <li><span class="key queued" />waiting for a permit</li>
        ${Object.entries(KINDS).filter(([kind]) => attempts.some((one) => one.kind === kind)).map(([kind, words]) => html`<li><span class=${`key ${kind}`} />${words}</li>`)}
        ${attempts.some((one) => QUIET.has(one.outcome)) && html`<li><span class="key first quiet-end" />overtaken or cancelled</li>`}
        ${attempts.some((one) => !GOOD.has(one.outcome) && !QUIET.has(one.outcome)) && html`<li><span class="key bad-end" />failed</li>`}
      </ul>
      <${Scroll} label="Calls" tall>
        <table class="waterfall">
          <thead>
            <tr>
              <th scope="col">Call</th>
              <th scope="col" class="num items">Items</th>
              <th scope="col" class="track-head">
                <span class="unseen">Time since the ranking began, ms</span>
                <span class="ticks" aria-hidden="true">${ticks.map((at) => html`<span style=${{ left: `${(100 * at) / ends}%` }}>${count(at)}${at === ends ? " ms" : ""}</span>`)}</span>
              </th>
              <th scope="col" class="num">Took, ms</th>
              <th scope="col">Outcome</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map((one) => html`
              <tr class=${one.kind}>
                <th scope="row">${name(one)}</th>
                <td class="num items">${one.kind === "first" ? count(one.items) : ""}</td>
                <td class="track"><${Track} one=${one} ends=${ends} grid=${grid} /></td>
                <td class="num">${one.endedMs == null ? "–" : ms(one.endedMs - one.beganMs)}</td>
                <td class=${tone(one)} title=${one.arn ?? ""}>${one.outcome}${one.error ? html` <span class="fine">${one.error}</span>` : ""}${arns.size > 1 && one.arn ? html` <span class="fine">${one.arn.split("/").at(-1)}</span>` : ""}</td>
              </tr>`)}
          </tbody>
        </table>
      <//>
    <//>`;
}

function Track({ one, ends, grid }) {
  const queued = one.queuedMs ?? 0;
  const ended = one.endedMs ?? one.beganMs;
  const at = (from, to) => ({ left: `${(100 * from) / ends}%`, width: `${(100 * Math.max(0, to - from)) / ends}%` });
  return html`
    <span class="lane" style=${grid}>
      ${queued > 0 && html`<span class="run queued" style=${at(one.beganMs - queued, one.beganMs)} />`}
      <span class=${`run ${one.kind} ${end(one)}`} style=${at(one.beganMs, ended)} />
      <span class="unseen">from ${ms(one.beganMs)} to ${ms(ended)} ms</span>
    </span>`;
}

const end = (one) => (GOOD.has(one.outcome) ? "" : QUIET.has(one.outcome) ? "quiet-end" : "bad-end");
const tone = (one) => (GOOD.has(one.outcome) ? "ok" : QUIET.has(one.outcome) ? "fine" : "bad");

function name({ call, kind, round }) {
  const of = round && round !== "plan" ? `${round} ` : "";
  return kind === "first" ? `${of}${call + 1}` : html`<span class="again"><span aria-hidden="true">↳</span> ${kind}<span class="unseen"> of ${of}${call + 1}</span></span>`;
}

/** A step of 1, 2 or 5 times a power of ten that gives about `TICKS` ticks. */
export function tickStep(longest) {
  const raw = longest / TICKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw);
}
