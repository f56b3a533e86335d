// The plan of a ranking: its chunks with their anchors, and how certainly each call stands on the common scale.
import { Card, count, counted, html, percent, Scroll } from "./kit.js";

const ERROR_MAX = 1e-3; // above it a bridge is asked for
const ERROR_SHOWN_MIN = 1e-8;

export function Plan({ round, number, rounds }) {
  const which = rounds > 1 ? ` ${number + 1} of ${rounds}` : "";
  if (round.sizesByRound) return html`<${Tournament} round=${round} id=${`plan-${number}`} which=${which} />`;
  const placed = answered(round);
  const worst = Math.max(0, ...round.errorBounds.filter((_, chunk) => placed.has(chunk)).map((one) => one ?? Infinity));
  const largest = Math.max(...round.sizes);
  const facts = [
    [counted(round.anchors, "anchor"), round.anchors ? `in every chunk, from the ${round.anchorsFrom === "frame" ? "cached frame" : "candidates"}` : "one call needs none"],
    [counted(round.bridges, "bridge"), round.bridges ? "over the best of every chunk" : placed.size ? "the anchors were strong enough" : "there was nothing to join"],
    [round.drift == null ? "no drift measured" : `drift ${percent(round.drift)}`, round.drifted ? "the user or the model has moved: ranked anew" : round.drift == null ? "nothing known to compare with" : "the cached scores still hold"],
    placed.size === 0 ? ["no scale", "no call was answered"] : [worst === Infinity ? "unbounded error" : `error at most ${bound(worst)}`, worst > ERROR_MAX ? "more than 0.1 %" : "of the scale, relative"],
  ];
  return html`
    <${Card} id=${`plan-${number}`} title=${`Chunk plan${which}`} aside=${`${counted(round.sizes.length, "chunk")} of ${count(Math.min(...round.sizes))}${largest > Math.min(...round.sizes) ? ` to ${count(largest)}` : ""}`} wide>
      <ul class="facts">${facts.map(([what, why]) => html`<li><b>${what}</b><span class="fine">${why}</span></li>`)}</ul>
      ${round.failures?.length > 0 && html`<p class="bad">${counted(round.failures.length, "call")} failed: ${[...new Set(round.failures)].join("; ")}</p>`}
      <${Scroll} label="Chunks" tall>
        <table class="chunks">
          <thead>
            <tr>
              <th scope="col">Chunk</th>
              <th scope="col" class="wide-bar">Items: <span class="of-anchors ink">anchors</span>, own</th>
              <th scope="col" class="num">Items</th>
              <th scope="col" class="num">Offset</th>
              <th scope="col" class="wide-bar" aria-hidden="true">Error bound, log scale</th>
              <th scope="col" class="num">Error bound</th>
            </tr>
          </thead>
          <tbody>
            ${round.sizes.map((size, chunk) => html`
              <tr>
                <th scope="row">${chunk + 1}</th>
                <td class="wide-bar"><span class="stack thin" style=${{ width: `${(100 * size) / largest}%` }} aria-hidden="true"><span class="of-anchors" style=${{ flexGrow: round.anchors }} /><span class="of-fresh" style=${{ flexGrow: size - round.anchors }} /></span></td>
                <td class="num">${count(size)}</td>
                <td class="num">${placed.has(chunk) ? signed(round.offsets[chunk]) : "–"}</td>
                <td class="wide-bar" aria-hidden="true"><span class=${`meter ${round.errorBounds[chunk] > ERROR_MAX ? "over" : ""}`}><span style=${{ width: `${placed.has(chunk) ? 100 * onLog(round.errorBounds[chunk]) : 0}%` }} /></span></td>
                <td class="num">${placed.has(chunk) ? bound(round.errorBounds[chunk]) : "not answered"}</td>
              </tr>`)}
          </tbody>
        </table>
      <//>
    <//>`;
}

/** The chunks whose call was answered: the others have no place on the scale. */
const answered = (round) =>
  new Set(round.attempts.filter((one) => one.round === "plan" && one.outcome === "answered").map((one) => one.call));

const Tournament = ({ round, id, which }) => html`
  <${Card} id=${id} title=${`Tournament${which}`} aside=${`${counted(round.calls, "call")}, settled through rank ${count(round.settled)}`} wide>
    <p class="fine">This campaign is merged by orders alone: the best of every list play on until the head is settled.</p>
    <${Scroll} label="Rounds">
      <table>
        <thead><tr><th scope="col">Round</th><th scope="col" class="num">Calls</th><th scope="col">Sizes</th></tr></thead>
        <tbody>
          ${round.sizesByRound.map((sizes, place) => html`<tr><th scope="row">${place + 1}</th><td class="num">${sizes.length}</td><td>${[...new Set(sizes)].sort((a, b) => b - a).map(count).join(", ")}</td></tr>`)}
        </tbody>
      </table>
    <//>
  <//>`;

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
const bound = (value) => (value == null ? "none" : value === 0 ? "0" : value.toExponential(1).replace("e-", " · 10⁻").replace(/⁻(\d+)$/, (_, digits) => `⁻${[...digits].map((one) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[one]).join("")}`));

/** Where a bound stands between the smallest that is shown and the largest that is taken. */
function onLog(value) {
  if (value == null) return 1;
  if (value <= ERROR_SHOWN_MIN) return 0;
  return Math.min(1, Math.log(value / ERROR_SHOWN_MIN) / Math.log(ERROR_MAX / ERROR_SHOWN_MIN));
}
