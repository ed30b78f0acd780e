// The recorder: docs/recorder.md.

const SLICE = 2_000; // milliseconds
const ASLEEP = 8_000; // neither a tick nor a slice for so long: the device slept
const BIT_RATES = { video: 600_000, screen: 600_000, board: 250_000, sound: 24_000 };
const VIDEO_TYPES = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4;codecs=avc3.42E01E,mp4a.40.2', 'video/mp4'];
const SOUND_TYPES = ['audio/webm;codecs=opus', 'audio/webm', 'audio/mp4', 'audio/ogg;codecs=opus'];
const OPEN = ['recording', 'paused', 'interrupted'];

/**
 * A recording. Events: `change` (several times a second), `warning` (`detail`: `{kind, on, about}`), `token` (the server
 * refused the last one) and `finished` (`detail`: the receipt).
 */
export class Recorder extends EventTarget {
  #options;
  #disk;
  #journal;
  #sender;
  #release = null;
  #phase = 'new';
  #warnings = new Set();
  #media = null; // {recorder, stopped}
  #stream = null;
  #microphone = null;
  #writing = Promise.resolve();
  #from = 0; // where the next slice begins
  #pausedAt = null;
  #aliveAt = 0; // time of the last tick or slice
  #ticks = 0;
  #diskLeft = null;
  #wakeLock = null;
  #receipt = null;
  #tick = () => this.#onTick();
  #wake = () => {
    this.wake();
    this.#keepAwake();
    // A phone may end a page that is not looked at.
    if (document.hidden && this.#phase === 'recording') this.#media?.recorder.requestData();
  };

  /** `options`: `session`, `token`, `type`, `title`, `api`, `bitRates`. `disk` is for `leftRecordings`. */
  constructor(options, disk) {
    super();
    this.#options = { api: new URL('.', import.meta.url), type: 'video', ...options };
    this.#use(disk);
  }

