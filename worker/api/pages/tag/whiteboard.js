// The hooks in the platform's whiteboard. Methods are replaced on the prototype, since nothing binds them early; the
// page's own method always runs unless the worker has done its work.

/** Replaces the method by `wrap(method)`; does nothing without such a method. */
function hook(owner, name, wrap) {
  if (typeof owner[name] === 'function') owner[name] = wrap(owner[name]);
}

/** Runs `before` and `after` around the method; `after` gets what `before` returned. Neither can fail or delay it. */
function around(owner, name, { before = () => undefined, after = () => undefined }) {
  hook(owner, name, (original) => function wrapped(...args) {
    const noted = safely(() => before.call(this, ...args));
    const result = original.apply(this, args);
    const finish = () => safely(() => after.call(this, noted, ...args));
    if (typeof result?.then === 'function') result.then(finish, finish);
    else finish();
    return result;
  });
}

/** Runs `work(original, ...args)` instead; when that throws, runs the page's own method unless it has run already. */
function instead(owner, name, work) {
  hook(owner, name, (method) => async function wrapped(...args) {
    let hasRun = false;
    let result;
    const original = (...others) => {
      if (!hasRun) {
        hasRun = true;
        result = method.apply(this, others.length ? others : args);
      }
      return result;
    };
    try {
      return await work.call(this, original, ...args);
    } catch (error) {
      complain(error);
      return original();
    }
  });
}

/** Runs the method once per event: a page listens twice when its board is opened twice. */
function oncePerEvent(owner, name) {
  hook(owner, name, (original) => {
    let last = null;
    return function wrapped(...args) {
      const { event } = window;
      if (event && event === last) return undefined;
      last = event;
      return original.apply(this, args);
    };
  });
}

/** A page as operations name it, or null for one that the platform does not keep either. */
function pageOf(page) {
  const id = parseInt(page?.id, 10);
  return Number.isNaN(id) ? null : { id, number: page.page_number };
}

/** `{board, page}` for operations on the current page; null where nothing is kept. */
function place(manager) {
  const page = pageOf(manager.currentPage);
  const board = page && boardOf(manager);
  return board && { board: board.key, page };
}

/** A stroke's client id. The platform's rows keep it in the data; a row without one is imported under its own id. */
const nameOf = (stroke) => (
  stroke?.client_id || stroke?.stroke_data?.client_id || (stroke?.id ? `platform-${stroke.id}` : null)
);

/** Drops points that repeat the one before them: each arrives twice when the board was opened twice. */
function tidied({ client_id: _, ...data }) {
  if (!Array.isArray(data.points)) return data;
  const points = data.points.filter(([x, y], index, all) => !index || x !== all[index - 1][0] || y !== all[index - 1][1]);
  return points.length < 2 ? data : { ...data, points };
}

/** Shows a message to the person; the platform only logs it. */
function showToast(message) {
  const toast = document.createElement('div');
  toast.className = 'astegni-toast';
  toast.setAttribute('role', 'status');
  toast.textContent = message;
  toast.style.cssText = 'position:fixed;z-index:2147483647;right:1rem;bottom:1rem;max-width:22rem;padding:.6rem 1rem;'
    + 'border-radius:.5rem;background:#1f2937;color:#fff;font:14px/1.4 system-ui,sans-serif;pointer-events:none';
  document.body.append(toast);
  setTimeout(() => toast.remove(), 6_000);
}

let penDown = null;

/** The lesson and its board. */
function hookBoard(prototype) {
  around(prototype, 'findOrCreateSession', {
    after() { boardOf(this); },
  });
  around(prototype, 'startDrawing', {
    after() { penDown = this.isDrawing ? Date.now() : null; },
  });
  around(prototype, 'saveStroke', {
    // Before the original, so that the message to the other side, which it sends, contains the id. The platform's row
    // keeps only the data, in which an import finds the id again.
    before(stroke) {
      stroke.client_id ||= newId();
      stroke.stroke_data.client_id = stroke.client_id;
      const where = place(this);
      if (!where) return;
      const { client_id, stroke_type, stroke_data } = stroke;
      const now = Date.now();
      const started = stroke_type === 'text' || penDown === null ? now : Math.min(penDown, now);
      queue.add({
        ...where,
        kind: 'stroke',
        stroke: { client_id, stroke_type, stroke_data: tidied(stroke_data), started_at: started, ended_at: now },
      });
    },
  });
  around(prototype, 'performUndo', {
    // The other side runs it too, with false.
    before(broadcast = true) {
      const clientId = broadcast && nameOf(this.currentPage?.strokes?.at(-1));
      const where = clientId && place(this);
      if (where) queue.add({ ...where, kind: 'undo', client_id: clientId });
    },
  });
  around(prototype, 'performClear', {
    before(broadcast = true) {
      // The page calls this only for people who may; whether a student may, the worker decides.
      const where = broadcast && place(this);
      if (where) queue.add({ ...where, kind: 'clear', key: newId() });
    },
  });
  around(prototype, 'setInteractionState', {
    before(enabled) {
      const board = boardOf(this);
      if (board && leads(board)) queue.add({ kind: 'permit', board: board.key, allowed: Boolean(enabled) });
    },
  });
  instead(prototype, 'endVideoSession', async function end(original) {
    const board = safely(() => boardOf(this));
    // The platform lets a recorder run on, and has forgotten the call by the time it stops.
    if (this.isRecording) await safely(() => stopRecorder(this));
    const result = await original();
    if (board) queue.add({ kind: 'end', board: board.key });
    return result;
  });
  around(prototype, 'showNotification', {
    before(message) { showToast(message); },
  });
}

/** Turning and adding pages. */
function hookPages(prototype) {
  around(prototype, 'flipToPage', {
    // The old page stays current for another 0.6 s, and the platform ignores further turns meanwhile.
    before(index) {
      const page = !this.isFlipping && pageOf(this.pages[index]);
      const board = page && boardOf(this);
      // When a student turns the page, the tutor's side turns too: only that side reports it.
      if (board && leads(board)) queue.add({ kind: 'show', board: board.key, page });
    },
  });
  let adding = null;
  instead(prototype, 'addNewPage', function addNewPage(original) {
    adding ||= addPage(this, original).finally(() => { adding = null; });
    return adding;
  });
}

/** The platform refuses new pages to everybody: the worker creates it, with its negated id, which is a number there. */
async function addPage(manager, original) {
  const board = manager.canUserManagePages() && boardOf(manager);
  const stored = board && leads(board) && (await adopted(board, 3));
  if (!stored) return original();
  const added = await createPage(stored, manager.pages.length + 1, { seconds: 5 });
  const page = {
    id: -added.id,
    page_number: added.page_number,
    page_title: added.page_title,
    background_color: added.background_color,
    strokes: [],
  };
  const index = manager.pages.push(page) - 1;
  manager.flipToPage(index, 'next');
  manager.broadcastPageChange('add', page);
  return undefined;
}

function hookWhiteboard(prototype) {
  hookBoard(prototype);
  hookPages(prototype);
  hookRecorder(prototype);
  for (const name of ['draw', 'undo', 'clearPage', 'addNewPage', 'previousPage', 'nextPage', 'toggleRecording',
    'startVideoSession']) oncePerEvent(prototype, name);
}
