// The page /watch/{id}: finds the lesson, says what it costs, plays it, and remembers the place.

const root = new URL('.', import.meta.url);
const [, shared, number] = /\/watch\/(?:shared\/([^/]+)|(\d+))$/.exec(location.pathname) || [];
const playbackPath = shared ? `v1/shared/${shared}` : `v1/recordings/${number}/playback`;
const placeKey = `watch-place-${shared ? `shared-${shared.slice(0, 8)}` : number}`;
const meter = new Meter();
const controls = new Controls();
const alerts = new Map();
let playback = null;
let modes = [];
let mode = null;
let replay = null;
let job = null;
// The place at which the addresses were last replaced.
let renewedAt = null;
let pictures = { pages: [], turns: [] };
const streams = new Map();

const later = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

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
  while ((await fetchPlayback()) && !present()) await awaitProgress(null);
}

/** Asks for the addresses until they are here; resolves with false, and says why, when there are none. */
async function fetchPlayback() {
  for (;;) {
    try {
      playback = await ask(playbackPath);
      warn('unreachable', false);
      show('making', false);
      return true;
    } catch (error) {
      if (!(await explain(error))) return false;
    }
  }
}

/** Says why there is nothing to play; resolves with whether to try again. */
async function explain({ status, message, problem }) {
  warn('unreachable', !status);
  if (status === 401) show('signIn', true);
  else if (status === 409 && !shared) return followProgress().catch(explain);
  else if (status === 409 && problem.is_processing) return awaitProgress(null);
  else if (status === 404 || status === 410) warn(shared ? 'shareGone' : 'notFound', true);
  else if (status && status < 500 && status !== 429) warn('failed', true, message);
  else {
    await later(5_000);
    return true;
  }
  return false;
}

// Reasons of the problem document that are said in the same words.
const SAME = {
  'too-many-frames': 'too-large', 'too-many-tracks': 'too-large', 'too-large-picture': 'too-large', 'too-complex': 'too-large',
  'unsupported-codec': 'unsupported', 'unsupported-format': 'unsupported', 'mixed-codecs': 'unsupported',
};

/** The name of the words that say why; what the server says is English. */
function failureOf(error) {
  const names = [error?.reason, SAME[error?.reason], error?.code].map((name) => `failed-${name}`);
  return names.find((name) => name in words) || 'failed';
}

/** Says it again in the language that was chosen meanwhile. */
function showProgress() {
  $('makingText').textContent = word('makingNow', { note: job?.progress_note ? `: ${job.progress_note}` : '' });
}

async function followProgress() {
  const recording = await ask(`v1/recordings/${number}`);
  if (!recording.is_processing) {
    show('making', false);
    const { error } = recording;
    warn(failureOf(error), true, error?.detail || '');
    return recording.is_available;
  }
  // A job is shown to whoever ordered it; others see that the lesson is being made.
  return awaitProgress(recording.job_id ? await ask(`v1/jobs/${recording.job_id}`).catch(() => null) : null);
}

async function awaitProgress(latest) {
  job = latest;
  show('making', true);
  showProgress();
  if (job) $('progress').value = job.progress; else $('progress').removeAttribute('value');
  await later(2_000);
  return true;
}

/** Shows the lesson; returns false while what this browser could play is still being made. */
function present() {
  if (playback.recording_title) {
    $('title').removeAttribute('data-word');
    $('title').textContent = playback.recording_title;
    document.title = playback.recording_title;
  }
  const { renditions } = playback;
  modes = modesOf(renditions);
  if (!modes.length && renditions.some(({ state }) => state === 'pending')) return false;
  // The board of a recording without a file.
  const isBoard = !modes.length && renditions.some(({ name }) => name === 'document');
  warn('failed-no-file', isBoard);
  warn('nothingToPlay', !modes.length && !isBoard);
  showFiles();
  if (!modes.length) return true;
  const wanted = kept.get('watch-way');
  choose(modes.find(({ name }) => name === wanted) || bestMode(modes, { isSaving: $('saver').checked }));
  show('data', true);
  presentContents();
  return true;
}

// The playback modes

