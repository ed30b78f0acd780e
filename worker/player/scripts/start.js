// The page begins.

const contents = new Contents();
contents.loaded = count;
chooseLanguage(kept.get('record-language') || (navigator.language.startsWith('am') ? 'am' : 'en'));
load();
