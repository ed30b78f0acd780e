// The browser's disk. A recording is a journal, which only grows, and its slices, named by their offset.

const NAME = 'astegni-recordings';
const WORKER = 'astegni-recorder-disk';
const JOURNAL = 'journal';
const PATIENCE = 30_000; // milliseconds to wait for the disk, the server, the page, or a busy encoder

const utf8 = (text) => new TextEncoder().encode(text);
const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

/** The promise's result; rejects after PATIENCE. */
function timely(promise, name) {
  const late = Object.assign(new Error(`${name} does not answer`), { isLate: true });
  return Promise.race([promise, pause(PATIENCE).then(() => { throw late; })]);
}

/** Files of the origin's private file system. Only a worker may flush them. */
const files = {
  folders: {},

  root: async () => (await navigator.storage.getDirectory()).getDirectoryHandle(NAME, { create: true }),

  folder: async (id, create = false) => (
    files.folders[id] ??= await (await files.root()).getDirectoryHandle(id, { create })
  ),

  async list() {
    const ids = [];
    for await (const id of (await files.root()).keys()) ids.push(id);
    return ids;
  },

  async write(id, name, bytes) {
    const file = await (await files.folder(id, true)).getFileHandle(name, { create: true });
    const handle = await file.createSyncAccessHandle();
    try {
      if (name !== JOURNAL) await handle.truncate(0);
      if (handle.write(bytes, { at: await handle.getSize() }) < bytes.length) throw new Error('the disk is full');
      await handle.flush();
    } finally {
      await handle.close();
    }
  },

  async read(id, name) {
    const file = await (await files.folder(id)).getFileHandle(name);
    return new Uint8Array(await (await file.getFile()).arrayBuffer());
  },

  /** Removes a slice, or the whole recording without `name`. */
  async remove(id, name) {
    const folder = name === undefined ? await files.root() : await files.folder(id);
    await folder.removeEntry(name ?? id, { recursive: true });
    if (name === undefined) delete files.folders[id];
  },
};

if (globalThis.name === WORKER && !globalThis.document) {
  let last = Promise.resolve();
  onmessage = ({ data: [method, ...args] }) => {
    last = last.then(() => files[method](...args))
      .then((result) => postMessage({ result }), ({ message }) => postMessage({ message }));
  };
}

/** Calls the methods of `files` in a worker of the page's own origin, which may import this module from another one. */
class FileDisk {
  kind = 'files';
  #worker = null;
  #calls = []; // pending; their results come in order

  async call(...message) {
    const worker = this.#worker ??= this.#begin();
    worker.postMessage(message);
    const answer = new Promise((resolve, reject) => { this.#calls.push({ resolve, reject }); });
    try {
      return await timely(answer, 'the disk');
    } catch (error) {
      if (error.isLate && worker === this.#worker) this.end();
      throw error;
    }
  }

  #begin() {
    const { href, origin } = new URL(import.meta.url);
    const importer = new Blob([`import ${JSON.stringify(href)}`], { type: 'text/javascript' });
    const address = origin === location.origin ? href : URL.createObjectURL(importer);
    const worker = new Worker(address, { type: 'module', name: WORKER });
    worker.onerror = () => this.end();
    worker.onmessage = ({ data: { result, message } }) => {
      const { resolve, reject } = this.#calls.shift();
      if (message === undefined) resolve(result); else reject(new Error(message));
    };
    return worker;
  }

  /** Terminates a worker that has died or does not respond; the next call starts another. */
  end() {
    if (this.#worker) this.#worker.onmessage = null;
    this.#worker?.terminate();
    this.#worker = null;
    const late = Object.assign(new Error('the disk has ended'), { isLate: true });
    for (const { reject } of this.#calls.splice(0)) reject(late);
  }
}

/** Rows of IndexedDB, with the same methods. A key is a recording, a name, and the number of a journal's entry. */
class RowDisk {
  kind = 'rows';
  #database = null;

  call = (method, ...args) => timely(this[method](...args), 'the disk');

  list = async () => [...new Set((await this.#run((rows) => rows.getAllKeys())).map(([id]) => id))];

  write = (id, name, bytes) => this.#run((rows) => {
    const count = rows.count(this.#below(id, name));
    count.onsuccess = () => rows.put(bytes, [id, name, name === JOURNAL ? count.result : 0]);
    return count;
  });

  async read(...key) {
    const parts = await this.#run((rows) => rows.getAll(this.#below(...key)));
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  remove = (...key) => this.#run((rows) => rows.delete(this.#below(...key)));

  #below = (...key) => IDBKeyRange.bound(key, [...key, []]);

  /** The result of the request that `act` returns, once everything is on the disk. */
  async #run(act) {
    this.#database ??= await new Promise((resolve, reject) => {
      const opening = indexedDB.open(NAME, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('rows');
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = reject;
    });
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction('rows', 'readwrite', { durability: 'strict' });
      const request = act(transaction.objectStore('rows'));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

let opening = null;

/** The page's disk, or null. */
function openDisk() {
  opening ||= (async () => {
    for (const disk of [new FileDisk(), new RowDisk()]) {
      const probe = `probe-${Math.random()}`;
      try {
        // Some browsers have the directory, but not the handle for writing.
        await disk.call('write', probe, JOURNAL, utf8(''));
        await disk.call('remove', probe);
        return disk;
      } catch {
        disk.end?.();
      }
    }
    return null;
  })();
  return opening;
}

/** Acquires the right to record or to send. Returns a function that releases it, or null while another tab has it. */
async function own(id) {
  const name = `${NAME}/${id}`;
  try {
    return await new Promise((resolve, reject) => {
      const hold = (lock) => new Promise((release) => { resolve(lock && release); });
      navigator.locks.request(name, { ifAvailable: true }, hold).catch(reject);
    });
  } catch {
    // The browser has no locks, or not for a sandboxed page: use a timestamp that the owning tab renews.
    if (Date.now() - Number(localStorage.getItem(name)) < 3_000) return null;
    const renew = () => localStorage.setItem(name, Date.now());
    renew();
    const timer = setInterval(renew, 500);
    return () => {
      clearInterval(timer);
      localStorage.removeItem(name);
    };
  }
}
