// Recordings by the worker's own recorder (docs/recorder.md): a page may make one, and every page sends what is left.

/** An interrupted recording may be continued by its own page for so long; then any page ends and sends it. */
const ABANDONED = 600_000;

const recorderModule = () => import(new URL('recorder.js', base));

/** A recorder of the session that this page has opened last. */
async function newRecorder(options) {
  const { Recorder } = await recorderModule();
  const board = [...boards.values()].at(-1);
  const session = async () => {
    const stored = board && (await adopted(board, 60));
    if (!stored) throw new Away('the worker has no session for this board yet');
    return stored.session;
  };
  return new Recorder({ api: base, token, session, title: board?.title, ...options });
}

/** Whether recordings are left in this browser, without loading the module. */
async function hasRecordings() {
  const databases = (await indexedDB.databases?.()) || [];
  if (databases.some(({ name }) => name === 'astegni-recordings')) return true;
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('astegni-recordings');
    return !(await folder.keys().next()).done;
  } catch {
    return false;
  }
}

async function sendLeftRecordings() {
  if (whoIsSignedIn() === null || !(await hasRecordings())) return;
  const { leftRecordings } = await recorderModule();
  for (const recorder of await leftRecordings({ api: base, token })) {
    const { isEnded, lastAt } = recorder.state;
    if (isEnded || lastAt < Date.now() - ABANDONED) await recorder.send();
  }
}
