// Puts the hooks into the page and sends what an earlier one has left.

// The class is a global that `window` does not have. The other pages of the platform have none.
function install() {
  if (typeof WhiteboardManager === 'function' && !hooked.has('whiteboard')) {
    hooked.add('whiteboard');
    hookWhiteboard(WhiteboardManager.prototype);
  }
  hookAlarms();
}

function sendAll() {
  safely(() => queue.drain());
}

window.astegni = Object.freeze({
  /** Sends now what is queued; resolves when nothing more can be sent. */
  send: () => queue.drain(),
  /** What of the person who is signed in the worker does not have yet. */
  pending: () => queue.mine(),
  /** Sessions of the platform and what they are called at the worker. */
  boards: () => store.all('boards'),
  /** A new recorder for a stream, with the options of docs/recorder.md. */
  recorder: newRecorder,
});

safely(install);
// What the page declares behind this script.
document.addEventListener('DOMContentLoaded', () => safely(install));
addEventListener('load', () => safely(install));
safely(async () => {
  await store.forgetOld();
  sendAll();
  safely(removeCopies);
  await sendLeftRecordings();
});
addEventListener('online', sendAll);
addEventListener('pagehide', sendAll);
document.addEventListener('visibilitychange', sendAll);
