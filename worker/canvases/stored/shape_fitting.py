"""Fits shapes to freehand points: the board stores the pointer's movement, whatever the tool."""

import math

import numpy as np

from worker.canvases.shapes import Points

# The two sides of an arrow's head, for any pen width: length in pixels, and angle to the shaft in radians.
HEAD = 15.0
HEAD_ANGLE = math.pi / 6


def rectangle_of(points: Points) -> Points:
    """The four corners of the bounding box."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def circle_of(points: Points) -> tuple[float, float, float]:
    """x, y and radius of the circle inscribed in the bounding box."""
    low, high = points.min(axis=0), points.max(axis=0)
    x, y = (low + high) / 2
    return float(x), float(y), float(min(high - low)) / 2


def triangle_of(points: Points) -> Points:
    """The three corners: the points themselves when there are three, else those that span the largest triangle.

    Hand-drawn triangles are never quite closed or straight; their corners are the outermost points. The search moves
    the two other corners along the convex hull with the first one: O(n²) in the number of hull points.
    """
    if len(points) <= 3:
        return points
    hull = _hull(points)
    if len(hull) <= 3:
        return hull
    at = hull.tolist()  # single numbers are slow in numpy
    best, corners = -1.0, hull[:3]
    for first in range(len(hull) - 2):
        third = first + 2
        for second in range(first + 1, len(hull) - 1):
            third = max(third, second + 1)
            area = _area(at, first, second, third)
            while third + 1 < len(hull) and (larger := _area(at, first, second, third + 1)) > area:
                third, area = third + 1, larger
            if area > best:
                best, corners = area, hull[[first, second, third]]
    return corners


def arrow_of(points: Points) -> tuple[Points, Points]:
    """The shaft from the first point to the last, and the head: side, tip, side."""
    start, tip = points[0], points[-1]
    angle = math.atan2(tip[1] - start[1], tip[0] - start[0])
    sides = [
        [tip[0] - HEAD * math.cos(angle + turn), tip[1] - HEAD * math.sin(angle + turn)]
        for turn in (-HEAD_ANGLE, HEAD_ANGLE)
    ]
    return np.array([start, tip]), np.array([sides[0], tip, sides[1]])


# A hull with more corners than a hand draws is thinned: the search above is quadratic.
_MAX_CORNERS = 200


def _hull(points: Points) -> Points:
    """The convex hull, counter-clockwise with the y axis pointing up (Andrew's monotone chain)."""
    ordered = np.unique(points, axis=0)
    if len(ordered) <= 3:
        return ordered
    corners = np.array(_chain(ordered)[:-1] + _chain(ordered[::-1])[:-1])
    return corners if len(corners) <= _MAX_CORNERS else corners[:: -(-len(corners) // _MAX_CORNERS)]


def _chain(ordered: Points) -> list[list[float]]:
    chain: list[list[float]] = []
    for x, y in ordered.tolist():
        while len(chain) >= 2 and _turn(chain[-2], chain[-1], x, y) <= 0:
            chain.pop()
        chain.append([x, y])
    return chain


def _turn(before: list[float], last: list[float], x: float, y: float) -> float:
    return (last[0] - before[0]) * (y - before[1]) - (last[1] - before[1]) * (x - before[0])


def _area(at: list[list[float]], first: int, second: int, third: int) -> float:
    a, b, c = at[first], at[second], at[third]
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
