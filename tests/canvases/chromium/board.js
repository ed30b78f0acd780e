// The board as a browser draws it: stored strokes on a <canvas>, written from the board's rules and not from our code.
// Ink has a layer of its own above the page's colour, and an eraser takes ink away from it.
"use strict";

const HEAD = 15;
const HEAD_ANGLE = Math.PI / 6;
const LINE_HEIGHT = 1.2;

function drawStroke(ink, type, data, family) {
  const colour = data.color || "#000000";
  const pen = type === "rectangle" && !data.points ? 3 : data.width || 3;
  ink.globalCompositeOperation = type === "eraser" ? "destination-out" : "source-over";
  ink.strokeStyle = type === "eraser" ? "#000000" : colour;
  ink.fillStyle = colour;
  ink.lineWidth = pen;
  ink.lineCap = "round";
  ink.lineJoin = "round";
  ink.beginPath();
  if (type === "text") {
    drawText(ink, data, family);
    return;
  }
  const trace = { pen: path, eraser: path, line, rectangle, circle, triangle, arrow }[type];
  trace(ink, data);
  ink.stroke();
}

function path(ink, { points }) {
  ink.moveTo(...points[0]);
  for (const point of points.slice(1)) ink.lineTo(...point);
}

function ends(data) {
  if (data.points) return [data.points[0], data.points[data.points.length - 1]];
  return [[data.startX, data.startY], [data.endX, data.endY]];
}

function line(ink, data) {
  const [start, end] = ends(data);
  ink.moveTo(...start);
  ink.lineTo(...end);
}

function box(points) {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  const left = Math.min(...xs), top = Math.min(...ys);
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

function rectangle(ink, data) {
  if (!data.points) {
    ink.rect(data.x, data.y, data.width, data.height);
    return;
  }
  const { left, top, width, height } = box(data.points);
  ink.rect(left, top, width, height);
}

function circle(ink, data) {
  if (!data.points) {
    ink.arc(data.x, data.y, data.radius, 0, 2 * Math.PI);
    return;
  }
  const { left, top, width, height } = box(data.points);
  ink.arc(left + width / 2, top + height / 2, Math.min(width, height) / 2, 0, 2 * Math.PI);
}

// The corners of a gesture are the three points that span most: all triples are tried, so gestures must be short.
function corners(points) {
  if (points.length <= 3) return points;
  let best = -1, found = null;
  for (const a of points) for (const b of points) for (const c of points) {
    const area = Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
    if (area > best) [best, found] = [area, [a, b, c]];
  }
  return found;
}

function triangle(ink, { points }) {
  const [first, ...others] = corners(points);
  ink.moveTo(...first);
  for (const corner of others) ink.lineTo(...corner);
  ink.closePath();
}

function arrow(ink, data) {
  const [start, tip] = ends(data);
  const angle = Math.atan2(tip[1] - start[1], tip[0] - start[0]);
  const side = (turn) => [tip[0] - HEAD * Math.cos(angle + turn), tip[1] - HEAD * Math.sin(angle + turn)];
  ink.moveTo(...start);
  ink.lineTo(...tip);
  ink.moveTo(...side(-HEAD_ANGLE));
  ink.lineTo(...tip);
  ink.lineTo(...side(HEAD_ANGLE));
}

function drawText(ink, data, family) {
  const size = data.fontSize || 16;
  const format = data.formatting || {};
  ink.font = `${format.italic ? "italic " : ""}${format.bold ? "bold " : ""}${size}px ${family}`;
  ink.strokeStyle = data.color || "#000000";
  ink.lineWidth = 1;
  ink.lineCap = "butt";
  data.text.split("\n").forEach((words, number) => {
    const y = data.y + number * LINE_HEIGHT * size;
    ink.fillText(words, data.x, y);
    const width = ink.measureText(words).width;
    const rules = [[format.underline, y + 2], [format.strikethrough, y - 0.3 * size]];
    for (const [wanted, at] of rules) {
      if (!wanted || !width) continue;
      ink.beginPath();
      ink.moveTo(data.x, at);
      ink.lineTo(data.x + width, at);
      ink.stroke();
    }
  });
}

function surface(width, height, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  return [canvas, context];
}

// The page as a PNG in a data: URL.
async function drawBoard({ background_color, image, width, height, scale, strokes, family }) {
  await document.fonts.ready;
  const [canvas, context] = surface(width, height, scale);
  context.fillStyle = background_color;
  context.fillRect(0, 0, width, height);
  if (image) {
    const picture = new Image();
    picture.src = image;
    await picture.decode();
    const fit = Math.min(width / picture.width, height / picture.height);
    const [w, h] = [picture.width * fit, picture.height * fit];
    context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  }
  const [layer, ink] = surface(width, height, scale);
  for (const { stroke_type, stroke_data } of strokes) {
    ink.save();
    drawStroke(ink, stroke_type, stroke_data, family);
    ink.restore();
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(layer, 0, 0);
  return canvas.toDataURL("image/png");
}
