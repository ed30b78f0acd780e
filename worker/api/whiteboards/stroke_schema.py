"""The keys of `stroke_data`, as the board's client writes and redraws them. Lengths are CSS pixels.

They have no types: other libraries write `"24px"` and other shapes, which are accepted as far as possible.
"""

from typing import Any


def _length(description: str, example: float) -> dict[str, Any]:
    return {"description": description, "examples": [example]}


STROKE_DATA: dict[str, Any] = {
    "type": "object",
    "description": "What to draw. `pen`, `eraser`, `triangle` and `arrow` need `points`; `line`, `rectangle` and "
    "`circle` take `points` or their own keys; `text` needs `text`, `x` and `y`. Other keys are kept and not "
    "drawn: 32 at most, six levels deep, words of 200 characters. The shapes of other drawing libraries are "
    "brought into this one.",
    "additionalProperties": True,
    "properties": {
        "points": {
            "description": "Where the pen went, 20 000 points at most; of a shape where it began and where it ended.",
            "examples": [[[10, 10], [12.5, 11], [15, 14]]],
        },
        "color": {"description": "CSS colour; black when it is left out.", "examples": ["#1a73e8"]},
        "width": {
            "description": "Width of the pen (3 when it is left out); of a rectangle with `x`, `y`: its own width.",
            "examples": [3],
        },
        "startX": _length("Line: where it begins, from the left.", 10),
        "startY": _length("Line: where it begins, from the top.", 10),
        "endX": _length("Line: where it ends, from the left.", 200),
        "endY": _length("Line: where it ends, from the top.", 10),
        "x": _length("Rectangle, text: left edge; circle: centre.", 40),
        "y": _length("Rectangle: upper edge; circle: centre; text: base line of its first line.", 60),
        "height": _length("Rectangle: its height.", 80),
        "radius": _length("Circle: its radius.", 25),
        "text": {
            "description": "Text: what is written, 10 000 characters at most; line ends begin new lines.",
            "examples": ["½ + ¼ = ¾"],
        },
        "fontSize": {"description": "Text: its size; 16 when it is left out.", "examples": [20]},
        "formatting": {
            "description": "Text: `bold`, `italic`, `underline`, `strikethrough`, each true or false.",
            "examples": [{"bold": True}],
        },
    },
    "examples": [{"points": [[10, 10], [12.5, 11], [15, 14]], "color": "#1a73e8", "width": 3}],
}
