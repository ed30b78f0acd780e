// The browser's disk. A recording is a journal of entries, which only grows, and its slices, named by their offset.

const FOLDER = 'astegni-recordings';
const WORKER = 'astegni-recorder-disk';
const TICK = 500; // milliseconds

const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });
const utf8 = (text) => new TextEncoder().encode(text);

/** Files of the origin's private file system. Only in a worker. */
class FileDisk {
  kind = 'files';

  async open() {
    this.root = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
    // Throws where a browser has the directory and not the handle.
    const probe = `probe-${Math.random()}`;
    await this.#write(probe, 'journal', utf8('{}'));
    await this.remove(probe);
    return this;
  }

  async list() {
    const names = [];
    for await (const name of this.root.keys()) names.push(name);
    return names;
  }

  /** A crash may have torn the last line; nothing in it was reported as written. */
  async entries(id) {
    const lines = new TextDecoder().decode(await this.read(id, 'journal')).split('\n');
    return lines.flatMap((line) => { try { return [JSON.parse(line)]; } catch { return []; } });
  }

  async append(id, entry, bytes) {
    if (bytes) await this.#write(id, entry.offset, bytes);
    await this.#write(id, 'journal', utf8(`\n${JSON.stringify(entry)}`));
  }

  async read(id, name) {
    try {
      const file = await (await this.root.getDirectoryHandle(id)).getFileHandle(String(name));
      return new Uint8Array(await (await file.getFile()).arrayBuffer());
    } catch {
      return new Uint8Array(0);
    }
  }

  async forget(id, offset) {
    await (await this.root.getDirectoryHandle(id)).removeEntry(String(offset)).catch(() => {});
  }

  async remove(id) {
    await this.root.removeEntry(id, { recursive: true }).catch(() => {});
  }

  async #write(id, name, bytes) {
    const folder = await this.root.getDirectoryHandle(id, { create: true });
    const file = await folder.getFileHandle(String(name), { create: true });
    const handle = await file.createSyncAccessHandle();
    try {
      const at = name === 'journal' ? await handle.getSize() : 0;
      if (handle.write(bytes, { at }) < bytes.length) throw new DOMException('the disk is full', 'QuotaExceededError');
      await handle.flush();
    } finally {
      await handle.close();
    }
  }
}

/** Rows of IndexedDB, in a worker or in the page. */
class RowDisk {
  kind = 'rows';

  async open() {
    const opening = indexedDB.open(FOLDER, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore('journal', { autoIncrement: true }).createIndex('id', 'id');
      opening.result.createObjectStore('slices');
    };
    await new Promise((resolve, reject) => { Object.assign(opening, { onsuccess: resolve, onerror: reject }); });
    this.database = opening.result;
    return this;
  }

  list = async () => [...new Set((await this.#run((journal) => journal.getAll())).map(({ id }) => id))];

  entries = async (id) => (await this.#run((journal) => journal.index('id').getAll(id))).map(({ entry }) => entry);

  append = (id, entry, bytes) => this.#run((journal, slices) => {
    if (bytes) slices.put(bytes, [id, entry.offset]);
    return journal.add({ id, entry });
  });

  read = async (id, offset) => (await this.#run((_, slices) => slices.get([id, offset]))) || new Uint8Array(0);

  forget = (id, offset) => this.#run((_, slices) => slices.delete([id, offset]));

  remove = (id) => this.#run((journal, slices) => {
    journal.index('id').getAllKeys(id).onsuccess = ({ target }) => target.result.forEach((key) => journal.delete(key));
    return slices.delete(IDBKeyRange.bound([id], [id, []]));
  });

  /** The result of the request that `act` returns, once everything is on the disk. */
  #run(act) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(['journal', 'slices'], 'readwrite', { durability: 'strict' });
      const request = act(transaction.objectStore('journal'), transaction.objectStore('slices'));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

/** The first disk that works here, or null. */
async function openDisk(kinds) {
  for (const Kind of kinds) {
    try { return await new Kind().open(); } catch { /* The next one. */ }
  }
  return null;
}

/** This module as a worker: calls of the disk in order, and a tick that no browser slows down in a hidden tab. */
function serve() {
  const opening = openDisk([FileDisk, RowDisk]);
  let last = opening.then((disk) => postMessage({ kind: disk?.kind }));
  onmessage = ({ data: { n, method, args } }) => {
    last = last.then(async () => {
      try {
        postMessage({ n, result: await (await opening)[method](...args) });
      } catch ({ name, message }) {
        postMessage({ n, error: { name, message } });
      }
    });
  };
  setInterval(() => postMessage({}), TICK);
}

/** Calls of a worker's disk, which has the methods of the others. */
function workerDisk(worker, kind, calls) {
  const call = (method, args) => new Promise((resolve, reject) => {
    worker.postMessage({ n: calls.push({ resolve, reject }) - 1, method, args });
  });
  const methods = ['list', 'entries', 'append', 'read', 'forget', 'remove'];
  return { kind, ...Object.fromEntries(methods.map((method) => [method, (...args) => call(method, args)])) };
}

const onTick = new Set();
const tick = () => onTick.forEach((act) => act());
let opening = null;

/** The page's disk: in a worker, or in the page where none may start, or null. */
function pageDisk() {
  opening ||= new Promise((resolve, reject) => {
    // A worker is of the page's own origin; it may import this module from another.
    const { href, origin } = new URL(import.meta.url);
    const importer = new Blob([`import ${JSON.stringify(href)}`], { type: 'text/javascript' });
    const address = origin === location.origin ? href : URL.createObjectURL(importer);
    const worker = new Worker(address, { type: 'module', name: WORKER });
    const calls = [];
    worker.onerror = () => reject(new Error('no worker'));
    worker.onmessage = ({ data: { n, result, error, ...first } }) => {
      if ('kind' in first) resolve(first.kind ? workerDisk(worker, first.kind, calls) : null);
      else if (n === undefined) tick();
      else if (error) calls[n].reject(new DOMException(error.message, error.name));
      else calls[n].resolve(result);
      delete calls[n];
    };
  }).catch(() => {
    setInterval(tick, TICK);
    return openDisk([RowDisk]);
  });
  return opening;
}

/**
 * The right to record or to send: a function that gives it back, or null while another tab has it. Without locks it is a
 * note that its tab renews.
 */
function own(id) {
  const name = `${FOLDER}/${id}`;
  if (!navigator.locks) return ownByNote(name);
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => (
      lock ? new Promise((release) => { resolve(release); }) : resolve(null)
    ));
  });
}

function ownByNote(name) {
  if (Date.now() - Number(localStorage.getItem(name)) < 6 * TICK) return null;
  const renew = () => localStorage.setItem(name, Date.now());
  renew();
  const timer = setInterval(renew, TICK);
  return () => {
    clearInterval(timer);
    localStorage.removeItem(name);
  };
}
