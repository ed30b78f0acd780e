// Recordings by the worker's own recorder (docs/recorder.md): a page may make one, and every page sends what is left.

/** Milliseconds for which an interrupted recording may be continued; then any page ends and sends it. */
const ABANDONED = 600_000;

const recorderModule = () => import(new URL('recorder.js', base));

/** The session of a recording, by the board in its label. */
async function sessionOf({ label }) {
  const stored = label?.board && (await adopted({ key: label.board }, 60));
  if (!stored) throw new Away('the worker has no session for this board yet');
  return stored.session;
}

const recorderOptions = { api: base, token, session: sessionOf };

/** A recorder for the session that this page has opened last. */
async function newRecorder(options) {
  const { Recorder } = await recorderModule();
  const board = [...boards.values()].at(-1);
  const label = { board: board?.key, canGoOn: true };
  return new Recorder({ ...recorderOptions, label, title: board?.title, ...options });
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
  for (const recorder of await leftRecordings(recorderOptions)) {
    const { isEnded, lastAt, label } = recorder.state;
    if (isEnded || label?.canGoOn === false || lastAt < Date.now() - ABANDONED) await recorder.send().catch(complain);
  }
}
