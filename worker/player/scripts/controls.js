// The controls of a player, the same on the page and in a pack.

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

let words = {};

function word(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '');
}

/** Puts the words of a language into the page. */
function speak(language, chosen) {
  words = chosen;
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', word(element.dataset.label));
  for (const button of document.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', button.dataset.language === language);
  }
}

function sizeText(count) {
  if (!count && count !== 0) return word('unknown');
  const [least, unit] = [[1e9, 'GB'], [1e6, 'MB'], [0, 'KB']].find(([from]) => count >= from);
  return `${(count / (least || 1e3)).toFixed(least && count < 100 * least ? 1 : 0)} ${unit}`;
}

function timeText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number % 60).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${two(Math.floor(whole / 60))}:${two(whole)}` : `${Math.floor(whole / 60)}:${two(whole)}`;
}

function spokenTime(seconds) {
  return word('spokenTime', { minutes: Math.floor(seconds / 60), seconds: Math.floor(seconds % 60) });
}

class Controls {
  player = null;
  /** `(context, seconds)` draws a small picture of that time, or returns false. */
  preview = () => false;
  #isDragged = false;

  constructor() {
    for (const id of ['play', 'start']) $(id).addEventListener('click', () => this.toggle());
    for (const [id, seconds] of [['back', -10], ['ahead', 10]]) $(id).addEventListener('click', () => this.move(seconds));
    $('picture').addEventListener('click', (event) => { if (!event.target.closest('button')) this.toggle(); });
    $('speed').addEventListener('change', () => this.setSpeed(Number($('speed').value)));
    $('seek').addEventListener('input', () => this.#drag());
    $('seek').addEventListener('change', () => this.#drop());
    // There is no `change` where a drag ends at the value where it began, or is cancelled.
    addEventListener('pointerup', () => setTimeout(() => { if (this.#isDragged) this.#drop(); }));
    addEventListener('pointercancel', () => this.#cancel());
    $('seek').addEventListener('pointermove', (event) => this.#hover(event));
    for (const name of ['pointerleave', 'blur']) $('seek').addEventListener(name, () => show('preview', false));
    show('full', document.fullscreenEnabled || $('film').webkitSupportsFullscreen);
    $('full').addEventListener('click', () => this.fill());
    addEventListener('keydown', (event) => this.#press(event));
    addEventListener('resize', () => this.render());
  }

  use(player) {
    this.player = player;
    for (const name of ['change', 'time']) player.addEventListener(name, () => this.render());
    player.rate = Number($('speed').value);
    show('player', true);
    this.render();
  }

  toggle() {
    if (this.player?.isPlaying) this.player.pause(); else this.player?.play();
  }

  move(seconds) {
    this.player?.seek(this.player.time + seconds);
    this.render();
  }

  setSpeed(rate) {
    $('speed').value = String(rate);
    if (this.player) this.player.rate = rate;
  }

  fill() {
    const box = $('picture');
    if (document.fullscreenElement) document.exitFullscreen();
    else if (box.requestFullscreen) box.requestFullscreen().catch(() => {});
    else $('film').webkitEnterFullscreen?.();
  }

  render() {
    const { player } = this;
    if (!player) return;
    const texts = {
      play: word(player.isPlaying ? 'pause' : 'play'), now: timeText(player.time), length: timeText(player.length),
      status: player.isWaiting && player.isPlaying ? word('waiting') : '',
    };
    for (const [id, text] of Object.entries(texts)) if ($(id).textContent !== text) $(id).textContent = text;
    // Later it would cover what somebody copies from the board.
    show('start', !player.isPlaying && player.time < 0.1);
    const seek = $('seek');
    seek.max = player.length || 1;
    if (!this.#isDragged) {
      seek.value = player.time;
      seek.setAttribute('aria-valuetext', word('of', { part: spokenTime(player.time), all: spokenTime(player.length) }));
    }
  }

  #drag() {
    this.#isDragged = true;
    const at = Number($('seek').value);
    $('now').textContent = timeText(at);
    this.#show(at);
  }

  #drop() {
    this.#isDragged = false;
    show('preview', false);
    this.player?.seek(Number($('seek').value));
  }

  #cancel() {
    this.#isDragged = false;
    show('preview', false);
    this.render();
  }

  #hover(event) {
    if (!this.player?.length) return;
    const box = $('seek').getBoundingClientRect();
    this.#show(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * this.player.length);
  }

  #show(seconds) {
    const canvas = $('preview');
    const isDrawn = this.preview(canvas, seconds);
    show('preview', Boolean(isDrawn));
    const room = $('seek').clientWidth - canvas.offsetWidth;
    canvas.style.left = `${Math.max(0, Math.min(room, (seconds / this.player.length) * $('seek').clientWidth - canvas.offsetWidth / 2))}px`;
  }

  #press(event) {
    const { key, target } = event;
    if (!this.player || event.ctrlKey || event.altKey || event.metaKey || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return;
    const isSeek = target.id === 'seek';
    if (target.tagName === 'INPUT' && !isSeek) return;
    const isButton = target.closest('button, summary, a');
    const acts = {
      ' ': () => this.toggle(), k: () => this.toggle(), ArrowLeft: () => this.move(-5), ArrowRight: () => this.move(5), j: () => this.move(-10),
      l: () => this.move(10), Home: () => this.player.seek(0), End: () => this.player.seek(this.player.length), f: () => this.fill(),
      '<': () => this.#hurry(-1), '>': () => this.#hurry(1),
    };
    let act = acts[key];
    if (/^[0-9]$/.test(key)) act = () => this.player.seek((Number(key) / 10) * this.player.length);
    if (!act || (isButton && (key === ' ' || key === 'Enter'))) return;
    event.preventDefault();
    act();
  }

  #hurry(steps) {
    const at = SPEEDS.indexOf(Number($('speed').value)) + steps;
    if (SPEEDS[at]) this.setSpeed(SPEEDS[at]);
  }
}
