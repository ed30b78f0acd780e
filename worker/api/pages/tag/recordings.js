// The Record button: it gets the element that it looks for, and the worker's recorder (docs/recorder.md) sends what it
// records meanwhile, and keeps it on the browser's disk until it is stored.

/** Milliseconds by which the page's recorder may begin later. */
const MODULE_TIMEOUT = 3_000;
/** Milliseconds for which the page shows that it uploads. */
const UPLOAD_TIMEOUT = 20_000;
/** Lower than the browsers' defaults. */
const BIT_RATES = { videoBitsPerSecond: 600_000, audioBitsPerSecond: 24_000 };
/** The worker's recorder in use, and the function that ends the page's upload of the recording before. */
let recording = null;
let releaseUpload = null;

/** The page's recorder looks for this element with each frame, but no page has it. */
function lendVideoGrid() {
  if (document.getElementById('videoGrid')) return;
  const grid = document.querySelector('.video-grid-container');
  if (grid && !grid.id) grid.id = 'videoGrid';
}

/** A canvas delivers frames only when it is drawn on: copying one pixel onto itself counts, and changes nothing. */
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

/** Runs the page's method; a MediaRecorder that it creates gets our bit rates. */
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

/** The worker's recorder for what the page records, or null when it cannot be loaded in time. */
async function readyRecorder(board) {
  if (!board) return null;
  const title = `${board.title} - ${new Date().toLocaleDateString()}`;
  const loading = newRecorder({ label: { board: board.key, canGoOn: false }, title }).catch(complain);
  const recorder = await Promise.race([loading, pause(MODULE_TIMEOUT)]);
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
  return Promise.race([pause(UPLOAD_TIMEOUT), new Promise((resolve) => {
    const look = () => {
      const { phase, warnings } = recorder.state;
      if (phase === 'finished' || phase === 'discarded' || warnings.includes('refused')) resolve();
    };
    for (const name of ['change', 'warning']) recorder.addEventListener(name, look);
    look();
  })]);
}

/** Replaces the page's upload, which the platform refuses after the call. What the worker refuses is downloaded. */
async function handOver(manager, recorder, original, [blob, filename, duration]) {
  await settled(recorder);
  const { phase, warnings, storedBytes } = recorder.state;
  if (phase === 'finished') manager.showNotification(`Recording uploaded, ${duration} s`, 'success');
  else if (warnings.includes('refused')) {
    manager.showNotification('The recording was refused; it is downloaded instead', 'warning');
    await manager.downloadRecordingLocally(blob, filename, duration);
    await recorder.discard();
  } else if (storedBytes) manager.showNotification('The recording is kept here, and sent when the link allows it', 'info');
  // The worker has nothing of it yet: this browser goes on trying, and the page uploads to the platform, too.
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
    // The page forgets its recording when the upload returns: that must not happen to the one that begins now.
    releaseUpload?.();
    await pause(0);
    return original();
  });
  instead(prototype, 'showRecordingInLivePanel', async function show(original, url, callData) {
    lendVideoGrid();
    return original((await playbackAddress(url, callData)) || url, callData);
  });
}

/** A signed address of the recording in `url`, or else of the call's newest one; null when there is none. */
async function playbackAddress(url, callData) {
  const named = /\/v1\/recordings\/(\d+)/.exec(String(url));
  const id = named ? named[1] : await newestRecording(callData);
  if (!id) return null;
  const { renditions } = await ask('GET', `v1/recordings/${id}/playback`);
  const ready = renditions.filter((rendition) => rendition.url);
  return (ready.find((rendition) => rendition.name === 'playback') || ready[0])?.url || null;
}

/** The newest recording of the call's board, which this browser or the worker knows. */
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
