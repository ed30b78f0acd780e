// The part of a recording that this device holds.

const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
/** Null without TLS, where a page has no `crypto.subtle`. */
const digest = async (bytes) => (
  crypto.subtle ? base64(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))) : null
);

/** Milliseconds of slices or marks. */
const lengthOf = (parts) => parts.reduce((sum, { from_ms, to_ms }) => sum + to_ms - from_ms, 0);

/** Slices, and marks of what is missing between them. What the disk refuses is kept in memory. */
class Journal {
  disk; // undefined until it is open, null without one
  facts = {
    id: [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    session: null, startedAt: null, who: null, mime: null,
    clock: null, // milliseconds that the server's is ahead
    upload: null, // its id
    base: null, // the address of the API that has its bytes; null: any
    skipped: 0, // bytes that are missing in the upload
    total: null, // bytes of an ended recording
  };
  slices = []; // {offset, length, sha256, from_ms, to_ms}; offsets jump where a slice was lost with its page
  marks = []; // {kind, from_ms, to_ms}
  storedTo = 0; // the server has the recording up to this byte
  end = 0; // of the last slice, in bytes and in milliseconds
  lastMs = 0;
  restoredTo = null; // the end of what an earlier page wrote, until the server's offset is known
  refusal = null; // why the disk refused an entry, until it takes one and memory is empty
  #memory = new Map(); // slices that the disk has not taken, by their offset
  #newest = new Map(); // the slice that is sent next as long as the link is good, by its offset
  #written = Promise.resolve(); // once the disk has taken or refused all entries

  get memoryBytes() {
    return [...this.#memory.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Reads the entries of an earlier recording. A crash may have cut off the last line; it was not acknowledged. */
  async restore(id) {
    const lines = new TextDecoder().decode(await this.disk.call('read', id, JOURNAL)).split('\n');
    Object.assign(this, new Journal(), { disk: this.disk });
    const parse = (line) => { try { return [JSON.parse(line)]; } catch { return []; } };
    for (const entry of lines.flatMap(parse)) this.#apply(entry);
    this.restoredTo = this.end;
  }

  /**
   * Adds an entry: changed `{facts}`, a `{mark}`, what the server has `{stored}`, or a slice with its bytes. Resolves
   * once the disk has taken or refused it. Recording and sending do not wait for that: a disk may be slow, or hang.
   */
  write(entry, bytes) {
    this.#apply(entry);
    if (bytes) this.#memory.set(entry.offset, bytes);
    if (bytes) this.#newest = new Map([[entry.offset, bytes]]);
    return (this.#written = this.#written.then(this.#store.bind(this, entry, this.marks)));
  }

  async #store(entry, marks) {
    // The disk may have refused some of these.
    const whole = this.refusal === null ? entry : { ...entry, facts: this.facts, mark: undefined, marks };
    const bytes = this.#memory.get(entry.offset);
    // The server has stored this slice meanwhile: a disk that hangs must not keep the end waiting for it.
    if (entry.length && !bytes && this.refusal !== null) return;
    try {
      if (bytes) await this.disk.call('write', this.facts.id, `${entry.offset}`, bytes);
      const line = `\n${JSON.stringify({ stored: this.storedTo, ...whole })}`;
      await this.disk.call('write', this.facts.id, JOURNAL, utf8(line));
      this.#memory.delete(entry.offset);
      if (!this.memoryBytes) this.refusal = null;
    } catch (error) {
      this.refusal = error.message;
    }
  }

  #apply({ facts, mark, marks = this.marks, stored, ...slice }) {
    Object.assign(this.facts, facts);
    this.storedTo = stored ?? this.storedTo;
    this.marks = mark ? [...marks, mark] : marks;
    if (!slice.length) return;
    this.slices.push(slice);
    [this.end, this.lastMs] = [slice.offset + slice.length, slice.to_ms];
  }

  mark(kind, from, to) {
    if (from < to) this.write({ mark: { kind, from_ms: Math.round(from), to_ms: Math.round(to) } });
  }

  /** The bytes of a slice, or null when the disk has lost them. Throws when it cannot read the journal either. */
  async read({ offset, length, sha256 }) {
    const held = this.#memory.get(offset) ?? this.#newest.get(offset);
    if (held) return held;
    const read = (name) => this.disk?.call('read', this.facts.id, name);
    const lost = (error) => { if (error.isLate) throw error; };
    const retry = (error) => error.name === 'NotFoundError' || read(JOURNAL).then(() => read(`${offset}`).catch(lost));
    const bytes = await read(`${offset}`)?.catch(retry);
    return bytes?.length === length && await digest(bytes) === sha256 ? bytes : null;
  }

  /** Removes slices before this byte: the server has stored them. The first, with the header, is kept until the end. */
  forget(stored) {
    for (const { offset, length } of this.slices) {
      if (offset > 0 && offset + length > this.storedTo && offset + length <= stored) this.remove(offset);
    }
    this.storedTo = stored;
    // While it is recorded, the next entry includes this; a page that restores it asks the server anyway.
    if (this.facts.total !== null) this.write({ stored });
  }

  /** Removes the slice at `offset`, or everything without one. */
  async remove(...offset) {
    this.#memory.delete(...offset);
    if (!offset.length) await this.#written;
    await this.disk?.call('remove', this.facts.id, ...offset.map(String)).catch(() => {});
  }
}
