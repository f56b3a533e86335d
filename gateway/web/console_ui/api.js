// Talks to the gateway that served this page. The key lives in this module's memory and nowhere else.

/** Why there is no answer, as the gateway says it (RFC 9457), or in the same shape where it could not. */
export class Failure extends Error {
  constructor({ title, detail = "", status = 0, type = "", instance = "", errors = [], retryAfter = null }) {
    super(title);
    Object.assign(this, { title, detail, status, type, instance, errors, retryAfter });
  }

  /** The gateway itself was not reached. */
  get gone() {
    return this.status === 0;
  }
}

const GONE = { title: "The gateway does not answer", detail: "It may have been stopped, or the network is away." };

let key = "";

/** Whose calls the next ones are; empty: nobody's. */
export function useKey(given) {
  key = given.trim();
}

/** Whether a key was given. */
export const hasKey = () => key !== "";

/** A ranking with all that explains it. */
export const rank = (members, signal) => ask("v1/rerank", { method: "POST", body: JSON.stringify(members), signal });

/** The campaigns as they stand. */
export const campaigns = (signal) => ask("v1/campaigns", { signal });

/** All numbers of the live page. */
export const live = (signal) => ask("console/live", { signal });

async function ask(path, options) {
  const headers = { Accept: "application/json" };
  if (options.body) headers["Content-Type"] = "application/json";
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  let body;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit", redirect: "error" });
    body = await response.json().catch((error) => (response.ok ? Promise.reject(error) : null));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(GONE);
  }
  if (response.ok) return body;
  const retryAfter = response.headers.get("Retry-After");
  throw new Failure({ title: `Status ${response.status}`, ...body, status: response.status, retryAfter });
}
