// The browser's disk. A recording is a journal of entries, which only grows, and its slices, named by their offset.

const FOLDER = 'astegni-recordings';
const WORKER = 'astegni-recorder-disk';
const METHODS = ['list', 'entries', 'append', 'read', 'remove'];

const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });
const utf8 = (text) => new TextEncoder().encode(text);

/** Files of the origin's private file system. Only a worker may flush them. */
class FileDisk {
  async open() {
    this.root = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
    // Throws where a browser has the directory and not the handle.
    const probe = `probe-${Math.random()}`;
    await this.append(probe, {});
    await this.remove(probe);
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
    const folder = await this.root.getDirectoryHandle(id, { create: true });
    const line = utf8(`\n${JSON.stringify(entry)}`);
    for (const [name, content] of bytes ? [[entry.offset, bytes], ['journal', line]] : [['journal', line]]) {
      const file = await folder.getFileHandle(String(name), { create: true });
      const handle = await file.createSyncAccessHandle();
      try {
        const at = name === 'journal' ? await handle.getSize() : 0;
        if (handle.write(content, { at }) < content.length) throw new Error('the disk is full');
        await handle.flush();
      } finally {
        await handle.close();
      }
    }
  }

  async read(id, name) {
    const file = await (await this.root.getDirectoryHandle(id)).getFileHandle(String(name));
    return new Uint8Array(await (await file.getFile()).arrayBuffer());
  }

  /** Removes a slice, or without its offset the recording. */
  async remove(id, offset) {
    const folder = offset === undefined ? this.root : await this.root.getDirectoryHandle(id);
    await folder.removeEntry(String(offset ?? id), { recursive: true });
  }
}

/** Rows of IndexedDB, with the same methods. */
class RowDisk {
  kind = 'rows';

  async open() {
    const opening = indexedDB.open(FOLDER, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore('journal', { autoIncrement: true }).createIndex('id', 'id');
      opening.result.createObjectStore('slices');
    };
    await new Promise((onsuccess, onerror) => { Object.assign(opening, { onsuccess, onerror }); });
    this.database = opening.result;
    return this;
  }

  list = async () => [...new Set((await this.#run((journal) => journal.getAll())).map(({ id }) => id))];

  entries = async (id) => (await this.#run((journal) => journal.index('id').getAll(id))).map(({ entry }) => entry);

  append = (id, entry, bytes) => this.#run((journal, slices) => {
    if (bytes) slices.put(bytes, [id, entry.offset]);
    return journal.add({ id, entry });
  });

  read = (id, offset) => this.#run((_, slices) => slices.get([id, offset]));

  remove = (id, offset) => this.#run((journal, slices) => {
    if (offset !== undefined) return slices.delete([id, offset]);
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

/** This module as a worker: calls of a FileDisk, in order. */
function serve() {
  const disk = new FileDisk();
  let last = Promise.resolve();
  onmessage = ({ data: [n, method, ...args] }) => {
    last = last.then(() => disk[method](...args))
      .then((result) => postMessage({ n, result }), ({ message }) => postMessage({ n, message }));
  };
}

/** The files, as calls of a worker. It is of the page's own origin, and may import this module from another. */
async function openFiles() {
  const { href, origin } = new URL(import.meta.url);
  const importer = new Blob([`import ${JSON.stringify(href)}`], { type: 'text/javascript' });
  const address = origin === location.origin ? href : URL.createObjectURL(importer);
  const worker = new Worker(address, { type: 'module', name: WORKER });
  const calls = [];
  // No channel for each call: a port that nothing else refers to can be gone before its answer.
  worker.onmessage = ({ data: { n, result, message } }) => {
    if (message === undefined) calls[n].resolve(result); else calls[n].reject(new Error(message));
    delete calls[n];
  };
  const call = (...message) => new Promise((resolve, reject) => {
    worker.onerror = reject;
    worker.postMessage([calls.push({ resolve, reject }) - 1, ...message]);
  });
  await call('open');
  return { kind: 'files', ...Object.fromEntries(METHODS.map((method) => [method, (...args) => call(method, ...args)])) };
}

let opening = null;

/** The page's disk, or null. */
function openDisk() {
  opening ||= openFiles().catch(() => new RowDisk().open()).catch(() => null);
  return opening;
}

/** The right to record or to send: a function that gives it back, or null while another tab has it. */
function own(id) {
  const name = `${FOLDER}/${id}`;
  if (!navigator.locks) return ownByNote(name);
  return new Promise((resolve) => {
    const hold = (lock) => new Promise((release) => { resolve(lock && release); });
    navigator.locks.request(name, { ifAvailable: true }, hold);
  });
}

/** Without locks it is a note that its tab renews. */
function ownByNote(name) {
  if (Date.now() - Number(localStorage.getItem(name)) < 3_000) return null;
  const renew = () => localStorage.setItem(name, Date.now());
  renew();
  const timer = setInterval(renew, 500);
  return () => {
    clearInterval(timer);
    localStorage.removeItem(name);
  };
}