function showModes() {
  const rows = modes.map((each) => {
    const label = document.createElement('label');
    const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'mode', value: each.name, checked: each === mode });
    input.addEventListener('change', () => {
      kept.set('watch-way', each.name);
      choose(each);
    });
    const size = document.createElement('b');
    size.textContent = sizeText(each.bytes);
    label.append(input, document.createElement('span'), size);
    label.children[1].textContent = word(`mode-${each.name}`);
    return label;
  });
  $('modes').replaceChildren($('modes').firstElementChild, ...rows);
}

/** Plays in this mode from now on, at the same place. */
function choose(chosen) {
  const before = controls.player;
  const [place, wasPlaying] = before ? [before.time, before.isWanted] : [firstPlace(), false];
  before?.close();
  mode = chosen;
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
  const player = new LessonPlayer({
    medium: sound ? $(isSound ? 'voice' : 'film') : null, follower: film ? $('film') : null,
    board: rows.replay ? new LoadedBoard($('board'), replayOf(rows.replay)) : null, length: playback.duration_ms / 1000 || 0,
  });
  player.addEventListener('fault', () => renew(player), { once: true });
  player.addEventListener('change', () => { if (player.isPlaying) begin(); keepPlace(); });
  player.addEventListener('time', () => {
    if (player.isPlaying) begin();
    if (alerts.has('fileLost') && Math.abs(player.time - renewedAt) > 1) warn('fileLost', false);
    skipQuiet(player);
    keepPlace();
  });
  controls.use(player);
  showModes();
  offerPages();
  showPoster();
  if (place) player.seek(place);
  if (wasPlaying) player.play();
  contents.use(player);
}

/** Gives an element a file, or none; nothing is loaded before it plays. */
function give(id, row) {
  const element = $(id);
  meter.forget(element);
  streams.get(id)?.close();
  streams.delete(id);
  if (!row) {
    element.removeAttribute('src');
    element.load();
    return;
  }
  element.src = row.url;
  meter.follow(element, row.bytes || 0);
}

/** A sound or a film without sound comes by a stream, when it begins at its beginning. */
function streamInto(id, row) {
  const element = $(id);
  if (streams.has(id) || element.readyState > 0 || element.currentTime > 0 || !MediaStreamer.canPlay(row)) return;
  const ahead = id === 'film' ? AHEAD.picture : AHEAD[mode.kind];
  const length = playback.duration_ms / 1000 || 0;
  streams.set(id, new MediaStreamer(element, row, { ahead, length }, () => {
    const { currentTime: place, playbackRate: rate } = element;
    const { isPlaying } = controls.player;
    give(id, row);
    element.currentTime = place;
    element.playbackRate = rate;
    if (isPlaying) element.play().catch(() => {});
  }));
}

class LessonPlayer extends Player {
  play() {
    // Behind the end of a shared part it begins again.
    if (playback.to && this.time >= playback.to) this.seek(playback.from || 0);
    const sound = mode.parts[mode.parts.length - 1];
    if (this.medium === $('voice') && sound) streamInto('voice', sound);
    return super.play();
  }

  startFollower() {
    streamInto('film', mode.parts[0]);
    super.startFollower();
  }
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
  if (mode.kind === 'strokes') readStrokes(strokesRow()).catch(() => {});
}

/** The replay of this file, which is read once whatever its address is signed with. */
function replayOf({ url, bytes }) {
  if (replay?.url.split('?')[0] !== url.split('?')[0]) replay = new Replay();
  return Object.assign(replay, { url, bytes });
}

async function readStrokes(row) {
  const asked = replayOf(row);
  if (asked.isAsked) return;
  asked.isAsked = true;
  await fetchReplay(asked).catch(async (error) => {
    // The link was lost, or the address has expired. What fails again and again should cost little data.
    asked.failures = (asked.failures || 0) + 1;
    await later(2_500 * 2 ** asked.failures);
    playback = await ask(playbackPath).catch(() => playback);
    asked.isAsked = false;
    throw error;
  });
}

async function fetchReplay(asked) {
  const response = await fetch(asked.url, { credentials: 'omit' });
  if (!response.ok) throw new Error(`status ${response.status}`);
  meter.add(asked.bytes);
  await readReplay(response, asked, () => {});
  contents.replay = asked;
}

