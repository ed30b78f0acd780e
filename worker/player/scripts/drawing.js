// Draws the strokes of a replay (docs/replay-json.md) as the films show them.

const FONTS = "Arial, 'Liberation Sans', 'Noto Sans Ethiopic', sans-serif";
const LINE_HEIGHT = 1.2;

/** The stroke with its contours as x, y, x, y … in CSS pixels. */
function unpackStroke(stroke, units) {
  for (const name of ['x', 'y', 'radius']) if (name in stroke) stroke[name] /= units;
  stroke.contours = (stroke.contours || []).map((deltas) => {
    const points = new Float32Array(deltas.length);
    let [x, y] = [0, 0];
    for (let index = 0; index < deltas.length; index += 2) {
      x += deltas[index];
      y += deltas[index + 1];
      points[index] = x / units;
      points[index + 1] = y / units;
    }
    return points;
  });
  return stroke;
}

/** How much of the stroke is visible at this time: 0 to 1. */
function shownPart({ start, end, gone }, ms) {
  if (gone !== undefined && gone <= ms) return 0;
  if (ms >= end) return 1;
  return ms > start ? (ms - start) / (end - start) : 0;
}

function drawStroke(context, stroke, page, part) {
  const ink = stroke.kind === 'eraser' ? page.background_color : stroke.color;
  if (stroke.kind === 'text') {
    drawText(context, stroke, ink, part);
    return;
  }
  context.strokeStyle = ink;
  context.lineWidth = stroke.width;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.beginPath();
  if (stroke.kind === 'circle') {
    context.arc(stroke.x, stroke.y, stroke.radius, 0, 2 * Math.PI * part);
    if (part === 1) context.closePath();
  } else if (stroke.kind === 'shape') {
    traceOutline(context, stroke, part);
  } else {
    for (const points of stroke.contours) traceSteps(context, points, part * (points.length / 2 - 1));
  }
  context.stroke();
}

/** A line through the points, up to this many steps from the first; the last one is a part of a step. */
function traceSteps(context, points, steps) {
  const whole = Math.floor(steps);
  context.moveTo(points[0], points[1]);
  for (let index = 1; index <= whole; index += 1) context.lineTo(points[2 * index], points[2 * index + 1]);
  const rest = steps - whole;
  if (rest > 0) {
    const [x, y, nextX, nextY] = points.subarray(2 * whole, 2 * whole + 4);
    context.lineTo(x + (nextX - x) * rest, y + (nextY - y) * rest);
  }
}

/** The outline of a shape, whose parts appear at a constant speed. */
function traceOutline(context, { contours, closed }, part) {
  const outlines = contours.map((points) => (closed ? Float32Array.of(...points, points[0], points[1]) : points));
  const lengths = outlines.map((points) => {
    const sides = [];
    for (let at = 2; at < points.length; at += 2) sides.push(Math.hypot(points[at] - points[at - 2], points[at + 1] - points[at - 1]));
    return sides;
  });
  let left = part * lengths.flat().reduce((sum, side) => sum + side, 0);
  outlines.forEach((points, number) => {
    if (part === 1) {
      traceSteps(context, points, points.length / 2 - 1);
      if (closed) context.closePath();
      return;
    }
    let steps = 0;
    for (const side of lengths[number]) {
      if (left <= 0) break;
      steps += Math.min(1, left / side);
      left -= side;
    }
    if (steps > 0) traceSteps(context, points, steps);
  });
}

