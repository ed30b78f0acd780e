// Installs the hooks in the page, and sends what earlier pages have left.

// The class is a global that is no property of `window`. The other pages of the platform do not have it.
function install() {
  if (typeof WhiteboardManager === 'function' && !hooked.has('whiteboard')) {
    hooked.add('whiteboard');
    hookWhiteboard(WhiteboardManager.prototype);
  }
  hookAlarms();
}

function sendAll() {
  safely(() => queue.drain());
  safely(sendLeftRecordings);
}

window.astegni = Object.freeze({
  /** Sends now what is queued; resolves when nothing more can be sent. */
  send: () => queue.drain(),
  /** The operations of the person who is signed in that the worker does not have yet. */
  pending: () => queue.mine(),
  /** Sessions of the platform, and their ids at the worker. */
  boards: () => store.all('boards'),
  /** A new recorder for a stream, with the options of docs/recorder.md. */
  recorder: newRecorder,
});

safely(install);
// For what the page declares after this script.
document.addEventListener('DOMContentLoaded', () => safely(install));
addEventListener('load', () => safely(install));
safely(async () => {
  await store.forgetOld();
  sendAll();
  safely(removeCopies);
});
addEventListener('online', sendAll);
addEventListener('pagehide', () => safely(() => queue.drain()));
document.addEventListener('visibilitychange', sendAll);
