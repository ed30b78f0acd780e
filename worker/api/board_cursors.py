"""Where a part of a board ends, as a word that its client sends back."""

import base64
import binascii

from worker.errors import InvalidInput
from worker.whiteboards.board_stream import BoardPlace


def board_cursor(place: BoardPlace | None) -> str | None:
    """The cursor of the part that begins behind `place`."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(f"{place.page_number} {place.stroke_order} {place.id}".encode()).decode()


def read_board_cursor(cursor: str | None) -> BoardPlace | None:
    """The place of a cursor that `board_cursor` made. Raises InvalidInput."""
    if cursor is None:
        return None
    try:
        place = BoardPlace(*map(int, base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split(" ")))
        if board_cursor(place) != cursor or not all(-(2**31) <= number < 2**31 for number in vars(place).values()):
            raise ValueError
    except (ValueError, TypeError, binascii.Error) as error:
        raise InvalidInput("The cursor is not one that this board has given; start without it.") from error
    return place
