// Whether a microphone is heard.

const SILENCE = 12_000; // milliseconds
const SILENT_PEAK = 0.0005; // -66 dBFS; the noise of a working microphone is louder

class Microphone {
  #samples = new Float32Array(8_192);
  #heardAt = Date.now();

  constructor(stream) {
    // A sixth of the usual rate costs a sixth; not every browser converts the rate of a microphone.
    try { this.#connect(stream, 8_000); } catch { this.#connect(stream); }
  }

  #connect(stream, sampleRate) {
    this.context = new AudioContext({ latencyHint: 'playback', sampleRate });
    this.analyser = new AnalyserNode(this.context, { fftSize: this.#samples.length });
    this.context.createMediaStreamSource(stream).connect(this.analyser);
  }

  /** Root mean square of the newest samples, 0 to 1; null as long as the browser waits for a click or a key. */
  get level() {
    if (this.context.state !== 'running') return null;
    this.analyser.getFloatTimeDomainData(this.#samples);
    const newest = this.#samples.subarray(-1_024);
    return Math.sqrt(newest.reduce((sum, value) => sum + value * value, 0) / newest.length);
  }

  /** Whether nothing was heard for so long that the microphone is dead; to be called every two seconds or more often. */
  get isSilent() {
    const { level } = this;
    if (level === null) this.context.resume();
    if (level === null || this.#samples.some((value) => Math.abs(value) > SILENT_PEAK)) this.#heardAt = Date.now();
    return Date.now() - this.#heardAt > SILENCE;
  }
}
