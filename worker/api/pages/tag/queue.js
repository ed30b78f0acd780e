// The queue: what was done on a board, in order, until the worker has it.
//
// An operation is a row {n, board, kind, who, at, …}. One tab at a time sends; it goes from board to board and removes an
// operation when the worker has answered. A request whose answer was lost is sent again, and the worker recognizes it
// (client_id, Idempotency-Key, or it changes nothing).

const LINGER = 700; // milliseconds; strokes within them share a request
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 30_000;
const MAX_STROKES = 200;
const MAX_BYTES = 60_000; // ten seconds of a link of 48 kbit/s; a broken one costs them again
const RETRY_LATER = 2_000;

/** Thrown by a handler to postpone an operation; what follows need not wait. It is given up after `timeout` ms. */
class Later extends Error {
  constructor(reason, timeout) {
    super(reason);
    this.timeout = timeout;
  }
}

class Queue {
  #handlers;
  #timer = null;
  #due = Infinity;
  #failures = 0;
  #draining = null;
  #again = false;

  /** `handlers[kind](board, operations)` performs operations of one kind at the worker, strokes of one page. Operations
   * without a board use another name in its place; their handlers get undefined. */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Stores the operation and sends it soon. Returns immediately. */
  add(operation) {
    const who = whoIsSignedIn();
    if (who === null) return;
    safely(async () => {
      await store.put('operations', { ...operation, who, at: Date.now() });
      if (!this.#failures) this.drainIn(LINGER);
    });
  }

  drainIn(milliseconds) {
    const due = Date.now() + milliseconds;
    if (due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.drain(), milliseconds);
  }

  /** Sends what can be sent now. Resolves when nothing more can; never rejects. */
  drain() {
    clearTimeout(this.#timer);
    this.#due = Infinity;
    // What was added since the running pass last looked would otherwise wait for the next operation.
    this.#again = this.#draining !== null;
    this.#draining ||= exclusively('astegni-queue', () => this.#pass())
      .catch((error) => this.#failed(error))
      .finally(() => {
        this.#draining = null;
        if (this.#again) this.drainIn(0);
      });
    return this.#draining;
  }

  /** The operations of the person who is signed in. */
  async mine() {
    const who = whoIsSignedIn();
    return (await store.all('operations')).filter((operation) => operation.who === who);
  }

  async #pass() {
    const keys = new Set((await this.mine()).map((operation) => operation.board));
    let failure = null;
    for (const key of keys) {
      try {
        await this.#drainBoard(key);
      } catch (error) {
        failure = error;
      }
    }
    if (failure) throw failure;
    this.#failures = 0;
    const rest = await this.mine();
    if (rest.length) this.drainIn(Math.max(0, Math.min(...rest.map((operation) => operation.after || 0)) - Date.now()));
  }

  #failed(error) {
    complain(error);
    const longer = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.#failures);
    this.#failures += 1;
    this.drainIn(Math.max((error.seconds || 0) * 1000, longer * (0.5 + Math.random() / 2)));
  }

  async #drainBoard(key) {
    for (;;) {
      const ready = (await this.mine()).filter(({ board, after }) => board === key && !(after > Date.now()));
      if (!ready.length) return;
      await this.#perform(await store.get('boards', key), batchOf(ready));
    }
  }

  async #perform(board, batch) {
    try {
      await this.#handlers[batch[0].kind](board, batch);
    } catch (error) {
      if (error instanceof Later) {
        await this.#postpone(batch, error);
        return;
      }
      // Dropped, because an error of our own would repeat and block everything behind it.
      if (error instanceof Away) throw error;
      complain(error);
    }
    await store.remove('operations', batch.map((operation) => operation.n));
  }

  async #postpone(batch, { message, timeout }) {
    const now = Date.now();
    for (const operation of batch) {
      if (now - operation.at < timeout) await store.put('operations', { ...operation, after: now + RETRY_LATER });
      else {
        complain(`given up: ${operation.kind}, ${message}`);
        await store.remove('operations', [operation.n]);
      }
    }
  }
}

/** The first operation; if it is a stroke, also the strokes of the same page that directly follow it. */
function batchOf(operations) {
  const [first] = operations;
  const batch = [first];
  let bytes = JSON.stringify(first).length;
  for (const next of operations.slice(1, first.kind === 'stroke' ? MAX_STROKES : 1)) {
    bytes += JSON.stringify(next).length;
    if (next.kind !== 'stroke' || next.page.id !== first.page.id || bytes > MAX_BYTES) break;
    batch.push(next);
  }
  return batch;
}
