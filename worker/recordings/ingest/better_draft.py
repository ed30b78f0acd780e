"""Find a better copy of a recording whose first copy is incomplete. Anything playable is accepted."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from worker.concurrency import ShouldStop
from worker.media.copying.plan_copy import plan_copy, plan_encoded_copy
from worker.media.copying.remux import drop_broken, write_copy
from worker.media.decoding.stretches import Stretch
from worker.media.errors import FfmpegFailed, FfmpegTimeout, MediaRejected
from worker.media.probing.repairs import Repair, RepairKind
from worker.media.processes.binaries import Binaries
from worker.recordings.ingest.draft import Draft, DraftCheck, check_draft, with_true_duration

# If a larger share of the pictures is broken, the recording is encoded again instead of omitting them.
_MAX_BROKEN = 0.1
# Encoding again costs a little quality, so it must show this many times as many pictures.
_CLEARLY_MORE = 1.05


def better_draft(
    source: Path, draft: Draft, check: DraftCheck, binaries: Binaries, folder: Path, should_stop: ShouldStop
) -> tuple[Draft, DraftCheck] | None:
    """Another copy of a recording whose first copy is incomplete; None when no other copy plays better.

    Pictures and sound that cannot be decoded are omitted. If those are too many, or the copy does not play or differs
    from the recording, everything is decoded and encoded again. Raises what the runner raises, except failures of a
    program.
    """
    tries: list[Callable[[], Draft | None]] = []
    if check.decoding.nothing:
        tries.append(lambda: _without_picture(source, draft, binaries, folder, should_stop))
    elif check.decoding.broken or check.decoding.broken_sounds:
        tries.append(lambda: _without_broken(draft, check, binaries, folder, should_stop))
    if check.copy is None or check.copy.faults or _broken_share(draft, check) > _MAX_BROKEN:
        tries.append(lambda: _encode_all(source, draft, binaries, folder, should_stop))
    best: tuple[Draft, DraftCheck] | None = None
    for attempt in tries:
        try:
            other = attempt()
        except (FfmpegFailed, FfmpegTimeout):
            continue
        if other is None:
            continue
        result = check_draft(with_true_duration(other), binaries, should_stop)
        if _is_better(result, best[1] if best else check):
            best = other, result
    return best


def _is_better(other: DraftCheck, than: DraftCheck) -> bool:
    """Whether `other` is better: it plays at all, to the end, is complete, or has clearly more pictures."""
    marks = [
        (check.copy is not None, check.plays, check.copy is not None and not check.copy.faults)
        for check in (other, than)
    ]
    if marks[0] != marks[1]:
        return marks[0] > marks[1]
    return _pictures(other) > _pictures(than) * _CLEARLY_MORE


def _pictures(check: DraftCheck) -> int:
    video = check.copy.video if check.copy else None
    return video.frames if video and not check.decoding.nothing else 0


def _broken_share(draft: Draft, check: DraftCheck) -> float:
    seconds = sum(min(end, draft.probed.duration_ms / 1000) - start for start, end in check.decoding.broken)
    return seconds * 1000 / draft.probed.duration_ms


def _without_broken(
    draft: Draft, check: DraftCheck, binaries: Binaries, folder: Path, should_stop: ShouldStop
) -> Draft:
    target = folder / "playback-repaired"
    pictures, sounds = check.decoding.broken, check.decoding.broken_sounds
    drop_broken(draft.path, target, draft.plan, pictures, sounds, binaries, should_stop=should_stop)
    video, audio = draft.probed.video, draft.probed.audio
    return replace(
        draft,
        path=target,
        variant="repaired",
        other_repairs=(
            *draft.other_repairs,
            *_drop_repairs("pictures-dropped", "video", pictures, draft.probed.duration_ms),
            *_drop_repairs("sound-dropped", "audio", sounds, draft.probed.duration_ms),
        ),
        frame_loss=video.frames if video and pictures else draft.frame_loss,
        sound_loss=audio.packets if audio and sounds else draft.sound_loss,
    )


def _drop_repairs(kind: RepairKind, track: str, stretches: Sequence[Stretch], duration_ms: int) -> list[Repair]:
    spans = [(max(0, round(start * 1000)), round(min(end * 1000, duration_ms))) for start, end in stretches]
    return [Repair(kind, at_ms=at, length_ms=max(0, until - at), track=track) for at, until in spans]


def _without_picture(
    source: Path, draft: Draft, binaries: Binaries, folder: Path, should_stop: ShouldStop
) -> Draft | None:
    if draft.probed.audio is None:
        raise MediaRejected(
            "damaged", "The pictures of the recording are damaged and cannot be shown, and it has no sound."
        )
    probed = replace(draft.probed, video=None)
    plan = plan_copy(probed)
    target = folder / "playback-sound"
    write_copy(source, target, plan, binaries, should_stop=should_stop)
    return Draft(probed, plan, target, "sound", (Repair("picture-lost"),))


def _encode_all(source: Path, draft: Draft, binaries: Binaries, folder: Path, should_stop: ShouldStop) -> Draft | None:
    plan = plan_encoded_copy(draft.probed)
    if plan is None or plan == draft.plan:
        return None
    target = folder / "playback-encoded"
    write_copy(source, target, plan, binaries, should_stop=should_stop)
    return Draft(draft.probed, plan, target, "encoded")
