// The playback modes of a lesson, made from the renditions that are ready.

const FILMS = ['board', '360p', '720p'];
const HLS = 'application/vnd.apple.mpegurl';

function isPlayable({ mime, codecs }) {
  if (!mime) return false;
  const type = codecs ? `${mime.split(';')[0]}; codecs="${codecs}"` : mime;
  return document.createElement(mime.startsWith('audio') ? 'audio' : 'video').canPlayType(type) !== '';
}

/**
 * `{name, kind, parts, bytes}` of each: kind `strokes` draws the replay beside the sound, `film` plays a film without sound
 * beside it, `whole` a file that has both, `sound` the sound alone. The best for a thin link is the first.
 */
function modesOf(renditions) {
  const ready = Object.fromEntries(renditions.filter(({ state, url }) => state === 'ready' && url).map((row) => [row.name, row]));
  const { replay, playback } = ready;
  const hasSound = /opus|vorbis|mp4a|mp3|flac/.test(playback?.codecs || '');
  const isSound = playback?.mime?.startsWith('audio');
  const sound = ['audio', 'audio-aac'].map((name) => ready[name]).find((row) => row && isPlayable(row)) || (isSound ? playback : null);
  const modes = [];
  const add = (name, kind, parts) => modes.push({ name, kind, parts, bytes: parts.reduce((sum, row) => sum + (row.bytes || 0), 0) });
  if (replay && sound) add('strokes', 'strokes', [replay, sound]);
  if (replay && !hasSound && !sound) add('strokes', 'strokes', [replay]);
  for (const name of FILMS) {
    const film = ready[name];
    if (film?.mime?.startsWith('video') && isPlayable(film) && (sound || !hasSound)) add(name, 'film', sound ? [film, sound] : [film]);
  }
  const canStream = ready.hls && document.createElement('video').canPlayType(HLS) !== '';
  if (canStream) add('hls', 'whole', [ready.hls]);
  if (playback && !isSound && isPlayable(playback)) add('playback', 'whole', [playback]);
  if (sound) add('sound', 'sound', [sound]);
  return modes;
}

/** The mode that this link carries. */
function bestMode(modes, { isSaving }) {
  const link = navigator.connection || {};
  const isThin = isSaving || link.saveData || /2g/.test(link.effectiveType || '') || link.downlink < 0.4;
  const pictures = modes.filter(({ kind }) => kind !== 'sound');
  const smallest = [...pictures].sort((one, other) => one.bytes - other.bytes)[0];
  const [first] = pictures;
  return (first?.kind === 'strokes' && first) || (isThin && smallest)
    || ['board', '360p', 'hls', 'playback', '720p'].map((name) => modes.find((mode) => mode.name === name)).find(Boolean) || modes[0];
}
