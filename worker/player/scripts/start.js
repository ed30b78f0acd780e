// The page begins.

// To `old.js`, which runs behind this module.
window.hasStarted = true;
const contents = new Contents();
contents.loaded = count;
contents.lost = renewPages;
onSignIn(load);
chooseLanguage(kept.get('record-language') || (navigator.language.startsWith('am') ? 'am' : 'en'));
load();
