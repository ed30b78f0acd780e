// The person's token: pasted into this page, or kept by the platform's pages in this origin.

let pasted = null;

/** Without what a header cannot carry: messengers and terminals add characters that nobody sees. */
function token() {
  const found = pasted || kept.get('record-token', 'sessionStorage') || kept.get('token') || kept.get('access_token');
  return found?.replace(/[^\x21-\x7e]/g, '');
}

/** Calls `go` when somebody has pasted a token, which is kept for the tab. */
function onSignIn(go) {
  $('signIn').addEventListener('submit', (event) => {
    event.preventDefault();
    // What is copied with it, like "Bearer" or quotes, is no part of a token.
    pasted = /[\w-]+\.[\w-]+\.[\w-]+/.exec($('token').value.replace(/[^\x20-\x7e]/g, ''))?.[0] ?? '';
    kept.set('record-token', pasted, 'sessionStorage');
    $('token').value = '';
    show('signIn', false);
    go();
  });
}
