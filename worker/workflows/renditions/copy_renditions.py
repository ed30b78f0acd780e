"""Store the fast copy's picture as a rendition without encoding, if it already has the right form."""

from collections.abc import Sequence

from worker.media.renditions.check_rendition import check_copied
from worker.media.renditions.fit_picture import may_be_copied
from worker.media.renditions.rendition_forms import PICTURES
from worker.media.renditions.write_renditions import write_copied
from worker.workflows.renditions.rendering import OWN_FAULTS, Rendering
from worker.workflows.renditions.store_rendition import store_rendition


def copy_pictures(rendering: Rendering, names: Sequence[str]) -> list[str]:
    """Store those that can be copied; returns the others."""
    if not names:
        return []
    video = rendering.fast_copy_file.probed.video
    copied = {name for name in names if video is not None and may_be_copied(PICTURES[name], video)}
    return [name for name in names if name not in copied or not _copy_picture(rendering, name)]


def _copy_picture(rendering: Rendering, name: str) -> bool:
    context, path, stop = rendering.context, rendering.path(name), rendering.run.should_stop
    try:
        write_copied(rendering.fast_copy_file, path, context.binaries, should_stop=stop)
        duration_ms = rendering.fast_copy_file.probed.duration_ms
        written = check_copied(PICTURES[name], name, path, duration_ms, context.binaries, should_stop=stop)
    except OWN_FAULTS:
        return False
    if written is None:
        return False
    store_rendition(rendering, name, written)
    return True
