"""The picture behind a page: only from our own bucket, and nothing there that is somebody else's."""

import re
from pathlib import Path
from urllib.parse import unquote

from worker.canvases.drawing.images import MOST_BYTES, BadImage, open_image
from worker.canvases.snapshots.names import FOLDER, session_prefix
from worker.errors import InvalidInput
from worker.storage.errors import ObjectMissing
from worker.storage.store import ObjectStore

# The bucket is the platform's. Whoever may write the name of an object behind a page would see what is in it, so what
# belongs to single people stays out: recordings, papers, private messages.
_PRIVATE = ("videos/", "audio/", "documents/", "images/kyc/", "images/chat/", FOLDER)
_LONGEST_NAME = 1024
# RFC 3986 §3.1.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class NoBackground(InvalidInput):
    """The page is drawn without its picture."""

    code, title = "no-background", "No background"


def object_behind(value: str, *, session_id: int, base_url: str) -> str:
    """The object that a page's `background_image` names: by its name, or by its address below `base_url`.

    Raises NoBackground when it is somewhere else, or not for this session to see.
    """
    name = _name_in(value.strip(), base_url)
    if not 0 < len(name.encode(errors="replace")) <= _LONGEST_NAME or name.startswith("/") or not name.isprintable():
        raise NoBackground("its name is not one of an object")
    if name.startswith(_PRIVATE) and not name.startswith(session_prefix(session_id)):
        raise NoBackground("it is not a picture for boards")
    return name


def _name_in(value: str, base_url: str) -> str:
    if value.startswith(base_url):
        # A signed address is as good as a plain one; the signature is not looked at.
        return unquote(value.removeprefix(base_url).partition("?")[0])
    if value.startswith("//") or _SCHEME.match(value):
        raise NoBackground("it is not in our own bucket")
    return value


def fetch_background(store: ObjectStore, value: str, *, session_id: int, folder: Path) -> Path:
    """Bring the picture into `folder`. Raises NoBackground when it cannot be shown, and what the store raises."""
    name = object_behind(value, session_id=session_id, base_url=store.url("-").removesuffix("-"))
    found = store.stat(name)
    if found is None:
        raise NoBackground("there is no such object")
    if found.size > MOST_BYTES:
        raise NoBackground(f"it has {found.size} bytes, of which at most {MOST_BYTES} are drawn")
    path = folder / "background"
    try:
        store.download(name, path)
        open_image(path)
    except ObjectMissing as error:
        raise NoBackground("there is no such object any more") from error
    except BadImage as error:
        raise NoBackground(error.detail) from error
    return path
