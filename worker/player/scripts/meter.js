// Counts the bytes that a lesson has moved; the month's sum is kept in this browser.

class Meter extends EventTarget {
  lesson = 0;
  #watched = [];
  #key = `watch-bytes-${new Date().toISOString().slice(0, 7)}`;

  constructor() {
    super();
    setInterval(() => this.read(), 1_000);
  }

  get month() { return Number(kept.get(this.#key)) || 0; }

  add(bytes) {
    if (!bytes) return;
    this.lesson += bytes;
    kept.set(this.#key, String(Math.round(this.month + bytes)));
    this.dispatchEvent(new Event('change'));
  }

  /** Counts what this element buffers of a file of so many bytes, from now on, instead of what it had before. */
  follow(element, bytes) {
    this.forget(element);
    this.#watched.push({ element, bytes, ranges: [] });
  }

  forget(element) {
    this.read();
    this.#watched = this.#watched.filter((one) => one.element !== element);
  }

  read() {
    for (const one of this.#watched) {
      const { buffered, duration } = one.element;
      const ranges = Array.from({ length: buffered.length }, (_, index) => [buffered.start(index), buffered.end(index)]);
      const fresh = ranges.reduce((sum, range) => sum + range[1] - range[0] - overlap(range, one.ranges), 0);
      one.ranges = ranges;
      if (fresh > 0 && duration > 0 && Number.isFinite(duration)) this.add((Math.min(fresh, duration) / duration) * one.bytes);
    }
  }
}

function overlap([start, end], ranges) {
  return ranges.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(end, to) - Math.max(start, from)), 0);
}
