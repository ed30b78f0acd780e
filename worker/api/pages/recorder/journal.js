// What of a recording this device holds.

const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
/** Without TLS there is no `crypto.subtle`, and slices have no checksum. */
const digest = async (bytes) => (
  crypto.subtle ? base64(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) : null
);

/** Slices, and marks of what is missing between them. What the disk does not take is held in memory. */
class Journal {
  disk; // undefined until it is open, null without one
  facts = {
    id: [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    session: null, startedAt: null, who: null, mime: null,
    clock: null, // milliseconds that the server's is ahead
    upload: null, // its id
    skipped: 0, // bytes that are missing in the upload
    total: null, // bytes of an ended recording
  };
  slices = []; // {offset, length, sha256, from_ms, to_ms}; offsets jump where a slice was lost with its page
  marks = []; // {kind, from_ms, to_ms}
  storedTo = 0; // the server has the recording up to this byte
  end = 0; // of the last slice, in bytes and in milliseconds
  restoredTo = null; // the end of what an earlier page wrote, until the server's offset is known
  lastMs = 0;
  recordedMs = 0;
  gapsMs = 0; // without pauses
  #memory = new Map();
  #onFull;

  /** `onFull(error)` is called when the disk does not take an entry. */
  constructor(onFull) {
    this.#onFull = onFull;
  }

  get memoryBytes() {
    return [...this.#memory.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Reads the entries of an earlier recording. */
  async restore(id) {
    Object.assign(this, new Journal(), { disk: this.disk });
    for (const entry of await this.disk.entries(id)) this.#apply(entry);
    this.restoredTo = this.end;
  }

  /** Writes `{facts}` that have changed, a `{mark}`, how much is `{stored}` at the server, or a slice with its bytes. */
  async write(entry, bytes) {
    this.#apply(entry);
    if (bytes) this.#memory.set(entry.offset, bytes);
    try {
      await this.disk.append(this.facts.id, entry, bytes);
      this.#memory.delete(entry.offset);
    } catch (error) {
      this.#onFull(error);
    }
  }

  #apply({ facts, mark, stored, ...slice }) {
    Object.assign(this.facts, facts);
    this.storedTo = stored ?? this.storedTo;
    if (mark) this.marks.push(mark);
    if (mark && mark.kind !== 'pause') this.gapsMs += mark.to_ms - mark.from_ms;
    if (!slice.length) return;
    this.slices.push(slice);
    [this.end, this.lastMs] = [slice.offset + slice.length, slice.to_ms];
    this.recordedMs += slice.to_ms - slice.from_ms;
  }

  async mark(kind, from, to) {
    const mark = { kind, from_ms: Math.round(from), to_ms: Math.round(to) };
    if (from < to) await this.write({ mark });
  }

  /** The bytes of a slice, or null when the disk has lost them. A disk that does not answer has not. */
  async read({ offset, sha256 }) {
    const held = this.#memory.get(offset);
    if (held) return held;
    const lost = (error) => { if (error.isLate) throw error; return null; };
    const bytes = await this.disk?.read(this.facts.id, offset).catch(lost);
    return bytes && await digest(bytes) === sha256 ? bytes : null;
  }

  /** The server has stored everything before this byte. The first slice, with the header, is kept until the end. */
  async forget(stored) {
    for (const { offset, length } of this.slices) {
      if (offset > 0 && offset + length > this.storedTo && offset + length <= stored) await this.remove(offset);
    }
    await this.write({ stored });
  }

  /** Removes a slice, or without its offset everything. */
  async remove(offset) {
    this.#memory.delete(offset);
    await this.disk?.remove(this.facts.id, offset).catch(() => {});
  }
}
