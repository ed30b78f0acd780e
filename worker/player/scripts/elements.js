// What every page uses: its elements, and what the browser keeps for it.

const $ = (id) => document.getElementById(id);
const show = (id, isShown) => { $(id).hidden = !isShown; };

/** What this browser keeps for the person; a page that may keep nothing goes on without. */
const kept = {
  get(name, store = 'localStorage') {
    try {
      return window[store].getItem(name);
    } catch {
      return null;
    }
  },
  set(name, value, store = 'localStorage') {
    try {
      if (value === null) window[store].removeItem(name); else window[store].setItem(name, value);
    } catch {
      // Full, or not allowed.
    }
  },
};
