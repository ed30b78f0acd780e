// The page `/`: what somebody who is signed in has here. It reads the public API and nothing else.

const WEEK = 7 * 86_400_000;
const UNFINISHED = ['queued', 'published', 'running', 'retryable'];
const MAX_POSTERS = 12;
let cursor = null;
let posters = 0;
let items = [];

/** Whether the token is an operator's; the API decides what they may read. */
function isOperator() {
  try {
    return JSON.parse(atob(token().split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).type === 'admin';
  } catch {
    return false;
  }
}

async function ask(path) {
  const headers = { Authorization: `Bearer ${token()}` };
  const response = await fetch(path, { headers, cache: 'no-store', credentials: 'omit' });
  if (response.status === 401) show('signIn', true);
  if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
  return response.json();
}

function element(name, text, values = {}) {
  return Object.assign(document.createElement(name), { textContent: text }, values);
}

function when(instant) {
  const form = { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' };
  return new Intl.DateTimeFormat(document.documentElement.lang, form).format(new Date(instant));
}

/** Whether nobody has booked it. */
const isSlot = ({ student_id: student, student_name: name }) => student === null && !name;

async function showWeek() {
  const [from, to] = [new Date(), new Date(Date.now() + WEEK)].map((date) => encodeURIComponent(date.toISOString()));
  const { items: schedules } = await ask(`v1/schedules?from=${from}&to=${to}&limit=200`);
  const lessons = schedules.filter((each) => each.status !== 'cancelled' && !isSlot(each));
  show('week', true);
  $('weekList').replaceChildren(...(lessons.length ? lessons.map((lesson) => {
    const item = element('li', '');
    item.append(element('b', when(lesson.starts_at)), element('span', ` ${lesson.subject || ''} ${lesson.student_name || ''}`));
    showReminders(lesson, item).catch(() => {});
    return item;
  }) : [element('li', word('noLessons'))]));
}

/** The reminders that are still to come. */
async function showReminders({ id, starts_at: begin }, item) {
  const { alarms } = await ask(`v1/schedules/${id}/alarms`);
  const instants = alarms.map(({ minutes_before: before }) => Date.parse(begin) - before * 60_000);
  const times = instants.filter((instant) => instant > Date.now()).map(when).join('; ');
  if (times) item.append(element('small', ` · ${word('reminders', { times })}`));
}

function stateOf({ is_processing: isProcessing, is_available: isAvailable, error }) {
  if (isProcessing) return word('stateProcessing');
  if (isAvailable) return '';
  return error?.code === 'no-file' ? word('failed-no-file') : word('stateFailed');
}

function card(recording) {
  const item = element('li', '');
  const link = element('a', '', { href: `watch/${recording.id}` });
  const picture = element('span', '', { className: 'poster' });
  const title = element('b', recording.recording_title || `#${recording.id}`);
  const length = recording.duration_seconds ? ` · ${timeText(recording.duration_seconds)}` : '';
  link.append(picture, title, element('small', `${when(recording.recording_date)}${length}`), element('i', stateOf(recording)));
  item.append(link);
  if (recording.is_available && posters < MAX_POSTERS) {
    posters += 1;
    showPoster(recording.id, picture).catch(() => {});
  }
  return item;
}

async function showPoster(id, picture) {
  const { poster } = await ask(`v1/recordings/${id}/playback`);
  if (poster) picture.append(Object.assign(new Image(), { src: poster.url, alt: '', loading: 'lazy' }));
}

async function showRecordings() {
  const asked = items;
  const page = await ask(`v1/recordings?limit=12${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
  // Meanwhile the list was begun anew, in another language.
  if (asked !== items) return;
  cursor = page.next;
  items.push(...page.items);
  show('recordings', true);
  show('older', Boolean(cursor));
  $('recordingList').append(...page.items.map(card));
  if (!items.length) $('recordingList').append(element('li', word('noRecordings')));
}

/** For operators: the jobs that are not finished, by kind. */
async function showJobs() {
  const counts = new Map();
  for (const state of UNFINISHED) {
    const { items: jobs, next } = await ask(`v1/jobs?state=${state}&limit=200`);
    for (const { kind } of jobs) {
      const key = `${kind} · ${state}`;
      counts.set(key, (counts.get(key) || 0) + 1);
    }
    if (next) counts.set(`… · ${state}`, `${jobs.length}+`);
  }
  show('jobs', true);
  show('flower', Boolean($('flower').getAttribute('href')));
  $('jobList').replaceChildren(...(counts.size ? [...counts].map(([key, count]) => element('li', `${key}: ${count}`))
    : [element('li', word('noJobs'))]));
}

async function begin() {
  if (!token()) {
    show('signIn', true);
    return;
  }
  [cursor, posters, items] = [null, 0, []];
  $('recordingList').replaceChildren();
  const asked = items;
  const results = await Promise.allSettled([showWeek(), showRecordings(), isOperator() ? showJobs() : null]);
  if (asked !== items) return;
  const isLost = results.some(({ reason }) => reason && isWorthRepeating(reason));
  $('alerts').replaceChildren(...(isLost ? [element('p', word('unreachable'), { className: 'warning' })] : []));
  if (isLost) setTimeout(() => { if (asked === items) begin(); }, 5_000);
}

/** Whether there was no response, or one that may be another the next time. */
const isWorthRepeating = ({ status }) => !status || status >= 500 || status === 429;

async function showOlder() {
  $('older').disabled = true;
  try {
    await showRecordings();
  } finally {
    $('older').disabled = false;
  }
}

async function chooseLanguage(language) {
  kept.set('record-language', language);
  speak(language, (await import(`./watch-words-${language}.js?v={version}`)).WORDS);
  document.title = word('lessons');
  await begin();
}

onSignIn(begin);
$('older').addEventListener('click', showOlder);
for (const button of document.querySelectorAll('[data-language]')) {
  button.addEventListener('click', () => chooseLanguage(button.dataset.language));
}
chooseLanguage(kept.get('record-language') || (navigator.language.startsWith('am') ? 'am' : 'en'));
