"""The text that was typed on a board, and when it appeared. Pure."""

from dataclasses import dataclass

from worker.canvases.replay.timeline import ReplayTimeline, TimedStroke
from worker.canvases.shapes import Text
from worker.foreign_text import shown

# A text that is removed sooner was a slip, or the beginning of one that was then retyped.
_MIN_SHOWN_MS = 5000


@dataclass(frozen=True, slots=True)
class TypedText:
    """A text, its time in milliseconds of the replay, the index of its page, and its form."""

    at: int
    page: int
    text: str
    size: float
    is_marked: bool


def typed_texts(timeline: ReplayTimeline, duration_ms: int) -> list[TypedText]:
    """The texts that appear within the first `duration_ms`, in order. `is_marked`: bold or underlined."""
    texts = [
        _typed(stroke, stroke.shape)
        for stroke in timeline.strokes
        if isinstance(stroke.shape, Text) and stroke.start < duration_ms and _stays(stroke)
    ]
    return [text for text in texts if text.text]


def _stays(stroke: TimedStroke) -> bool:
    return stroke.removed_at is None or stroke.removed_at - stroke.end >= _MIN_SHOWN_MS


def _typed(stroke: TimedStroke, shape: Text) -> TypedText:
    lines = (" ".join(shown(line).split()) for line in shape.lines)
    text = "\n".join(line for line in lines if line)
    return TypedText(max(0, stroke.start), stroke.page, text, shape.size, shape.bold or shape.underline)
