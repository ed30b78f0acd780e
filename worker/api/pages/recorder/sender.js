// Sends what this device holds, by tus 1.0.

const PIECE = 65_536; // most bytes of a request: a slow link sends it in TIMEOUT
const MAX_MARKS = 50; // of a request
const LONGEST_RETRY = 15_000;
const SLOW = 10_000; // a link is slow when this many ms wait
/** Statuses after which a retry may succeed, besides every 5xx. */
const PASSING = new Set([401, 408, 409, 421, 423, 425, 429]);

/** The base URL of the API in an upload's address; null for a path, which any API accepts. */
const baseOf = (location) => (/^https?:\/\/[^/]/.test(location) ? new URL('../../', location).href : null);
const metadata = (values) => Object.entries(values).filter(([, value]) => value != null)
  .map(([key, value]) => `${key} ${base64(utf8(value))}`).join(',');

/** The user in a token, not verified: it separates the people who share this browser. Null without one. */
function whoOf(token) {
  try {
    return String(JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).sub);
  } catch {
    return null;
  }
}

/** An error for a response. Between us and the API may be a proxy; of what it answers itself, only 413 will last. */
async function refusal(response) {
  const { status, headers } = response;
  const isOfApi = headers.get('Content-Type')?.startsWith('application/problem+json') || status === 413;
  const problem = await response.json().catch(() => null);
  return Object.assign(new Error(problem?.detail ?? `status ${status}`), { status: isOfApi ? status : 502, headers });
}

/** Throws when a proxy or the page of a captive portal has answered. */
function offsetOf({ headers }) {
  const offset = headers.get('Upload-Offset');
  if (!/^\d+$/.test(offset)) throw new Error('this response is not from the API');
  return Number(offset);
}

/** Sends a journal until it is finished. `on` has the functions `token()`, `refused(reason)`, `finished(receipt)`. */
class Sender {
  link = 'unknown';
  bytesPerSecond = null;
  isStopped = false;
  #journal;
  #options;
  #on;
  #offset = null; // the server's, in bytes of the upload; null: ask it
  #marksSent = 0;
  #gone = new Set(); // uploads that the server no longer has
  #failures = 0;
  #retryAt = 0;
  #isAside = false; // whether the page's API is asked instead of the upload's
  #refusedToken = null;
  #isBusy = false;

