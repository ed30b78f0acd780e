// Plays one lesson: a clock (the sound, the film, or none of them) and what is shown beside it.

// A follower is moved when it is this far from the clock, and hurried or slowed from the other bound on.
const FAR = 0.5;
const NEAR = 0.04;

/** The time of a medium; behind its end, or without one, that of the page. */
class Clock {
  #medium;
  #at = 0;
  #since = null;
  #rate = 1;

  constructor(medium, length) {
    this.#medium = medium;
    this.length = length;
    medium?.addEventListener('ended', () => { if (this.time < this.length - 0.25) this.#walk(this.#mediumEnd); });
  }

  get #mediumEnd() {
    return this.#medium ? this.#medium.duration || Infinity : 0;
  }

  get #isWalking() {
    return !this.#medium || this.#at >= this.#mediumEnd;
  }

  get time() {
    if (!this.#isWalking) return this.#medium.currentTime;
    const walked = this.#since === null ? 0 : ((performance.now() - this.#since) / 1000) * this.#rate;
    return Math.min(this.length, this.#at + walked);
  }

  get isPlaying() {
    return this.#isWalking ? this.#since !== null && this.time < this.length : !this.#medium.paused && !this.#medium.ended;
  }

  set rate(rate) {
    if (this.#since !== null) this.#walk(this.time);
    this.#rate = rate;
    if (this.#medium) this.#medium.defaultPlaybackRate = this.#medium.playbackRate = rate;
  }

  play() {
    if (!this.#isWalking) return this.#medium.play();
    this.#walk(this.time >= this.length ? 0 : this.time);
    return Promise.resolve();
  }

  pause() {
    if (this.#isWalking) [this.#at, this.#since] = [this.time, null];
    this.#medium?.pause();
  }

  seek(seconds) {
    const wasPlaying = this.isPlaying;
    this.#since = null;
    if (seconds < this.#mediumEnd) {
      this.#at = 0;
      this.#medium.currentTime = seconds;
      if (wasPlaying && this.#medium.paused) this.#medium.play();
    } else {
      this.#medium?.pause();
      this.#at = seconds;
      if (wasPlaying) this.#walk(seconds);
    }
  }

  #walk(from) {
    this.#at = from;
    this.#since = performance.now();
  }
}

/**
 * Events: `change` (it plays, waits, ended, its length is known), `time` (a few times a second), `fault`.
 * `medium` is the element whose time counts, `follower` a film without sound that follows it, `board` strokes that do.
 */
class Player extends EventTarget {
  #clock;
  #lastTime = -1;
  #isOpen = true;
  isWaiting = false;

  constructor({ medium = null, follower = null, board = null, length = 0 }) {
    super();
    Object.assign(this, { medium, follower, board });
    this.#clock = new Clock(medium, length);
    const stop = (this.stops = new AbortController()).signal;
    const listen = (element, names, act) => names.forEach((name) => element?.addEventListener(name, act, { signal: stop }));
    listen(medium, ['play', 'pause', 'ended', 'seeked', 'durationchange'], () => this.#changed());
    listen(medium, ['waiting', 'stalled'], () => this.#wait(medium.readyState < 3));
    listen(medium, ['playing', 'canplay', 'seeked'], () => this.#wait(false));
    listen(medium, ['error'], () => this.dispatchEvent(new Event('fault')));
    listen(follower, ['error'], () => this.dispatchEvent(new Event('fault')));
    this.#frame();
  }

  get time() { return this.#clock.time; }

  get length() {
    const known = this.medium?.duration;
    return this.#clock.length || (Number.isFinite(known) ? known : 0);
  }

  get isPlaying() { return this.#clock.isPlaying; }

  get isEnded() { return this.length > 0 && this.time >= this.length - 0.05 && !this.isPlaying; }

  get rate() { return this.medium?.playbackRate ?? this.rateWanted ?? 1; }

  set rate(rate) {
    this.rateWanted = rate;
    this.#clock.rate = rate;
    this.#changed();
  }

  async play() {
    if (this.isEnded) this.#clock.seek(0);
    try {
      await this.#clock.play();
    } catch (error) {
      // Another call came first, or the browser wants a gesture.
      if (error.name !== 'AbortError') this.#changed();
    }
    this.#changed();
  }

  pause() {
    this.#clock.pause();
    this.follower?.pause();
    this.#changed();
  }

  seek(seconds) {
    const at = Math.max(0, Math.min(seconds, this.length || seconds));
    this.#clock.seek(at);
    if (this.follower) {
      this.follower.preload = 'auto';
      this.follower.currentTime = Math.min(at, this.follower.duration || at);
    }
    this.#changed();
  }

  close() {
    this.#isOpen = false;
    this.stops.abort();
    this.pause();
  }

  #wait(isWaiting) {
    if (this.isWaiting === isWaiting) return;
    this.isWaiting = isWaiting;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  #frame() {
    if (!this.#isOpen) return;
    requestAnimationFrame(() => this.#frame());
    const { time } = this;
    this.board?.show(time * 1000);
    this.#follow(time);
    if (Math.abs(time - this.#lastTime) < 0.2) return;
    this.#lastTime = time;
    this.dispatchEvent(new Event('time'));
    if (this.isEnded) this.#changed();
  }

  /** Keeps the follower beside the clock: by its speed, and by a jump when it is far away. */
  #follow(time) {
    const film = this.follower;
    if (!film) return;
    // The voice has the link to itself until it is heard.
    const isRunning = this.isPlaying && !this.isWaiting && time > 0 && !(time >= film.duration);
    if (isRunning && film.paused) film.play().catch(() => {});
    if (!isRunning && !film.paused) film.pause();
    if (film.readyState < 1 || film.seeking) return;
    const late = time - film.currentTime;
    if (Math.abs(late) > FAR || (!isRunning && Math.abs(late) > NEAR)) {
      film.currentTime = Math.min(time, film.duration);
    } else {
      film.playbackRate = Math.max(0.25, this.rate * (Math.abs(late) > NEAR ? 1 + Math.max(-0.2, Math.min(0.2, late)) : 1));
    }
  }
}
