// The page begins.

const contents = new Contents();
chooseLanguage(kept.get('record-language') || (navigator.language.startsWith('am') ? 'am' : 'en'));
load();
