"""Errors of an upload whose bytes are gone, or that its client continues in the wrong place."""

from worker.errors import AstegniError, Conflict


class UploadGone(AstegniError):
    """The upload was terminated or has expired: its bytes are no longer kept."""

    code, title, status = "upload-gone", "The upload is gone", 410


class MisdirectedRequest(AstegniError):
    """The bytes are in a spool of other API processes, whose address is the member `location`."""

    code, title, status = "misdirected-request", "Misdirected Request", 421


class WrongOffset(Conflict):
    """The client's offset is not the number of bytes that have arrived, which is the member `offset`."""

    code, title = "wrong-offset", "Wrong offset"


class UploadTakenOver(Conflict):
    """Another request of the same upload has taken over."""

    code, title = "upload-taken-over", "Another request continues this upload"


def gone() -> UploadGone:
    """The error for an upload without bytes."""
    return UploadGone("The bytes of this upload are no longer kept. Create another one.")


def misdirected(address: str) -> MisdirectedRequest:
    """The error for a client that asks an API process without the spool; `address` is the upload's."""
    return MisdirectedRequest(
        f"Another API has the bytes of this upload: send the request to {address}.", location=address
    )


def wrong_offset(offset: int) -> WrongOffset:
    """The error for a client that does not continue at `offset`."""
    return WrongOffset(f"{offset} bytes have arrived; ask with HEAD and continue there.", offset=offset)
