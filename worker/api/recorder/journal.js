// What of a recording this device holds.

const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
/** Without TLS there is no `crypto.subtle`, and slices are sent without a checksum. */
async function digest(bytes) {
  return crypto.subtle ? base64(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) : null;
}

/** Slices, and marks of what is missing between them. What the disk does not take is held in memory. */
class Journal {
  facts = {
    id: newId(), session: null, startedAt: null, who: null, mime: null,
    clock: null, // milliseconds that the server's is ahead
    upload: null, // its id
    skipped: 0, // bytes that are missing in the upload
    total: null, // bytes of an ended recording
  };
  slices = []; // {offset, length, sha256, from_ms, to_ms}; offsets jump where a slice was lost with its page
  marks = []; // {kind, from_ms, to_ms}
  storedTo = 0; // the server has the recording up to this byte
  recordedMs = 0;
  #disk;
  #memory = new Map();
  #onFull;

  /** `onFull(error)` is called when the disk does not take an entry. */
  constructor(disk, onFull) {
    this.#disk = disk;
    this.#onFull = onFull;
  }

  get end() {
    const last = this.slices.at(-1);
    return last ? last.offset + last.length : 0;
  }

  get lastMs() {
    return this.slices.at(-1)?.to_ms ?? 0;
  }

  get memoryBytes() {
    return [...this.#memory.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Milliseconds that are missing. */
  get gapsMs() {
    return this.marks.reduce((sum, { kind, from_ms, to_ms }) => (kind === 'pause' ? sum : sum + to_ms - from_ms), 0);
  }

  /** Reads an earlier recording; false for one of another person, or without slices. */
  async restore(id, who) {
    [this.slices, this.marks] = [[], []];
    for (const { facts, mark, stored, ...slice } of await this.#disk.entries(id)) {
      if (facts) Object.assign(this.facts, facts);
      else if (mark) this.marks.push(mark);
      else if (stored) this.storedTo = stored;
      else if (slice.length) this.slices.push(slice);
    }
    this.recordedMs = this.slices.reduce((sum, { from_ms, to_ms }) => sum + to_ms - from_ms, 0);
    return this.facts.id === id && this.slices.length > 0 && this.facts.who === who;
  }

  async append(bytes, from_ms, to_ms) {
    const slice = { offset: this.end, length: bytes.length, sha256: await digest(bytes), from_ms, to_ms };
    this.#memory.set(slice.offset, bytes);
    this.slices.push(slice);
    this.recordedMs += to_ms - from_ms;
    if (await this.#write(slice, bytes)) this.#memory.delete(slice.offset);
  }

  async mark(kind, from, to) {
    if (to <= from) return;
    const mark = { kind, from_ms: Math.round(from), to_ms: Math.round(to) };
    this.marks.push(mark);
    await this.#write({ mark });
  }

  /** Writes changed facts. */
  async save() {
    await this.#write({ facts: this.facts });
  }

  async read({ offset }) {
    return this.#memory.get(offset) || (await this.#disk?.read(this.facts.id, offset)) || new Uint8Array(0);
  }

  /** The server has stored everything before this byte. The first slice, with the header, is kept until the end. */
  async forget(storedTo) {
    const { id } = this.facts;
    for (const { offset, length } of this.slices) {
      if (offset === 0 || offset + length <= this.storedTo || offset + length > storedTo) continue;
      this.#memory.delete(offset);
      await this.#disk?.forget(id, offset);
    }
    this.storedTo = storedTo;
    await this.#write({ stored: storedTo });
  }

  async remove() {
    this.#memory.clear();
    await this.#disk?.remove(this.facts.id);
  }

  async #write(entry, bytes) {
    try {
      await this.#disk.append(this.facts.id, entry, bytes);
      return true;
    } catch (error) {
      this.#onFull(error);
      return false;
    }
  }
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
