// The ranking beside the input order: how far every item moved.
import { useMemo, useState } from "./hooks.js";
import { Card, count, html, Scroll } from "./kit.js";

const PAGE = 25;
const POINTS_MAX = 4_000; // more than this would only cover each other
const SIDE = 320;
const PAD = 8;
const FAR = 5;
const FEW = 500;

export function Order({ answer, input }) {
  const [page, setPage] = useState(0);
  const [sought, setSought] = useState("");
  const ranked = answer.personalizedRanking;
  const rankOf = useMemo(() => new Map(ranked.map((one, place) => [one.itemId, answer.offset + place + 1])), [answer]);
  const pages = Math.max(1, Math.ceil(ranked.length / PAGE));
  const seek = (event) => {
    const id = event.currentTarget.value.trim();
    setSought(id);
    if (rankOf.has(id)) setPage(Math.floor((rankOf.get(id) - answer.offset - 1) / PAGE));
  };
  const from = page * PAGE;
  const best = ranked.length > 0 ? ranked[0].score : null;
  return html`
    <${Card} id="order" title="Ranking beside the input order" aside=${ranked.length < answer.total ? `the first ${count(ranked.length)} of ${count(answer.total)}` : null} wide>
      <div class="order">
        <${Moves} ranked=${ranked} places=${input.length} total=${answer.total} offset=${answer.offset} />
        <div class="order-table">
          <${Scroll} label="Ranking">
            <table class="ranking">
              <thead>
                <tr>
                  <th scope="col" class="num">Rank</th><th scope="col">Item</th><th scope="col" class="num">Score</th>
                  <th scope="col" class="num">Was at</th><th scope="col" class="num">Moved</th><th scope="col">Source</th>
                  <th scope="col" class="input-side">Input at this place</th>
                </tr>
              </thead>
              <tbody>
                ${ranked.slice(from, from + PAGE).map((one, place) => {
                  const rank = answer.offset + from + place + 1;
                  const there = input[rank - 1];
                  return html`
                    <tr class=${one.itemId === sought ? "sought" : ""}>
                      <td class="num rank">${count(rank)}</td>
                      <th scope="row">${one.itemId}</th>
                      <td class="num score"><span class="score-bar" aria-hidden="true" style=${{ width: `${best ? 100 * (one.score ?? 0) / best : 0}%` }} />${one.score == null ? "–" : one.score.toPrecision(4)}</td>
                      <td class="num">${one.position == null ? "–" : count(one.position + 1)}</td>
                      <td class="num"><${Move} by=${one.position == null ? 0 : one.position + 1 - rank} /></td>
                      <td><span class=${`dot of-${one.source}`} aria-hidden="true" /> ${one.source}</td>
                      <td class="input-side">${there == null ? "" : html`${there} <span class="fine">${rankOf.has(there) ? `→ ${count(rankOf.get(there))}` : ""}</span>`}</td>
                    </tr>`;
                })}
              </tbody>
            </table>
          <//>
          <nav class="pager" aria-label="Pages of the ranking">
            <button type="button" class="quiet" disabled=${page === 0} onClick=${() => setPage(page - 1)}>Back</button>
            <span aria-live="polite">${count(Math.min(from + 1, ranked.length))} to ${count(Math.min(from + PAGE, ranked.length))} of ${count(ranked.length)}</span>
            <button type="button" class="quiet" disabled=${page >= pages - 1} onClick=${() => setPage(page + 1)}>Next</button>
            <label class="seek">Find <input type="search" value=${sought} onInput=${seek} placeholder="item id" spellcheck="false" autocomplete="off" /></label>
          </nav>
        </div>
      </div>
    <//>`;
}

const Move = ({ by }) =>
  by === 0
    ? html`<span class="fine">stays</span>`
    : html`<span class=${by > 0 ? "up" : "down"}><span aria-hidden="true">${by > 0 ? "▲" : "▼"}</span><span class="unseen">${by > 0 ? "up" : "down"} </span> ${count(Math.abs(by))}</span>`;

/** Every item as a point: its place in the list, and its rank. */
function Moves({ ranked, places, total, offset }) {
  const { up, down, stays } = useMemo(() => paths(ranked, places, offset), [ranked]);
  const whole = ranked.length === total; // else ranks and places have no scale in common
  const few = ranked.length < FEW ? "few" : "";
  return html`
    <figure class="moves">
      <svg viewBox=${`0 0 ${SIDE} ${SIDE}`} role="img" aria-label=${`Every item by its place in the input and its rank: ${count(up.many)} moved up, ${count(down.many)} down, ${count(stays)} stayed`}>
        <rect x="0" y="0" width=${SIDE} height=${SIDE} rx="6" class="ground" />
        ${whole && html`<path d=${`M${PAD} ${PAD}L${SIDE - PAD} ${SIDE - PAD}`} class="diagonal" />`}
        <path d=${down.path} class=${`down ${few}`} /><path d=${up.path} class=${`up ${few}`} />
      </svg>
      <figcaption>
        <span>Across: place in the input. Down: rank${whole ? "" : ", of these"}.</span>
        <span class="up"><span aria-hidden="true">▲</span> ${count(up.many)} moved up</span>
        <span class="down"><span aria-hidden="true">▼</span> ${count(down.many)} moved down</span>
      </figcaption>
      <${Furthest} ranked=${ranked} offset=${offset} />
    </figure>`;
}

/** The items that moved most, each way. */
function Furthest({ ranked, offset }) {
  const [up, down] = useMemo(() => {
    const moved = ranked.map((one, place) => [one.itemId, one.position == null ? 0 : one.position - offset - place]);
    moved.sort((a, b) => b[1] - a[1]);
    return [moved.slice(0, FAR).filter(([, by]) => by > 0), moved.slice(-FAR).reverse().filter(([, by]) => by < 0)];
  }, [ranked]);
  if (up.length + down.length === 0) return null;
  return html`
    <div class="far">
      ${[["Furthest up", up], ["Furthest down", down]].filter(([, few]) => few.length > 0).map(([title, few]) => html`
        <div><h4>${title}</h4><ul>${few.map(([id, by]) => html`<li><span>${id}</span><${Move} by=${by} /></li>`)}</ul></div>`)}
    </div>`;
}

function paths(ranked, places, offset) {
  const moves = { up: { path: "", many: 0 }, down: { path: "", many: 0 }, stays: 0 };
  const every = Math.ceil(ranked.length / POINTS_MAX);
  const last = offset + ranked.length; // of a page, the whole height is the page
  const span = SIDE - 2 * PAD;
  ranked.forEach(({ position }, place) => {
    const by = position - offset - place;
    if (position == null || by === 0) {
      moves.stays += 1;
      return;
    }
    const way = by > 0 ? moves.up : moves.down;
    way.many += 1;
    if (place % every) return;
    const across = PAD + (span * position) / Math.max(1, places - 1);
    const deep = PAD + (span * (offset + place)) / Math.max(1, last - 1);
    way.path += `M${across.toFixed(1)} ${deep.toFixed(1)}h0`;
  });
  return moves;
}
