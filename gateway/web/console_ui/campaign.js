// A campaign as it stands: limits, queue, budget, breakers, for it or for each of its variants.
import { Card, count, html, ms, rate, Scroll } from "./kit.js";

const BREAKERS = { closed: "good", open: "bad" };

export function Campaign({ campaign }) {
  const gates = campaign.variants.length ? campaign.variants : [campaign];
  const policies = [`${campaign.merge} merge`, campaign.fallback && campaign.fallback !== "none" && `fallback ${campaign.fallback}`, campaign.tps && `${count(campaign.tps)} calls/s at most`];
  return html`
    <${Card} id=${`campaign-${campaign.name}`} title=${campaign.name} aside=${policies.filter(Boolean).join(" · ")} wide>
      ${gates.map((gate) => html`
        ${campaign.variants.length > 0 && html`<h4>Variant ${gate.name} <span class="fine">weight ${gate.weight}</span></h4>`}
        <${Gate} gate=${gate} name=${campaign.variants.length ? `${campaign.name}, variant ${gate.name}` : campaign.name} />`)}
    <//>`;
}

function Gate({ gate, name }) {
  const limit = gate.arns.reduce((sum, one) => sum + one.concurrencyLimit, 0);
  const { latencyMs, counts } = gate;
  return html`
    <dl class="tiles small">
      <${Fact} label="Calls under way" value=${html`${count(gate.inFlight)} <span class="unit">of ${count(limit)}</span>`} meter=${limit ? gate.inFlight / limit : 0} />
      <${Fact} label="Waiting" value=${count(gate.queue)} />
      <${Fact} label="Calls/s" value=${rate(gate.ratePerS)} />
      <${Fact} label="p50 · p95 · p99, ms" value=${latencyMs ? `${ms(latencyMs.p50)} · ${ms(latencyMs.p95)} · ${ms(latencyMs.p99)}` : "not known yet"} />
      <${Fact} label="Budget for extras" value=${rate(gate.budgetLeft)} />
      <${Fact} label="Retries" value=${count(counts.retries)} />
      <${Fact} label="Refused: busy · resting" value=${`${count(counts.busy)} · ${count(counts.resting)}`} />
    </dl>
    <${Scroll} label=${`ARNs of ${name}`}>
      <table>
        <thead>
          <tr><th scope="col">ARN</th><th scope="col">Breaker</th>${["Opened", "Limit", "Under way", "Answered", "Failed", "Throttled", "Late", "Overtaken"].map((head) => html`<th scope="col" class="num">${head}</th>`)}</tr>
        </thead>
        <tbody>
          ${gate.arns.map((one) => html`
            <tr>
              <th scope="row" class="arn" title=${one.arn}>${one.arn.split(":").slice(3, 4).concat(one.arn.split(":").slice(5)).join(" ")}</th>
              <td><span class=${`pill ${BREAKERS[one.breaker] ?? "middling"}`}>${one.breaker}</span></td>
              ${[one.breakerOpened, one.concurrencyLimit, one.inFlight, one.answered, one.failed, one.throttled, one.timedOut, one.overtaken].map((value) => html`<td class="num">${count(value)}</td>`)}
            </tr>`)}
        </tbody>
      </table>
    <//>`;
}

const Fact = ({ label, value, meter }) => html`
  <div class="tile">
    <dt>${label}</dt>
    <dd><span class="figure">${value}</span></dd>
    ${meter != null && html`<dd aria-hidden="true"><span class="meter"><span style=${{ width: `${Math.min(100, 100 * meter)}%` }} /></span></dd>`}
  </div>`;
