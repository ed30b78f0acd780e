"""The names of a recording's objects in B2: derived from their content, so the bytes behind a name never change."""

FOLDER = "videos/whiteboard/"
# The maximum of the id columns.
LARGEST_ID = 2**31 - 1
_ID_DIGITS = 10


def recording_prefix(session_id: int, recording_id: int) -> str:
    """The prefix of all objects of a recording; it ends with `/`, so that recording 1 does not include 10."""
    return f"{FOLDER}session_{session_id}/recording_{recording_id}/"


def source_name(prefix: str, digest: str, extension: str) -> str:
    """The name of the uploaded bytes. `digest` is the source's SHA-1 in hex, of which twelve digits name the folder."""
    return f"{prefix}{digest[:12]}/source.{extension}"


# Extension and media type of the uploaded bytes, by the container that the probe found.
SOURCE_FORMS = {
    "webm": ("webm", "video/webm"),
    "matroska": ("mkv", "video/x-matroska"),
    "mp4": ("mp4", "video/mp4"),
    "ogg": ("ogg", "audio/ogg"),
    "mp3": ("mp3", "audio/mpeg"),
    "aac": ("aac", "audio/aac"),
    "flac": ("flac", "audio/flac"),
    "mpegts": ("ts", "video/mp2t"),
    "flv": ("flv", "video/x-flv"),
    "wav": ("wav", "audio/wav"),
    "avi": ("avi", "video/x-msvideo"),
    "amr": ("amr", "audio/amr"),
}


def play_prefix(prefix: str, digest: str) -> str:
    """The prefix of the objects that a viewer may download; a download token covers exactly this prefix."""
    return f"{prefix}{digest[:12]}/play/"


def playback_name(prefix: str, digest: str, extension: str, variant: str = "") -> str:
    """The name of the fast copy; `variant` tells how, if the first did not play (`repaired`, `encoded`, `sound`)."""
    return f"{play_prefix(prefix, digest)}playback{'-' if variant else ''}{variant}.{extension}"


def poster_name(prefix: str, digest: str) -> str:
    """The name of the still that is shown before playback."""
    return f"{play_prefix(prefix, digest)}poster.jpg"


def picture_name(prefix: str, digest: str, name: str, sha1: str, extension: str) -> str:
    """The name of a picture, or of the map of quiet parts. `sha1` is its own, since releases may differ."""
    return f"{play_prefix(prefix, digest)}{name}.{sha1[:12]}.{extension}"


def board_name(prefix: str, digest: str) -> str:
    """The name of all pages of the board of a recording without a file. `digest` is the SHA-1 of its JSON in hex."""
    return f"{play_prefix(prefix, digest)}board.pdf"


def board_picture_name(prefix: str, digest: str) -> str:
    """The name of the poster of a recording without a file: the first page of its board that has strokes."""
    return f"{play_prefix(prefix, digest)}board.png"


def replay_name(prefix: str, digest: str, sha1: str) -> str:
    """The name of the board's timed strokes. `sha1` is the document's: titles may change while the film does not."""
    return f"{play_prefix(prefix, digest)}replay.{sha1[:12]}.json"


def rendition_name(prefix: str, digest: str, name: str, extension: str, sha1: str) -> str:
    """The name of a rendition. `sha1` is the file's: another version of ffmpeg writes other bytes."""
    return f"{play_prefix(prefix, digest)}{name}.{sha1[:12]}.{extension}"


def pack_name(prefix: str, digest: str, language: str, content: str) -> str:
    """The name of the lesson as one .html file; contains twelve digits of `content`, the digest of its contents."""
    return f"{play_prefix(prefix, digest)}lesson-{language}.{content[:12]}.html"


def recording_id_of(name: str) -> int | None:
    """The id of the recording that an object's name belongs to; None for any other name."""
    parts = name.removeprefix(FOLDER).split("/") if name.startswith(FOLDER) else []
    return None if len(parts) < 3 else _number(parts[1], "recording_")


def session_id_of(name: str) -> int | None:
    """The id of the session that an object's name belongs to; None for any other name."""
    return None if recording_id_of(name) is None else _number(name.removeprefix(FOLDER).split("/")[0], "session_")


def _number(part: str, word: str) -> int | None:
    """The id in `word` followed by digits. None if it is too large for the column: others may write to the bucket."""
    digits = part.removeprefix(word)
    if not part.startswith(word) or not digits.isascii() or not digits.isdigit() or len(digits) > _ID_DIGITS:
        return None
    return int(digits) if 0 < int(digits) <= LARGEST_ID else None
