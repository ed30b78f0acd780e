// The browser's disk. A recording is a journal of entries, which only grows, and its slices, named by their offset.

const FOLDER = 'astegni-recordings';
const WORKER = 'astegni-recorder-disk';
const METHODS = ['list', 'entries', 'append', 'read', 'remove'];

const PATIENCE = 30_000; // milliseconds, for an answer of the disk, the server, the page, or an encoder on a busy device

const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });
/** The promise's result; rejects after PATIENCE. Counted in parts: a device that wakes up has not waited while it slept. */
function timely(promise, name) {
  let [timer, parts] = [null, 6];
  const late = new Promise((_, reject) => {
    timer = setInterval(() => {
      parts -= 1;
      if (!parts) reject(Object.assign(new Error(`${name} does not answer`), { isLate: true }));
    }, PATIENCE / parts);
  });
  return Promise.race([promise, late]).finally(() => clearInterval(timer));
}
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

/** Calls of a worker that is of the page's own origin, and may import this module from another. */
async function openWorker() {
  const { href, origin } = new URL(import.meta.url);
  const importer = new Blob([`import ${JSON.stringify(href)}`], { type: 'text/javascript' });
  const address = origin === location.origin ? href : URL.createObjectURL(importer);
  const worker = new Worker(address, { type: 'module', name: WORKER });
  const calls = [];
  let isEnded = false;
  const late = () => Object.assign(new Error('the disk has ended'), { isLate: true });
  /** Ends the worker, and the calls that it has not answered. */
  const end = () => {
    isEnded = true;
    worker.terminate();
    for (const { reject } of Object.values(calls)) reject(late());
  };
  worker.onerror = end;
  // No channel for each call: a port that nothing else refers to can be gone before its answer.
  worker.onmessage = ({ data: { n, result, message } }) => {
    if (message === undefined) calls[n].resolve(result); else calls[n].reject(new Error(message));
    delete calls[n];
  };
  const call = (...message) => timely(new Promise((resolve, reject) => {
    if (isEnded) throw late();
    worker.postMessage([calls.push({ resolve, reject }) - 1, ...message]);
  }), 'the disk');
  await call('open').catch((error) => { end(); throw error; });
  return { call, end };
}

/** The files. A worker that died, or does not answer, is replaced. */
async function openFiles() {
  let opened = openWorker();
  await opened;
  const call = async (...message) => {
    const mine = opened;
    const replace = (error) => {
      if (mine === opened) opened = openWorker();
      opened.catch(() => {});
      throw Object.assign(error, { isLate: true });
    };
    const worker = await mine.catch(replace);
    return worker.call(...message).catch((error) => {
      if (!error.isLate) throw error;
      worker.end();
      return replace(error);
    });
  };
  return { kind: 'files', ...Object.fromEntries(METHODS.map((method) => [method, (...args) => call(method, ...args)])) };
}

/** The rows, whose calls are late in the same way. */
async function openRows() {
  const disk = await timely(new RowDisk().open(), 'the disk');
  const call = (method) => [method, (...args) => timely(disk[method](...args), 'the disk')];
  return { kind: disk.kind, ...Object.fromEntries(METHODS.map(call)) };
}

let opening = null;

/** The page's disk, or null. */
function openDisk() {
  opening ||= openFiles().catch(openRows).catch(() => null);
  return opening;
}

/** The right to record or to send: a function that gives it back, or null while another tab has it. */
function own(id) {
  const name = `${FOLDER}/${id}`;
  if (!navigator.locks) return ownByNote(name);
  return new Promise((resolve) => {
    const hold = (lock) => new Promise((release) => { resolve(lock && release); });
    // A page that may not have locks, by its sandbox, uses notes.
    navigator.locks.request(name, { ifAvailable: true }, hold).catch(() => resolve(ownByNote(name)));
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
