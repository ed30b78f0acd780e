// Puts the hooks into the page and sends what an earlier one has left.

function install() {
  // The class is a global that `window` does not have. The other pages of the platform have none.
  if (typeof WhiteboardManager === 'function') hookWhiteboard(WhiteboardManager.prototype);
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
});

safely(install);
safely(async () => {
  await store.forgetOld();
  sendAll();
  await recoverRecordings();
});
addEventListener('online', sendAll);
addEventListener('pagehide', sendAll);
document.addEventListener('visibilitychange', sendAll);
