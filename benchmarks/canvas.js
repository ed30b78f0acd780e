// Draws shapes that are ready on a canvas of its own and makes a PNG of it; how long that took, and the file.
"use strict";

function drawShape(ink, shape, families) {
  ink.beginPath();
  if (shape.text !== undefined) {
    ink.font = `${shape.size}px ${families}`;
    ink.fillStyle = shape.colour;
    ink.fillText(shape.text, ...shape.at);
    return;
  }
  ink.strokeStyle = shape.colour;
  ink.lineWidth = shape.width;
  if (shape.centre) {
    ink.arc(...shape.centre, shape.radius, 0, 2 * Math.PI);
  } else {
    ink.moveTo(...shape.points[0]);
    for (let n = 1; n < shape.points.length; n++) ink.lineTo(shape.points[n][0], shape.points[n][1]);
    if (shape.closed) ink.closePath();
  }
  ink.stroke();
}

async function draw({ shapes, width, height, background, families }) {
  const began = performance.now();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const ink = canvas.getContext("2d");
  ink.fillStyle = background;
  ink.fillRect(0, 0, width, height);
  ink.lineCap = ink.lineJoin = "round";
  for (const shape of shapes) drawShape(ink, shape, families);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const milliseconds = performance.now() - began;
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return { milliseconds, png: btoa(text) };
}

async function loadFonts(fonts) {
  for (const [family, data] of Object.entries(fonts)) {
    const face = new FontFace(family, `url(data:font/ttf;base64,${data})`);
    document.fonts.add(await face.load());
  }
}
