// The recorder: it gets the element that it looks for, and pictures of a board on which nobody draws; its seconds are kept
// in the browser while they come, and what is uploaded at Stop is a recording of the worker.

const UPLOAD_PAUSES = [2, 5, 15]; // seconds before the attempts behind the first
const STALLED = 60_000;
/** The row of what is recorded, and what lets the page forget the recording that it has handed over. */
let recording = null;
let releaseUpload = null;

/** The recorder looks for this element with each picture, and no page has it. */
function lendVideoGrid() {
  if (document.getElementById('videoGrid')) return;
  const grid = document.querySelector('.video-grid-container');
  if (grid && !grid.id) grid.id = 'videoGrid';
}

/** A canvas gives pictures only when somebody draws: copying one pixel onto itself counts, and changes nothing. */
function keepChanging(canvas, recorder) {
  const context = canvas.getContext('2d');
  const timer = setInterval(() => {
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
    context.globalCompositeOperation = 'source-over';
    context.drawImage(canvas, 0, 0, 1, 1, 0, 0, 1, 1);
    context.restore();
  }, 1_000);
  recorder.addEventListener('stop', () => clearInterval(timer));
}

/** Keeps each second of the recorder until the upload is done; the lock tells other tabs that this one still lives. */
function keepChunks(manager) {
  const board = boardOf(manager);
  const row = {
    id: newId(),
    who: whoIsSignedIn(),
    board: board?.key,
    at: Date.now(),
    title: titleOf(manager.currentSession?.session_title, Date.now()),
  };
  let done;
  const alive = new Promise((resolve) => { done = resolve; });
  safely(() => navigator.locks?.request(`astegni-recording-${row.id}`, () => alive));
  safely(() => store.put('recordings', row));
  manager.mediaRecorder.addEventListener('dataavailable', ({ data }) => {
    if (data.size) safely(() => store.put('chunks', { recording: row.id, at: row.at, data }));
  });
  return { ...row, done };
}

async function forgetRecording({ id, done }) {
  const chunks = (await store.all('chunks')).filter((chunk) => chunk.recording === id);
  await store.remove('chunks', chunks.map((chunk) => chunk.n));
  await store.remove('recordings', [id]);
  done?.();
}

const titleOf = (title, at) => `${title || 'Whiteboard'} - ${new Date(at).toLocaleDateString()}`;

/** Stops a running recorder and waits until its last second has arrived. */
function stopRecorder(manager) {
  const recorder = manager.mediaRecorder;
  const stopped = new Promise((resolve) => { recorder?.addEventListener('stop', resolve); });
  return Promise.race([Promise.all([manager.stopRecordingSession(), stopped]), pause(3_000)]);
}

/** One POST of a recording. Throws Refused or Away; a body that does not move for a minute is given up. */
function sendRecording(session, blob, { filename, title, startedAt }) {
  const form = new FormData();
  form.append('session_id', session);
  form.append('title', title);
  form.append('type', 'video');
  form.append('started_at', new Date(startedAt).toISOString());
  form.append('file', blob, filename);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = null;
    const moved = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), STALLED);
    };
    request.open('POST', new URL('v1/recordings', base));
    request.setRequestHeader('Authorization', `Bearer ${token()}`);
    request.upload.onprogress = moved;
    request.onloadend = () => {
      clearTimeout(timer);
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(failureOf(request.status, (name) => request.getResponseHeader(name), request.responseText));
    };
    moved();
    request.send(form);
  });
}

async function uploadRecording(session, blob, facts) {
  for (const seconds of UPLOAD_PAUSES) {
    try {
      return await sendRecording(session, blob, facts);
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      complain(error);
      await pause(Math.max(seconds, Math.min(error.seconds, 60)) * 1000);
    }
  }
  return sendRecording(session, blob, facts);
}

/** Instead of the platform's upload, which it refuses once the call is over. Without the worker: download it. */
async function handOver(manager, original, blob, filename, duration) {
  const own = recording;
  recording = null;
  try {
    return await uploadOrDownload(own, manager, original, blob, filename, duration);
  } finally {
    if (own) await forgetRecording(own);
  }
}

