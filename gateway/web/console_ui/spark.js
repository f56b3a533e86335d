// A small line over the last two minutes. It is drawn for the eye; the figure beside it is what is read aloud.
import { KEPT } from "./numbers.js";
import { html } from "./kit.js";

const WIDTH = 120;
const HEIGHT = 36;

/** `lines`: {class: numbers or nulls, oldest first}; they share one scale, from zero. */
export function Spark({ lines }) {
  const highest = Math.max(1e-9, ...Object.values(lines).flat().filter((one) => one != null));
  return html`
    <svg class="spark" viewBox=${`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="base" d=${`M0 ${HEIGHT}H${WIDTH}`} />
      ${Object.entries(lines).map(([name, values]) => html`<path class=${`line ${name}`} d=${path(values, highest)} />`)}
    </svg>`;
}

/** The newest stands at the right edge; a gap stays a gap. */
function path(values, highest) {
  const step = WIDTH / (KEPT - 2);
  const first = WIDTH - step * (values.length - 1);
  let open = false;
  return values
    .map((value, place) => {
      if (value == null) {
        open = false;
        return "";
      }
      const to = `${(first + step * place).toFixed(1)} ${(HEIGHT * (1 - value / highest)).toFixed(1)}`;
      const drawn = open ? `L${to}` : `M${to}h0`;
      open = true;
      return drawn;
    })
    .join("");
}
