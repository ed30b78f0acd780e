// Whether a microphone is heard.

const SILENCE = 9_000; // milliseconds
const REST = 4_000; // without listening, which costs more than a percent of a core, after something was heard
const SILENT_PEAK = 0.0005; // -66 dBFS; the noise of a working microphone is louder

class Microphone {
  #stream;
  #context = null; // while it listens
  #analyser;
  #samples = new Float32Array(4_096); // half a second
  #silentSince;
  #heardAt = 0;
  #readAt = 0;

  constructor(stream) {
    this.#stream = stream;
  }

  #listen() {
    // A sixth of the usual rate costs a sixth; not every browser converts the rate of a microphone.
    try { this.#connect(8_000); } catch { this.#connect(); }
    this.#silentSince = Date.now();
  }

  #connect(sampleRate) {
    this.#context = new AudioContext({ latencyHint: 'playback', sampleRate, sinkId: { type: 'none' } });
    this.#analyser = new AnalyserNode(this.#context, { fftSize: this.#samples.length });
    this.#context.createMediaStreamSource(this.#stream).connect(this.#analyser);
  }

  rest() {
    this.#context?.close();
    this.#context = null;
  }

  /** Root mean square of the newest samples, 0 to 1; null until it listens, which it does as long as this is read. */
  get level() {
    this.#readAt = Date.now();
    if (!this.#context) this.#listen();
    if (this.#context.state !== 'running') return null;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const newest = this.#samples.subarray(-1_024);
    return Math.sqrt(newest.reduce((sum, value) => sum + value * value, 0) / newest.length);
  }

  /** Whether nothing was heard for so long that the microphone is dead; to be called twice a second. */
  get isSilent() {
    const now = Date.now();
    if (!this.#context && now - this.#heardAt > REST) this.#listen();
    if (!this.#context) return false;
    // A browser that waits for a click or a key hears nothing.
    if (this.#context.state !== 'running') [this.#silentSince] = [now, this.#context.resume()];
    else this.#analyser.getFloatTimeDomainData(this.#samples);
    if (this.#samples.some((value) => Math.abs(value) > SILENT_PEAK)) {
      this.#silentSince = this.#heardAt = now;
      if (now - this.#readAt > REST) this.rest();
    }
    return now - this.#silentSince > SILENCE;
  }
}
