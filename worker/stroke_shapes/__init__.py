"""Convert strokes of other drawing libraries to the format of the board's client. Pure.

A board's stroke has `points` as `[[x, y], …]` or the keys of its geometry, `width` and `color`; lengths are in CSS
pixels. Known formats are converted; strokes that would certainly be drawn other than intended raise NotUnderstood;
anything else is returned unchanged, and callers decide whether it can be stored or drawn.
"""

from worker.stroke_shapes.board_shape import board_shape
from worker.stroke_shapes.values import NotUnderstood, Shape

__all__ = ["NotUnderstood", "Shape", "board_shape"]
