"""Convert strokes of other drawing libraries to the format of the board's client. Pure.

A board's stroke has `points` as `[[x, y], …]` or the keys of its geometry, `width` and `color`; lengths are in CSS
pixels. Known formats are converted; strokes that would certainly be drawn other than intended raise UnsupportedStroke;
anything else is returned unchanged, and callers decide whether it can be stored or drawn.
"""

from worker.stroke_formats.board_format import to_board_format
from worker.stroke_formats.values import StrokeData, UnsupportedStroke

__all__ = ["StrokeData", "UnsupportedStroke", "to_board_format"]
