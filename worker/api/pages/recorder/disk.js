// The browser's disk. A recording is a journal, which only grows, and its slices, named by their offset.

const NAME = 'astegni-recordings';
const WORKER = 'astegni-recorder-disk';
const JOURNAL = 'journal';
const LAST_MOMENT = 2_000; // milliseconds
const TIMEOUT = 30_000; // milliseconds to wait for the disk, the server, the page, or a busy encoder

const utf8 = (text) => new TextEncoder().encode(text);
const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

/** The promise's result; rejects after TIMEOUT. */
function timely(promise, name) {
  const late = Object.assign(new Error(`${name} does not answer`), { isLate: true });
  return Promise.race([promise, pause(TIMEOUT).then(() => { throw late; })]);
}

const rootFolder = async () => (await navigator.storage.getDirectory()).getDirectoryHandle(NAME, { create: true });
const folderOf = async (id, create = false) => (await rootFolder()).getDirectoryHandle(id, { create });

/** Writes a slice's file, or appends to a journal. */
async function writeFile(id, name, bytes) {
  const file = await (await folderOf(id, true)).getFileHandle(name, { create: true });
  const handle = await file.createSyncAccessHandle();
  try {
    if (name !== JOURNAL) await handle.truncate(0);
    if (handle.write(bytes, { at: await handle.getSize() }) < bytes.length) throw new Error('the disk is full');
    await handle.flush();
  } finally {
    await handle.close();
  }
}

if (globalThis.name === WORKER && !globalThis.document) {
  onmessage = ({ data }) => writeFile(...data).then(() => postMessage(null), ({ message }) => postMessage(message));
}

class Disk {
  #last = Promise.resolve();

  /** Calls a method after the calls before it have ended: a file that is open for writing cannot be removed. */
  call(method, ...args) {
    const result = this.#last.then(() => timely(this[method](...args), 'the disk'));
    this.#last = result.catch((error) => error?.isLate && this.end?.());
    return result;
  }
}

/** Files of the origin's private file system. */
class FileDisk extends Disk {
  kind = 'files';
  #worker = null;

  async list() {
    const ids = [];
    for await (const id of (await rootFolder()).keys()) ids.push(id);
    return ids;
  }

  async read(id, name) {
    const file = await (await folderOf(id)).getFileHandle(name);
    return new Uint8Array(await (await file.getFile()).arrayBuffer());
  }

  /** Removes a slice, or the whole recording without `name`. */
  async remove(id, name) {
    const folder = name === undefined ? await rootFolder() : await folderOf(id);
    await folder.removeEntry(name ?? id, { recursive: true });
  }

  /** In a worker, because only a worker may flush a file. */
  write(...file) {
    return new Promise((resolve, reject) => {
      const worker = this.#worker ??= this.#startWorker();
      worker.onmessage = ({ data: refusal }) => (refusal === null ? resolve() : reject(new Error(refusal)));
      worker.onerror = () => reject(Object.assign(new Error('the disk has ended'), { isLate: true }));
      worker.postMessage(file);
    });
  }

  /** It must be of the page's own origin, but may import this module from another one. */
  #startWorker() {
    const { href, origin } = new URL(import.meta.url);
    const importer = new Blob([`import ${JSON.stringify(href)}`], { type: 'text/javascript' });
    const address = origin === location.origin ? href : URL.createObjectURL(importer);
    return new Worker(address, { type: 'module', name: WORKER });
  }

  /** Ends a worker that does not respond; the next call starts another. */
  end() {
    this.#worker?.terminate();
    this.#worker = null;
  }
}

/** Rows of IndexedDB, with the same methods. A key is a recording, a name, and the number of a journal's entry. */
class RowDisk extends Disk {
  kind = 'rows';
  #database = null;

  // Without creating the database.
  list = async () => ((await indexedDB.databases?.())?.every(({ name }) => name !== NAME) ? []
    : [...new Set((await this.#run((rows) => rows.getAllKeys())).map(([id]) => id))]);
  remove = (...key) => this.#run((rows) => rows.delete(this.#below(...key)));
  #below = (...key) => IDBKeyRange.bound(key, [...key, []]);

  async read(...key) {
    const parts = await this.#run((rows) => rows.getAll(this.#below(...key)));
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  write(id, name, bytes) {
    return this.#run((rows) => {
      const count = rows.count(this.#below(id, name));
      count.onsuccess = () => rows.put(bytes, [id, name, name === JOURNAL ? count.result : 0]);
      return count;
    });
  }

  /** The result of the request that `act` returns, once everything is on the disk. */
  async #run(act) {
    this.#database ??= await new Promise((resolve, reject) => {
      const opening = indexedDB.open(NAME, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('rows');
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = reject;
    });
    // The browser closes it when it has lost its own process.
    this.#database.onclose = () => { this.#database = null; };
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction('rows', 'readwrite', { durability: 'strict' });
      const request = act(transaction.objectStore('rows'));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

const DISKS = [new FileDisk(), new RowDisk()];
let found = null;

/** The first disk that can be written, or null: some browsers have the directory, but not the handle for writing. */
async function findDisk() {
  for (const disk of DISKS) {
    const probe = `probe-${Math.random()}`;
    try {
      await disk.call('write', probe, JOURNAL, utf8(''));
      await disk.call('remove', probe);
      return disk;
    } catch {
      disk.end?.();
    }
  }
  return null;
}

/** The disk that the page writes to. */
const openDisk = () => found ??= findDisk();

/** Acquires the right to record or to send. Returns a function that releases it, or null while another tab has it. */
function own(id) {
  const name = `${NAME}/${id}`;
  if (navigator.locks) {
    // The document that a reload has replaced may hold it for a moment.
    const signal = AbortSignal.timeout(LAST_MOMENT);
    return new Promise((resolve, reject) => {
      const hold = () => new Promise((release) => { resolve(release); });
      navigator.locks.request(name, { signal }, hold).catch((error) => (signal.aborted ? resolve(null) : reject(error)));
    });
  }
  // Without TLS there are no locks: use a timestamp that the owning tab renews.
  if (Math.abs(Date.now() - localStorage.getItem(name)) < 3_000) return null;
  const renew = () => localStorage.setItem(name, Date.now());
  renew();
  const timer = setInterval(renew, 500);
  return () => { clearInterval(timer); localStorage.removeItem(name); };
}
