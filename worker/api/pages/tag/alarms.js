// Alarms of lessons and of personal entries. The page's own functions always run, so that the platform keeps its flag;
// the worker sends the reminders. Both are functions of `window` and may be declared after this script.

/** Milliseconds. Imports run each minute: a lesson that none has brought by then will not come. */
const IMPORT_TIMEOUT = 600_000;
/** The platform's page offers no other value. */
const MINUTES_BEFORE = 15;
const ENTRY_FIELDS = ['title', 'description', 'priority_level', 'year', 'schedule_type', 'months', 'days',
  'specific_dates', 'start_time', 'end_time', 'notes', 'status', 'is_featured', 'alarm_enabled', 'alarm_before_minutes',
  'notification_browser', 'notification_sound'];
/** Where the page stores a copy of an entry each time it announces one; it never removes any. */
const COPIES = 'scheduledNotifications';
const DAY = 86_400_000;
/** Functions that have been wrapped. */
const hooked = new Set();

Object.assign(HANDLERS, {
  async alarm(_board, [{ lesson, enable }]) {
    const { id } = await linkOf('lesson', lesson);
    if (id === null) throw new Later(`lesson ${lesson} is not here yet`, IMPORT_TIMEOUT);
    await ask('PUT', `v1/schedules/${id}/alarms`, { alarms: enable ? [{ minutes_before: MINUTES_BEFORE }] : [] });
  },

  /** An entry that an import brings, or that is here already, is not added again: pages announce theirs each day. */
  async entry(_board, [{ entry, platform, key }]) {
    if (platform && (await linkOf('entry', platform)).is_imported) return;
    if (!(await isKnown(entry))) await ask('POST', 'v1/me/timetable', entry, { key });
  },
});

/** Whether the person has an entry with this title and these times. */
async function isKnown(entry) {
  const minute = (time) => String(time).slice(0, 5);
  let cursor = '';
  do {
    const { items, next } = await ask('GET', `v1/me/timetable?limit=100${cursor}`);
    if (items.some((known) => known.title === String(entry.title).trim()
      && minute(known.start_time) === minute(entry.start_time) && minute(known.end_time) === minute(entry.end_time)
      && (known.schedule_type === 'recurring') === (entry.schedule_type === 'recurring'))) return true;
    cursor = next && `&cursor=${encodeURIComponent(next)}`;
  } while (cursor);
  return false;
}

/** The key that a reminder of an entry has in common with the page's copy of the entry. */
const nameOfAlarm = (title, time) => JSON.stringify([String(title).trim(), String(time).slice(0, 5)]);

/** The time of day at which the entry of a reminder begins, in its own zone. */
const clockTime = ({ starts_at: startsAt, timezone }) => new Intl.DateTimeFormat('en-GB', {
  timeZone: timezone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
}).format(new Date(startsAt));

function copiesOfEntries() {
  const copies = JSON.parse(localStorage.getItem(COPIES) || '[]');
  return Array.isArray(copies) ? copies : [];
}

/** Removes the page's copies of entries that the worker has sent a reminder of within a day. */
async function removeCopies() {
  if (!token() || !copiesOfEntries().length) return;
  const { items } = await ask('GET', 'v1/me/notifications?limit=100');
  const sent = items.filter(({ kind, created_at: at }) => kind === 'entry-reminder' && Date.now() - Date.parse(at) < DAY);
  const names = new Set(sent.map(({ data }) => nameOfAlarm(data.title, clockTime(data))));
  if (!names.size) return;
  // Read again: the page may have added some meanwhile.
  const rest = copiesOfEntries().filter((copy) => !names.has(nameOfAlarm(copy?.title, copy?.start_time)));
  localStorage.setItem(COPIES, JSON.stringify(rest));
}

function hookAlarms() {
  const noted = {
    toggleSessionAlarm(lesson, enable) {
      if (Number(lesson)) queue.add({ kind: 'alarm', board: 'alarms', lesson: Number(lesson), enable: Boolean(enable) });
    },
    scheduleNotifications(schedule) {
      if (!schedule?.alarm_enabled) return;
      const names = ENTRY_FIELDS.filter((name) => schedule[name] !== undefined && schedule[name] !== null);
      const entry = Object.fromEntries(names.map((name) => [name, schedule[name]]));
      queue.add({ kind: 'entry', board: 'alarms', entry, platform: Number(schedule.id) || null, key: newId() });
    },
  };
  for (const [name, before] of Object.entries(noted)) {
    if (typeof window[name] !== 'function' || hooked.has(name)) continue;
    hooked.add(name);
    around(window, name, { before });
  }
}