  constructor(journal, options, on) {
    [this.#journal, this.#options, this.#on] = [journal, options, on];
  }

  /** Sends everything, unless it is already sending, or waits after a failure. Must be called again and again. */
  async send() {
    if (this.#isBusy || performance.now() < this.#retryAt) return;
    this.#isBusy = true;
    try {
      while (!this.isStopped && await this.#sendNext()) this.#failures = 0;
    } catch (error) {
      await this.#failed(error ?? new Error('unknown'));
    } finally {
      this.#isBusy = false;
    }
  }

  /** Ends the wait after a failure. */
  wake() {
    this.#retryAt = 0;
    this.send();
  }

  /** Decides by the server's answer when to try again, and where. Without `headers` it is not the server's. */
  async #failed({ message, status = 0, headers }) {
    // Otherwise it is the session that the server does not have.
    const isGone = this.#journal.facts.upload && (status === 404 || status === 410);
    const isFinal = status >= 400 && status < 500 && !PASSING.has(status) && !isGone;
    const seconds = Number(headers?.get('Retry-After')) || (status === 401 ? 15 : 0);
    this.#offset = null;
    this.#failures += 1;
    const longer = Math.min(LONGEST_RETRY, 500 * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.#retryAt = performance.now() + (isFinal ? 4 * LONGEST_RETRY : Math.max(seconds * 1_000, longer));
    this.link = { 0: 'offline', 401: 'token' }[status] ?? 'busy';
    this.#on.refused(isFinal ? message : null);
    if (status === 401) this.#on.token();
    // The upload's machine may be lost, or the page's policy may forbid its address.
    if (status === 0) this.#isAside = !this.#isAside;
    if (headers && this.#journal.facts.upload) await this.#leave(isGone, status, headers);
  }

  /** Leaves an API that does not have the bytes, and an upload that the server no longer has. */
  async #leave(isGone, status, headers) {
    const { facts, end, storedTo } = this.#journal;
    if (isGone && facts.total !== null && storedTo >= end) await this.#on.finished(null);
    else if (isGone) {
      // What is held here becomes a new upload.
      this.#gone.add(facts.upload);
      await this.#journal.write({ facts: { upload: null } });
    } else if (status === 421) {
      this.#isAside = false;
      await this.#journal.write({ facts: { base: baseOf(headers.get('Location')) } });
    }
  }

  /** Sends what comes next; false when there is nothing to send now. */
  async #sendNext() {
    const { facts, end } = this.#journal;
    if (!end) return false;
    if (!facts.upload) await this.#create();
    if (this.#offset === null) await this.#readOffset();
    const piece = await this.#nextPiece();
    if (piece) await this.#sendPiece(piece);
    else if (facts.total !== null) await this.#finish();
    return piece !== null;
  }

  /**
   * The page's token. Throws unless it is of the person whose recording it is. If nobody was signed in meanwhile, it is
   * the first person's whose upload of it the server accepts.
   */
  async token() {
    const token = await timely((async () => this.#options.token(this.#refusedToken))(), 'the page');
    const who = whoOf(token);
    const { facts, restoredTo } = this.#journal;
    if (who !== null && facts.who === null && restoredTo === null) await this.#journal.write({ facts: { who } });
    if (who !== null && who === (facts.who ?? who)) return token;
    throw Object.assign(new Error('this person is not signed in'), { status: 401 });
  }

  async #ask(method, path, headers = {}, body = undefined) {
    const token = await this.token();
    const response = await fetch(new URL(path, this.#options.api), {
      method, body, signal: AbortSignal.timeout(TIMEOUT * Math.min(4, 1 + this.#failures)),
      headers: { Authorization: `Bearer ${token}`, 'Tus-Resumable': '1.0.0', ...headers },
    });
    if (response.ok) return response;
    if (response.status === 401) this.#refusedToken = token;
    throw await refusal(response);
  }

  /** Creates the upload, or finds one whose creation got no response. */
  async #create() {
    const { facts } = this.#journal;
    const { session } = this.#options;
    const named = facts.session ?? (typeof session === 'function' ? session(facts) : session);
    const session_id = await timely(named, 'the page');
    const clock = facts.clock ?? await this.#readClock();
    await this.#journal.write({ facts: { session: session_id, clock, skipped: 0 } });
    const started_at = new Date(facts.startedAt + clock).toISOString();
    const { items } = await (await this.#ask('GET', `v1/uploads?session_id=${session_id}`)).json();
    // The API would refuse a longer title.
    const [title, type, mime] = [`${facts.title ?? ''}`.slice(0, 255), facts.type, facts.mime];
    const filename = `${facts.id}.${/^\w+\/(?:x-)?(\w+)/.exec(mime)?.[1] ?? 'webm'}`;
    const isOurs = (upload) => upload.filename === filename && !this.#gone.has(upload.id);
    const values = { session_id, title, type, filetype: mime, filename, started_at, clock_offset_ms: clock };
    const headers = { 'Upload-Defer-Length': '1', 'Upload-Metadata': metadata(values) };
    const location = items.find(isOurs)?.id ?? (await this.#ask('POST', 'v1/uploads', headers)).headers.get('Location');
    await this.#journal.write({ facts: { upload: location.split('/').at(-1), base: baseOf(location) } });
  }

  /** Milliseconds that the server's clock is ahead, by the fastest of three answers. */
  async #readClock() {
    const answers = [];
    for (let n = 0; n < 3; n += 1) {
      const asked = Date.now();
      const { now } = await (await this.#ask('GET', 'v1/time')).json();
      answers.push([Date.now() - asked, Math.round(Date.parse(now) - (asked + Date.now()) / 2)]);
    }
    return answers.sort(([one], [other]) => one - other)[0][1];
  }

  get #path() {
    const { upload, base } = this.#journal.facts;
    return new URL(`v1/uploads/${upload}`, (this.#isAside ? null : base) ?? this.#options.api);
  }

  async #readOffset() {
    const journal = this.#journal;
    const offset = offsetOf(await this.#ask('HEAD', this.#path));
    // An earlier page may have sent what it had not yet written. What this page records comes after that.
    const { skipped } = journal.facts;
    const beyond = journal.restoredTo === null ? 0 : offset + skipped - journal.restoredTo;
    if (beyond > 0) await journal.write({ facts: { skipped: skipped - beyond } });
    journal.restoredTo = null;
    this.#marksSent = 0;
    this.#offset = offset;
  }

  /** The bytes at the server's offset, as `{slice, bytes}`; missing bytes are skipped and marked as a gap. */
  async #nextPiece() {
    const { facts, slices } = this.#journal;
    const at = this.#offset + facts.skipped;
    const index = slices.findIndex(({ offset, length }) => offset + length > at);
    if (index < 0) return null;
    const slice = slices[index];
    const bytes = await this.#journal.read(slice);
    if (bytes && slice.offset <= at) return { slice, bytes: bytes.subarray(at - slice.offset).subarray(0, PIECE) };
    this.#journal.mark('gap', slices[index - 1]?.to_ms ?? 0, bytes ? slice.from_ms : slice.to_ms);
    const skipped = (bytes ? slice.offset : slice.offset + slice.length) - this.#offset;
    await this.#journal.write({ facts: { skipped } });
    return this.#nextPiece();
  }

  async #sendPiece({ slice, bytes }) {
    const begun = performance.now();
    await this.#patch(bytes);
    const speed = bytes.length / ((performance.now() - begun) / 1_000);
    this.bytesPerSecond = 0.7 * (this.bytesPerSecond ?? speed) + 0.3 * speed;
    this.#journal.forget(this.#offset + this.#journal.facts.skipped);
    this.link = this.#journal.lastMs - slice.to_ms > SLOW ? 'slow' : 'good';
    this.#on.refused(null);
  }

  /** Sends no checksum, so that the server keeps what has arrived of a request that is cut off. */
  async #patch(bytes, more) {
    const marks = this.#journal.marks.slice(this.#marksSent, this.#marksSent + MAX_MARKS);
    const named = marks.length && { 'Upload-Marks': JSON.stringify(marks) };
    const known = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': this.#offset };
    this.#offset = offsetOf(await this.#ask('PATCH', this.#path, { ...known, ...named, ...more }, bytes));
    this.#marksSent += marks.length;
  }

  async #finish() {
    const nothing = new Uint8Array(0);
    while (this.#journal.marks.length > this.#marksSent + MAX_MARKS) await this.#patch(nothing);
    // Idempotent: a finished upload does not change.
    await this.#patch(nothing, { 'Upload-Length': this.#offset });
    await this.#on.finished(await (await this.#ask('GET', this.#path)).json());
  }
}
