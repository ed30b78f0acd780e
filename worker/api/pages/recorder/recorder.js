// The recorder: docs/recorder.md.

const SLICE = 2_000; // milliseconds
const TICK = 500;
const ASLEEP = 8_000; // neither a tick nor a slice for so long: the device slept
const BIT_RATES = { video: 600_000, screen: 600_000, board: 250_000, sound: 24_000 };
const VIDEO_TYPES = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4;codecs=avc3.42E01E,mp4a.40.2', 'video/mp4'];
const SOUND_TYPES = ['audio/webm;codecs=opus', 'audio/webm', 'audio/mp4', 'audio/ogg;codecs=opus'];

/**
 * A recording. Events: `change` (several times a second), `warning` (`detail`: `{kind, on, about}`), `token` (the server
 * refused the last one), `finished` (`detail`: the receipt) and `discarded`. One of the last two ends each recording.
 */
export class Recorder extends EventTarget {
  #options;
  #journal = new Journal(({ message }) => this.#warn('disk-full', Boolean(this.#journal.disk), message));
  #sender;
  #taking = null; // the promise of `take`
  #starting = null; // and that of `start`
  #release = null; // gives the recording back to other tabs
  #listening; // ends the timer and the listeners
  #phase = 'new';
  #warnings = new Set();
  #receipt = null;
  #stream = null;
  #media = null; // the browser's recorder, and when it has stopped
  #stopped = null;
  #isGiven = false; // by the page
  #slept = null; // a recorder that is not listened to any more
  #microphone = null;
  #writing = Promise.resolve();
  #from = 0; // where the next slice begins
  #pausedAt = null;
  #aliveAt = 0; // time of the last tick or slice
  #ticks = 0;
  #diskLeft = null;
  #wakeLock = null;

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

  /** A snapshot of all that a page may show. */
  get state() {
    const { facts, end, storedTo, recordedMs, gapsMs, lastMs, memoryBytes, disk } = this.#journal;
    const { id, session, type, title, label, mime, startedAt, total, skipped } = facts;
    const { link, bytesPerSecond } = this.#sender;
    const running = this.#phase === 'recording' ? Math.max(0, this.#now() - this.#from) : 0;
    return {
      id, session, type, title, label, mime, startedAt, lastAt: startedAt + lastMs, isEnded: total !== null,
      phase: this.#phase, warnings: [...this.#warnings], receipt: this.#receipt,
      recordedMs: recordedMs + running, gapsMs,
      recordedBytes: end - skipped, storedBytes: storedTo - skipped, waitingBytes: end - storedTo, memoryBytes,
      link, bytesPerSecond, disk: disk?.kind ?? null, diskLeft: this.#diskLeft, level: this.level,
    };
  }

  /** Loudness of the microphone (root mean square, 0 to 1), or null without one. */
  get level() {
    return this.#microphone?.level ?? null;
  }

  /** Makes this tab the owner, with the newest state of the disk; every other method does it, too. */
  take() {
    this.#taking ??= this.#take().catch((error) => { this.#taking = null; throw error; });
    return this.#taking;
  }

  async #take() {
    const { id } = this.#journal.facts;
    this.#journal.disk = await openDisk();
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
   * Begins the recording, goes on with an interrupted one, or changes the stream of a running one. Instead of a stream
   * it takes a MediaRecorder that the page has just started, after `take`; when that stops the recording ends.
   */
  start(source) {
    const [stream, media] = source instanceof MediaRecorder ? [source.stream, source] : [source, null];
    this.#starting = this.#start(stream, media && new GivenMedia(media), Date.now());
    return this.#starting;
  }

