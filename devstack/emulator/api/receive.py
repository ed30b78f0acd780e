"""Stream the body of an upload into a blob, in constant memory."""

import re
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from devstack.emulator.errors import bad_request
from devstack.emulator.store.blobs import BATCH, Blobs, NewBlob

TRAILER = "hex_digits_at_end"
UNVERIFIED = "do_not_verify"
_TRAILER_LENGTH = 40
_SHA1 = re.compile(r"(?:unverified:)?([0-9a-f]{40})")


async def receive_blob(body: AsyncIterator[bytes], blobs: Blobs, expected_sha1: str) -> NewBlob:
    """A finished blob with the bytes of `body`, checked against `expected_sha1`.

    That is 40 hex digits, `hex_digits_at_end` (they follow the content) or `do_not_verify`. When this raises, the
    blob is removed.
    """
    if expected_sha1 not in (TRAILER, UNVERIFIED) and not _SHA1.fullmatch(expected_sha1):
        raise bad_request("X-Bz-Content-Sha1 must be 40 hex digits, hex_digits_at_end or do_not_verify")
    with await run_in_threadpool(blobs.create) as blob:
        trailer = await _fill(blob, body, _TRAILER_LENGTH if expected_sha1 == TRAILER else 0)
        sha1 = trailer if expected_sha1 == TRAILER else expected_sha1.removeprefix("unverified:")
        if sha1 not in (UNVERIFIED, blob.sha1):
            raise bad_request("Sha1 did not match data received")
        await run_in_threadpool(blob.finish)
        return blob


async def _fill(blob: NewBlob, body: AsyncIterator[bytes], tail: int) -> str:
    """Write all of `body` except its last `tail` bytes, and return those."""
    pending = bytearray()
    async for chunk in body:
        pending += chunk
        if len(pending) >= BATCH + tail:
            rest = pending[len(pending) - tail :]
            del pending[len(pending) - tail :]
            await run_in_threadpool(blob.write, pending)
            pending = rest
    if len(pending) < tail:
        raise bad_request("The body is shorter than the SHA-1 that ends it")
    ready = len(pending) - tail
    await run_in_threadpool(blob.write, bytes(pending[:ready]))
    return pending[ready:].decode("ascii", "replace").lower()
