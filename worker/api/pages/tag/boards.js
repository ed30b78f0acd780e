// A session of the platform and the one that the worker keeps for it: how they are joined, and what is sent.

const SESSIONS = 'v1/whiteboard/sessions';
const PAGES = 'v1/whiteboard/pages';
/** How long a student waits for the tutor's side, whose link may be down. */
const TUTOR_TIMEOUT = 3_600_000;
/** How long an operation waits for one of the other side that it depends on. */
const OTHERS_TIMEOUT = 60_000;
/** The other side begins its session up to some seconds earlier. */
const EARLIER = 30_000;

const pathOf = (board, verb) => `${SESSIONS}/${board.session}/${verb}`;

/** The tutor's side leads, whoever called; both sides believe that they are the host. */
const leads = (board) => board.role === 'tutor';

/**
 * The worker's session of this call. With access to the platform's database it knows who takes part, and that the other
 * side's session is the same call; without, the tutor's side creates one and the student's side looks for it.
 */
async function openSession(board) {
  const key = `platform-session-${board.platform}`;
  try {
    return await ask('POST', SESSIONS, { platform_session_id: board.platform }, { key });
  } catch (error) {
    if (error.status !== 404 && error.status !== 422) throw error;
    complain(error);
    return leads(board) ? createSession(board, key) : findSession(board);
  }
}

async function createSession(board, key) {
  const own = { host_profile_type: 'tutor', session_title: board.title };
  const others = { participant_profile_ids: [board.other.id], participant_profile_types: [board.other.type] };
  try {
    return await ask('POST', SESSIONS, { ...own, ...others }, { key });
  } catch (error) {
    // They share neither a booking nor a lesson here: the tutor's board is kept without the other side.
    if (error.status !== 422) throw error;
    complain(error);
    return ask('POST', SESSIONS, own, { key: `${key}-alone` });
  }
}

/** The session that the tutor's side has created for this call. */
async function findSession(board) {
  const since = board.at + (await clock.read()) - EARLIER;
  const { items } = await ask('GET', `${SESSIONS}?limit=50`);
  const session = items.findLast((one) => (
    one.host_profile_type === board.other.type && one.host_profile_id === board.other.id
    && Date.parse(one.created_at) >= since
  ));
  if (!session && Date.now() - board.at < TUTOR_TIMEOUT) throw new Away('the tutor has no session yet', 2);
  if (!session) throw new Refused(404, { detail: 'the tutor never had a session' });
  return session;
}

const permissions = (all) => ({ can_draw: all, can_write: all, can_erase: all });

/** Ignores a refusal: what has happened already, or may no longer happen, does not affect what follows. */
async function unlessRefused(request) {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    complain(error);
    return null;
  }
}

async function rememberPages(board) {
  const { items } = await ask('GET', pathOf(board, 'pages'));
  board.pages = Object.fromEntries(items.map((page) => [page.page_number, page.id]));
  await store.put('boards', board);
}

/** Creates a page that the tutor adds. Idempotent, by its key. */
const createPage = (board, number, options) => (
  ask('POST', pathOf(board, 'pages'), {}, { key: `platform-page-${board.platform}-${number}`, ...options })
);

/** The worker's id of a page. Pages that this script has added carry it, negative; the others go by their number. */
async function pageId(board, page) {
  if (page.id < 0) return -page.id;
  if (!board.pages[page.number]) await rememberPages(board);
  while (leads(board) && !board.pages[page.number]) {
    const added = await createPage(board, Object.keys(board.pages).length + 1);
    board.pages[added.page_number] = added.id;
    await store.put('boards', board);
  }
  if (!board.pages[page.number]) throw new Later(`no page ${page.number} yet`, OTHERS_TIMEOUT);
  return board.pages[page.number];
}

const instant = (milliseconds, offset) => milliseconds && new Date(milliseconds + offset).toISOString();

const HANDLERS = {
  async open(board) {
    if (!board || board.session) return;
    board.session = (await openSession(board)).id;
    await rememberPages(board);
    if (leads(board)) await unlessRefused(ask('POST', pathOf(board, 'start')));
    await unlessRefused(ask('POST', pathOf(board, 'join')));
  },

  async stroke(board, operations) {
    const id = await pageId(board, operations[0].page);
    const offset = await clock.read();
    const strokes = operations.map(({ stroke }) => ({
      ...stroke,
      started_at: instant(stroke.started_at, offset),
      ended_at: instant(stroke.ended_at, offset),
    }));
    try {
      const { refused } = await ask('POST', `${PAGES}/${id}/strokes`, { strokes });
      refused.forEach(({ reason }) => complain(reason));
    } catch (error) {
      // The tutor's side may not have sent the permission to draw yet.
      if (error.status === 403) throw new Later(error.message, OTHERS_TIMEOUT);
      throw error;
    }
  },

  async undo(board, [{ page, client_id: clientId }]) {
    try {
      await ask('DELETE', `${PAGES}/${await pageId(board, page)}/strokes/${encodeURIComponent(clientId)}`);
    } catch (error) {
      // The other side may not have sent its stroke yet.
      if (error.status === 404) throw new Later(error.message, 10 * OTHERS_TIMEOUT);
      throw error;
    }
  },

  async clear(board, [{ page, key }]) {
    await ask('POST', `${PAGES}/${await pageId(board, page)}/clear`, undefined, { key });
  },

  async show(board, [{ page }]) {
    await ask('POST', `${PAGES}/${await pageId(board, page)}/activate`);
  },

  async permit(board, [{ allowed }]) {
    await ask('PATCH', `${SESSIONS}/${board.session}`, { student_permissions: permissions(allowed) });
  },

  async end(board) {
    await ask('POST', pathOf(board, leads(board) ? 'end' : 'leave'));
  },
};

// Before the worker's session is known, only `open` makes sense; after a refused `open` all others are refused.
for (const [kind, handler] of Object.entries(HANDLERS)) {
  if (kind === 'open') continue;
  HANDLERS[kind] = (board, operations) => {
    if (!board?.session) throw new Refused(404, { detail: 'the worker has no session for this board' });
    return handler(board, operations);
  };
}

const queue = new Queue(HANDLERS);
/** Boards of this page load; the store has the worker's side of them. */
const boards = new Map();

/** The board of the session that the page shows, registered on first use; null without a session. */
function boardOf(manager) {
  const platform = manager.currentSession?.id;
  const other = manager.getOtherParty();
  const who = whoIsSignedIn();
  if (!platform || !other || who === null) return null;
  const key = `${who}-${platform}`;
  if (!boards.has(key)) {
    const board = {
      key,
      who,
      platform,
      role: manager.userRole,
      other: { id: Number(other.id), type: other.type },
      title: manager.currentSession.session_title || 'Whiteboard',
      call: manager.currentCallId,
      at: Date.now(),
      session: null,
      pages: {},
    };
    boards.set(key, board);
    safely(() => store.putNew('boards', board));
    queue.add({ kind: 'open', board: key });
    if (manager.interactionAllowed && leads(board)) queue.add({ kind: 'permit', board: key, allowed: true });
  }
  return boards.get(key);
}

/** The board with the worker's session, or null when that is not known within `seconds`. */
async function adopted(board, seconds) {
  const end = Date.now() + seconds * 1000;
  // Only once: after a failure the queue knows when to ask again.
  queue.drain();
  for (;;) {
    const stored = await store.get('boards', board.key);
    if (stored?.session) return stored;
    if (Date.now() >= end) return null;
    await pause(250);
  }
}
