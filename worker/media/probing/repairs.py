"""What was done to a recording to make it play, and what is missing from it: facts for the tutor, in a stable form."""

from dataclasses import dataclass
from typing import Any, Literal

RepairKind = Literal[
    "gap",
    "cut-off",
    "clock-jump",
    "repeated",
    "damaged",
    "reordered",
    "pictures-dropped",
    "sound-dropped",
    "picture-lost",
    "sound-lost",
    "track-left-out",
    "track-chosen",
    "sounds-mixed",
    "encoded",
    "part-lost",
]


@dataclass(frozen=True)
class Repair:
    """One repair or finding. Times are milliseconds of the fast copy; None: it concerns the whole copy.

    gap: neither picture nor sound was recorded from `at_ms` for `length_ms`; players stand still there.
    cut-off: the file ends in the middle; the copy ends with the last complete picture or sound.
    clock-jump: the recorder's clock jumped by `length_ms` (negative: back) at `at_ms`; the copy continues without it.
    repeated: `length_ms` of the recording came twice; the second time was left out at `at_ms`.
    damaged: bytes of the file at `at_ms` cannot be read and were skipped; pictures or sound may be missing there.
    reordered: pieces of the file were not in the order in which they were recorded; in the copy they are.
    pictures-dropped: no decoder can show the pictures from `at_ms` for `length_ms`; the picture stands still there.
    sound-dropped: no decoder can play the sound from `at_ms` for `length_ms`; it is silent there.
    picture-lost, sound-lost: the header lists such a track, but nothing of it can be played.
    track-left-out: a track that players do not need; `track` is its kind (`subtitle`, `audio`, …).
    track-chosen: the sound is not the file's first track, which is silent.
    sounds-mixed: several tracks of sound are heard together.
    encoded: this track (`video` or `audio`) could not be copied and was encoded again, once for each `codec`.
    part-lost: the file holds several recordings, and one of them cannot be read.
    """

    kind: RepairKind
    at_ms: int | None = None
    length_ms: int | None = None
    track: str | None = None
    codec: str | None = None

    def document(self) -> dict[str, Any]:
        """The JSON form in `recording_metadata.repairs`, without unknown values."""
        fields = {"at_ms": self.at_ms, "length_ms": self.length_ms, "track": self.track, "codec": self.codec}
        return {"kind": self.kind, **{name: value for name, value in fields.items() if value is not None}}
