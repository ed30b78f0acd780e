// A pack: one .html file that holds a lesson, and plays it without a network.

// What windows-1252 makes of the bytes 0x80 to 0x9f.
const HIGH = '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f'
  + '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';
const BYTES = new Map([...HIGH].map((letter, index) => [letter.charCodeAt(0), 0x80 + index]));

/** The bytes of a block: see `worker/player/write_pack.py`. */
function bytesOf(id) {
  const text = $(id)?.textContent || '';
  const bytes = new Uint8Array(text.length);
  let size = 0;
  for (let at = 0; at < text.length; at += 1) {
    let code = text.charCodeAt(at);
    if (code === 0x3d) {
      at += 1;
      code = text.charCodeAt(at) - 0x40;
    }
    bytes[size] = code > 0xff || (code > 0x7f && code < 0xa0) ? BYTES.get(code) : code;
    size += 1;
  }
  return bytes.subarray(0, size);
}

async function readPackedReplay() {
  const replay = new Replay();
  const packed = new Blob([bytesOf('packedStrokes')]).stream();
  await readReplay(new Response(packed.pipeThrough(new DecompressionStream('gzip'))), replay, () => {});
  return replay;
}

function addressOf(id, type) {
  return URL.createObjectURL(new Blob([bytesOf(id)], { type }));
}

async function openPack() {
  const lesson = JSON.parse($('lesson').textContent);
  speak(lesson.language, lesson.words);
  $('title').textContent = document.title = lesson.title;
  const controls = new Controls();
  const contents = new Contents();
  const voice = $('voice');
  // A board without a voice has none.
  const medium = $('packedSound') && voice;
  if (medium) voice.src = addressOf('packedSound', lesson.mime);
  let replay = null;
  if ($('packedStrokes')) replay = await readPackedReplay().catch(() => null);
  if ($('packedStrokes') && !replay) $('alerts').textContent = word('packOld');
  const pages = lesson.pages.map(({ n, mime, starts }) => ({ n, starts, url: addressOf(`packedPage${n}`, mime) }));
  const picture = pages[0]?.url || ($('packedPicture') && addressOf('packedPicture', lesson.picture));
  if (picture) $('poster').src = picture;
  show('poster', Boolean(picture));
  show('board', Boolean(replay));
  $('picture').classList.toggle('sound', !replay && !picture);
  const board = replay && new Board($('board'), replay);
  const player = new Player({ medium, board, length: replay ? replay.durationMs / 1000 : 0 });
  controls.preview = (canvas, seconds) => {
    if (replay) drawPageAt(canvas, replay.pages[replay.pageAt(seconds * 1000)], seconds * 1000);
    return Boolean(replay);
  };
  controls.use(player);
  contents.chapters = lesson.chapters;
  contents.captions = lesson.captions.map(({ language, cues }) => ({ language, load: async () => cues }));
  const turns = pages.flatMap(({ n, starts }) => starts.map((start) => ({ start, n })));
  contents.pictures = { pages, turns: turns.sort((one, other) => one.start - other.start) };
  contents.use(player);
  contents.replay = replay;
  if (pages.length) player.addEventListener('time', () => showPage(pages, contents.pageAt(player.time)));
}

/** The page of the board at this time, in the place of a film. */
function showPage(pages, number) {
  const { url } = pages.find(({ n }) => n === number);
  if ($('poster').src !== url) $('poster').src = url;
}

openPack();
