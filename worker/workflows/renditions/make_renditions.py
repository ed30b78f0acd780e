"""Make the pending renditions of a recording from its fast copy; each is stored as soon as it is made."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.jobs.orders.recording_orders import MakeRenditions
from worker.jobs.runs.job_run import JobRun
from worker.media.renditions.rendition_forms import PICTURES, SOUNDS
from worker.recordings.outputs.order_renditions import in_order, is_rendition
from worker.recordings.outputs.pending_rows import MoreOrdered, begin_pending, require_none_pending
from worker.recordings.outputs.rendition_rows import FastCopy, fast_copy_of, store_hls
from worker.uploads.private_files import report_full_disk
from worker.workflows.context import WorkerContext
from worker.workflows.renditions.copy_renditions import copy_pictures
from worker.workflows.renditions.encode_renditions import encode_pictures, encode_sounds
from worker.workflows.renditions.make_download import make_download
from worker.workflows.renditions.rendering import RecordingReplaced, Rendering, require_current


def make_renditions(run: JobRun, order: MakeRenditions, context: WorkerContext) -> None:
    """Make all pending renditions. If one fails, its row gets the reason, and the others are made.

    Sounds are made first, then the pictures from one decoding. An interrupted attempt leaves those that are ready.
    Raises what the store raises.
    """
    try:
        with run.transaction() as session:
            fast_copy, names = _begin(session, order)
        with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
            _make_all(Rendering(run, order, context, folder, fast_copy), names)
    except RecordingReplaced:
        run.succeed({"renditions": {}})


def _begin(session: Session, order: MakeRenditions) -> tuple[FastCopy, Sequence[str]]:
    require_current(session, order)
    fast_copy = fast_copy_of(session, order.recording_id)
    names = begin_pending(session, order.recording_id, is_rendition)
    if fast_copy is None or not names:
        raise RecordingReplaced
    return fast_copy, in_order(names)


def _make_all(rendering: Rendering, names: Sequence[str]) -> None:
    while True:
        encode_sounds(rendering, [name for name in names if name in SOUNDS])
        encode_pictures(rendering, copy_pictures(rendering, [name for name in names if name in PICTURES]))
        if "hls" in names:
            _offer_hls(rendering)
        if "download" in names:
            make_download(rendering)
        try:
            _finish(rendering)
        except MoreOrdered as more:
            names = in_order(more.names)
        else:
            return


def _offer_hls(rendering: Rendering) -> None:
    with rendering.run.transaction() as session:
        require_current(session, rendering.order)
        rendering.outcome["hls"] = store_hls(session, rendering.order.recording_id)


def _finish(rendering: Rendering) -> None:
    rendering.run.check()
    with rendering.run.finish({"renditions": rendering.outcome}) as session:
        require_current(session, rendering.order)
        require_none_pending(session, rendering.order.recording_id, is_rendition)
