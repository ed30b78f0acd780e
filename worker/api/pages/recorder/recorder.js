// The recorder: docs/recorder.md.

const SLICE = 2_000; // milliseconds
const TICK = 500;
const ASLEEP = 8_000; // the device's clock has moved on by so much more than the browser's own: the device slept
const STALLED = 90_000; // neither a tick nor a slice for so long: it slept, too (some browsers count a sleep)
const DAY = 86_400_000; // a clock that moved on by more was set; by less, the device slept
const BIT_RATES = { video: 600_000, screen: 600_000, board: 250_000, sound: 24_000 };
const VIDEO_TYPES = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4;codecs=avc3.42E01E,mp4a.40.2', 'video/mp4'];
const SOUND_TYPES = ['audio/webm;codecs=opus', 'audio/webm', 'audio/mp4', 'audio/ogg;codecs=opus'];

/** Changes when the device's clock is set, and by the length of a sleep if the browser does not count it. */
const drift = () => Math.round(Date.now() - performance.now());

/**
 * A recording. Events: `change` (several times a second), `warning` (`detail`: `{kind, on, about}`), `token` (the
 * server refused the last one), `finished` (`detail`: the receipt) and `discarded`; these two end each recording.
 */
export class Recorder extends EventTarget {
  #options;
  #journal = new Journal();
  #sender;
  #taking = null; // the promise of `take`
  #starting = null; // and that of `start`
  #release = null; // releases the recording to other tabs
  #listening; // ends the timer and the listeners
  #phase = 'new';
  #warnings = new Set();
  #receipt = null;
  #stream = null;
  #part = null; // the MediaRecorder that runs: {media, stopped, isGiven, isHalted, isIgnored}
  #microphone = null;
  #writing = Promise.resolve();
  #from = 0; // where the next slice begins
  #pausedAt = null;
  #aliveAt = 0; // time of the last tick or slice
  #drift = 0; // see `drift`, at that time
  #ticks = 0;
  #diskLeft = null;
  #wakeLock = Promise.resolve(null);

