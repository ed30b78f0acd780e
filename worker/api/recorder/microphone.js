// Whether a microphone is heard.

const SILENCE = 12_000; // milliseconds
const SILENT_PEAK = 0.0005; // -66 dBFS; the noise of a working microphone is louder

class Microphone {
  #context = new AudioContext();
  #analyser = new AnalyserNode(this.#context, { fftSize: 32_768 });
  #samples = new Float32Array(32_768);
  #heardAt = Date.now();

  constructor(stream) {
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
  }

  /** Root mean square of the last 40 ms, 0 to 1; null as long as the browser waits for a click or a key. */
  get level() {
    if (this.#context.state !== 'running') return null;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const newest = this.#samples.subarray(-2_048);
    return Math.sqrt(newest.reduce((sum, value) => sum + value * value, 0) / newest.length);
  }

  /** Whether nothing was heard for so long that the microphone is dead; to be called at least twice a second. */
  get isSilent() {
    if (this.level === null) this.#context.resume();
    const isHeard = this.level === null || this.#samples.some((value) => Math.abs(value) > SILENT_PEAK);
    if (isHeard) this.#heardAt = Date.now();
    return Date.now() - this.#heardAt > SILENCE;
  }

  close() {
    this.#context.close();
  }
}
