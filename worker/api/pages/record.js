// The page /record: it shows how `recorder.js` is used. In front of it are elements.js and token.js of all pages.

import { Recorder, leftRecordings } from './recorder.js?v={version}';
import { WORDS } from './record-words.js?v={version}';

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const TYPES = { board: 'board', screen: 'screen', camera: 'video', voice: 'video' };
const api = new URL('.', import.meta.url);

let words = WORDS.en;
let recorder = null;
let kind = null;
let left = [];
let sending = []; // what was left, until it is sent
let watched = null;
const alerts = new Map();

// Words

function word(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '');
}

function speak(language) {
  words = WORDS[language];
  kept.set('record-language', language);
  document.documentElement.lang = language;
  document.title = words.title;
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = words[element.dataset.word];
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', button.dataset.language === language);
  }
  showAlerts();
  showLeft();
  if (recorder) render();
}

function bytes(count) {
  if (count === null) return words.unknown;
  const [size, unit] = [[1e9, 'GB'], [1e6, 'MB'], [0, 'KB']].find(([least]) => count >= least);
  return `${(count / (size || 1e3)).toFixed(size && count < 100 * size ? 1 : 0)} ${unit}`;
}

function time(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  const two = (number) => String(number % 60).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60))}:${two(seconds)}`;
}

// The person

function askForToken(reason) {
  $('signInReason').textContent = word(reason);
  show('signIn', true);
}

async function get(path) {
  const headers = { Authorization: `Bearer ${token()}` };
  const response = await fetch(new URL(path, api), { headers, cache: 'no-store', credentials: 'omit' });
  if (response.status === 401) askForToken('tokenMissing');
  if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
  return response.json();
}

/** Whether there was no response, or one that may be another the next time. */
const isWorthRepeating = ({ status }) => !status || status >= 500 || status === 429;

async function showSessions() {
  if (!token()) {
    askForToken('tokenMissing');
    return;
  }
  const { items } = await get('v1/whiteboard/sessions?limit=50');
  const named = ({ id, session_title: title, created_at: at }) => (
    new Option(`${title || `#${id}`} · ${new Date(at).toLocaleDateString(document.documentElement.lang)}`, id)
  );
  $('session').replaceChildren(...items.map(named));
  if (!items.length) $('session').append(new Option(words.noSessions, ''));
}

// Warnings

function warn(name, isOn, about) {
  if (isOn) alerts.set(name, about); else alerts.delete(name);
  showAlerts();
}

function showAlerts() {
  $('alerts').replaceChildren(...[...alerts].map(([name, about]) => {
    const paragraph = document.createElement('p');
    paragraph.className = 'warning';
    paragraph.textContent = word(name, { about });
    return paragraph;
  }));
}

// Recording

async function stream(of) {
  const devices = navigator.mediaDevices;
  const isCamera = of === 'camera' && { width: { ideal: 640 }, frameRate: { ideal: 15 } };
  if (of !== 'screen') return devices.getUserMedia({ audio: SOUND, video: isCamera });
  const screen = await devices.getDisplayMedia({ video: { frameRate: { ideal: 10 } } });
  try {
    const voice = await devices.getUserMedia({ audio: SOUND });
    return new MediaStream([...screen.getVideoTracks(), ...voice.getAudioTracks()]);
  } catch (error) {
    // Otherwise the browser would go on sharing the screen.
    screen.getTracks().forEach((track) => track.stop());
    throw error;
  }
}

let source = null;

async function record() {
  try {
    const chosen = await stream(kind);
    source?.getTracks().forEach((track) => track.stop());
    source = chosen;
    await recorder.start(source);
    warn('denied', false);
  } catch (error) {
    warn('denied', true, error.message);
    return;
  }
  $('preview').srcObject = source.getVideoTracks().length ? source : null;
  show('preview', Boolean($('preview').srcObject));
  if ($('preview').srcObject) $('preview').play().catch(() => {});
  render();
  $('pause').focus();
}

function use(chosen) {
  recorder = chosen;
  watched = null;
  recorder.addEventListener('change', render);
  recorder.addEventListener('warning', ({ detail: { kind: name, on, about } }) => warn(name, on, about));
  recorder.addEventListener('token', () => askForToken('tokenExpired'));
  recorder.addEventListener('finished', ({ detail }) => finished(chosen, detail));
}

/** Shows another of those that are being sent, if there is one. */
function dismiss(one) {
  sending = sending.filter((other) => other !== one);
  if (recorder === one && sending.length) [recorder] = sending;
  render();
}

async function finished(done, receipt) {
  await listLeft();
  dismiss(done);
  if (sending.length) return;
  const id = receipt?.recording_id;
  if (!id) return;
  const { href } = new URL(`watch/${id}`, api);
  $('address').textContent = href;
  while (recorder === done && !watched) {
    const recording = await get(`v1/recordings/${id}`).catch(() => ({ is_processing: true }));
    if (recording.is_available) watched = href;
    else if (!recording.is_processing) {
      warn('failed', true, recording.error?.detail ?? '');
      return;
    }
    if (!watched) await new Promise((resolve) => { setTimeout(resolve, 3_000); });
  }
  if (recorder === done) {
    $('watch').href = watched;
    render();
  }
}

function render() {
  const state = recorder.state;
  const isLive = ['recording', 'paused', 'interrupted'].includes(state.phase);
  const isDone = state.phase === 'finished' || state.phase === 'discarded';
  show('choose', state.phase === 'new' || state.phase === 'left');
  show('live', isLive);
  show('receipt', state.phase === 'sending' || isDone);
  show('left', !isLive && left.length > 0);
  if (isLive) renderLive(state); else renderReceipt(state, isDone);
  if (state.link === 'good') show('signIn', false);
}

const titled = (name) => name[0].toUpperCase() + name.slice(1);

function renderLive(state) {
  const texts = {
    phase: word(`phase${titled(state.phase)}`), time: time(state.recordedMs), stored: bytes(state.storedBytes),
    waiting: bytes(state.waitingBytes), link: word(`link${titled(state.link)}`), disk: bytes(state.diskLeft),
    pause: word(state.phase === 'paused' ? 'resume' : 'pause'),
  };
  for (const [id, text] of Object.entries(texts)) if ($(id).textContent !== text) $(id).textContent = text;
  $('pause').disabled = state.phase === 'interrupted';
  show('again', state.phase === 'interrupted' || state.warnings.includes('ended') || state.warnings.includes('silent'));
}

/** In decibels above -60; updated more often than everything else. */
function showLevel() {
  if ($('live').hidden) return;
  const { level } = recorder.state;
  $('level').value = level ? Math.max(0, 60 + 20 * Math.log10(level)) : 0;
}

function renderReceipt(state, isDone) {
  const title = state.phase === 'discarded' ? 'receiptNothing' : isDone ? 'receiptDone' : 'receiptSending';
  $('receiptTitle').textContent = word(title);
  $('length').textContent = time(state.recordedMs);
  $('arrived').textContent = word('of', { part: bytes(state.storedBytes), all: bytes(state.recordedBytes) });
  $('gaps').textContent = word('seconds', { n: Math.round(state.gapsMs / 1000) });
  const rest = [...left, ...sending.filter((one) => one !== recorder)];
  const others = rest.reduce((sum, { state: { waitingBytes } }) => sum + waitingBytes, 0);
  $('held').textContent = bytes((isDone ? 0 : state.waitingBytes) + others);
  if (!isDone) $('address').textContent = words.preparing;
  show('sendNow', !isDone);
  show('save', state.warnings.includes('refused'));
  show('watch', isDone && Boolean(watched));
  show('another', isDone);
}

// What earlier pages have left

async function listLeft() {
  left = token() ? await leftRecordings({ token, api }) : [];
  showLeft();
}

function showLeft() {
  show('left', left.length > 0);
  $('leftList').replaceChildren(...left.map((one) => {
    const item = document.createElement('li');
    const { title, recordedMs, waitingBytes } = one.state;
    const values = { title: title || words.title, time: time(recordedMs), bytes: bytes(waitingBytes) };
    item.textContent = word('leftItem', values);
    if (!one.state.isEnded) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = words.goOn;
      button.addEventListener('click', () => goOn(one));
      item.append(button);
    }
    return item;
  }));
}

async function goOn(one) {
  const { type, mime } = one.state;
  left = left.filter((other) => other !== one);
  use(one);
  kind = type === 'video' ? (mime.startsWith('audio') ? 'voice' : 'camera') : type;
  await record();
}

/** Sends all: one that the server refuses does not hold back the others. */
async function sendLeft() {
  [sending, left] = [left, []];
  sending.forEach(use);
  await Promise.all(sending.map((one) => one.send().catch(() => {
    warn('otherTab', true);
    dismiss(one);
  })));
  showLeft();
  render();
  $('receiptTitle').focus();
}

async function save() {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await recorder.blob());
  link.download = `lesson-${recorder.state.id}`;
  link.click();
}

// Controls

$('choose').addEventListener('submit', async (event) => {
  event.preventDefault();
  kind = new FormData(event.target).get('kind');
  const option = $('session').selectedOptions[0];
  use(new Recorder({ session: Number(option.value), type: TYPES[kind], title: option.text, token, api }));
  await record();
});
$('pause').addEventListener('click', () => (recorder.state.phase === 'paused' ? recorder.resume() : recorder.pause()));
$('again').addEventListener('click', record);
$('stop').addEventListener('click', async () => {
  await recorder.stop();
  source.getTracks().forEach((track) => track.stop());
  $('receiptTitle').focus();
});
$('sendNow').addEventListener('click', () => recorder.wake());
$('sendLeft').addEventListener('click', sendLeft);
$('save').addEventListener('click', save);
$('another').addEventListener('click', () => location.reload());
onSignIn(() => {
  recorder?.wake();
  begin();
});
for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => speak(button.dataset.language));
}
addEventListener('beforeunload', (event) => {
  if (recorder && !['finished', 'discarded', 'left', 'new'].includes(recorder.state.phase)) event.preventDefault();
});

let nextAttempt = null;

async function begin() {
  clearTimeout(nextAttempt);
  try {
    await showSessions();
    warn('unreachable', false);
  } catch (error) {
    console.debug(error);
    warn('unreachable', isWorthRepeating(error));
    if (isWorthRepeating(error)) nextAttempt = setTimeout(begin, 5_000);
  }
  if (!recorder) await listLeft();
}

setInterval(showLevel, 100);
if (!navigator.mediaDevices?.getDisplayMedia) document.querySelector('[value=screen]').disabled = true;
speak(kept.get('record-language') || (navigator.language.startsWith('am') ? 'am' : 'en'));
begin();
