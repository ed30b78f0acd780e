"""Text rendering: font selection, shaping, contrast and bounds. Knows no pages or strokes."""
