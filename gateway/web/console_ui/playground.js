// The playground: a ranking is asked for as any caller would ask for it, and its answer is laid open.
import { useEffect, useMemo, useRef, useState } from "./hooks.js";
import * as api from "./api.js";
import { Answer } from "./answer.js";
import { CANDIDATES_MAX, coldCalls, fromPattern, fromText, pairs, shuffled } from "./candidates.js";
import { count, counted, html, Problem } from "./kit.js";

const PATTERN = { prefix: "p", from: 1, to: 1000, digits: 5 };
const SAMPLES = [100, 1_000, 10_000];
const FILE_BYTES_MAX = 16 * 1024 * 1024; // a request's body may not be larger

export function Playground({ keyed }) {
  const [form, setForm] = useState({
    campaign: "", userId: "user-1", context: "", filterArn: "", filterValues: "", limit: "", deadlineMs: "10000",
  });
  const [list, setList] = useState({ from: "sample", pattern: PATTERN, shuffle: false, text: "", file: null });
  const [known, setKnown] = useState([]);
  const [asked, setAsked] = useState({ state: "idle" });
  const underWay = useRef(null);
  const results = useRef(null);
  const candidates = useMemo(() => listOf(list), [list]);
  const set = (name) => (event) => {
    const { value } = event.currentTarget;
    setForm((now) => ({ ...now, [name]: value })); // the campaigns may have come since this was drawn
  };

  useEffect(() => {
    const gone = new AbortController();
    api.campaigns(gone.signal).then(
      ({ campaigns }) => {
        setKnown(campaigns.map((one) => one.name));
        setForm((now) => ({ ...now, campaign: now.campaign || campaigns[0]?.name || "" }));
      },
      () => {}, // it can be typed; what is wrong with the gateway will be told with the ranking
    );
    return () => gone.abort();
  }, [keyed]);

  async function rank(event) {
    event.preventDefault();
    underWay.current?.abort();
    const mine = (underWay.current = new AbortController());
    setAsked({ state: "asking", last: asked.last });
    try {
      const members = membersOf(form, candidates);
      const began = performance.now();
      const answer = await api.rank(members, mine.signal);
      const last = { answer, input: members.inputList, roundTripMs: performance.now() - began };
      setAsked({ state: "done", last });
      if (matchMedia("(max-width: 60rem)").matches) results.current?.scrollIntoView({ block: "start" });
    } catch (error) {
      if (underWay.current !== mine) return; // another one was asked for since
      if (error.name === "AbortError") setAsked({ state: "idle", last: asked.last });
      else setAsked({ state: "failed", failure: failureOf(error) });
    }
  }

  const asking = asked.state === "asking";
  const hurry = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
  };
  return html`
    <div class="playground">
      <form class="ask" aria-label="Ranking" autocomplete="off" onSubmit=${rank} onKeyDown=${hurry}>
        <h1>Playground</h1>
        <${Field} id="campaign" label="Campaign" value=${form.campaign} onInput=${set("campaign")} required list="campaigns" hint="a name, or an ARN" />
        <datalist id="campaigns">${known.map((name) => html`<option value=${name} />`)}</datalist>
        <${Field} id="user" label="User" value=${form.userId} onInput=${set("userId")} required hint="sent with the request, stored nowhere" />
        <${Candidates} list=${list} setList=${setList} candidates=${candidates} />
        <details>
          <summary>Context and filter</summary>
          <${Area} id="context" label="Context" value=${form.context} onInput=${set("context")} placeholder="DEVICE=mobile" hint="a NAME=value a line" />
          <${Field} id="filter" label="Filter ARN" value=${form.filterArn} onInput=${set("filterArn")} />
          <${Area} id="values" label="Filter values" value=${form.filterValues} onInput=${set("filterValues")} placeholder=${'BRAND="acme","umbra"'} hint="a NAME=value a line" />
        </details>
        <div class="row">
          <${Field} id="limit" label="Limit" type="number" min="0" value=${form.limit} onInput=${set("limit")} placeholder="all" />
          <${Field} id="deadline" label="Deadline, ms" type="number" min="1" max="30000" value=${form.deadlineMs} onInput=${set("deadlineMs")} placeholder="default" />
        </div>
        <div class="row actions">
          <button class="primary" disabled=${candidates.length === 0} title="Ctrl + Enter">${asking ? "Ranking …" : `Rank ${count(candidates.length)}`}</button>
          ${asking && html`<button type="button" class="quiet" onClick=${() => underWay.current?.abort()}>Cancel</button>`}
        </div>
        <p class="fine">Where nothing is cached, this makes about ${counted(coldCalls(candidates.length), "call")} to the campaign, each of them billed.</p>
      </form>
      <div class="results" ref=${results} aria-busy=${asking}>
        <p role="status" class="unseen">${spoken(asked)}</p>
        ${asked.state === "failed" && html`<${Problem} failure=${asked.failure} />`}
        ${asked.last && html`<${Answer} key=${asked.last.answer.rankingId} ...${asked.last} />`}
        ${!asked.last && asked.state !== "failed" && html`<${Empty} />`}
      </div>
    </div>`;
}