  async #start(stream, given, now) {
    await this.take();
    const { facts } = this.#journal;
    if (facts.total !== null) throw new Error('this recording has ended');
    if (facts.startedAt === null) {
      const { session, type, title, label, token } = this.#options;
      // A page that is killed before it sends anything leaves a recording that another page must be able to send.
      const known = typeof session === 'function' ? null : session;
      // A page that gives no token in time records, and is asked again when something is to be sent.
      const who = whoOf(await timely((async () => token(null))(), 'the page').catch(() => null));
      Object.assign(facts, { who, session: known, type, title, label, startedAt: given ? now : Date.now() });
      navigator.storage?.persist?.().catch(() => {});
    } else {
      await this.#halt();
      await this.#mark(this.#pausedAt === null ? 'gap' : 'pause');
    }
    this.#stream = stream;
    this.#warn('ended', false);
    for (const track of stream.getTracks()) {
      track.addEventListener('ended', () => { if (stream === this.#stream) this.#warn('ended', true, track.kind); });
    }
    this.#microphone?.context.close();
    this.#microphone = stream.getAudioTracks().length ? new Microphone(stream) : null;
    this.#begin(given);
    await this.#journal.write({ facts });
    this.#setPhase('recording');
    this.#onChange();
  }

  pause() {
    if (this.#phase !== 'recording') return;
    this.#media?.requestData();
    this.#media?.pause();
    this.#pausedAt = this.#now();
    this.#setPhase('paused');
  }

  async resume() {
    if (this.#phase !== 'paused') return;
    // Before the mark is written: the disk may take its time.
    if (this.#media) this.#media.resume(); else this.#begin();
    [this.#from, this.#aliveAt] = [this.#now(), Date.now()];
    this.#setPhase('recording');
    await this.#mark('pause');
  }

  /** Ends the recording; resolves when its last slice is on the disk. What is left is then sent: see `finished`. */
  async stop() {
    await this.#starting?.catch(() => {});
    if (!['recording', 'paused', 'interrupted'].includes(this.#phase)) return;
    if (this.#pausedAt !== null) await this.#mark('pause');
    await this.send();
  }

  /** Ends the recording, which may be one that was interrupted, and sends what this device holds of it. */
  async send() {
    await this.take();
    this.#setPhase('sending');
    await this.#halt();
    const { end } = this.#journal;
    if (!end) await this.#close('discarded');
    else await this.#journal.write({ facts: { total: end } });
    this.#sender.send();
  }

  /** Tries to send now, for instance since the page has another token. */
  wake() {
    this.#sender.wake();
  }

  /** Ends the recording and deletes what this device holds of it. */
  async discard() {
    await this.take();
    await this.#halt();
    await this.#close('discarded');
  }

  /** What this device still holds, as one file: what the server refuses can be saved by hand. */
  async blob() {
    const { slices, facts } = this.#journal;
    const parts = await Promise.all(slices.map((slice) => this.#journal.read(slice)));
    return new Blob(parts.filter(Boolean), { type: facts.mime });
  }

  /** Reads an earlier recording of this person; false without one. For `leftRecordings`. */
  async restore(disk, id, who) {
    this.#phase = 'left';
    this.#journal.disk = disk;
    await this.#journal.restore(id);
    const { facts, end } = this.#journal;
    return facts.id === id && end > 0 && who !== null && facts.who === who;
  }

  #now() {
    return Date.now() - this.#journal.facts.startedAt;
  }

  /** Records the stream, or what `given`, a GivenMedia, has recorded and will record. */
  #begin(given = null) {
    const types = this.#stream.getVideoTracks().length ? VIDEO_TYPES : SOUND_TYPES;
    const rates = { ...BIT_RATES, ...this.#options.bitRates };
    const media = given?.media ?? new MediaRecorder(this.#stream, {
      mimeType: types.find((type) => MediaRecorder.isTypeSupported(type)),
      audioBitsPerSecond: rates.sound,
      videoBitsPerSecond: rates[this.#options.type],
    });
    [this.#media, this.#isGiven] = [media, given !== null];
    [this.#from, this.#aliveAt] = [given && !this.#journal.end ? 0 : this.#now(), Date.now()];
    media.addEventListener('dataavailable', ({ data }) => { if (media !== this.#slept) this.#keep(data); });
    this.#stopped = given?.stopped ?? new Promise((resolve) => { media.addEventListener('stop', resolve); });
    for (const data of given?.takeEarly() ?? []) this.#keep(data);
    this.#stopped.then(() => { if (media === this.#media) this.#onStop(); });
    if (!given) media.start(SLICE);
    this.#journal.facts.mime ??= media.mimeType;
  }

  /** Stops the browser's recorder and waits until its last slice is written. */
  async #halt() {
    const media = this.#media;
    this.#media = null;
    if (media && media.state !== 'inactive') media.stop();
    await Promise.race([this.#stopped, pause(PATIENCE)]);
    await this.#writing;
  }

  /** Every track has ended; or a track was added or an encoder failed, and another recorder goes on with the stream. */
  #onStop() {
    if (this.#isGiven) this.stop();
    else if (this.#stream.active) this.#restart('gap'); else this.#setPhase('interrupted');
  }

  async #restart(kind) {
    await this.#mark(kind);
    await this.#halt();
    if (this.#phase !== 'recording') return;
    // The tracks may have ended meanwhile.
    try { this.#begin(); } catch { this.#setPhase('interrupted'); }
  }

  #keep(blob) {
    if (this.#noticeSleep()) return;
    const [from_ms, to_ms] = [this.#from, this.#pausedAt ?? this.#now()];
    this.#from = to_ms;
    const write = async () => {
      const bytes = new Uint8Array(await timely(blob.arrayBuffer(), 'the browser'));
      if (!bytes.length) return;
      const slice = { offset: this.#journal.end, length: bytes.length, sha256: await digest(bytes), from_ms, to_ms };
      await this.#journal.write(slice, bytes);
      this.#sender.send();
    };
    // A slice that the browser does not give is missing; those behind it are not.
    this.#writing = this.#writing.then(write).catch(() => this.#journal.mark('gap', from_ms, to_ms));
    // A hidden tab has a timer only once a minute, and still its slices.
    this.#onTick();
  }

  /** Marks the time since the pause, or since the last slice. */
  async #mark(kind) {
    const [from, to] = [this.#pausedAt, this.#now()];
    this.#pausedAt = null;
    await this.#writing;
    await this.#journal.mark(kind, from ?? this.#journal.lastMs, to);
  }

  #onTick() {
    this.#noticeSleep();
    this.#aliveAt = Date.now();
    this.#sender.send();
    this.#warn('silent', Boolean(this.#microphone?.isSilent));
    if (!this.#journal.memoryBytes) this.#warn('disk-full', false);
    if (this.#ticks % 2) this.#refreshCanvas();
    if (this.#ticks % 20 === 0) this.#measureDisk();
    this.#ticks += 1;
    this.#tell('change');
  }

  /** After a sleep another recorder begins: by the clock of the old one the sleep would be part of the recording. */
  #noticeSleep() {
    if (this.#phase !== 'recording' || this.#isGiven || Date.now() - this.#aliveAt < ASLEEP) return false;
    this.#aliveAt = Date.now();
    // Its last slice may already contain pictures from behind the sleep.
    this.#slept = this.#media;
    this.#restart('sleep');
    return true;
  }

  /** A canvas gives pictures only when it is drawn on: copying a pixel onto itself counts, and changes nothing. */
  #refreshCanvas() {
    for (const { canvas } of this.#stream?.getVideoTracks() ?? []) {
      const context = canvas?.getContext('2d');
      if (!context || !canvas.width || !canvas.height) continue;
      context.save();
      context.setTransform(1, 0, 0, 1, 0, 0);
      Object.assign(context, { globalAlpha: 1, globalCompositeOperation: 'source-over' });
      context.drawImage(canvas, 0, 0, 1, 1, 0, 0, 1, 1);
      context.restore();
    }
  }

  async #measureDisk() {
    const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
    if (quota) this.#diskLeft = quota - usage;
  }

  /** The page is shown or hidden, the link is back, or there may be another token. */
  async #onChange() {
    this.wake();
    if (this.#phase !== 'recording') return;
    // A phone may end a page that is not looked at, and stops camera and microphone when its screen turns off.
    if (document.hidden) this.#media?.requestData();
    else this.#wakeLock = await navigator.wakeLock?.request('screen').catch(() => null);
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
    this.#microphone?.context.close();
    this.#microphone = null;
    this.#wakeLock?.release();
    await this.#journal.remove();
    this.#release();
    this.#receipt = receipt;
    this.#setPhase(phase);
    this.#tell(phase, receipt);
  }
}

/** A MediaRecorder that the page has started: what it gives before the recorder is ready. */
class GivenMedia {
  #early = [];
  #collect = ({ data }) => this.#early.push(data);

  constructor(media) {
    this.media = media;
    media.addEventListener('dataavailable', this.#collect);
    this.stopped = new Promise((resolve) => { media.addEventListener('stop', resolve); });
  }

  takeEarly() {
    this.media.removeEventListener('dataavailable', this.#collect);
    return this.#early;
  }
}

/** What earlier pages have left on this device, of the person of `options.token`, and no other tab records or sends. */
export async function leftRecordings(options) {
  const disk = await openDisk();
  const who = whoOf(await options.token(null));
  const left = [];
  for (const id of (await disk?.list()) ?? []) {
    const release = await own(id);
    const recorder = new Recorder(options);
    if (release && await recorder.restore(disk, id, who).catch(() => false)) left.push(recorder);
    release?.();
  }
  return left;
}

if (globalThis.name === WORKER && !globalThis.document) serve();
