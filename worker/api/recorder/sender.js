// What this device holds is sent by tus 1.0.

const STALLED = 30_000; // milliseconds
const LONGEST_RETRY = 15_000;
const SLOW = 10_000; // so much recording that waits makes a slow link
/** Statuses after which a repeat may succeed, beside every 5xx. An upload that is gone is created again. */
const PASSING = new Set([401, 404, 408, 409, 410, 423, 425, 429, 460]);

/** `status` is 0 without an answer; a repeat waits for `seconds`; after `isFinal` it would be refused again. */
class RequestError extends Error {
  constructor(message, status = 0, seconds = 0) {
    super(message);
    Object.assign(this, { status, seconds, isFinal: status >= 400 && status < 500 && !PASSING.has(status) });
  }
}

/** Resolves with any answer; rejects when there is none, or nothing moves for half a minute. */
function request(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let timer;
    const moved = () => {
      clearTimeout(timer);
      timer = setTimeout(() => xhr.abort(), STALLED);
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) if (value != null) xhr.setRequestHeader(name, value);
    Object.assign(xhr, { onprogress: moved, onreadystatechange: moved });
    xhr.upload.onprogress = moved;
    xhr.onloadend = () => {
      clearTimeout(timer);
      if (!xhr.status) reject(new RequestError('no answer'));
      else resolve({ status: xhr.status, text: xhr.responseText, header: (name) => xhr.getResponseHeader(name) });
    };
    moved();
    xhr.send(body);
  });
}

/** The user in a token, not verified: it separates the people who share this browser. */
function whoOf(token) {
  try {
    return String(JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).sub);
  } catch {
    return '';
  }
}

const encoded = (pairs) => Object.entries(pairs).filter(([, value]) => value != null)
  .map(([key, value]) => `${key} ${base64(utf8(value))}`).join(',');

/** Sends a journal until it is finished. `tell(name, detail)` notifies the page. */
class Sender {
  link = 'unknown';
  bytesPerSecond = null;
  #journal;
  #options;
  #tell;
  #offset = null; // the server's, in bytes of the upload; null: ask it
  #marksSent = 0;
  #isUnsure; // the server may have created the upload without our having its answer
  #failures = 0;
  #refusedToken = null;
  #isRunning = false;
  #isWoken = false;
  #wake = () => {};

  constructor(journal, options, tell) {
    this.#journal = journal;
    this.#options = options;
    this.#tell = tell;
    this.#isUnsure = journal.slices.length > 0;
  }

