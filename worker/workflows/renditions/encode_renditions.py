"""Encode renditions of the fast copy, several by one decoding, and store each."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from worker.media.decoding.downmix import channels_cancel
from worker.media.decoding.loudness import gain_of, measure_loudness
from worker.media.renditions.check_rendition import WrittenRendition, check_rendition
from worker.media.renditions.write_renditions import FastCopyFile, write_renditions
from worker.workflows.renditions.rendering import OWN_FAULTS, Rendering
from worker.workflows.renditions.store_rendition import make_and_store


def encode_sounds(rendering: Rendering, names: Sequence[str]) -> None:
    """Encode these sounds. The loudness is measured first, to apply one gain to the whole recording."""
    if not names:
        return
    fast_copy, run = rendering.fast_copy_file, rendering.run
    run.progress(5, "measuring the sound")
    seconds = fast_copy.probed.duration_ms / 1000
    loudness, cancels, binaries = None, False, rendering.context.binaries
    with suppress(*OWN_FAULTS):
        cancels = channels_cancel(fast_copy.path, binaries, should_stop=run.should_stop)
        loudness = measure_loudness(
            fast_copy.path, binaries, seconds=seconds, cancels=cancels, should_stop=run.should_stop
        )
    levelled = FastCopyFile(fast_copy.path, fast_copy.probed, gain_of(loudness), cancels)
    _encode(rendering, names, levelled, 10, 20)


def encode_pictures(rendering: Rendering, names: Sequence[str]) -> None:
    """Encode these pictures."""
    if names:
        _encode(rendering, names, rendering.fast_copy_file, 20, 90)


def _encode(rendering: Rendering, names: Sequence[str], fast_copy: FastCopyFile, begin: int, end: int) -> None:
    """Write these tracks together and store them; when that fails, one by one."""
    run, context = rendering.run, rendering.context
    seconds = max(fast_copy.probed.duration_ms / 1000, 0.001)

    def write(each: Sequence[str]) -> None:
        write_renditions(
            fast_copy,
            {name: rendering.path(name) for name in each},
            context.binaries,
            should_stop=run.should_stop,
            on_progress=lambda done: run.progress(begin + (end - begin) * min(done / seconds, 1), "encoding"),
        )

    try:
        write(names)
        make = partial(_checked, rendering)
    except OWN_FAULTS:
        make = partial(_write_alone, rendering, write)
    for name in names:
        make_and_store(rendering, name, partial(make, name))


def _write_alone(rendering: Rendering, write: Callable[[Sequence[str]], None], name: str) -> WrittenRendition:
    write([name])
    return _checked(rendering, name)


def _checked(rendering: Rendering, name: str) -> WrittenRendition:
    return check_rendition(
        name,
        rendering.path(name),
        rendering.fast_copy_file.probed.duration_ms,
        rendering.context.binaries,
        should_stop=rendering.run.should_stop,
    )