function Candidates({ list, setList, candidates }) {
  const choose = (from) => setList({ ...list, from });
  const pattern = (name) => (event) => {
    const given = event.currentTarget.value;
    setList({ ...list, pattern: { ...list.pattern, [name]: name === "prefix" ? given : Number(given) || 0 } });
  };
  const take = async (event) => {
    const [file] = event.currentTarget.files;
    if (!file) return;
    const text = file.size > FILE_BYTES_MAX ? "" : await file.text();
    setList({ ...list, file: { name: file.name, text, tooLarge: file.size > FILE_BYTES_MAX } });
  };
  const { pattern: made } = list;
  return html`
    <fieldset>
      <legend>Candidates</legend>
      <div class="choices">
        ${Object.entries({ sample: "Sample", paste: "Paste", file: "File" }).map(
          ([from, name]) => html`
            <label><input type="radio" name="from" checked=${list.from === from} onChange=${() => choose(from)} /><span>${name}</span></label>`,
        )}
      </div>
      ${list.from === "sample" &&
      html`
        <div class="chips" role="group" aria-label="Size of the sample">
          ${SAMPLES.map(
            (size) => html`
              <button type="button" aria-pressed=${made.from === 1 && made.to === size} onClick=${() => setList({ ...list, pattern: { ...made, from: 1, to: size } })}>${count(size)}</button>`,
          )}
        </div>
        <details>
          <summary>Ids of another store</summary>
          <div class="row four">
            <${Field} id="prefix" label="Prefix" value=${made.prefix} onInput=${pattern("prefix")} />
            <${Field} id="from" label="From" type="number" min="0" value=${made.from} onInput=${pattern("from")} />
            <${Field} id="to" label="To" type="number" min="0" value=${made.to} onInput=${pattern("to")} />
            <${Field} id="digits" label="Digits" type="number" min="0" max="20" value=${made.digits} onInput=${pattern("digits")} />
          </div>
        </details>`}
      ${list.from === "paste" &&
      html`<${Area} id="pasted" label="Item ids" rows="6" value=${list.text} onInput=${(event) => setList({ ...list, text: event.currentTarget.value })} hint="one a line, or a JSON list" />`}
      ${list.from === "file" &&
      html`
        <div class="field">
          <label for="file">File</label>
          <input id="file" type="file" accept=".txt,.csv,.tsv,.json,text/plain,text/csv,application/json" onChange=${take} />
          <p class="fine">lines, a CSV (its first column), or a JSON list; it is read here, in your browser</p>
        </div>`}
      <label class="check"><input type="checkbox" checked=${list.shuffle} onChange=${(event) => setList({ ...list, shuffle: event.currentTarget.checked })} /> Shuffled</label>
      <p class="fine" aria-live="polite">${said(list, candidates)}</p>
    </fieldset>`;
}

const Field = ({ id, label, hint, type = "text", ...more }) => html`
  <div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} type=${type} autocomplete="off" spellcheck="false" aria-describedby=${hint ? `${id}-hint` : null} ...${more} />
    ${hint && html`<p class="fine" id=${`${id}-hint`}>${hint}</p>`}
  </div>`;

const Area = ({ id, label, hint, rows = 3, ...more }) => html`
  <div class="field">
    <label for=${id}>${label}</label>
    <textarea id=${id} rows=${rows} autocomplete="off" spellcheck="false" aria-describedby=${hint ? `${id}-hint` : null} ...${more} />
    ${hint && html`<p class="fine" id=${`${id}-hint`}>${hint}</p>`}
  </div>`;

const Empty = () => html`
  <div class="empty">
    <svg viewBox="0 0 160 84" aria-hidden="true">
      <path d="M20 14C80 14 80 58 140 58M20 28C80 28 80 14 140 14M20 42C80 42 80 70 140 70M20 56C80 56 80 28 140 28M20 70C80 70 80 42 140 42" />
    </svg>
    <h2>One ranking call without the 500-item limit</h2>
    <p>Choose candidates and a user, and rank. You will see the order beside the one that came in, every call that was made for it, and how their scores were brought on one scale.</p>
  </div>`;

function listOf({ from, pattern, shuffle, text, file }) {
  const made = from === "sample" ? fromPattern(pattern) : fromText(from === "paste" ? text : file?.text ?? "");
  return shuffle ? shuffled(made, 17) : made;
}

function said({ from, file }, candidates) {
  if (from === "file" && file?.tooLarge) return `${file.name} is larger than a request may be (16 MiB).`;
  if (candidates.length === 0) return "No candidates yet.";
  const many = candidates.length > CANDIDATES_MAX ? `, ${count(CANDIDATES_MAX)} are the most` : "";
  return `${counted(candidates.length, "candidate")}${many}: ${candidates[0]} … ${candidates.at(-1)}`;
}

function membersOf(form, inputList) {
  const members = { campaign: form.campaign.trim(), userId: form.userId, inputList, explain: true };
  const more = { context: pairs(form.context), filterArn: form.filterArn.trim() || null, filterValues: pairs(form.filterValues) };
  const numbers = { limit: whole(form.limit), deadlineMs: whole(form.deadlineMs) };
  for (const [name, value] of Object.entries({ ...more, ...numbers })) if (value !== null) members[name] = value;
  return members;
}

const whole = (text) => (text === "" ? null : Number(text));

function failureOf(error) {
  if (error instanceof api.Failure) return error;
  return new api.Failure({ title: "The request cannot be made", detail: error.message, status: null });
}

function spoken({ state, failure, last }) {
  if (state === "asking") return "Ranking";
  if (state === "failed") return `${failure.title}. ${failure.detail}`;
  if (state !== "done") return "";
  const { total, degraded, usage, timing } = last.answer;
  return `${counted(total, "item")} ranked in ${Math.round(timing.totalMs)} milliseconds with ${counted(usage.upstreamCalls, "call")}${degraded ? `, degraded: ${degraded}` : ""}.`;
}
