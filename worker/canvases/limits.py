"""Limits that bound the cost of drawing a board, whatever is stored.

Lengths are CSS pixels of the board.
"""

# The size of a new page in the platform's editor; no size is stored with a board.
PAGE_WIDTH = 1200
PAGE_HEIGHT = 800
# Space between the outermost ink and the edge of an enlarged page.
MARGIN = 20
# Scrolling boards extend far down or to the right; the area is limited by the size of an image.
LONGEST_SIDE = 8000
MAX_PIXELS_OF_PAGE = 4096 * 4096

# Nothing beyond this is visible, and within it the engine's 32-bit floats are precise.
FARTHEST = 100_000.0
WIDEST_PEN = 400.0
LARGEST_FONT = 1000.0

MAX_POINTS_OF_STROKE = 100_000
MAX_POINTS_OF_PAGE = 2_000_000
MAX_STROKES_OF_PAGE = 100_000
MAX_PAGES = 500
LONGEST_TEXT = 10_000
MAX_LINES_OF_TEXT = 500