function showPoster() {
  const small = (playback.posters || []).filter(({ width, mime }) => width <= 640 && mime === 'image/jpeg').pop();
  const url = small?.url || playback.poster?.url;
  const isShown = Boolean(url) && !isDear() && mode.kind !== 'sound' && controls.player.time === 0 && !controls.player.isPlaying;
  show('poster', isShown);
  if (isShown && $('poster').src !== url) {
    $('poster').fetchPriority = 'low';
    $('poster').onload = () => count(url, small?.bytes);
    $('poster').src = url;
  }
}

/**
 * The addresses expire: takes others, and goes on at the same place. What cannot be loaded with new ones either is tried again,
 * slowly; a film without sound is given up for its sound, which plays on.
 */
async function renew(player) {
  const isFilm = !player.medium?.error;
  const isLost = renewedAt !== null && Math.abs(player.time - renewedAt) < (isFilm ? 30 : 1);
  warn('fileLost', isLost);
  const sound = modes.find(({ kind }) => kind === 'sound');
  if (isLost && isFilm && sound) {
    choose(sound);
    return;
  }
  if (isLost) await later(5_000);
  if (controls.player !== player || !(await fetchPlayback()) || controls.player !== player) return;
  renewedAt = player.time;
  modes = modesOf(playback.renditions);
  warn('nothingToPlay', !modes.length);
  if (modes.length) choose(modes.find(({ name }) => name === mode.name) || modes[0]);
}

// What stands below the player

/** Fetches what `address` names in the playback; if its addresses have expired, with those of a new one. */
async function fetchNamed(address) {
  const get = () => fetch(address(), { credentials: 'omit' });
  let response = await get();
  if (response.status === 401 || response.status === 403) {
    playback = await ask(playbackPath);
    response = await get();
  }
  if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
  return response;
}

async function fetchCues(address) {
  return readCues(await (await fetchNamed(address)).text());
}

/** Repeats what a lost link or an outage has stopped, less and less often. */
async function persist(load) {
  for (let wait = 2_500; ; wait *= 2) {
    try {
      return await load();
    } catch (error) {
      if (error.status && error.status < 500 && error.status !== 429) throw error;
    }
    await later(wait);
  }
}

function presentContents() {
  contents.captions = (playback.captions || []).map(({ language }) => {
    const address = () => playback.captions.find((track) => track.language === language)?.vtt_url;
    let cues = null;
    return { language, load: () => (cues ||= fetchCues(address).catch((error) => { cues = null; throw error; })) };
  });
  const searched = shared ? `v1/shared/${shared}` : `v1/recordings/${number}`;
  contents.search = async (text) => (await ask(`${searched}/search?q=${encodeURIComponent(text)}`)).items
    .map(({ start_ms: start, text: each }) => ({ start: start / 1000, text: each }));
  if (playback.chapters) {
    persist(() => fetchCues(() => playback.chapters.vtt_url)).then((chapters) => {
      contents.chapters = chapters;
      contents.render();
    }).catch(() => {});
  }
  persist(loadPages).catch(() => {});
  if (playback.activity_url) persist(loadQuiet).catch(() => {});
  if (playback.storyboard) persist(loadStoryboard).catch(() => {});
  controls.preview = (canvas, seconds) => drawPreview(canvas, seconds);
  contents.render();
}

const strokesRow = () => playback.renditions.find(({ name, url }) => name === 'replay' && url);

/** The pages of the board beside a film that does not show them itself. */
async function loadPages() {
  if (strokesRow() || shared) return;
  const { pages, turns } = await ask(`v1/recordings/${number}/pages`);
  pictures = {
    pages: pages.map(({ page_number: n, thumbnail_url: url, thumbnail_bytes: bytes, width, height }) => ({ n, url, bytes, width, height })),
    turns: turns.map(({ start_ms: start, page_number: n }) => ({ start: start / 1000, n })),
  };
  offerPages();
}

