// Browsers in which the module before this script has not run, because they know no modules or not its syntax: leads to the page
// without script. Written for the oldest of them.
(function () {
  if (window.hasStarted) return;
  var names = /^(.*)\/watch\/(?:shared\/([^/]+)|(\d+))$/.exec(location.pathname);
  var language = /^am/.test(kept('localStorage', 'record-language') || navigator.language) ? 'am' : 'en';
  var token;
  function kept(store, name) {
    try {
      return window[store].getItem(name);
    } catch (error) {
      return null;
    }
  }
  function fail(request) {
    var detail = '';
    try {
      detail = JSON.parse(request.responseText).detail;
    } catch (error) {
      // Not from the API, or no response.
    }
    document.getElementById('alerts').textContent = 'The lesson could not be opened. · ትምህርቱን መክፈት አልተቻለም። ' + detail;
  }
  function signIn() {
    token = prompt('Access token · የመግቢያ ቁልፍ');
    if (token) ask();
  }
  function ask() {
    var request = new XMLHttpRequest();
    request.open('POST', names[1] + '/v1/recordings/' + names[3] + '/plain');
    request.setRequestHeader('Authorization', 'Bearer ' + token.replace(/[^\x21-\x7e]/g, ''));
    request.onload = function () {
      if (request.status === 201) location.replace(JSON.parse(request.responseText).url + '&language=' + language);
      else if (request.status === 401) signIn();
      else fail(request);
    };
    request.onerror = function () { fail(request); };
    request.send();
  }
  if (!names) return;
  if (names[2]) {
    location.replace(location.pathname + '/plain?language=' + language);
    return;
  }
  token = kept('sessionStorage', 'record-token') || kept('localStorage', 'token') || kept('localStorage', 'access_token');
  if (token) ask(); else signIn();
})();
