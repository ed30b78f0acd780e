// Reads WebVTT: chapters and storyboards, which the browser's own tracks do not give in a usable form.

function secondsOf(stamp) {
  return stamp.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** `{start, end, text}` of each cue, in seconds. */
function readCues(vtt) {
  const cues = [];
  for (const block of vtt.replace(/\r\n?/g, '\n').split(/\n\n+/)) {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => line.includes('-->'));
    if (at < 0) continue;
    const [start, end] = lines[at].split('-->').map((part) => secondsOf(part.trim().split(/\s/)[0]));
    const text = plainText(lines.slice(at + 1).join('\n').trim());
    if (end >= start) cues.push({ start, end, text });
  }
  return cues;
}

/** Without tags, and with the characters that WebVTT escapes. */
function plainText(text) {
  const escapes = { amp: '&', lt: '<', gt: '>', nbsp: '\u00a0', lrm: '\u200e', rlm: '\u200f' };
  return text.replace(/<[^>]*>/g, '').replace(/&(\w+);/g, (whole, name) => escapes[name] ?? whole);
}