/** Pages that cost something are shown when somebody asks for them: strokes beside a film, pictures on a thin link. */
function offerPages() {
  const row = strokesRow();
  const isOffered = row ? mode.kind !== 'strokes' && !contents.replay : pictures.pages.length > 1 && isDear() && !contents.pictures.pages.length;
  const bytes = row?.bytes ?? pictures.pages.reduce((sum, page) => sum + page.bytes, 0);
  contents.fetchPages = isOffered ? () => {
    contents.fetchPages = null;
    if (row) readStrokes(row).catch(offerPages); else showPictures();
  } : null;
  if (isOffered) $('fetchPages').textContent = word('pagesFetch', { size: sizeText(bytes) });
  else if (!row) contents.pictures = pictures;
  contents.render();
}

let renewals = 0;

/** Asks for the pages again, less and less often: the addresses of their pictures expire. */
async function renewPages() {
  if (pictures.isRenewed) return;
  pictures.isRenewed = true;
  renewals += 1;
  await later(1_250 * 2 ** renewals);
  await persist(loadPages).catch(() => {});
}

function showPictures() {
  contents.pictures = pictures;
  contents.render();
}

/** Whether a picture should wait until somebody asks for it. */
function isDear() {
  const link = navigator.connection || {};
  return $('saver').checked || link.saveData || /2g/.test(link.effectiveType || '');
}

const counted = new Set();

/** Adds a picture that was loaded to what the lesson has moved. */
function count(url, bytes) {
  if (counted.has(url)) return;
  counted.add(url);
  meter.add(bytes || 0);
}

let quiet = [];
let quietMs = 0;

/** Stretches in which nobody speaks or draws. */
async function loadQuiet() {
  const activity = await (await fetchNamed(() => playback.activity_url)).json();
  if (activity.format !== 'astegni-activity' || activity.version !== 1) return;
  [quiet, quietMs] = [activity.quiet, activity.quiet_ms];
  $('quiet').checked = kept.get('watch-quiet') === 'on';
  showQuiet();
}

function showQuiet() {
  show('quietLabel', quiet.length > 0);
  $('quietLabel').querySelector('span').textContent = word('skipQuiet', { time: timeText(quietMs / 1000) });
}

function skipQuiet(player) {
  if (!$('quiet').checked || !player.isPlaying) return;
  const now = player.time * 1000;
  const stretch = quiet.find(([from, to]) => from <= now && now < to - 700);
  if (stretch) player.seek((stretch[1] - 200) / 1000);
}

const sheets = new Map();
let storyboard = [];

/** The cues of a storyboard name a part of a sheet: `sheet.jpg#xywh=0,0,160,90`. */
async function loadStoryboard() {
  const cues = await fetchCues(() => playback.storyboard.vtt_url);
  const url = playback.storyboard.vtt_url;
  storyboard = cues.map(({ start, end, text }) => {
    const [sheet, part] = text.trim().split('#xywh=');
    return { start, end, sheet: new URL(sheet, url).href, part: part?.split(',').map(Number) };
  });
}

/** Fetches a sheet, of which no document says the size, so that its bytes are counted. */
async function fetchSheet(url) {
  const sheet = new Image();
  sheets.set(url, sheet);
  const response = await fetch(url, { credentials: 'omit' });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const blob = await response.blob();
  meter.add(blob.size);
  sheet.src = URL.createObjectURL(blob);
}

/** Asks for the addresses of the sheets again; not for each movement of the pointer. */
async function renewSheets(url) {
  await later(2_500);
  playback = await ask(playbackPath).catch(() => playback);
  await loadStoryboard().catch(() => {});
  sheets.delete(url);
}

/** A small picture of that time: of the strokes, which cost nothing, or of the storyboard. */
function drawPreview(canvas, seconds) {
  if (mode.kind === 'strokes' && replay?.pages.length) {
    drawPageAt(canvas, replay.pages[replay.pageAt(seconds * 1000)], seconds * 1000);
    return true;
  }
  const cue = storyboard.find(({ start, end }) => start <= seconds && seconds < end);
  if (!cue?.part || $('saver').checked) return false;
  if (!sheets.has(cue.sheet)) fetchSheet(cue.sheet).catch(() => renewSheets(cue.sheet));
  const sheet = sheets.get(cue.sheet);
  if (!sheet.complete || !sheet.naturalWidth) return false;
  const context = canvas.getContext('2d');
  const [, , width, height] = cue.part;
  const scale = Math.min(canvas.width / width, canvas.height / height);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(
    sheet, ...cue.part, (canvas.width - width * scale) / 2, (canvas.height - height * scale) / 2, width * scale, height * scale,
  );
  return true;
}

