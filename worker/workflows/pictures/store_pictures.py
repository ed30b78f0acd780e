"""Store pictures on B2 as they are made: the failure of one does not affect the others."""

from collections.abc import Callable, Iterator, Sequence

from worker.errors import AstegniError
from worker.recordings.objects.names import picture_name
from worker.recordings.outputs.pictures import PictureRow
from worker.recordings.outputs.renditions import ready
from worker.storage.file_digest import sha1_of
from worker.workflows.pictures.picture_attempt import PICTURE_FAULTS, PictureAttempt
from worker.workflows.pictures.picture_files import PictureFile

_MIMES = {"jpg": "image/jpeg", "webp": "image/webp", "json": "application/json"}


def make_and_store_pictures(
    attempt: PictureAttempt, names: Sequence[str], make: Callable[[], Sequence[PictureFile]]
) -> Iterator[PictureRow]:
    """The rows of pictures that are on B2; if they cannot be made, the rows of these names say why."""
    attempt.run.check()
    try:
        pictures = make()
    except PICTURE_FAULTS as error:
        yield from (PictureRow(name, "failed", {"reason": _reason(error)}) for name in names)
        return
    for picture in pictures:
        yield PictureRow(picture.name, "ready", _store(attempt, picture))


def _reason(error: AstegniError) -> str:
    return str(error.members.get("program_error", error.detail))


def _store(attempt: PictureAttempt, picture: PictureFile) -> dict[str, object]:
    """Store the file on B2, where it is verified; returns the columns of its row."""
    recording, mime, stop = attempt.recording, _MIMES[picture.form], attempt.run.should_stop
    sha1 = sha1_of(picture.path)
    name = picture_name(recording.prefix, recording.sha1, picture.name, sha1, picture.form)
    stored = attempt.context.store.upload(picture.path, name, content_type=mime, sha1=sha1, should_stop=stop)
    return {**ready(stored), "mime": mime, **picture.columns}
