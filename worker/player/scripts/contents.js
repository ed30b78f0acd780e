// What stands beside the player: captions, chapters, search, the board's pages. The same on the page and in a pack.

// Letters that sound alike, as in worker/recordings/texts/fold_text.py: each is compared as the one above it in the first line.
const SAME_SOUND = [
  ['ሀሁሂሃሄህሆ', 'ሐሑሒሓሔሕሖ', 'ኀኁኂኃኄኅኆ', 'ኸኹኺኻኼኽኾ'],
  ['ሰሱሲሳሴስሶሷ', 'ሠሡሢሣሤሥሦሧ'],
  ['አኡኢኣኤእኦ', 'ዐዑዒዓዔዕዖ'],
  ['ጸጹጺጻጼጽጾ', 'ፀፁፂፃፄፅፆ'],
  ['ኋ', 'ሗ'],
  ['ቆቁኮኩጎጉሆሁ', 'ቈቍኰኵጐጕኈኍ'],
  ['ሆሁ', 'ዀዅ'],
];
const SAME_VOWEL = { ሃ: 'ሀ', ኣ: 'አ' };
const FOLDED = new Map(SAME_SOUND.flatMap(([first, ...others]) => [first, ...others].flatMap((letters) => (
  [...letters].map((letter, index) => [letter, SAME_VOWEL[first[index]] ?? first[index]])
))));

/** The text as it is compared: without accents and punctuation. */
function fold(text) {
  const plain = text.normalize('NFKD').toLowerCase().replace(/[\p{Mn}\p{Me}\p{Cf}]/gu, '').replace(/[^\p{L}\p{N}\p{M}\p{Sm}]+/gu, ' ');
  return [...plain.trim()].map((letter) => FOLDED.get(letter) ?? letter).join('');
}

function languageName(language) {
  try {
    return new Intl.DisplayNames([language], { type: 'language' }).of(language);
  } catch {
    return language;
  }
}

function textNode(name, text) {
  return Object.assign(document.createElement(name), { textContent: text });
}

/** An item of a list whose button goes to a time of the lesson. */
function jumpItem(seconds, text, jump) {
  const item = document.createElement('li');
  const button = Object.assign(document.createElement('button'), { type: 'button' });
  button.append(textNode('span', timeText(seconds)), textNode('span', text));
  button.addEventListener('click', jump);
  item.append(button);
  return item;
}

/**
 * `chapters` are cues, `captions` have a `language` and a function `load` that resolves with cues; `search(text)`, where it is
 * given, resolves with `{start, text}` of each place instead of a search of what is here.
 */
class Contents {
  chapters = [];
  captions = [];
  search = null;
  /** Pictures of the board beside a recording without strokes: `pages` of `{n, url}`, `turns` of `{start, n}`. */
  pictures = { pages: [], turns: [] };
  /** Loads the strokes for the pages alone; null where they are here or there are none. */
  fetchPages = null;
  /** Called with the address and the size of each picture that was loaded. */
  loaded = () => {};
  /** Called when a picture could not be loaded. */
  lost = () => {};
  #turns = [];
  #cues = [];
  #track = null;
  #replay = null;
  #player = null;
  #wanted = ''; // the newest search

