"""The header `Upload-Checksum` of tus 1.0: the digest of a piece, and whether its bytes have it."""

import base64
import hashlib
from dataclasses import dataclass

from starlette.datastructures import Headers

from worker.errors import AstegniError, InvalidInput

CHECKSUM_ALGORITHMS = "sha1,sha256"
_DIGESTS = {"sha1": 20, "sha256": 32}


class PieceMismatch(AstegniError):
    """The bytes that arrived are not those that were sent; none of them was stored."""

    code, title, status, retryable = "checksum-mismatch", "Checksum mismatch", 460, True


@dataclass(frozen=True)
class Checksum:
    """The digest that a client states of the body of a request."""

    algorithm: str
    digest: bytes

    def require(self, computed: "hashlib._Hash") -> None:
        """Raise PieceMismatch unless the body has this digest."""
        if computed.digest() != self.digest:
            raise PieceMismatch(f"The body has another {self.algorithm} than Upload-Checksum. Send it again.")

    def new(self) -> "hashlib._Hash":
        """A new hash object of its algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def read_checksum(headers: Headers) -> Checksum | None:
    """`Upload-Checksum`: the algorithm and the digest in Base64. Raises InvalidInput."""
    value = headers.get("upload-checksum")
    if value is None:
        return None
    algorithm, _, encoded = value.strip().partition(" ")
    if algorithm not in _DIGESTS:
        raise InvalidInput(f"Upload-Checksum must use one of {CHECKSUM_ALGORITHMS}.")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise InvalidInput("The digest in Upload-Checksum is not Base64.") from error
    if len(digest) != _DIGESTS[algorithm]:
        raise InvalidInput(f"The digest in Upload-Checksum is not one of {algorithm}.")
    return Checksum(algorithm, digest)
