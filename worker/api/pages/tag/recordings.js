// The Record button: it gets the element that it looks for, and what it records is sent while it records, by the worker's
// recorder (docs/recorder.md), and kept on the browser's disk until it is stored.

/** The page's recorder begins later by so much at most. */
const PATIENCE_FOR_MODULE = 3_000;
/** So long does the page show that it uploads. */
const PATIENCE_FOR_UPLOAD = 20_000;
/** Less than a browser takes by itself. */
const BIT_RATES = { videoBitsPerSecond: 600_000, audioBitsPerSecond: 24_000 };
/** The worker's recorder of what is recorded, and what lets the page forget the recording that has ended. */
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

/** Runs the page's method; a MediaRecorder that it makes has our bit rates. */
async function withBitRates(method) {
  const { MediaRecorder: Original } = window;
  window.MediaRecorder = class extends Original {
    constructor(stream, options) { super(stream, { ...BIT_RATES, ...options }); }
  };
  try {
    return await method();
  } finally {
    window.MediaRecorder = Original;
  }
}

/** A recorder for the page's own, or null when it cannot be loaded in time. */
async function readyRecorder(board) {
  if (!board) return null;
  const title = `${board.title} - ${new Date().toLocaleDateString()}`;
  const loading = newRecorder({ label: { board: board.key, canGoOn: false }, title }).catch(complain);
  const recorder = await Promise.race([loading, pause(PATIENCE_FOR_MODULE)]);
  await recorder?.take();
  return recorder;
}

/** Stops a running recorder and waits until its last second has arrived. */
function stopRecorder(manager) {
  const recorder = manager.mediaRecorder;
  const stopped = new Promise((resolve) => { recorder?.addEventListener('stop', resolve); });
  return Promise.race([Promise.all([manager.stopRecordingSession(), stopped]), pause(3_000)]);
}

/** Resolves when everything is stored, the worker refuses it, or some seconds are over. */
function settled(recorder) {
  return Promise.race([pause(PATIENCE_FOR_UPLOAD), new Promise((resolve) => {
    const look = () => {
      const { phase, warnings } = recorder.state;
      if (phase === 'finished' || phase === 'discarded' || warnings.includes('refused')) resolve();
    };
    for (const name of ['change', 'warning']) recorder.addEventListener(name, look);
    look();
  })]);
}

/** Instead of the platform's upload, which it refuses once the call is over. What the worker refuses is downloaded. */
async function handOver(manager, recorder, original, [blob, filename, duration]) {
  await settled(recorder);
  const { phase, warnings, storedBytes } = recorder.state;
  if (phase === 'finished') manager.showNotification(`Recording uploaded, ${duration} s`, 'success');
  else if (warnings.includes('refused')) {
    manager.showNotification('The recording was refused; it is downloaded instead', 'warning');
    await manager.downloadRecordingLocally(blob, filename, duration);
    await recorder.discard();
  } else if (storedBytes) manager.showNotification('The recording is kept here, and sent when the link allows it', 'info');
  // The worker has nothing of it; this browser goes on trying, and the platform keeps its own.
  else await original();
}

function hookRecorder(prototype) {
  instead(prototype, 'startSystemRecording', async function start(original) {
    lendVideoGrid();
    const before = this.mediaRecorder;
    const recorder = await safely(() => readyRecorder(boardOf(this)));
    recording = null;
    const result = await withBitRates(original);
    if (!this.mediaRecorder || this.mediaRecorder === before) await recorder?.discard();
    else if (recorder) {
      recording = recorder;
      await safely(() => recorder.start(this.mediaRecorder));
    } else if (!this.captureCanvas && this.canvas) keepChanging(this.canvas, this.mediaRecorder);
    return result;
  });
  instead(prototype, 'uploadRecordingToServer', async function upload(original, ...args) {
    const recorder = recording;
    recording = null;
    if (!recorder) return original();
    const released = new Promise((resolve) => { releaseUpload = resolve; });
    return Promise.race([handOver(this, recorder, original, args), released]);
  });
  instead(prototype, 'toggleRecording', async function toggle(original) {
    safely(recorderModule);
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
