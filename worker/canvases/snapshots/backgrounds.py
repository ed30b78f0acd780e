"""Background images of pages: from public folders of our own bucket, or from the page's own whiteboard session."""

import re
from pathlib import Path
from urllib.parse import unquote

from worker.canvases.drawing.images import MAX_BYTES, BadImage, open_image
from worker.canvases.snapshots.names import session_prefix
from worker.errors import InvalidInput
from worker.storage.errors import ChecksumMismatch, ObjectMissing, StorageRefused
from worker.storage.object_names import InvalidObjectName, check_name
from worker.storage.store import ObjectStore

# The bucket is the platform's, and anyone who may edit a page chooses the object name. Only public objects may be
# drawn: recordings, documents, profile data and private messages are in the same bucket.
_PUBLIC = ("images/blog/", "images/boards/", "images/news/", "images/posts/", "images/thumbnails/")
# RFC 3986 §3.1.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class NoBackground(InvalidInput):
    """The background image cannot be used; the page is drawn without it."""

    code, title = "no-background", "No background"


class UnreadBackground(NoBackground):
    """The background image is missing or cannot be read now: a later attempt may show it."""

    code, title = "unread-background", "Background not read"


def object_behind(value: str, *, session_id: int, base_url: str) -> str:
    """The name of the object that `background_image` refers to, given as an object name or as a URL below `base_url`.

    Raises NoBackground when it is outside the bucket or not accessible to this whiteboard session.
    """
    try:
        name = check_name(_name_in(value.strip(), base_url))
    except InvalidObjectName as error:
        raise NoBackground("its name is not one of an object") from error
    if not name.startswith((*_PUBLIC, session_prefix(session_id))):
        raise NoBackground("it is not a picture for boards")
    return name


def _name_in(value: str, base_url: str) -> str:
    if value.startswith(base_url):
        # Only the name in a signed URL is used: we read the object with our own key.
        return unquote(value.removeprefix(base_url).partition("?")[0])
    if value.startswith("//") or _SCHEME.match(value):
        raise NoBackground("it is not in our own bucket")
    return value


def fetch_background(store: ObjectStore, value: str, *, session_id: int, folder: Path) -> Path:
    """Download the background image into `folder` and return its path.

    Raises NoBackground when it cannot be drawn, UnreadBackground when there are no bytes to draw yet, and
    StorageUnavailable when a retry may succeed.
    """
    name = object_behind(value, session_id=session_id, base_url=store.url("-").removesuffix("-"))
    path = folder / "background"
    try:
        stored = store.stat(name)
        if stored is None:
            raise UnreadBackground("there is no such object")
        if stored.size > MAX_BYTES:
            raise NoBackground(f"it has {stored.size} bytes, of which at most {MAX_BYTES} are drawn")
        store.download(name, path)
        open_image(path)
    except ObjectMissing as error:
        raise UnreadBackground("there is no such object any more") from error
    except ChecksumMismatch as error:
        raise UnreadBackground("its bytes are not the ones that were stored") from error
    except StorageRefused as error:
        raise UnreadBackground("the storage refuses to give it out") from error
    except BadImage as error:
        raise NoBackground(error.detail) from error
    return path