function drawText(context, text, ink, part) {
  const letters = text.lines.map((line) => [...line]);
  let left = part === 1 ? Infinity : Math.floor(part * letters.reduce((sum, line) => sum + line.length, 0));
  context.font = `${text.italic ? 'italic ' : ''}${text.bold ? 'bold ' : ''}${text.size}px ${FONTS}`;
  context.textBaseline = 'alphabetic';
  context.fillStyle = ink;
  letters.forEach((line, number) => {
    if (left <= 0) return;
    // A mark appears together with its letter.
    let count = Math.min(left, line.length);
    while (/^\p{M}/u.test(line[count] || '')) count += 1;
    left -= line.length;
    const shown = line.slice(0, count).join('');
    const y = text.y + number * LINE_HEIGHT * text.size;
    context.fillText(shown, text.x, y);
    const width = context.measureText(shown).width;
    context.strokeStyle = ink;
    context.lineWidth = 1;
    for (const [isRuled, at] of [[text.underline, y + 2], [text.strikethrough, y - 0.3 * text.size]]) {
      if (!isRuled || !width) continue;
      context.beginPath();
      context.moveTo(text.x, at);
      context.lineTo(text.x + width, at);
      context.stroke();
    }
  });
}

/** Draws a page of a replay at a time, for instance a small picture of it. */
function drawPageAt(canvas, page, ms) {
  const context = canvas.getContext('2d');
  const scale = Math.min(canvas.width / page.width, canvas.height / page.height);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = page.background_color;
  context.fillRect(0, 0, page.width, page.height);
  for (const stroke of page.strokes) {
    const part = shownPart(stroke, ms);
    if (part > 0) drawStroke(context, stroke, page, part);
  }
}

/** Shows a replay on a canvas. What is complete is kept as pixels, so that a frame draws what grows and nothing else. */
class Board {
  #canvas;
  #replay;
  #kept = document.createElement('canvas');
  #page = null;
  #painted = [];
  #version = -1;
  #drawnAt = null;

  constructor(canvas, replay) {
    this.#canvas = canvas;
    this.#replay = replay;
  }

  /** Draws the board as it was at this time. */
  show(ms) {
    const page = this.#replay.pages[this.#replay.pageAt(ms)];
    const isResized = this.#fit(page);
    if (page !== this.#page || isResized) this.#forget(page);
    const before = this.#drawnAt;
    // Between two changes of a page all frames are the same.
    if (before !== null && this.#version === page.version && !page.changesWithin(Math.min(before, ms), Math.max(before, ms))) return;
    this.#drawnAt = ms;
    this.#version = page.version;
    this.#paint(page, ms);
  }

  #fit(page) {
    const canvas = this.#canvas;
    const box = canvas.parentElement;
    const density = Math.min(2, devicePixelRatio || 1);
    const scale = Math.min(box.clientWidth / page.width, box.clientHeight / page.height) * density || 1;
    const [width, height] = [Math.max(2, Math.round(page.width * scale)), Math.max(2, Math.round(page.height * scale))];
    if (canvas.width === width && canvas.height === height) return false;
    [canvas.width, canvas.height] = [width, height];
    return true;
  }

  #forget(page) {
    this.#page = page;
    this.#painted = null;
    this.#drawnAt = null;
    [this.#kept.width, this.#kept.height] = [this.#canvas.width, this.#canvas.height];
  }

  #paint(page, ms) {
    const visible = [];
    for (const stroke of page.strokes) {
      const part = shownPart(stroke, ms);
      if (part > 0) visible.push([stroke, part]);
    }
    const scale = this.#canvas.width / page.width;
    const kept = this.#kept.getContext('2d');
    kept.setTransform(scale, 0, 0, scale, 0, 0);
    if (!this.#painted?.every((stroke, index) => visible[index]?.[0] === stroke && visible[index][1] === 1)) {
      kept.fillStyle = page.background_color;
      kept.fillRect(0, 0, page.width, page.height);
      this.#painted = [];
    }
    let next = this.#painted.length;
    for (; next < visible.length && visible[next][1] === 1; next += 1) {
      drawStroke(kept, visible[next][0], page, 1);
      this.#painted.push(visible[next][0]);
    }
    const context = this.#canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#kept, 0, 0);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    for (const [stroke, part] of visible.slice(next)) drawStroke(context, stroke, page, part);
  }
}
