// Stores what must survive a reload in IndexedDB; where that is denied or full, in memory while the page lives.

const STORES = {
  operations: { keyPath: 'n', autoIncrement: true }, // what the worker does not have yet, in order
  boards: { keyPath: 'key' }, // sessions of the platform, and their ids at the worker
};
/** Keys of rows in memory are above this: larger than any that IndexedDB generates. */
const IN_MEMORY = 2 ** 52;
const KEPT_FOR = 7 * 86_400_000;

const answerOf = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

class Store {
  #opening = null;
  #memory = Object.fromEntries(Object.keys(STORES).map((name) => [name, new Map()]));
  #count = IN_MEMORY;

  /** Writes the row, and resolves once it is written. Calls run in their order. */
  async put(name, row) {
    const path = STORES[name].keyPath;
    try {
      return await this.#run(name, 'readwrite', (rows) => rows.put(row));
    } catch (error) {
      complain(error);
      const key = row[path] ?? (this.#count += 1);
      this.#memory[name].set(key, { ...row, [path]: key });
      return key;
    }
  }

  /** Writes the row unless there is one with its key. */
  async putNew(name, row) {
    if (!(await this.get(name, row[STORES[name].keyPath]))) await this.put(name, row);
  }

  async get(name, key) {
    return this.#memory[name].get(key) ?? this.#run(name, 'readonly', (rows) => rows.get(key)).catch(() => undefined);
  }

  /** All rows, in the order of their keys. */
  async all(name) {
    const stored = await this.#run(name, 'readonly', (rows) => rows.getAll()).catch(() => []);
    return [...stored, ...this.#memory[name].values()];
  }

  async remove(name, keys) {
    for (const key of keys) this.#memory[name].delete(key);
    await this.#run(name, 'readwrite', (rows) => {
      for (const key of keys) rows.delete(key);
    }).catch(complain);
  }

  /** Removes what other people have left more than a week ago. One's own is sent, however late and by any clock. */
  async forgetOld() {
    const who = whoIsSignedIn();
    for (const [name, { keyPath }] of who === null ? [] : Object.entries(STORES)) {
      const old = (await this.all(name)).filter((row) => row.who !== who && row.at < Date.now() - KEPT_FOR);
      if (old.length) await this.remove(name, old.map((row) => row[keyPath]));
    }
  }

  async #run(name, mode, act) {
    const database = await (this.#opening ||= this.#open());
    const transaction = database.transaction(name, mode);
    const written = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const request = act(transaction.objectStore(name));
    const [result] = await Promise.all([request && answerOf(request), written]);
    return result;
  }

  async #open() {
    const request = indexedDB.open('astegni', 1);
    request.onupgradeneeded = () => {
      for (const [name, options] of Object.entries(STORES)) request.result.createObjectStore(name, options);
    };
    const database = await answerOf(request);
    // The browser closes it when the site's data is cleared, and a newer version of this script when it upgrades it.
    database.onclose = () => { this.#opening = null; };
    database.onversionchange = () => { database.close(); this.#opening = null; };
    return database;
  }
}

const store = new Store();
