// What stands below the player: captions, chapters, search, pages, files to keep.

class More {
  #playback = null;
  #player = null;
  #replay = null;
  #chapters = [];

  present(playback) {
    this.#playback = playback;
    this.#fetchChapters().catch(() => {});
    this.render();
  }

  use(player) {
    this.#player = player;
    player.addEventListener('time', () => this.#mark());
  }

  replayLoaded(replay) {
    this.#replay = replay;
    this.render();
  }

  async #fetchChapters() {
    const url = this.#playback.chapters?.vtt_url;
    if (!url) return;
    const response = await fetch(url, { credentials: 'omit' });
    if (!response.ok) return;
    this.#chapters = readCues(await response.text());
    this.render();
  }

  render() {
    $('more').replaceChildren();
    if (this.#chapters.length) $('more').append(this.#section('chapters', this.#chapterList()));
    this.#mark();
  }

  #section(name, content) {
    const section = document.createElement('section');
    section.id = name;
    const title = document.createElement('h2');
    title.textContent = word(name);
    title.id = `${name}Title`;
    section.setAttribute('aria-labelledby', title.id);
    section.append(title, content);
    return section;
  }

  #chapterList() {
    const list = document.createElement('ol');
    list.append(...this.#chapters.map(({ start, text }) => jumpItem(start, text, () => this.#player.seek(start))));
    return list;
  }

  #mark() {
    if (!this.#player) return;
    const { time } = this.#player;
    const current = this.#chapters.findLastIndex(({ start }) => start <= time + 0.1);
    document.querySelectorAll('#chapters button').forEach((button, index) => {
      button.setAttribute('aria-current', String(index === current));
    });
  }
}

/** An item of a list whose button goes to a time of the lesson. */
function jumpItem(seconds, text, jump) {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  const [time, words_] = [document.createElement('span'), document.createElement('span')];
  time.textContent = timeText(seconds);
  words_.textContent = text;
  button.append(time, words_);
  button.addEventListener('click', jump);
  item.append(button);
  return item;
}