async function uploadOrDownload(own, manager, original, blob, filename, duration) {
  const board = (own?.board && boards.get(own.board)) || boardOf(manager);
  const startedAt = manager.recordingStartTime || Date.now() - duration * 1000;
  const known = board && (await adopted(board, 5));
  if (!known) return original();
  try {
    const facts = { filename, title: titleOf(board.title, startedAt), startedAt: startedAt + (clock.offset || 0) };
    await uploadRecording(known.session, blob, facts);
    manager.showNotification(`Recording uploaded, ${duration} s`, 'success');
  } catch (error) {
    complain(error);
    const why = error.status === 403 ? "Only the tutor's recording and a calling student's are kept" : 'The recording could not be uploaded';
    manager.showNotification(`${why}; yours is downloaded instead`, 'warning');
    await manager.downloadRecordingLocally(blob, filename, duration);
  }
  return undefined;
}

function hookRecorder(prototype) {
  around(prototype, 'startSystemRecording', {
    before() {
      lendVideoGrid();
      return this.mediaRecorder;
    },
    after(previous) {
      const recorder = this.mediaRecorder;
      if (!recorder || recorder === previous) return;
      // With pictures of the others it records those, and the board is still.
      if (!this.captureCanvas && this.canvas) keepChanging(this.canvas, recorder);
      recording = keepChunks(this);
    },
  });
  instead(prototype, 'uploadRecordingToServer', async function upload(original, blob, filename, duration) {
    if (!token()) return original();
    const released = new Promise((resolve) => { releaseUpload = resolve; });
    return Promise.race([handOver(this, original, blob, filename, duration), released]);
  });
  instead(prototype, 'toggleRecording', async function toggle(original) {
    // When the upload returns, the page forgets the recording before; it must not forget the one that begins now.
    releaseUpload?.();
    await pause(0);
    return original();
  });
  instead(prototype, 'showRecordingInLivePanel', async function show(original, url, callData) {
    lendVideoGrid();
    return original((await playbackAddress(url, callData)) || url, callData);
  });
}

/** A signed address of the call's newest recording, or null: the board is known to this browser, or the address says it. */
async function playbackAddress(url, callData) {
  const named = /\/v1\/recordings\/(\d+)/.exec(String(url));
  const id = named ? named[1] : await newestRecording(callData);
  if (!id) return null;
  const { renditions } = await ask('GET', `v1/recordings/${id}/playback`);
  const ready = renditions.filter((rendition) => rendition.url);
  return (ready.find((rendition) => rendition.name === 'playback') || ready[0])?.url || null;
}

/** The call's board is known to this browser, or to the worker. */
async function newestRecording(callData) {
  const { id: call, whiteboard_session_id: platform } = callData || {};
  const who = whoIsSignedIn();
  const board = (await store.all('boards')).find((one) => (
    one.who === who && one.session && ((call && one.call === call) || (platform && one.platform === platform))
  ));
  const session = board?.session || (platform && (await linkOf('board', platform)).id);
  if (!session) return null;
  const { items } = await ask('GET', `v1/recordings?session_id=${session}`);
  return items.find((row) => row.is_available)?.id;
}

/** Uploads what a closed tab has left behind. */
async function recoverRecordings() {
  const who = whoIsSignedIn();
  if (who === null || !navigator.locks) return;
  for (const row of await store.all('recordings')) {
    if (row.who !== who) continue;
    await navigator.locks.request(`astegni-recording-${row.id}`, { ifAvailable: true }, (lock) => lock && recover(row));
  }
}

async function recover(row) {
  const chunks = (await store.all('chunks')).filter((chunk) => chunk.recording === row.id);
  const board = row.board && (await store.get('boards', row.board));
  if (chunks.length && board) {
    const known = await adopted(board, 30);
    if (!known) return;
    const blob = new Blob(chunks.map((chunk) => chunk.data), { type: 'video/webm' });
    const filename = `whiteboard-recording-${new Date(row.at).toISOString().replace(/[:.]/g, '-')}.webm`;
    await unlessRefused(uploadRecording(known.session, blob, { filename, title: row.title, startedAt: row.at }));
  }
  await forgetRecording(row);
}
