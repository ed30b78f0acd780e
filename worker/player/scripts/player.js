// Plays one lesson: a clock (the sound, the film, or none of them) and what is shown beside it.

// A follower is moved when it is this far from the clock, and hurried or slowed from the other bound on.
const FAR = 0.5;
const NEAR = 0.04;
// Seconds for which a follower that is ahead waits.
const LONGEST_WAIT = 12;
// Seconds between two updates of the time of a medium that plays; more is a jump.
const LONGEST_STEP = 0.4;
// Seconds; after a longer one a reading that has changed says nothing of how often it changes.
const LONGEST_FRAME = 0.05;

/**
 * The time of a medium between two of its readings: some browsers update `currentTime` four times a second only. Of a reading that
 * changes with each frame it is that reading; a coarser one is continued by the page's clock, by no more than one of its steps.
 */
class FineTime {
  #medium;
  #read = -1;
  #time = 0;
  #step = 0;
  #at = 0;
  #isHeld = false;
  #isSure = false;

  constructor(medium) {
    this.#medium = medium;
  }

  /** Called once in each frame, with the page's clock in seconds. */
  next(now) {
    const { currentTime: read, paused, seeking, playbackRate, readyState } = this.#medium;
    const passed = (now - this.#at) * playbackRate;
    const step = read - this.#read;
    if (paused || seeking || step < 0 || step > passed + LONGEST_STEP * playbackRate) [this.#time, this.#isSure] = [read, false];
    else if (step) {
      // It changed since the frame before: the medium is between the reading and what has passed since that frame.
      this.#time = Math.max(read, Math.min(this.#time + passed, read + Math.min(passed, this.#step)));
      this.#isSure = true;
      if (this.#isHeld) this.#step = Math.min(step, LONGEST_STEP * playbackRate);
      else if (passed < LONGEST_FRAME * playbackRate) this.#step = 0;
    } else if (readyState >= 3) {
      // Behind a jump it is not known yet when the medium begins to move.
      this.#time = Math.min(this.#time + passed, read + Math.min(this.#step, this.#isSure ? Infinity : 2 * NEAR));
    }
    [this.#at, this.#read, this.#isHeld] = [now, read, !step];
    return this.#time;
  }
}

/** The time of a medium; behind its end, or without one, that of the page. */
class Clock {
  #medium;
  #fine;
  #at = 0;
  #since = null;
  #rate = 1;

  constructor(medium, length) {
    this.#medium = medium;
    this.#fine = medium && new FineTime(medium);
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

  /** The time to show in this frame. */
  nextFrame() {
    return this.#isWalking ? this.time : this.#fine.next(performance.now() / 1000);
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
  #lead = 3;
  #jumpAgainAt = 0;
  isWaiting = false;
  // Browsers pause a medium whose file cannot be loaded.
  #isWanted = false;

  constructor({ medium = null, follower = null, board = null, length = 0 }) {
    super();
    Object.assign(this, { medium, follower, board });
    this.#clock = new Clock(medium, length);
    const stop = (this.stops = new AbortController()).signal;
    const listen = (element, names, act) => names.forEach((name) => element?.addEventListener(name, act, { signal: stop }));
    listen(medium, ['play', 'pause', 'ended', 'seeked', 'durationchange'], () => this.#changed());
    listen(medium, ['waiting', 'stalled'], () => this.#wait(medium.readyState < 3));
    listen(medium, ['playing', 'canplay', 'seeked'], () => this.#wait(false));
    listen(medium, ['pause'], () => { if (medium.paused && !medium.error) this.#isWanted = false; });
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

  /** Whether it plays, or would play if its file could be loaded. */
  get isWanted() { return this.isPlaying || this.#isWanted; }

  get isEnded() { return this.length > 0 && this.time >= this.length - 0.05 && !this.isPlaying; }

  get rate() { return this.medium?.playbackRate ?? this.rateWanted ?? 1; }

  set rate(rate) {
    this.rateWanted = rate;
    this.#clock.rate = rate;
    this.#changed();
  }

  async play() {
    this.#isWanted = true;
    if (this.isEnded) this.#clock.seek(0);
    try {
      await this.#clock.play();
    } catch (error) {
      // Another call came first, or the browser wants a gesture.
      if (error.name === 'NotAllowedError') this.#isWanted = false;
      if (error.name !== 'AbortError') this.#changed();
    }
    this.#changed();
  }

  pause() {
    this.#isWanted = false;
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

  /** Begins to load the follower. */
  startFollower() {
    this.follower.play().catch(() => {});
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
    const time = this.#clock.nextFrame();
    this.board?.show(time * 1000);
    this.#follow(time);
    if (Math.abs(time - this.#lastTime) < 0.2) return;
    this.#lastTime = time;
    this.dispatchEvent(new Event('time'));
    if (this.isEnded) this.#changed();
  }

  /** Keeps the follower beside the clock: by its speed, by waiting when it is ahead, and by a jump when it is far behind. */
  #follow(time) {
    const film = this.follower;
    if (!film) return;
    // The voice has the link to itself until it is heard.
    const isRunning = this.isPlaying && !this.isWaiting && time > 0 && !(time >= film.duration);
    if (!isRunning && !film.paused) film.pause();
    if (isRunning && film.readyState < 2 && film.paused) this.startFollower();
    // Another jump would throw away what is on its way.
    if (film.readyState < 2 || film.seeking) return;
    const late = time - film.currentTime;
    if (!isRunning) {
      if (Math.abs(late) > NEAR && time < film.duration) film.currentTime = time;
      return;
    }
    const isAhead = late < -NEAR;
    if (late > FAR || late < -LONGEST_WAIT) this.#jump(film, time);
    else if (isAhead !== film.paused) {
      if (isAhead) film.pause(); else film.play().catch(() => {});
    }
    film.playbackRate = this.rate * (late > NEAR ? 1 + Math.min(0.5, late) : 1);
  }

  /** To the time itself where that is loaded, else so far ahead of it as loading took the last time. */
  #jump(film, time) {
    const { buffered } = film;
    const isLoaded = Array.from({ length: buffered.length }).some((_, index) => buffered.start(index) <= time && time < buffered.end(index) - 0.5);
    const now = performance.now() / 1000;
    if (isLoaded) film.currentTime = time;
    else if (now > this.#jumpAgainAt) {
      this.#jumpAgainAt = now + 6;
      film.addEventListener('seeked', () => { this.#lead = Math.min(LONGEST_WAIT / 2, 0.5 + performance.now() / 1000 - now); }, { once: true });
      film.currentTime = Math.min(time + this.#lead * this.rate, film.duration - 0.1);
    }
  }
}
