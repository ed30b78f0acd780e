// Reads `replay.json` (docs/replay-json.md) while it arrives: its strokes are in the order in which they begin.

class ReplayPage {
  constructor(document) {
    Object.assign(this, document);
    // In drawing order.
    this.strokes = [];
    this.version = 0;
  }

  add(stroke) {
    let index = this.strokes.length;
    while (index > 0 && this.strokes[index - 1].place > stroke.place) index -= 1;
    this.strokes.splice(index, 0, stroke);
    this.version += 1;
  }

  /** Whether a stroke grows, appears or goes between these times. */
  changesWithin(from, to) {
    return this.strokes.some(({ start, end, gone }) => (start < to && end > from) || (start === end && start >= from && start < to)
      || (gone !== undefined && gone > from && gone <= to));
  }
}

class Replay {
  pages = [];
  turns = [];
  voices = [];
  title = '';
  durationMs = 0;
  isWhole = false;
  /** The strokes that begin before this time are here. */
  loadedMs = 0;
  #units = 1;

  begin(document) {
    if (document.format !== 'astegni-replay' || document.version !== 1) throw new Error('unknown format of a replay');
    this.title = document.title;
    this.durationMs = document.duration_ms;
    this.turns = document.turns;
    this.pages = document.pages.map((page) => new ReplayPage(page));
    this.#units = document.units_per_pixel;
  }

  add(stroke) {
    this.loadedMs = stroke.start;
    this.pages[stroke.page].add(unpackStroke(stroke, this.#units));
  }

  end(document) {
    this.voices = document.voices || [];
    this.isWhole = true;
    this.loadedMs = this.durationMs;
  }

  pageAt(ms) {
    let shown = 0;
    for (const [at, page] of this.turns) {
      if (at > ms) break;
      shown = page;
    }
    return shown;
  }
}

/** Where the object or array that begins at `from` ends; -1 when not all of it is here. */
function endOfValue(text, from) {
  let depth = 0;
  let isText = false;
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at];
    if (isText) {
      if (letter === '\\') at += 1;
      else if (letter === '"') isText = false;
    } else if (letter === '"') isText = true;
    else if (letter === '{' || letter === '[') depth += 1;
    else if (letter === '}' || letter === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

/** Takes the text of a replay piece by piece. */
class ReplayReader {
  #text = '';
  #isBegun = false;

  constructor(replay) {
    this.replay = replay;
  }

  take(piece) {
    this.#text += piece;
    if (!this.#isBegun && !this.#begin()) return;
    let at = 0;
    while (this.#text[at] === '{' || this.#text[at] === ',') {
      const from = this.#text[at] === ',' ? at + 1 : at;
      const end = this.#text[from] === '{' ? endOfValue(this.#text, from) : -1;
      if (end < 0) break;
      this.replay.add(JSON.parse(this.#text.slice(from, end)));
      at = end;
    }
    this.#text = this.#text.slice(at);
  }

  close() {
    this.replay.end(JSON.parse(`{"strokes":[${this.#text}`));
  }

  #begin() {
    const mark = '"strokes":[';
    const at = this.#text.indexOf(mark);
    if (at < 0) return false;
    this.replay.begin(JSON.parse(`${this.#text.slice(0, at)}${mark}]}`));
    this.#text = this.#text.slice(at + mark.length);
    this.#isBegun = true;
    return true;
  }
}

/** Reads the response's body; `arrived` is called after each piece. */
async function readReplay(response, replay, arrived) {
  const reader = new ReplayReader(replay);
  const decoder = new TextDecoder();
  const body = response.body.getReader();
  for (;;) {
    const { done, value } = await body.read();
    if (done) break;
    reader.take(decoder.decode(value, { stream: true }));
    if (replay.pages.length) arrived();
  }
  reader.close();
  arrived();
}