  /** Returns at once; after a failure only `wake` shortens the pause before the next attempt. */
  start() {
    if (!this.#isRunning) this.#run();
    else if (!this.#failures) this.wake();
  }

  wake() {
    this.#isWoken = true;
    this.#wake();
  }

  stop() {
    this.#isRunning = false;
    this.wake();
  }

  async #run() {
    this.#isRunning = true;
    while (this.#isRunning) {
      this.#isWoken = false;
      let wait = 0;
      try {
        if (!(await this.#sendNext())) wait = Infinity;
        this.#failures = 0;
      } catch (error) {
        wait = this.#failed(error);
      }
      const woken = new Promise((resolve) => { this.#wake = resolve; });
      if (wait && !this.#isWoken) await Promise.race(wait < Infinity ? [woken, pause(wait)] : [woken]);
    }
  }

  /** How long to wait before the next attempt. */
  #failed(error) {
    this.#offset = null;
    this.#failures += 1;
    this.link = { 0: 'offline', 401: 'token' }[error.status ?? 0] ?? 'busy';
    this.#tell('refused', error.isFinal ? error : null);
    const longer = Math.min(LONGEST_RETRY, 500 * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    return error.isFinal ? 4 * LONGEST_RETRY : Math.max((error.seconds || 0) * 1_000, longer);
  }

  /** Sends what comes next; false when there is nothing to send now. */
  async #sendNext() {
    const { facts } = this.#journal;
    if (!this.#journal.end) return false;
    if (!facts.upload) await this.#create();
    if (this.#offset === null) await this.#readOffset();
    if (this.#offset === null) return false;
    const slice = await this.#nextSlice();
    if (slice) await this.#sendSlice(slice);
    else if (facts.total === null) return false;
    else await this.#finish();
    return true;
  }

  async #ask(method, path, headers = {}, body = undefined) {
    const { facts } = this.#journal;
    const token = await this.#options.token(this.#refusedToken);
    facts.who ??= token ? whoOf(token) : null;
    if (!token || whoOf(token) !== facts.who) throw this.#withoutToken('this person is not signed in');
    const common = { Authorization: `Bearer ${token}`, 'Tus-Resumable': '1.0.0' };
    const address = new URL(path, this.#options.api);
    const { status, text, header } = await request(method, address, { ...common, ...headers }, body);
    if (status < 300) return { text, header };
    if (status !== 401) throw new RequestError(text.slice(0, 500), status, Number(header('Retry-After')));
    this.#refusedToken = token;
    throw this.#withoutToken(text.slice(0, 500));
  }

  #withoutToken(reason) {
    this.#tell('token');
    return new RequestError(reason, 401, LONGEST_RETRY / 1_000);
  }

  async #create() {
    const { facts } = this.#journal;
    const { session } = this.#options;
    facts.session ??= typeof session === 'function' ? await session() : session;
    facts.clock ??= await this.#readClock();
    const startedAt = new Date(facts.startedAt + facts.clock).toISOString();
    facts.upload = this.#isUnsure ? await this.#findUpload(startedAt) : null;
    if (!facts.upload) {
      this.#isUnsure = true;
      const [, extension] = /^\w+\/(\w+)/.exec(facts.mime);
      const values = { session_id: facts.session, title: facts.title, type: facts.type, filetype: facts.mime };
      const names = { filename: `${facts.id}.${extension}`, started_at: startedAt, clock_offset_ms: facts.clock };
      const headers = { 'Upload-Defer-Length': '1', 'Upload-Metadata': encoded({ ...values, ...names }) };
      const { header } = await this.#ask('POST', 'v1/uploads', headers);
      facts.upload = header('Location').split('/').at(-1);
      this.#offset = 0;
    }
    [facts.skipped, this.#marksSent] = [0, 0];
    await this.#journal.save();
  }

  /** The upload of an earlier attempt whose answer was lost. */
  async #findUpload(startedAt) {
    const { text } = await this.#ask('GET', `v1/uploads?session_id=${this.#journal.facts.session}`);
    const same = JSON.parse(text).items.find((upload) => Date.parse(upload.started_at) === Date.parse(startedAt));
    return same?.id ?? null;
  }

  /** Milliseconds that the server's clock is ahead, by the fastest of three answers. */
  async #readClock() {
    const answers = [];
    for (let n = 0; n < 3; n += 1) {
      const asked = Date.now();
      const { now } = JSON.parse((await this.#ask('GET', 'v1/time')).text);
      answers.push([Date.now() - asked, Math.round(Date.parse(now) - (asked + Date.now()) / 2)]);
    }
    return answers.sort(([one], [other]) => one - other)[0][1];
  }

  get #path() {
    return `v1/uploads/${this.#journal.facts.upload}`;
  }

  async #readOffset() {
    try {
      this.#offset = Number((await this.#ask('HEAD', this.#path)).header('Upload-Offset'));
      this.#marksSent = 0;
    } catch (error) {
      if (error.status !== 404 && error.status !== 410) throw error;
      // The server no longer has it: all of it was stored, or what is held here makes another upload.
      const { facts, end, storedTo } = this.#journal;
      [facts.upload, this.#isUnsure] = [null, false];
      if (facts.total === null || storedTo < end) throw error;
      this.stop();
      await this.#tell('finished', null);
    }
  }

  /** The slice at the server's offset, as `{slice, bytes}`; what is missing in front of it is skipped and marked. */
  async #nextSlice() {
    const { facts, slices } = this.#journal;
    for (const slice of slices) {
      const at = this.#offset + facts.skipped;
      if (slice.offset + slice.length <= at) continue;
      const bytes = await this.#journal.read(slice);
      const isHere = bytes.length === slice.length;
      if (isHere && slice.offset <= at) return { slice, bytes: bytes.subarray(at - slice.offset) };
      const from = slices.findLast(({ offset, length }) => offset + length <= at)?.to_ms ?? 0;
      facts.skipped = (isHere ? slice.offset : slice.offset + slice.length) - this.#offset;
      await this.#journal.mark('gap', from, isHere ? slice.from_ms : slice.to_ms);
      await this.#journal.save();
      if (isHere) return { slice, bytes };
    }
    return null;
  }

  async #sendSlice({ slice, bytes }) {
    const checksum = bytes.length === slice.length ? slice.sha256 : await digest(bytes);
    const begun = performance.now();
    await this.#patch(bytes, { 'Upload-Checksum': checksum && `sha256 ${checksum}` });
    const speed = bytes.length / ((performance.now() - begun) / 1_000);
    this.bytesPerSecond = this.bytesPerSecond === null ? speed : 0.7 * this.bytesPerSecond + 0.3 * speed;
    await this.#journal.forget(this.#offset + this.#journal.facts.skipped);
    this.link = this.#journal.lastMs - slice.to_ms > SLOW ? 'slow' : 'good';
    this.#tell('refused', null);
  }

  async #patch(bytes, more) {
    const marks = this.#journal.marks.slice(this.#marksSent, this.#marksSent + 50);
    const { header } = await this.#ask('PATCH', this.#path, {
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': this.#offset,
      'Upload-Marks': marks.length ? JSON.stringify(marks) : null,
      ...more,
    }, bytes);
    this.#offset = Number(header('Upload-Offset'));
    this.#marksSent += marks.length;
  }

  async #finish() {
    // Sent again to an upload that is finished, it changes nothing.
    await this.#patch(new Uint8Array(0), { 'Upload-Length': this.#offset });
    const receipt = JSON.parse((await this.#ask('GET', this.#path)).text);
    this.stop();
    await this.#tell('finished', receipt);
  }
}
