// Begins a sound or a film without sound with its first bytes. A browser that is given the address alone waits for 32 KB of a
// sound, which are 4 s at 64 kbit/s, and for more than one picture of a film.

// Seconds that are loaded in front of the place that is heard; fewer where a film needs the link.
const AHEAD = { strokes: 60, sound: 60, film: 6, picture: 20 };
// What is not in fragments cannot be streamed.
const FRAGMENTED = ['audio', ...FILMS];

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

/**
 * Gives the element the file from its beginning on; `fail` is called when it must load the address by itself. `length` in
 * seconds is that of the lesson, for a file that does not name its own.
 */
class MediaStreamer {
  #isOpen = true;

  constructor(element, row, { ahead, length }, fail) {
    Object.assign(this, { element, row, ahead, length, fail });
    this.source = new MediaSource();
    this.address = URL.createObjectURL(this.source);
    this.source.addEventListener('sourceopen', () => this.#fill().catch(() => this.#giveUp()), { once: true });
    element.addEventListener('seeking', () => this.#giveUpOutside(), { signal: (this.stops = new AbortController()).signal });
    element.src = this.address;
  }

  static canPlay({ name, mime, codecs }) {
    return FRAGMENTED.includes(name) && Boolean(window.MediaSource?.isTypeSupported(`${mime}; codecs="${codecs}"`));
  }

  close() {
    this.#isOpen = false;
    this.stops.abort();
    URL.revokeObjectURL(this.address);
  }

  async #fill() {
    const buffer = this.source.addSourceBuffer(`${this.row.mime}; codecs="${this.row.codecs}"`);
    const response = await fetch(this.row.url, { credentials: 'omit', signal: this.stops.signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (!this.#isOpen) return;
      if (done) break;
      await new Promise((resolve, reject) => {
        buffer.addEventListener('updateend', resolve, { once: true });
        buffer.addEventListener('error', reject, { once: true });
        buffer.appendBuffer(value);
      });
      if (this.length && this.source.duration === Infinity) this.source.duration = this.length;
      while (this.#isOpen && this.#secondsAhead() > this.ahead) await pause(500);
    }
    if (this.source.readyState === 'open') this.source.endOfStream();
  }

  #secondsAhead() {
    const { buffered, currentTime } = this.element;
    return buffered.length ? buffered.end(buffered.length - 1) - currentTime : 0;
  }

  /** What is not loaded yet is found by the browser itself, by the index of the file. */
  #giveUpOutside() {
    const { buffered, currentTime } = this.element;
    const isLoaded = Array.from({ length: buffered.length }).some((_, index) => (
      buffered.start(index) <= currentTime + 0.1 && currentTime < buffered.end(index)
    ));
    if (!isLoaded && currentTime > 0) this.#giveUp();
  }

  #giveUp() {
    if (!this.#isOpen) return;
    this.close();
    this.fail();
  }
}
