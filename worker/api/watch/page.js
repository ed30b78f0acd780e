// The page /watch/{id}: finds the lesson, says what it costs, plays it, and remembers the place.

const root = new URL('.', import.meta.url);
const [, shared, number] = /\/watch\/(?:shared\/([^/]+)|(\d+))$/.exec(location.pathname) || [];
const placeKey = `watch-place-${shared ? `shared-${shared.slice(0, 8)}` : number}`;
const meter = new Meter();
const controls = new Controls();
const alerts = new Map();
let playback = null;
let ways = [];
let way = null;
let replay = null;

const later = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

// The person

function token() {
  return sessionStorage.getItem('record-token') || localStorage.getItem('token') || localStorage.getItem('access_token');
}

async function ask(path) {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  const response = await fetch(new URL(path, root), { headers, cache: 'no-store', credentials: 'omit' });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail || `status ${response.status}`), { status: response.status, problem });
}

function warn(name, isOn, about) {
  if (isOn) alerts.set(name, about); else alerts.delete(name);
  $('alerts').replaceChildren(...[...alerts].map(([each, detail]) => {
    const paragraph = document.createElement('p');
    paragraph.className = 'warning';
    paragraph.textContent = word(each, { about: detail });
    return paragraph;
  }));
}

// From the address to a lesson that can be played

async function load() {
  for (;;) {
    try {
      playback = await ask(shared ? `v1/shared/${shared}` : `v1/recordings/${number}/playback`);
      warn('unreachable', false);
      show('making', false);
      present();
      return;
    } catch (error) {
      if (!(await explain(error))) return;
    }
  }
}

/** Says why there is nothing to play; resolves with whether to try again. */
async function explain({ status, message }) {
  warn('unreachable', !status);
  if (status === 401) show('signIn', true);
  else if (status === 409 && !shared) return followProgress();
  else if (status === 404 || status === 410) warn(shared ? 'shareGone' : 'notFound', true);
  else if (status && status < 500 && status !== 429) warn('failed', true, message);
  else {
    await later(5_000);
    return true;
  }
  return false;
}

async function followProgress() {
  const recording = await ask(`v1/recordings/${number}`);
  if (!recording.is_processing) {
    show('making', false);
    const { error } = recording;
    warn(`failed-${error?.code}` in words ? `failed-${error.code}` : 'failed', true, error?.detail || '');
    return recording.is_available;
  }
  // A job is shown to whoever ordered it; others see that the lesson is being made.
  const job = recording.job_id ? await ask(`v1/jobs/${recording.job_id}`).catch(() => null) : null;
  show('making', true);
  $('makingText').textContent = word('makingNow', { note: job?.progress_note ? `: ${job.progress_note}` : '' });
  if (job) $('progress').value = job.progress; else $('progress').removeAttribute('value');
  await later(2_000);
  return true;
}

function present() {
  if (playback.recording_title) {
    $('title').removeAttribute('data-word');
    $('title').textContent = playback.recording_title;
    document.title = playback.recording_title;
  }
  ways = waysOf(playback.renditions);
  warn('nothingToPlay', !ways.length);
  if (!ways.length) return;
  const wanted = localStorage.getItem('watch-way');
  choose(ways.find(({ name }) => name === wanted) || bestWay(ways, { isSaving: $('saver').checked }));
  show('data', true);
  more.present(playback);
}

// The ways to watch

function showWays() {
  const rows = ways.map((each) => {
    const label = document.createElement('label');
    const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'way', value: each.name, checked: each === way });
    input.addEventListener('change', () => {
      localStorage.setItem('watch-way', each.name);
      choose(each);
    });
    const size = document.createElement('b');
    size.textContent = sizeText(each.bytes);
    label.append(input, document.createElement('span'), size);
    label.children[1].textContent = word(`way-${each.name}`);
    return label;
  });
  $('ways').replaceChildren($('ways').firstElementChild, ...rows);
}

/** Plays in this way from now on, at the same place. */
function choose(chosen) {
  const before = controls.player;
  const [place, wasPlaying] = before ? [before.time, before.isPlaying] : [firstPlace(), false];
  before?.close();
  way = chosen;
  const rows = Object.fromEntries(chosen.parts.map((row) => [row.name, row]));
  const sound = chosen.kind === 'strokes' || chosen.kind === 'film' ? chosen.parts[1] : chosen.parts[0];
  const film = chosen.kind === 'film' ? chosen.parts[0] : null;
  const isSound = chosen.kind !== 'whole';
  give('voice', isSound ? sound : null);
  give('film', isSound ? film : sound);
  show('board', chosen.kind === 'strokes');
  show('film', chosen.kind === 'whole' || Boolean(film));
  $('film').muted = Boolean(film);
  $('picture').classList.toggle('sound', chosen.kind === 'sound');
  if (rows.replay && replay?.url !== rows.replay.url) replay = Object.assign(new Replay(), { url: rows.replay.url, bytes: rows.replay.bytes });
  const player = new Player({
    medium: sound ? $(isSound ? 'voice' : 'film') : null, follower: film ? $('film') : null,
    board: chosen.kind === 'strokes' ? new LoadedBoard($('board'), replay) : null, length: playback.duration_ms / 1000 || 0,
  });
  player.addEventListener('fault', () => renew(player), { once: true });
  player.addEventListener('change', () => { if (player.isPlaying) begin(); keepPlace(); });
  player.addEventListener('time', () => keepPlace());
  controls.use(player);
  showWays();
  showPoster();
  if (place) player.seek(place);
  if (wasPlaying) player.play();
  more.use(player);
}

