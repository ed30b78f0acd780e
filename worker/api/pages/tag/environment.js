// What the page knows: where this script came from, the current token, and whose it is.

const base = new URL('.', document.currentScript.src);

/** Logs one of our errors, which the page never sees. */
function complain(error) {
  console.debug('astegni:', error);
}

/** The result of `work`; whatever it throws, now or as a promise, is logged and becomes undefined. */
function safely(work) {
  try {
    const result = work();
    return typeof result?.catch === 'function' ? result.catch(complain) : result;
  } catch (error) {
    complain(error);
    return undefined;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A unique id. `crypto.randomUUID` is missing on pages without TLS. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Read for each request, because switching the role stores another token. */
function token() {
  return localStorage.getItem('token') || localStorage.getItem('access_token');
}

/** The user id in the token, or null. Not verified: it only separates the people who share this browser. */
function whoIsSignedIn() {
  try {
    const payload = token().split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    return String(JSON.parse(atob(payload)).sub);
  } catch {
    return null;
  }
}

/** Runs `work` while no other tab runs anything under this name. Without Web Locks (no TLS) it runs unprotected. */
function exclusively(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}