  /** A snapshot of all that a page may show. */
  get state() {
    const { facts, end, storedTo, recordedMs, gapsMs, lastMs, memoryBytes } = this.#journal;
    const running = this.#phase === 'recording' ? Math.max(0, this.#now() - this.#from) : 0;
    return {
      id: facts.id, session: facts.session, type: facts.type, title: facts.title, mime: facts.mime,
      startedAt: facts.startedAt, lastAt: facts.startedAt + lastMs, isEnded: facts.total !== null, phase: this.#phase,
      warnings: [...this.#warnings], receipt: this.#receipt,
      recordedMs: recordedMs + running, gapsMs,
      recordedBytes: end - facts.skipped, storedBytes: storedTo - facts.skipped, waitingBytes: end - storedTo, memoryBytes, disk: this.#disk?.kind ?? null, diskLeft: this.#diskLeft,
      link: this.#sender.link, bytesPerSecond: this.#sender.bytesPerSecond, level: this.level,
    };
  }

  /** Loudness of the microphone (root mean square, 0 to 1), or null without one. */
  get level() {
    return this.#microphone?.level ?? null;
  }

  /** Begins the recording, goes on with an interrupted one, or changes the stream of a running one. */
  async start(stream) {
    await this.#take();
    const { facts } = this.#journal;
    if (facts.total !== null) throw new Error('this recording has ended');
    if (facts.startedAt === null) {
      const who = whoOf(await this.#options.token(null)) || null;
      Object.assign(facts, { startedAt: Date.now(), who, type: this.#options.type, title: this.#options.title });
      navigator.storage?.persist?.().catch(() => {});
    } else {
      await this.#halt();
      await this.#mark(this.#pausedAt === null ? 'gap' : 'pause', this.#pausedAt ?? this.#journal.lastMs);
    }
    this.#stream = stream;
    this.#pausedAt = null;
    this.#warn('ended', false);
    for (const track of stream.getTracks()) {
      track.addEventListener('ended', () => { if (stream === this.#stream) this.#warn('ended', true, track.kind); });
    }
    this.#microphone?.close();
    this.#microphone = stream.getAudioTracks().length ? new Microphone(stream) : null;
    this.#begin();
    await this.#journal.save();
    onTick.add(this.#tick);
    this.#setPhase('recording');
    this.#keepAwake();
    this.#sender.start();
  }

  pause() {
    if (this.#phase !== 'recording') return;
    this.#media.recorder.requestData();
    this.#media.recorder.pause();
    this.#pausedAt = this.#now();
    this.#setPhase('paused');
  }

  async resume() {
    if (this.#phase !== 'paused') return;
    await this.#mark('pause', this.#pausedAt);
    this.#pausedAt = null;
    this.#from = this.#now();
    this.#aliveAt = Date.now();
    this.#media.recorder.resume();
    this.#setPhase('recording');
  }

  /** Ends the recording; resolves when its last slice is on the disk. What is left is then sent: see `finished`. */
  async stop() {
    if (!OPEN.includes(this.#phase)) return;
    if (this.#pausedAt !== null) await this.#mark('pause', this.#pausedAt);
    this.#setPhase('sending');
    await this.#halt();
    await this.#seal();
  }

  /** Sends what an interrupted recording has left on this device, and ends it. */
  async send() {
    await this.#take();
    this.#setPhase('sending');
    await this.#seal();
  }

  /** Tries to send now, for instance since the page has another token. */
  wake() {
    this.#sender.wake();
  }

  /** Ends the recording and deletes what this device holds of it. */
  async discard() {
    await this.#take();
    await this.#halt();
    await this.#close('discarded');
  }

  /** What this device still holds, as one file: what the server refuses can be saved by hand. */
  async blob() {
    await this.#take();
    const { slices, facts } = this.#journal;
    return new Blob(await Promise.all(slices.map((slice) => this.#journal.read(slice))), { type: facts.mime });
  }

  /** Reads an earlier recording of this person; false without one. For `leftRecordings`. */
  async restore(id, who) {
    this.#phase = 'left';
    const isTheirs = await this.#journal.restore(id, who);
    this.#sender = new Sender(this.#journal, this.#options, (...event) => this.#hear(...event));
    return isTheirs;
  }

  #use(disk) {
    this.#disk = disk;
    this.#journal = new Journal(disk, (error) => this.#warn('disk-full', Boolean(disk), error.message || error.name));
    this.#sender = new Sender(this.#journal, this.#options, (...event) => this.#hear(...event));
  }

  /** Makes this tab the owner, with the newest state of the disk. */
  async #take() {
    if (this.#release) return;
    if (this.#disk === undefined) this.#use(await pageDisk());
    const { id, who } = this.#journal.facts;
    this.#release = await own(id);
    if (!this.#release) throw new Error('another tab has this recording');
    if (this.#phase === 'left') await this.restore(id, who);
    this.#warn('no-disk', !this.#disk);
    for (const name of ['online', 'storage', 'visibilitychange']) addEventListener(name, this.#wake);
  }

  #now() {
    return Date.now() - this.#journal.facts.startedAt;
  }

  #begin() {
    const types = this.#stream.getVideoTracks().length ? VIDEO_TYPES : SOUND_TYPES;
    const rates = { ...BIT_RATES, ...this.#options.bitRates };
    const recorder = new MediaRecorder(this.#stream, {
      mimeType: types.find((type) => MediaRecorder.isTypeSupported(type)),
      audioBitsPerSecond: rates.sound,
      videoBitsPerSecond: rates[this.#options.type],
    });
    const media = { recorder, stopped: new Promise((resolve) => { recorder.onstop = resolve; }) };
    recorder.ondataavailable = ({ data }) => this.#keep(data);
    media.stopped.then(() => { if (media === this.#media) this.#stoppedItself(); });
    recorder.start(SLICE);
    this.#journal.facts.mime ??= recorder.mimeType;
    this.#media = media;
    this.#from = this.#now();
    this.#aliveAt = Date.now();
  }

  /** Stops the browser's recorder and waits until its last slice is written. */
  async #halt() {
    const media = this.#media;
    this.#media = null;
    if (media && media.recorder.state !== 'inactive') media.recorder.stop();
    if (media) await Promise.race([media.stopped, pause(5 * SLICE)]);
    await this.#writing;
  }

  /** Every track has ended; or a track was added or an encoder failed, and another recorder goes on with the stream. */
  async #stoppedItself() {
    if (this.#stream.active) await this.#restart('gap', this.#journal.lastMs);
    else this.#setPhase('interrupted');
  }

  async #restart(kind, from) {
    await this.#mark(kind, from);
    await this.#halt();
    if (this.#phase === 'recording') this.#begin();
  }

  async #seal() {
    const { facts, end } = this.#journal;
    facts.total = end;
    await this.#journal.save();
    if (!end) await this.discard();
    else this.#sender.start();
  }

  #keep(blob) {
    if (this.#noticeSleep()) return;
    this.#aliveAt = Date.now();
    const [from, to] = [this.#from, this.#pausedAt ?? this.#now()];
    this.#from = to;
    this.#writing = this.#writing.then(async () => {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      if (!bytes.length) return;
      await this.#journal.append(bytes, from, to);
      this.#sender.start();
    });
  }

  #mark(kind, from) {
    return this.#journal.mark(kind, from, this.#now());
  }

  #onTick() {
    this.#noticeSleep();
    this.#aliveAt = Date.now();
    this.#warn('silent', Boolean(this.#microphone?.isSilent));
    if (!this.#journal.memoryBytes) this.#warn('disk-full', false);
    if (this.#ticks % 2) this.#refreshCanvas();
    if (this.#ticks % 20 === 0) this.#measureDisk();
    this.#ticks += 1;
    this.#tell('change');
  }

  /** After a sleep another recorder begins: by the clock of the old one the sleep would be part of the recording. */
  #noticeSleep() {
    if (this.#phase !== 'recording' || !this.#media || Date.now() - this.#aliveAt < ASLEEP) return false;
    const from = this.#from;
    this.#aliveAt = Date.now();
    this.#from = this.#now();
    // Its last slice may already contain pictures from behind the sleep.
    this.#media.recorder.ondataavailable = null;
    this.#restart('sleep', from);
    return true;
  }

  /** A canvas gives pictures only when it is drawn on: copying a pixel onto itself counts, and changes nothing. */
  #refreshCanvas() {
    for (const { canvas } of this.#stream.getVideoTracks()) {
      const context = canvas?.getContext('2d');
      if (!context) continue;
      context.save();
      context.setTransform(1, 0, 0, 1, 0, 0);
      Object.assign(context, { globalAlpha: 1, globalCompositeOperation: 'source-over' });
      context.drawImage(canvas, 0, 0, 1, 1, 0, 0, 1, 1);
      context.restore();
    }
  }

  async #measureDisk() {
    const { quota, usage } = (await navigator.storage?.estimate?.()) || {};
    if (quota) this.#diskLeft = quota - usage;
  }

  /** A phone whose screen turns off stops the camera and the microphone. */
  async #keepAwake() {
    if (this.#phase !== 'recording' || document.hidden) return;
    this.#wakeLock = await navigator.wakeLock?.request('screen').catch(() => null);
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

  /** What the sender notifies. */
  async #hear(name, about) {
    if (name === 'refused') this.#warn('refused', Boolean(about), about?.message);
    if (name === 'token') this.#tell('token');
    if (name === 'finished') {
      this.#receipt = about;
      await this.#close('finished');
      this.#tell('finished', about);
    }
  }

  async #close(phase) {
    onTick.delete(this.#tick);
    for (const name of ['online', 'storage', 'visibilitychange']) removeEventListener(name, this.#wake);
    this.#microphone?.close();
    this.#microphone = null;
    this.#wakeLock?.release();
    this.#sender.stop();
    await this.#journal.remove();
    this.#release();
    this.#setPhase(phase);
  }
}

/** What earlier pages have left on this device, of the person of `options.token`, and no other tab records or sends. */
export async function leftRecordings(options) {
  const disk = await pageDisk();
  const who = whoOf(await options.token(null));
  const left = [];
  for (const id of (await disk?.list()) ?? []) {
    const release = await own(id);
    if (!release) continue;
    const recorder = new Recorder(options, disk);
    if (await recorder.restore(id, who)) left.push(recorder);
    release();
  }
  return left;
}

if (globalThis.name === WORKER && !globalThis.document) serve();