/** Files to keep: those of the playback, and the pack, which is made when somebody asks for it. */
function showFiles() {
  if (!playback) return;
  const named = { download: 'downloadFilm', document: 'downloadPdf', board: 'downloadPdf' };
  const rows = playback.renditions.filter(({ name, url, mime }) => url && (name === 'download' || (name in named && mime === 'application/pdf')));
  $('fileList').replaceChildren(...rows.map(({ name, url, bytes }) => {
    const item = document.createElement('li');
    const link = Object.assign(textNode('a', `${word(named[name])} (${sizeText(bytes)})`), { href: url, rel: 'noreferrer' });
    link.addEventListener('click', (event) => openFile(event, () => freshUrl(name)));
    item.append(link);
    return item;
  }));
  const isPacked = !shared && modes.length > 0;
  show('packOrder', isPacked && $('pack').hidden);
  show('packText', isPacked);
  show('files', isPacked || rows.length > 0);
}

/** Opens a file to keep at a new address, because that in the page expires. */
async function openFile(event, find) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { href } = event.currentTarget;
  location.assign((await find().catch(() => null)) || href);
}

async function freshUrl(name) {
  return (await ask(playbackPath)).renditions.find((row) => row.name === name)?.url;
}

/** The pack, when it is made. */
async function fetchPack() {
  for (;;) {
    const pack = await persist(() => ask(`v1/recordings/${number}/pack?language=${document.documentElement.lang}`));
    if (pack.url) return pack;
    await later(1_500);
  }
}

async function orderPack() {
  $('packOrder').disabled = true;
  $('packStatus').textContent = word('packMaking');
  try {
    const { url, bytes } = await fetchPack();
    $('pack').href = url;
    $('pack').textContent = word('packSave', { size: sizeText(bytes) });
    show('pack', true);
    show('packOrder', false);
    $('packStatus').textContent = '';
    $('pack').focus();
  } catch (error) {
    $('packStatus').textContent = word('packFailed', { about: error.message });
  } finally {
    $('packOrder').disabled = false;
  }
}

// The place

function firstPlace() {
  const named = /[?#&]t=(\d+(?:\.\d+)?)/.exec(location.search + location.hash)?.[1];
  return Number(named ?? playback.from ?? kept.get(placeKey));
}

function keepPlace() {
  const { player } = controls;
  if (!player?.length) return;
  const { time, length } = player;
  if (playback.to && time >= playback.to && player.isPlaying) player.pause();
  if (time > 10 && time < length - 10) kept.set(placeKey, time.toFixed(1)); else kept.set(placeKey, null);
}

function showBytes() {
  $('lessonBytes').textContent = sizeText(meter.lesson);
  $('monthBytes').textContent = sizeText(meter.month);
}

async function chooseLanguage(language) {
  kept.set('record-language', language);
  const { WORDS } = await import(`./watch-words-${language}.js?v={version}`);
  speak(language, WORDS);
  if (!playback?.recording_title) document.title = words.title;
  for (const [name, about] of alerts) warn(name, true, about);
  showProgress();
  if (mode) {
    showModes();
    offerPages();
  }
  controls.render();
  showQuiet();
  contents.render();
  showFiles();
}

for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => chooseLanguage(button.dataset.language));
}
$('quiet').addEventListener('change', () => kept.set('watch-quiet', $('quiet').checked ? 'on' : 'off'));
$('packOrder').addEventListener('click', orderPack);
$('pack').addEventListener('click', (event) => openFile(event, async () => (await fetchPack()).url));
$('saver').checked = kept.get('watch-saver') === 'on';
$('saver').addEventListener('change', () => {
  kept.set('watch-saver', $('saver').checked ? 'on' : 'off');
  kept.set('watch-way', null);
  choose(bestMode(modes, { isSaving: $('saver').checked }));
});
meter.addEventListener('change', showBytes);
addEventListener('pagehide', () => meter.read());
showBytes();