  constructor() {
    $('captions').addEventListener('change', () => {
      kept.set('watch-captions', $('captions').value);
      this.#chooseCaptions();
    });
    $('search').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#find($('searchText').value.trim());
    });
    $('fetchPages').addEventListener('click', () => this.fetchPages());
    $('film').addEventListener('webkitbeginfullscreen', () => { if (this.#track) this.#track.mode = 'showing'; });
    $('film').addEventListener('webkitendfullscreen', () => { if (this.#track) this.#track.mode = 'disabled'; });
  }

  use(player) {
    this.#player = player;
    player.addEventListener('time', () => this.#mark());
    player.addEventListener('change', () => this.#mark());
  }

  set replay(replay) {
    this.#replay = replay;
    this.render();
  }

  get replay() { return this.#replay; }

  /** Shows what is here, in the language of the page. */
  render() {
    show('chapters', this.chapters.length > 0);
    $('chapterList').replaceChildren(...this.chapters.map(({ start, text }) => jumpItem(start, text, () => this.#jump(start))));
    this.#renderPages();
    show('search', Boolean(this.search || this.chapters.length || this.captions.length || this.#typed().length));
    const wanted = $('captions').value || kept.get('watch-captions') || '';
    $('captions').replaceChildren(new Option(word('captionsOff'), ''), ...this.captions.map(({ language }) => (
      new Option(languageName(language), language)
    )));
    $('captions').value = this.captions.some(({ language }) => language === wanted) ? wanted : '';
    show('captionsLabel', this.captions.length > 0);
    if (wanted && !this.#cues.length) this.#chooseCaptions();
    this.#mark();
  }

  #jump(seconds) {
    this.#player.seek(seconds);
    $('picture').scrollIntoView({ block: 'nearest' });
  }

  async #chooseCaptions() {
    const wanted = $('captions').value;
    const chosen = this.captions.find(({ language }) => language === wanted);
    let isLost = false;
    const cues = chosen ? await chosen.load().catch(() => { isLost = true; return []; }) : [];
    const isChosen = () => $('captions').value === wanted;
    if (!isChosen()) return;
    if (isLost) setTimeout(() => { if (isChosen() && !this.#cues.length) this.#chooseCaptions(); }, 5_000);
    this.#cues = cues;
    this.#addTrack(chosen);
    this.#mark();
  }

  /** For the full screen of a phone that shows the film alone. */
  #addTrack(chosen) {
    if (this.#track) [...(this.#track.cues || [])].forEach((cue) => this.#track.removeCue(cue));
    if (!chosen || !window.VTTCue) return;
    this.#track ||= $('film').addTextTrack('captions', languageName(chosen.language), chosen.language);
    this.#track.mode = 'hidden';
    for (const { start, end, text } of this.#cues) this.#track.addCue(new VTTCue(start, end, text));
    this.#track.mode = 'disabled';
  }

  /** What is typed on the board, with the time at which it begins. */
  #typed() {
    const pages = this.#replay?.pages || [];
    return pages.flatMap(({ strokes }) => strokes.filter(({ kind }) => kind === 'text')
      .map(({ start, lines }) => ({ start: start / 1000, text: lines.join(' ') })));
  }

  async #find(text) {
    if (!text) return;
    this.#wanted = text;
    const found = this.search ? await this.search(text).catch(() => this.#findHere(text)) : await this.#findHere(text);
    // On a slow link the answer to an earlier search may come last.
    if (text !== this.#wanted) return;
    $('searchCount').textContent = word(found.length ? 'found' : 'foundNothing', { n: found.length });
    $('searchList').replaceChildren(...found.map(({ start, text: each }) => jumpItem(start, each, () => this.#jump(start))));
  }

  async #findHere(text) {
    const cues = (await Promise.all(this.captions.map(({ load }) => load().catch(() => [])))).flat();
    const wanted = fold(text).split(' ').filter(Boolean);
    const has = (place) => wanted.every((each) => place.includes(each));
    return [...this.chapters, ...cues, ...this.#typed()].filter((place) => wanted.length && has(fold(place.text)))
      .sort((one, other) => one.start - other.start).slice(0, 100);
  }

  /** Each page once, with the time at which it was first shown. */
  #renderPages() {
    const pages = this.#replay ? this.#drawnPages() : this.#picturedPages();
    show('pages', pages.length > 1 || Boolean(this.fetchPages && !this.#replay));
    show('fetchPages', Boolean(this.fetchPages) && !this.#replay);
    $('pageList').replaceChildren(...pages.map(({ n, at, picture }) => {
      const item = document.createElement('li');
      const button = Object.assign(document.createElement('button'), { type: 'button' });
      button.dataset.page = n;
      picture.setAttribute('aria-hidden', 'true');
      button.append(picture, textNode('span', `${word('page', { n })} · ${timeText(at)}`));
      button.addEventListener('click', () => this.#jump(at));
      item.append(button);
      return item;
    }));
  }

  /** From the strokes: each as it was when it was last left. */
  #drawnPages() {
    const { turns, pages, durationMs } = this.#replay;
    this.#turns = turns.map(([at, page]) => ({ start: at / 1000, n: pages[page].page_number }));
    const shown = new Map();
    turns.forEach(([at, page], index) => {
      const until = turns[index + 1]?.[0] ?? durationMs;
      if (!shown.has(page)) shown.set(page, { at, until });
      else shown.get(page).until = until;
    });
    return [...shown].map(([index, { at, until }]) => {
      const page = pages[index];
      const picture = Object.assign(document.createElement('canvas'), { width: 320, height: Math.round((320 * page.height) / page.width) });
      drawPageAt(picture, page, until);
      return { n: page.page_number, at: at / 1000, picture };
    });
  }

  #picturedPages() {
    this.#turns = this.pictures.turns;
    return this.pictures.pages.map(({ n, url, bytes, width, height }) => {
      const picture = Object.assign(new Image(), { loading: 'lazy', fetchPriority: 'low', alt: '', src: url });
      picture.addEventListener('load', () => this.loaded(url, bytes), { once: true });
      picture.addEventListener('error', () => this.lost(), { once: true });
      if (width) Object.assign(picture, { width, height });
      return { n, at: this.#turns.find((turn) => turn.n === n)?.start ?? 0, picture };
    });
  }

  /** The page that is shown at this time; undefined where there are no pages. */
  pageAt(seconds) {
    return this.#turns.reduce((last, turn) => (turn.start <= seconds + 0.1 ? turn.n : last), this.#turns[0]?.n);
  }

  #mark() {
    if (!this.#player) return;
    const { time } = this.#player;
    const current = this.chapters.reduce((last, { start }, index) => (start <= time + 0.1 ? index : last), -1);
    $('chapterList').querySelectorAll('button').forEach((button, index) => {
      button.setAttribute('aria-current', String(index === current));
    });
    const page = String(this.pageAt(time));
    $('pageList').querySelectorAll('button').forEach((button) => {
      button.setAttribute('aria-current', String(button.dataset.page === page));
    });
    const text = this.#cues.filter(({ start, end }) => start <= time && time < end).map((cue) => cue.text).join('\n');
    if ($('caption').textContent !== text) $('caption').textContent = text;
    show('caption', text !== '');
  }
}
