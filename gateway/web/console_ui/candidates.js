// Lists of candidates: made from a pattern, pasted, or out of a file. Pure: nothing here knows the page.

export const CANDIDATES_MAX = 100_000;

/** Ids `prefix` + number, from one number to another, with leading zeros up to `digits`. */
export function fromPattern({ prefix, from, to, digits }) {
  const last = Math.min(to, from + CANDIDATES_MAX - 1);
  const ids = [];
  for (let number = from; number <= last; number++) ids.push(prefix + String(number).padStart(digits, "0"));
  return ids;
}

/** A JSON list of ids, or of objects with an `itemId`; else lines, whose first field counts (a header is left out). */
export function fromText(text) {
  const trimmed = text.trim();
  if (trimmed.startsWith("[")) {
    try {
      return JSON.parse(trimmed).map((one) => (typeof one === "object" ? one?.itemId : one)).filter((one) => one != null).map(String);
    } catch {
      return []; // not JSON yet: it is being typed
    }
  }
  const ids = trimmed.split(/\r?\n/).map(firstField).filter((id) => id !== "");
  return /^item_?id$/i.test(ids[0] ?? "") ? ids.slice(1) : ids;
}

function firstField(line) {
  const quoted = /^\s*"((?:[^"]|"")*)"/.exec(line);
  return quoted ? quoted[1].replaceAll('""', '"') : line.split(/[,;\t]/, 1)[0].trim();
}

/** The same list in another order; the same for the same seed, so that a ranking can be asked for again. */
export function shuffled(list, seed) {
  const out = [...list];
  let state = seed >>> 0;
  for (let place = out.length - 1; place > 0; place--) {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const other = ((mixed ^ (mixed >>> 14)) >>> 0) % (place + 1);
    [out[place], out[other]] = [out[other], out[place]];
  }
  return out;
}

/** Lines `NAME=value` as an object; throws with the line that is none. */
export function pairs(text) {
  const found = {};
  for (const line of text.split(/\r?\n/).map((one) => one.trim()).filter(Boolean)) {
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`“${line}” is not NAME=value`);
    found[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return Object.keys(found).length > 0 ? found : null;
}

/** Calls that a cold ranking of so many candidates takes, bridges apart. */
export const coldCalls = (size) => (size === 0 ? 0 : size <= 500 ? 1 : Math.ceil((size - 3) / 497));
