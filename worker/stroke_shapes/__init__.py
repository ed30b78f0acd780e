"""Strokes as other drawing libraries write them become strokes as the board's client writes them. Pure.

A board's stroke has `points` as `[[x, y], …]` or the keys of its geometry, `width` and `color`; lengths are numbers of
CSS pixels. What is understood is converted; what is certain to be drawn differently than it was meant is refused
(NotUnderstood); anything else comes back as it was, and whether that can be stored or drawn is for others to say.
"""

from worker.stroke_shapes.board_shape import board_shape
from worker.stroke_shapes.values import NotUnderstood, Shape

__all__ = ["NotUnderstood", "Shape", "board_shape"]
