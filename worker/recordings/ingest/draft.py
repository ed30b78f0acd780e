"""A fast copy that is not published yet, and the check that it plays."""

from dataclasses import dataclass
from pathlib import Path

from worker.concurrency import ShouldStop, together
from worker.media.copying.copy_plan import CopyPlan
from worker.media.copying.fast_copy import Copy
from worker.media.copying.verify import verify_copy
from worker.media.decoding.decoding import DecodeResult, decode_copy
from worker.media.errors import OutputDamaged
from worker.media.probing.probe import Probe
from worker.media.probing.repairs import Repair
from worker.media.probing.stated_duration import shorten_stated_duration
from worker.media.processes.binaries import Binaries


@dataclass(frozen=True)
class Draft:
    """A fast copy on disk, with its source and plan. `variant` is part of its name on B2, empty at first."""

    probed: Probe
    plan: CopyPlan
    path: Path
    variant: str = ""
    # Repairs beyond those of the plan, and how many pictures and packets of sound it may lack.
    other_repairs: tuple[Repair, ...] = ()
    frame_loss: int = 0
    sound_loss: int = 0

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """All repairs, to be shown to the tutor."""
        return (*self.probed.repairs, *self.plan.repairs, *self.other_repairs)


@dataclass(frozen=True)
class DraftCheck:
    """The result of reading and decoding a draft: `copy` is None when it cannot be played; `error` then says why."""

    copy: Copy | None
    decoding: DecodeResult
    error: OutputDamaged | None = None

    @property
    def plays(self) -> bool:
        """Whether players can play it to the end."""
        broken = self.decoding.broken or self.decoding.broken_sounds or self.decoding.nothing
        return self.copy is not None and not broken

    @property
    def is_whole(self) -> bool:
        """Whether it plays and nothing of the recording is missing."""
        return self.plays and self.copy is not None and not self.copy.faults

    def copy_or_raise(self) -> Copy:
        """The copy; raises OutputDamaged when it cannot be played."""
        if self.copy is None:
            # The error's cause, which is logged, is the fault of the copy.
            raise OutputDamaged(
                "What was made from the recording does not play. Try it again; when it fails once more, open the "
                "recording in a video editor, save it as MP4, and upload that."
            ) from self.error
        return self.copy


def with_true_duration(draft: Draft) -> Draft:
    """Shorten the duration that the draft's file states to the recording's; returns the draft."""
    shorten_stated_duration(draft.path, draft.plan.form, draft.probed.duration_ms)
    return draft


def check_draft(draft: Draft, binaries: Binaries, should_stop: ShouldStop) -> DraftCheck:
    """Read all packets of the draft and, at the same time, decode all or a sample of them."""
    with together(should_stop) as steps:
        reading = steps.begin(lambda stop: _verify(draft, binaries, stop))
        decoding = steps.begin(lambda stop: _decode(draft, binaries, stop))
    copy, error = reading.result()
    return DraftCheck(copy, decoding.result(), error)


def _verify(draft: Draft, binaries: Binaries, should_stop: ShouldStop) -> tuple[Copy | None, OutputDamaged | None]:
    try:
        copy = verify_copy(
            draft.path,
            draft.probed,
            draft.plan.form,
            binaries,
            frame_loss=draft.frame_loss,
            sound_loss=draft.sound_loss,
            should_stop=should_stop,
        )
    except OutputDamaged as error:
        return None, error
    return copy, None


def _decode(draft: Draft, binaries: Binaries, should_stop: ShouldStop) -> DecodeResult:
    probed, form = draft.probed, draft.plan.form
    # Tracks that we encoded ourselves need no check.
    video = None if form.video_encoder else probed.video
    audio = None if form.audio_encoder else probed.audio
    return decode_copy(draft.path, video, audio, binaries, places=probed.places, should_stop=should_stop)
