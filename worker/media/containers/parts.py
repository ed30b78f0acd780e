"""The recordings in a file, one after another, each in any container."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from worker.media.containers import byte_search, mp4_boxes, mp4_recordings, ogg, webm_recordings
from worker.media.containers.container import EBML_MAGIC, MAX_PARTS, Part, StepBudget, too_many_parts
from worker.media.containers.kinds import SNIFFED, detect_demuxer
from worker.media.containers.order import Piece, in_order, joined
from worker.media.containers.unknown_kinds import UnknownFormat, lacks_beginning
from worker.media.errors import MediaRejected
from worker.media.limits import Demuxer
from worker.media.processes.budget import never

# Steps that any file may take, and the bytes that earn another one: a fragment of an MP4 has two boxes and rarely less
# than 256 bytes.
_STEPS = 50_000
_BYTES_PER_STEP = 128


def find_parts(path: Path, *, should_stop: Callable[[], bool] = never) -> list[Part]:
    """The recordings in this file, in order; nearly always one, the whole file.

    A part that cannot be played is `lost`; at least one is not. Raises Stopped, and MediaRejected when none can be
    played or the file is not worth reading.
    """
    size = path.stat().st_size
    budget = StepBudget(_STEPS + size // _BYTES_PER_STEP, should_stop)
    with path.open("rb") as file:
        demuxer, at, parts = _first(path, file, size, budget)
        if demuxer not in ("matroska", "mov", "ogg"):
            return [Part(0, size, demuxer)]
        while at < size:
            head = byte_search.read_at(file, at, len(EBML_MAGIC))
            reader = (
                _ebml_parts if head == EBML_MAGIC else ogg.recordings if head == b"OggS" else mp4_recordings.recordings
            )
            further, at = reader(file, at, size, budget)
            parts += further
            if len(parts) > MAX_PARTS:
                raise too_many_parts()
    if all(part.lost for part in parts):
        raise MediaRejected(
            "missing-init",
            "The recording was not finished: its index (moov) is missing, and without it an MP4 cannot be played. "
            "Record as WebM, or as fragmented MP4.",
        )
    return parts


def with_clusters_in_order(path: Path, part: Part, *, should_stop: Callable[[], bool] = never) -> Part | None:
    """A part of a WebM or Matroska file with its Clusters in the order of their times; None when they already are.

    Raises the errors of `find_parts`.
    """
    budget = StepBudget(_STEPS + part.length // _BYTES_PER_STEP, should_stop)
    with path.open("rb") as file:
        clusters = list(webm_recordings.clusters(file, part.offset, part.end, budget))
    if len({time for _at, time in clusters}) < len(clusters):
        return None  # a cluster is repeated, or the clock restarted
    ends = [*(at for at, _time in clusters[1:]), part.end]
    pieces = [Piece(at, end, time, {}) for (at, time), end in zip(clusters, ends, strict=True)]
    ordered = in_order(pieces) if pieces else None
    return None if ordered is None else replace(part, pieces=tuple(joined([(part.offset, clusters[0][0]), *ordered])))


def _first(path: Path, file: BinaryIO, size: int, budget: StepBudget) -> tuple[Demuxer, int, list[Part]]:
    """The demuxer of the file and where its first recording begins; other bytes may precede it."""
    try:
        return detect_demuxer(path), 0, []
    except UnknownFormat:
        webm = next(webm_recordings.recordings_at(file, 0, size, size, budget), size)
        mp4 = mp4_boxes.next_recording(file, 0, webm, size, budget)
        if min(webm, mp4) == size:
            raise
        at = min(webm, mp4)
        before = [Part(0, at, lost=True)] if lacks_beginning(byte_search.read_at(file, 0, min(at, SNIFFED))) else []
        return "matroska" if webm <= mp4 else "mov", at, before


def _ebml_parts(file: BinaryIO, start: int, size: int, budget: StepBudget) -> tuple[list[Part], int]:
    """The WebM and Matroska recordings from `start`, and where an MP4 begins after them (the end when none does)."""
    end = mp4_boxes.next_recording(file, start, size, size, budget)
    begins = webm_recordings.starts(file, start, end, budget)
    return [
        Part(at, behind - at, "matroska", webm_recordings.is_cut_off(file, at, behind, budget))
        for at, behind in zip(begins, [*begins[1:], end], strict=True)
    ], end
