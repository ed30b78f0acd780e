// A stream whose pictures and sounds say when they were made: bars are the bits of the time in 10 ms, the last
// one makes their number even; a tone begins with every other second.

const BITS = 21;
const canvas = document.createElement('canvas');
[canvas.width, canvas.height] = [(BITS + 1) * 24, 64];
document.body.append(canvas);
const context = canvas.getContext('2d');

function paint() {
  const time = Math.floor(Date.now() / 10) % 2_000_000;
  const bits = [...Array(BITS).keys()].map((bit) => (time >> bit) & 1);
  bits.push(bits.reduce((sum, bit) => sum ^ bit, 0));
  bits.forEach((bit, index) => {
    context.fillStyle = bit ? '#fff' : '#000';
    context.fillRect(index * 24, 0, 24, 64);
  });
}

function tones() {
  const sound = new AudioContext();
  const gain = new GainNode(sound, { gain: 0 });
  const tone = new OscillatorNode(sound, { frequency: 880 });
  const output = sound.createMediaStreamDestination();
  tone.connect(gain).connect(output);
  tone.start();
  let planned = 0;
  setInterval(() => {
    const next = (Math.floor(Date.now() / 2_000) + 1) * 2_000;
    if (sound.state !== 'running' || next === planned) return;
    planned = next;
    const at = sound.currentTime + (next - Date.now()) / 1_000;
    gain.gain.setValueAtTime(0.5, at);
    gain.gain.setValueAtTime(0, at + 0.5);
  }, 100);
  return { sound, gain, track: output.stream.getAudioTracks()[0] };
}

Object.assign(window, { canvas });
window.harness = {
  isPainting: true,
  /** A stream of the canvas, with `sound` of the tones as well. */
  stream({ sound = true, picture = true } = {}) {
    const tracks = [];
    if (picture) tracks.push(...canvas.captureStream(25).getTracks());
    if (sound) {
      this.tones = tones();
      tracks.push(this.tones.track);
    }
    return new MediaStream(tracks);
  },
  /** Begins a recording, and notes its events. */
  async record(options, stream = this.stream()) {
    this.events = [];
    this.recorder = new Recorder({ session: 1, token: () => localStorage.getItem('token'), ...options });
    this.watch(this.recorder);
    await this.recorder.start(stream);
  },
  watch(recorder) {
    this.events ||= [];
    for (const name of ['warning', 'token', 'finished', 'discarded']) {
      recorder.addEventListener(name, ({ detail }) => this.events.push([name, detail ?? null]));
    }
  },
  async left(options) {
    return leftRecordings({ token: () => localStorage.getItem('token'), ...options });
  },
};
setInterval(() => { if (harness.isPainting) paint(); }, 20);
