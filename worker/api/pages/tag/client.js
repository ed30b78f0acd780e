// Requests to the worker.

/** The worker refused the request: no retry can succeed. */
class Refused extends Error {
  constructor(status, problem) {
    super(`${status} ${problem?.detail || ''}`);
    this.status = status;
    this.problem = problem;
  }
}

/** No response, or a temporary failure: retry after `seconds` at the earliest. */
class Away extends Error {
  constructor(reason, seconds = 0) {
    super(reason);
    this.seconds = seconds;
  }
}

/** Statuses after which a retry may succeed; after 401 the page may have a new token. */
const PASSING = new Set([401, 408, 425, 429]);
const SECONDS_AFTER_401 = 15;

/**
 * The error of a response. A refusal is a problem document, or a 413, which proxies send too: any other page of a proxy
 * says nothing about the request.
 */
function failureOf(status, headers, text) {
  const seconds = Number(headers('retry-after')) || (status === 401 ? SECONDS_AFTER_401 : 0);
  const isProblem = (headers('content-type') || '').startsWith('application/problem+json');
  const answered = status >= 400 && status < 500 && !PASSING.has(status);
  if (!answered || !(isProblem || status === 413)) return new Away(`status ${status}`, seconds);
  let problem = null;
  try {
    problem = JSON.parse(text);
  } catch (error) {
    complain(error);
  }
  // The first request with an Idempotency-Key still runs.
  if (status === 409 && seconds) return new Away(problem?.detail, seconds);
  return new Refused(status, problem);
}

/** Bytes a second: a link that sends a body more slowly is considered dead. */
const MIN_RATE = 2_000;

/**
 * Sends a request; returns the JSON of the response, or null. Throws Refused or Away. `key` is an Idempotency-Key,
 * `seconds` how long to wait for the response, in addition to the time that a slow link needs for the body.
 */
async function ask(method, path, body, { key, seconds = 15 } = {}) {
  const credential = token();
  if (!credential) throw new Away('nobody is signed in', SECONDS_AFTER_401);
  const headers = { Authorization: `Bearer ${credential}` };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (key) headers['Idempotency-Key'] = key;
  const abort = new AbortController();
  const content = body === undefined ? undefined : JSON.stringify(body);
  const timer = setTimeout(() => abort.abort(), (seconds + (content?.length ?? 0) / MIN_RATE) * 1000);
  try {
    const response = await fetch(new URL(path, base), {
      // Without `cache`: with `no-store` each request would have a preflight of its own.
      method, headers, body: content, signal: abort.signal, credentials: 'omit',
    });
    const text = await response.text();
    if (!response.ok) throw failureOf(response.status, (name) => response.headers.get(name), text);
    return text ? JSON.parse(text) : null;
  } catch (error) {
    throw error instanceof Refused || error instanceof Away ? error : new Away(error?.message);
  } finally {
    clearTimeout(timer);
  }
}

/** The worker's id of a row of the platform: `{id, is_imported}`. */
const linkOf = (kind, id) => ask('GET', `v1/platform/links/${kind}/${id}`);

/** Milliseconds; a slower response leaves the offset so uncertain that it is measured again a minute later. */
const FAST_ANSWER = 300;
/** Not for each request: many people share the address of a mobile network, whose requests are limited. */
const CLOCK_INTERVAL = 60_000;
const CLOCK_ANSWERS = 3;

/** Milliseconds that the worker's clock is ahead of this one; strokes of both sides then have comparable times. */
const clock = {
  offset: null,
  took: Infinity, // the fastest answer: the offset is wrong by half of it at most
  drift: null, // of the device's clock against the monotonic one
  askAt: 0, // by the monotonic clock

  async read() {
    const drift = Date.now() - performance.now();
    if (Math.abs(drift - this.drift) > FAST_ANSWER) [this.took, this.askAt] = [Infinity, 0];
    this.drift = drift;
    if (this.took > FAST_ANSWER && performance.now() >= this.askAt) {
      for (let n = 0; n < CLOCK_ANSWERS; n += 1) await this.ask();
      this.askAt = performance.now() + CLOCK_INTERVAL;
    }
    return this.offset;
  },

  async ask() {
    const [asked, begun] = [Date.now(), performance.now()];
    const { now } = await ask('GET', 'v1/time');
    const took = performance.now() - begun;
    if (took < this.took) [this.took, this.offset] = [took, Math.round(Date.parse(now) - asked - took / 2)];
  },
};
