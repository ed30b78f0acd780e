"""An hour of strokes and voice: its film, and the one file that people pass on."""

from pathlib import Path

from benchmarks.harness.figure import Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.harness.timing import cost_of
from benchmarks.material.board_lesson import board_lesson
from benchmarks.material.samples import repeated_sound
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.film import write_film
from worker.canvases.replay.replay_json import pack_replay
from worker.canvases.stored.pages import read_board
from worker.media.films.mix import Sound, SoundPiece
from worker.media.probing.packet_reading import probe
from worker.media.processes.binaries import Binaries
from worker.player.write_pack import PackedLesson, write_pack

_STROKES_PER_HOUR, _PAGES = 3000, 10
_MAX_SECONDS, _MAX_PACK_SECONDS, _MAX_PACK_MB = 60.0, 5.0, 8.0


def hour_of_board(folder: Path, voice: Path, scale: Scale, binaries: Binaries) -> list[Reading]:
    """Film and pack of a board of `long_minutes` with this voice repeated; limits are of an hour."""
    seconds = round(scale.long_minutes * 60)
    strokes = round(_STROKES_PER_HOUR * seconds / 3600)
    document = board_lesson(seconds=seconds, pages=_PAGES, strokes=strokes, points=30 * strokes)
    repeats = -(-seconds * 1000 // probe(voice, binaries).duration_ms)
    sound = repeated_sound(voice, folder / "hour.webm", binaries, repeats=repeats)
    film, pack = folder / "hour.mp4", folder / "hour.html"

    def make_film() -> None:
        timeline = build_timeline(read_board(document))
        write_film(timeline, film, binaries, sounds=[Sound(sound, [SoundPiece(0, 0, timeline.duration_ms)])])

    def make_pack() -> None:
        timeline = build_timeline(read_board(document))
        strokes = folder / "hour.json"
        strokes.write_bytes(pack_replay(timeline))
        with pack.open("wb") as file:
            write_pack(PackedLesson("Algebra", sound, "audio/webm", strokes), "en", file)

    filmed, packed = cost_of(make_film), cost_of(make_pack)
    what = f"{scale.long_minutes:g} min of strokes and voice"
    return [
        Reading(f"{what}: the film", filmed.wall, "s", limit=Limit("value", "≤", _MAX_SECONDS)),
        Reading(f"{what}: the film, processor time", filmed.processor, "s"),
        Reading(f"{what}: the pack", packed.wall, "s", limit=Limit("value", "≤", _MAX_PACK_SECONDS)),
        # The player in it weighs the same however short the lesson is.
        Reading(f"{what}: the pack, processor time", packed.processor, "s"),
        Reading(f"{what}: the pack", pack.stat().st_size / 1e6, "MB", limit=Limit("value", "≤", _MAX_PACK_MB)),
    ]