  /** `options`: `session`, `token`, `type`, `title`, `label`, `api`, `bitRates`. */
  constructor(options) {
    super();
    this.#options = { api: new URL('.', import.meta.url), type: 'video', ...options };
    this.#sender = new Sender(this.#journal, this.#options, {
      token: () => this.#tell('token'),
      refused: (reason) => this.#warn('refused', reason !== null, reason),
      finished: (receipt) => this.#close('finished', receipt),
    });
  }

  /** See `leftRecordings`. */
  static async left(options) {
    const who = whoOf(await options.token(null));
    const listOf = async (disk) => (await disk.call('list').catch(() => [])).map((id) => [disk, id]);
    const left = [];
    for (const [disk, id] of who === null ? [] : (await Promise.all(DISKS.map(listOf))).flat()) {
      const recorder = new Recorder(options);
      const journal = recorder.#journal;
      [recorder.#phase, journal.disk] = ['left', disk];
      const release = await own(id);
      if (release) await journal.restore(id).catch(() => {});
      if (journal.facts.id === id && (journal.facts.who ?? who) === who && journal.end) left.push(recorder);
      release?.();
    }
    return left;
  }

  /** A snapshot of all that a page may show. */
  get state() {
    const { facts, slices, marks, end, storedTo, lastMs, memoryBytes, disk } = this.#journal;
    const { id, session, type, title, label, mime, startedAt, total, skipped } = facts;
    const { link, bytesPerSecond } = this.#sender;
    const running = this.#phase === 'recording' ? Math.max(0, this.#now() - this.#from) : 0;
    return {
      id, session, type, title, label, mime, startedAt, lastAt: startedAt + lastMs, isEnded: total !== null,
      phase: this.#phase, warnings: [...this.#warnings], receipt: this.#receipt,
      recordedMs: lengthOf(slices) + running, gapsMs: lengthOf(marks.filter(({ kind }) => kind !== 'pause')),
      recordedBytes: end - skipped, storedBytes: storedTo - skipped, waitingBytes: end - storedTo, memoryBytes,
      link, bytesPerSecond, disk: disk?.kind ?? null, diskLeft: this.#diskLeft,
      level: this.#microphone?.level ?? null,
    };
  }

  /** Makes this tab the owner and reads the newest state from the disk; every other method does this first. */
  take() {
    return this.#taking ??= this.#take().catch((error) => { this.#release?.(); this.#taking = null; throw error; });
  }

  async #take() {
    const { id } = this.#journal.facts;
    this.#drift = drift();
    this.#journal.disk ??= await openDisk();
    this.#release = await own(id);
    if (!this.#release) throw new Error('another tab has this recording');
    if (this.#phase === 'left') await this.#journal.restore(id);
    this.#warn('no-disk', !this.#journal.disk);
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const timer = setInterval(() => this.#onTick(), TICK);
    signal.addEventListener('abort', () => clearInterval(timer));
    const onChange = () => this.#onChange();
    for (const name of ['online', 'storage', 'visibilitychange']) addEventListener(name, onChange, { signal });
  }

  /**
   * Starts the recording, continues an interrupted one, or changes the stream of a running one. Instead of a stream
   * it accepts a MediaRecorder that the page has just started; the recording ends when that stops.
   */
  start(source) {
    return (this.#starting = this.#start(source.stream ?? source, source.stream && source));
  }

  async #start(stream, given) {
    if (this.#journal.facts.startedAt === null) {
      const { session, type, title, label } = this.#options;
      // A page that is killed before it sends anything leaves a recording that another page must be able to send.
      const known = typeof session === 'function' ? null : session;
      Object.assign(this.#journal.facts, { session: known, type, title, label, startedAt: Date.now() });
      navigator.storage?.persist?.().catch(() => {});
      // The page's own MediaRecorder delivers slices meanwhile.
      this.#writing = this.take();
    } else {
      await this.take();
      if (this.#journal.facts.total !== null) throw new Error('this recording has ended');
      await this.#halt();
      await this.#mark(this.#pausedAt === null ? 'gap' : 'pause');
    }
    this.#listenTo(stream);
    this.#begin(given);
    await this.#writing;
    await this.#journal.write({ facts: this.#journal.facts });
    // Stores whose it is; a page that has no token now is asked again when something is to be sent.
    this.#sender.token().catch(() => {});
    this.#onChange();
  }

  #listenTo(stream) {
    this.#stream = stream;
    this.#warn('ended', false);
    for (const track of stream.getTracks()) {
      track.addEventListener('ended', () => { if (stream === this.#stream) this.#warn('ended', true, track.kind); });
    }
    this.#microphone?.rest();
    this.#microphone = stream.getAudioTracks().length ? new Microphone(stream) : null;
  }

  pause() {
    if (this.#phase !== 'recording') return;
    const { media } = this.#part;
    if (media.state === 'recording') media.requestData();
    if (media.state === 'recording') media.pause();
    this.#pausedAt = this.#now();
    this.#setPhase('paused');
  }

  async resume() {
    if (this.#phase !== 'paused') return;
    // Before the mark is written, because the disk may be slow.
    if (this.#part.media.state === 'paused') this.#part.media.resume(); else this.#begin();
    [this.#from, this.#aliveAt] = [this.#now(), Date.now()];
    this.#setPhase('recording');
    await this.#mark('pause');
  }

  /** Ends the recording; resolves when its last slice is on the disk. The rest is sent afterwards: see `finished`. */
  async stop() {
    await this.#starting?.catch(() => {});
    if (!['recording', 'paused', 'interrupted'].includes(this.#phase)) return;
    if (this.#pausedAt !== null) await this.#mark('pause');
    await this.send();
  }

  /** Ends the recording, even an interrupted one, and sends what this device holds of it. */
  async send() {
    await this.take();
    this.#setPhase('sending');
    await this.#halt();
    this.#listenTo(new MediaStream());
    if (!this.#journal.end) await this.#close('discarded');
    else await this.#journal.write({ facts: { total: this.#journal.end } });
    this.#sender.send();
  }

  /** Tries to send now, for instance because the page has a new token. */
  wake() {
    this.#sender.wake();
  }

  /** Ends the recording and deletes what this device holds of it. */
  async discard() {
    await this.take();
    await this.#halt();
    await this.#close('discarded');
  }

  /** What this device still holds, as one file, so that what the server refuses can be saved by hand. */
  async blob() {
    const parts = await Promise.all(this.#journal.slices.map((slice) => this.#journal.read(slice)));
    return new Blob(parts.filter(Boolean), { type: this.#journal.facts.mime });
  }

  #now() {
    this.#noticeClock();
    return Date.now() - this.#journal.facts.startedAt;
  }

  /** When the device's clock is set, the start moves with it: what was recorded is still that long ago. */
  #noticeClock() {
    const moved = drift() - this.#drift;
    const { startedAt, clock } = this.#journal.facts;
    if (startedAt === null || (moved > -TICK && moved < DAY)) return;
    this.#drift += moved;
    this.#aliveAt += moved;
    this.#journal.write({ facts: { startedAt: startedAt + moved, clock: clock === null ? null : clock - moved } });
  }

  /** Records the stream, with the page's own MediaRecorder if there is one. */
  #begin(given) {
    const types = this.#stream.getVideoTracks().length ? VIDEO_TYPES : SOUND_TYPES;
    const rates = { ...BIT_RATES, ...this.#options.bitRates };
    const media = given ?? new MediaRecorder(this.#stream, {
      mimeType: types.find((type) => MediaRecorder.isTypeSupported(type)),
      audioBitsPerSecond: rates.sound,
      videoBitsPerSecond: rates[this.#options.type],
    });
    const part = { media, isGiven: Boolean(given), isHalted: false, isIgnored: false };
    part.stopped = new Promise((resolve) => { media.addEventListener('stop', resolve); });
    part.stopped.then(() => { if (!part.isHalted) this.#onStop(); });
    media.addEventListener('dataavailable', ({ data }) => this.#keep(data, part));
    if (!given) media.start(SLICE);
    [this.#part, this.#from, this.#aliveAt] = [part, this.#now(), Date.now()];
    // Empty until its first slice, if the page named no type.
    this.#journal.facts.mime ||= media.mimeType;
    this.#setPhase('recording');
  }

  /** Stops the browser's recorder and waits until its last slice is written. */
  async #halt() {
    const part = this.#part;
    if (part) part.isHalted = true;
    if (part && part.media.state !== 'inactive') part.media.stop();
    await Promise.race([part?.stopped, pause(TIMEOUT)]);
    await this.#writing;
  }

  /** Every track has ended; or a track was added or an encoder failed, and a new MediaRecorder continues the stream. */
  #onStop() {
    if (this.#part.isGiven) this.stop();
    else if (this.#stream.active) this.#restart('gap'); else this.#setPhase('interrupted');
  }

  async #restart(kind) {
    await this.#mark(kind);
    await this.#halt();
    if (this.#phase !== 'recording') return;
    // The tracks may have ended meanwhile.
    try { this.#begin(); } catch { this.#setPhase('interrupted'); }
  }

  #keep(blob, part) {
    this.#noticeSleep();
    if (part.isIgnored) return;
    const [from_ms, to_ms] = [this.#from, this.#pausedAt ?? this.#now()];
    this.#from = to_ms;
    const write = async () => {
      const bytes = new Uint8Array(await timely(blob.arrayBuffer(), 'the browser'));
      if (!bytes.length) return;
      if (!this.#journal.facts.mime) this.#journal.write({ facts: { mime: blob.type } });
      const slice = { offset: this.#journal.end, length: bytes.length, sha256: await digest(bytes), from_ms, to_ms };
      this.#journal.write(slice, bytes).then(() => this.#sender.send());
    };
    // Only a slice that the browser fails to deliver is missing, not those after it.
    this.#writing = this.#writing.then(write).catch(() => { this.#journal.mark('gap', from_ms, to_ms); });
    // In a hidden tab the timer fires only once a minute, but slices still arrive.
    this.#onTick();
  }

  /** Marks the time since the pause, or since the last slice. */
  async #mark(kind) {
    const [from, to] = [this.#pausedAt, this.#now()];
    this.#pausedAt = null;
    await this.#writing;
    this.#journal.mark(kind, from ?? this.#journal.lastMs, to);
  }

  #onTick() {
    this.#noticeSleep();
    [this.#aliveAt, this.#drift] = [Date.now(), drift()];
    this.#sender.send();
    this.#warn('silent', Boolean(this.#microphone?.isSilent));
    const { disk, refusal } = this.#journal;
    this.#warn('disk-full', Boolean(disk && refusal), refusal);
    if (this.#ticks % 2) this.#refreshCanvas();
    const measure = ({ quota, usage }) => { if (quota) this.#diskLeft = quota - usage; };
    if (this.#ticks % 20 === 0) navigator.storage?.estimate?.().then(measure, () => {});
    this.#ticks += 1;
    this.#tell('change');
  }

  /** Starts a new MediaRecorder after a sleep: by the old one's clock, the sleep would be part of the recording. */
  #noticeSleep() {
    this.#noticeClock();
    const [late, slept] = [Date.now() - this.#aliveAt, drift() - this.#drift];
    const isSleep = late >= STALLED || Math.min(late, slept) >= ASLEEP;
    if (!isSleep || this.#phase !== 'recording' || this.#part.isGiven || this.#part.isIgnored) return;
    // Its last slice may already contain frames from after the sleep.
    this.#part.isIgnored = true;
    this.#restart('sleep');
  }

  /**
   * A canvas delivers no frames while nothing is drawn, and without frames a browser delivers no sound. When a slice is
   * late, a drawing that changes nothing forces it: a pixel is copied onto itself.
   */
  #refreshCanvas() {
    if (this.#phase !== 'recording' || this.#now() - this.#from < SLICE + TICK) return;
    for (const { canvas } of this.#stream.getVideoTracks()) {
      const context = canvas?.getContext('2d');
      if (!context || !canvas.width || !canvas.height) continue;
      context.save();
      context.setTransform(1, 0, 0, 1, 0, 0);
      Object.assign(context, { globalAlpha: 1, globalCompositeOperation: 'source-over' });
      context.drawImage(canvas, 0, 0, 1, 1, 0, 0, 1, 1);
      context.restore();
    }
  }

  /** The page was shown or hidden, the link is back, or there may be a new token. */
  #onChange() {
    this.wake();
    if (this.#phase !== 'recording') return;
    const request = () => navigator.wakeLock?.request('screen').catch(() => null);
    // A phone may kill a hidden page, and stops camera and microphone when its screen turns off.
    if (document.hidden && this.#part.media.state === 'recording') this.#part.media.requestData();
    else this.#wakeLock = this.#wakeLock.then((lock) => (lock?.released === false ? lock : request()));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #setPhase(phase) {
    this.#phase = phase;
    this.#tell('change');
  }

  #warn(kind, on, about) {
    if (this.#warnings.has(kind) === on) return;
    if (on) this.#warnings.add(kind); else this.#warnings.delete(kind);
    this.#tell('warning', { kind, on, about });
  }

  async #close(phase, receipt = null) {
    if (this.#sender.isStopped) return;
    this.#sender.isStopped = true;
    this.#listening.abort();
    this.#listenTo(new MediaStream());
    this.#wakeLock.then((lock) => lock?.release());
    await this.#journal.remove();
    this.#release();
    this.#receipt = receipt;
    this.#setPhase(phase);
    this.#tell(phase, receipt);
  }
}

/** What earlier pages left on this device of the person of `options.token`, and no other tab records or sends. */
export const leftRecordings = (options) => Recorder.left(options);
