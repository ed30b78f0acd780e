"""How much one board may ask for: whatever is stored, drawing it stays within bounds.

Lengths are CSS pixels of the board.
"""

# The page as the platform's editor opens it. No size is stored with a board.
PAGE_WIDTH = 1200
PAGE_HEIGHT = 800
# Room between the outermost ink and the edge of a page that grew.
MARGIN = 20
# Boards that scroll reach far down or to the right. Both sides together are bounded by what a picture may hold.
LONGEST_SIDE = 8000
MOST_PIXELS_OF_PAGE = 4096 * 4096

# Farther away nothing can be seen, and an engine of 32-bit floats stays exact.
FARTHEST = 100_000.0
WIDEST_PEN = 400.0
LARGEST_FONT = 1000.0

MOST_POINTS_OF_STROKE = 100_000
MOST_POINTS_OF_PAGE = 2_000_000
MOST_STROKES_OF_PAGE = 100_000
MOST_PAGES = 500
LONGEST_TEXT = 10_000
MOST_LINES_OF_TEXT = 500
