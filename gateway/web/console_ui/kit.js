// What every part of the console is built with: elements, numbers as people read them, small pieces that recur.
import { h } from "./preact.js";
import htm from "./htm.js";

export const html = htm.bind(h);

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 10,000; a dash where there is nothing. */
export const count = (value) => (value == null ? "–" : GROUPED.format(value));

/** Milliseconds: 0.42, 4.2, 42, 4,200. */
export const ms = (value) =>
  value == null ? "–" : value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : GROUPED.format(value);

/** A rate a second: as exact as it is small. */
export const rate = (value) =>
  value == null ? "–" : value === 0 ? "0" : value < 10 ? value.toFixed(1) : GROUPED.format(value);

/** 0.0123 -> 1.2 %; a share that is not quite everything is never told as 100 %. */
export const percent = (share) => {
  if (share == null || Number.isNaN(share)) return "–";
  const shown = 100 * share;
  if (shown > 99.9 && shown < 100) return "> 99.9 %";
  if (shown > 0 && shown < 0.1) return "< 0.1 %";
  return `${shown === 0 || shown >= 99.95 ? shown.toFixed(0) : shown.toFixed(1)} %`;
};

/** 1 call, 2 calls. */
export const counted = (value, word) => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

/** A number with what it is. */
export const Tile = ({ label, value, unit, note, tone }) => html`
  <div class=${`tile ${tone || ""}`}>
    <dt>${label}</dt>
    <dd><span class="figure">${value}</span>${unit && html`<span class="unit"> ${unit}</span>`}</dd>
    ${note && html`<dd class="note">${note}</dd>`}
  </div>`;

/** A part of the page under a heading; `aside` stands at the heading's end. */
export const Card = ({ id, title, aside, children, wide }) => html`
  <section class=${`card ${wide ? "wide" : ""}`} aria-labelledby=${id}>
    <header><h3 id=${id}>${title}</h3>${aside && html`<p class="aside">${aside}</p>`}</header>
    ${children}
  </section>`;

/** Something that has to be seen; `tone` is warn, bad or info. */
export const Notice = ({ tone, title, children }) => html`
  <div class=${`notice ${tone}`}>
    <${Mark} tone=${tone} />
    <div><strong>${title}</strong>${children && html`<div>${children}</div>`}</div>
  </div>`;

const MARKS = { warn: "M12 4 21 20H3ZM12 10v4.5M12 17.2v.1", bad: "M8 8l8 8M16 8l-8 8", info: "M12 11v6M12 7.4v.1" };

const Mark = ({ tone }) => html`
  <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    ${tone !== "warn" && html`<circle cx="12" cy="12" r="9" />`}<path d=${MARKS[tone]} />
  </svg>`;

/** What an error is, in all its members. */
export const Problem = ({ failure }) => html`
  <${Notice} tone="bad" title=${failure.title}>
    <p>${failure.detail}</p>
    ${failure.errors.length > 0 &&
    html`<ul>${failure.errors.map((one) => html`<li><code>${one.pointer}</code> ${one.detail}</li>`)}</ul>`}
    <p class="fine">
      ${[failure.status && `status ${failure.status}`, failure.type, failure.retryAfter && `come again in ${failure.retryAfter} s`, failure.instance]
        .filter(Boolean)
        .join(" · ")}
    </p>
  <//>`;

/** A table that may be wider or longer than its place: it scrolls by keyboard as well. */
export const Scroll = ({ label, children, tall }) => html`
  <div class=${`scroll ${tall ? "tall" : ""}`} role="region" aria-label=${label} tabindex="0">${children}</div>`;