/** Gives an element a file, or none; nothing is loaded before it plays. */
function give(id, row) {
  const element = $(id);
  meter.forget(element);
  if (!row) {
    element.removeAttribute('src');
    element.load();
    return;
  }
  element.src = row.url;
  meter.follow(element, row.bytes || 0);
}

/** The board of a replay that is not there yet shows nothing. */
class LoadedBoard {
  #board = null;

  constructor(canvas, source) {
    Object.assign(this, { canvas, source });
  }

  show(ms) {
    if (!this.source.pages.length) return;
    this.#board ||= new Board(this.canvas, this.source);
    this.#board.show(ms);
  }
}

/** With the first second that plays: fetch the strokes, and give up the poster. */
function begin() {
  show('poster', false);
  if (!$('poster').complete) $('poster').removeAttribute('src');
  if (way.kind !== 'strokes' || replay.isAsked) return;
  replay.isAsked = true;
  fetchReplay(replay).catch(() => { replay.isAsked = false; });
}

async function fetchReplay(asked) {
  const response = await fetch(asked.url, { credentials: 'omit' });
  if (!response.ok) throw new Error(`status ${response.status}`);
  meter.add(asked.bytes);
  await readReplay(response, asked, () => {});
  more.replayLoaded(asked);
}

function showPoster() {
  const link = navigator.connection || {};
  const isDear = $('saver').checked || link.saveData || /2g/.test(link.effectiveType || '');
  const url = playback.poster?.url;
  const isShown = Boolean(url) && !isDear && way.kind !== 'sound' && controls.player.time === 0 && !controls.player.isPlaying;
  show('poster', isShown);
  if (isShown && $('poster').src !== url) {
    $('poster').fetchPriority = 'low';
    $('poster').src = url;
  }
}

/** The addresses expire: takes others, and goes on at the same place. */
async function renew(player) {
  const { time, isPlaying } = player;
  try {
    playback = await ask(shared ? `v1/shared/${shared}` : `v1/recordings/${number}/playback`);
  } catch (error) {
    warn('unreachable', true);
    await later(5_000);
    if (controls.player === player) renew(player);
    return;
  }
  warn('unreachable', false);
  ways = waysOf(playback.renditions);
  choose(ways.find(({ name }) => name === way.name) || ways[0]);
  controls.player.seek(time);
  if (isPlaying) controls.player.play();
}

// The place

function firstPlace() {
  const named = Number(/[?#&]t=(\d+(?:\.\d+)?)/.exec(location.search + location.hash)?.[1]);
  return named || playback.from || Number(localStorage.getItem(placeKey)) || 0;
}

function keepPlace() {
  const { player } = controls;
  if (!player?.length) return;
  const { time, length } = player;
  if (playback.to && time >= playback.to && player.isPlaying) player.pause();
  if (time > 10 && time < length - 10) localStorage.setItem(placeKey, time.toFixed(1)); else localStorage.removeItem(placeKey);
}

function showBytes() {
  $('lessonBytes').textContent = sizeText(meter.lesson);
  $('monthBytes').textContent = sizeText(meter.month);
}

async function chooseLanguage(language) {
  localStorage.setItem('record-language', language);
  const { WORDS } = await import(`./watch-words-${language}.js`);
  speak(language, WORDS);
  if (!playback?.recording_title) document.title = words.title;
  for (const [name, about] of alerts) warn(name, true, about);
  if (way) showWays();
  controls.render();
  more.render();
}

$('signIn').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('record-token', $('token').value.trim());
  $('token').value = '';
  show('signIn', false);
  load();
});
for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => chooseLanguage(button.dataset.language));
}
$('saver').checked = localStorage.getItem('watch-saver') === 'on';
$('saver').addEventListener('change', () => {
  localStorage.setItem('watch-saver', $('saver').checked ? 'on' : 'off');
  localStorage.removeItem('watch-way');
  choose(bestWay(ways, { isSaving: $('saver').checked }));
});
meter.addEventListener('change', showBytes);
addEventListener('pagehide', () => meter.read());
showBytes();
