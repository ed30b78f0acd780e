// The page begins.

const more = new More();
chooseLanguage(localStorage.getItem('record-language') || (navigator.language.startsWith('am') ? 'am' : 'en'));
load();
