"""The size limit of a board, in bytes: it bounds the cost of sending, drawing and filming it."""

from dataclasses import dataclass

from worker.errors import TooLarge


@dataclass(frozen=True)
class BoardBounds:
    """Bytes of strokes as JSON that a page and a whole whiteboard session may hold, including deleted strokes.

    A pen that is constantly down writes about 2 kB a second: 8 MB are more than an hour of that on one page.
    """

    page: int = 8_000_000
    session: int = 32_000_000

    def check(self, page_id: int, *, page: int, others: int) -> None:
        """Raise TooLarge if the page would hold `page` bytes, in addition to `others` on other pages. 0: no limit."""
        if 0 < self.page < page:
            raise TooLarge(
                f"Page {page_id} would hold {page} bytes of strokes; a page takes {self.page}. "
                "Add a page and go on there."
            )
        if 0 < self.session < page + others:
            raise TooLarge(
                f"The board would hold {page + others} bytes of strokes; a whiteboard session takes {self.session}. "
                "Open another session and go on there."
            )
