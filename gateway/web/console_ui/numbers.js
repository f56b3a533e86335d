// What is computed of the live numbers: all of them count since the start, so a rate is the difference of two. Pure.

/** How long ago the numbers are that rates are told against: long enough to be calm, short enough to be live. */
export const WINDOW_S = 10;

/** The same for quantiles, which take more requests to say anything. */
export const QUANTILES_S = 30;

/** How many of them are kept: two minutes at one every two seconds. */
export const KEPT = 60;

/** The newest sample that is at least so old; the oldest where none is. */
export function before(samples, windowS) {
  const now = samples.at(-1);
  return samples.findLast((one) => now.nowS - one.nowS >= windowS - 0.5) ?? samples[0];
}

/** What `of` grew by a second between two samples; null where there is nothing to compare. */
export function perSecond(now, then, of) {
  const seconds = now.nowS - then.nowS;
  return seconds > 0 ? Math.max(0, of(now) - of(then)) / seconds : null;
}

/** What part of its growth `whole` was `part`; null where nothing grew. */
export function share(now, then, part, whole) {
  const all = whole(now) - whole(then);
  return all > 0 ? (part(now) - part(then)) / all : null;
}

/** The counts of a histogram that came between two samples. */
export function between(now, then) {
  return { bounds: now.bounds, counts: now.counts.map((many, place) => many - (then?.counts[place] ?? 0)) };
}

/** A quantile of a histogram, in the unit of its bounds: on a straight line within its bucket. Null if it is empty; of
 * what is above all bounds no more is known than the last of them. */
export function quantile({ bounds, counts }, q) {
  const all = counts.reduce((sum, many) => sum + many, 0);
  if (all === 0) return null;
  let below = 0;
  for (let place = 0; place < bounds.length; place++) {
    if (below + counts[place] >= q * all && counts[place] > 0) {
      const from = place === 0 ? 0 : bounds[place - 1];
      return from + (bounds[place] - from) * ((q * all - below) / counts[place]);
    }
    below += counts[place];
  }
  return bounds.at(-1);
}

/** The samples with one more; all are thrown away when counting has begun anew, as it does with another process. */
export function kept(samples, sample) {
  const last = samples.at(-1);
  return last && sample.nowS >= last.nowS && sample.calls.billed >= last.calls.billed ? [...samples, sample].slice(-KEPT) : [sample];
}

/** A series over all samples, of what `of` says of each and the one before it. */
export const series = (samples, of) => samples.slice(1).map((one, place) => of(one, samples[place]));
