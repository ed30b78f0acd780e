// Measures the level of a microphone, and detects a dead one.

const SILENCE = 9_000; // milliseconds
const REST = 4_000; // without listening after a sound: it costs more than 1 % of a core
const SILENT_PEAK = 0.0005; // -66 dBFS; the noise of a working microphone is louder

class Microphone {
  #stream;
  #context = null; // while it listens
  #analyser;
  #rate = 8_000; // a sixth of the usual cost; not every browser resamples a microphone
  #samples = new Float32Array(8_192);
  #silentSince = performance.now();
  #restUntil = 0;
  #readAt = 0;

  constructor(stream) {
    this.#stream = stream;
  }

  /** Root mean square of the newest samples, 0 to 1; null until it listens. Reading this keeps it listening. */
  get level() {
    this.#readAt = performance.now();
    const newest = this.#hear()?.subarray(-1_024);
    return newest ? Math.sqrt(newest.reduce((sum, value) => sum + value * value, 0) / newest.length) : null;
  }

  /** Whether nothing was heard for SILENCE, so that the microphone must be dead. Must be read twice a second. */
  get isSilent() {
    const now = performance.now();
    if (now < this.#restUntil && now > this.#readAt + REST) this.rest();
    else {
      const samples = this.#hear();
      const isLoud = samples?.some((value) => Math.abs(value) > SILENT_PEAK);
      if (isLoud) this.#restUntil = now + REST;
      if (isLoud || !samples) this.#silentSince = now;
    }
    return now > this.#silentSince + SILENCE;
  }

  rest() {
    this.#context?.close();
    this.#context = null;
  }

  /** The newest samples; null while the browser starts to listen or waits for a click or a key, or when it cannot. */
  #hear() {
    if (!this.#context) this.#listen();
    if (this.#context?.state !== 'running') {
      this.#context?.resume().catch(() => {});
      return null;
    }
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples;
  }

  #listen() {
    try {
      this.#context = new AudioContext({ latencyHint: 'playback', sampleRate: this.#rate, sinkId: { type: 'none' } });
      this.#analyser = new AnalyserNode(this.#context, { fftSize: this.#samples.length });
      this.#context.createMediaStreamSource(this.#stream).connect(this.#analyser);
    } catch {
      // The next attempt is at the usual rate.
      this.rest();
      this.#rate = undefined;
    }
  }
}
