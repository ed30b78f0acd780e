"""What can go wrong with a media file, and with the programs that read it."""

from worker.errors import AstegniError
from worker.media.limits import Limits


class MediaRejected(AstegniError):
    """The file itself is the cause: no retry can help.

    The problem document carries `reason`, a stable word: `empty`, `not-a-recording`, `missing-init`,
    `no-playable-stream`, `zero-length`, `too-long`, `too-many-frames`, `too-many-tracks`, `too-large-picture`,
    `damaged`, `unsupported-codec`, `unsupported-format`, `mixed-codecs`, `too-complex`. The detail tells a tutor what
    is wrong and what to do.
    """

    code, title, status = "media-rejected", "The recording cannot be used", 422

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail, reason=reason)
        self.reason = reason


def too_complex() -> MediaRejected:
    """The rejection of a file that costs far more to read than a recording of its size."""
    return MediaRejected(
        "too-complex",
        "The file is made of far more pieces than any recorder writes and would take too long to read. "
        "Open it in a video editor, save it as MP4, and upload that.",
    )


class FfmpegFailed(AstegniError):
    """ffmpeg or ffprobe ended with an error.

    `returncode` is negative for a signal; `stderr` holds the last 4 KB. The problem document carries `program_error`
    for operators; its detail is for the person who uploaded.
    """

    code, title, status, retryable = "ffmpeg-failed", "Media processing failed", 500, True
    # The same bytes give the same error; any other cause has passed by the second attempt.
    equal_failures = 2

    def __init__(self, program_error: str, *, returncode: int, stderr: str) -> None:
        super().__init__(
            "The recording could not be processed: a program that reads media stopped with an error. Its bytes are "
            "kept; open the recording in a video editor, save it as MP4, and upload that.",
            program_error=program_error,
        )
        self.returncode = returncode
        # Kept out of the problem document: it names paths of this machine.
        self.stderr = stderr


class FfmpegKilled(FfmpegFailed):
    """A signal ended ffmpeg or ffprobe: a crash, the kernel out of memory, or an operator."""

    equal_failures = 3


class FfmpegTimeout(AstegniError):
    """ffmpeg or ffprobe exceeded its time limit or stopped making progress, and was killed."""

    code, title, status, retryable = "ffmpeg-timeout", "Media processing took too long", 504, True
    equal_failures = 2


class Stopped(AstegniError):
    """The caller's `should_stop` returned true; the program was ended and no output was left."""

    code, title, status, retryable = "media-stopped", "Media processing was stopped", 409, True


class OutputDamaged(AstegniError):
    """A file that we wrote is not as it must be; it was deleted before anybody saw it."""

    code, title, status = "output-damaged", "The processed file failed its check", 500


def too_long(limits: Limits) -> MediaRejected:
    """The rejection of a recording that lasts longer than these limits allow."""
    longest = (
        f"{limits.max_seconds / 3600:g} hours" if limits.max_seconds >= 3600 else f"{limits.max_seconds:g} seconds"
    )
    return MediaRejected("too-long", f"The recording is longer than {longest}. Cut it and upload the parts one by one.")


def zero_length() -> MediaRejected:
    """The rejection of a recording without a single packet."""
    return MediaRejected(
        "zero-length",
        "The recording holds no picture and no sound: it was stopped before anything was recorded. "
        "Check that the camera or the screen is shared, and record the lesson again.",
    )
