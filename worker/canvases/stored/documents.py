"""A board in a file, as the API and the platform's own download write it."""

from pathlib import Path
from typing import Any

from worker.canvases.stored.json_text import parse_json
from worker.errors import InvalidInput

# A day of drawing; as values it takes ten times as much memory.
LARGEST_FILE = 200_000_000


def read_document(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises InvalidInput for what is missing, too large or no board."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise InvalidInput(f"{path} has {size} bytes; at most {LARGEST_FILE} are read.")
        document = parse_json(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}.") from error
    except RecursionError as error:
        raise InvalidInput(f"{path} is nested too deep to be a board.") from error
    except ValueError as error:  # no JSON, no UTF-8, or a number of thousands of digits
        raise InvalidInput(f"{path} is not JSON: {error}.") from error
    if not isinstance(document, dict) or not isinstance(document.get("pages", document.get("strokes")), list):
        raise InvalidInput(f"{path} is no board: it needs an object with `strokes` or `pages`.")
    return document
