"""Cheap tus clients that record: pieces after random pauses, HEAD after every failure, notes of acknowledged bytes."""

import asyncio
import base64
import hashlib
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import httpx2 as httpx

from tests.chaos.harness.uploads.content import clip_bytes, make_content
from tests.chaos.harness.uploads.recording_thread import RecordingThread

_TUS = {"Tus-Resumable": "1.0.0"}
_PIECE = _TUS | {"Content-Type": "application/offset+octet-stream"}
_TIMEOUT = 15.0
_AGAIN = 0.4
# How an upload goes on: to its end, never after some byte, or after a pause that the server takes for the end.
_MANNERS = ("whole", "abandoned", "late")
_WEIGHTS = (8, 1, 1)
_LARGEST_PIECE = 120_000


class _Gone(Exception):
    """The server no longer knows an upload that nobody deleted. One without a byte counts as given up."""


@dataclass
class SentUpload:
    """One upload as its client knows it."""

    content: bytes
    session_id: int
    manner: str
    upload_id: str = ""
    acknowledged: int = 0
    # Offsets that went back, and refusals that no fault explains.
    violations: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Below the API's address."""
        return f"/v1/uploads/{self.upload_id}"

    def acknowledge(self, offset: int) -> None:
        """The server says that it has so many bytes."""
        if offset < self.acknowledged:
            self.violations.append(f"{self.upload_id}: {self.acknowledged} acknowledged, then {offset}")
        if offset > len(self.content):
            self.violations.append(f"{self.upload_id}: {offset} of {len(self.content)} acknowledged")
        self.acknowledged = max(self.acknowledged, offset)


class TusClients(RecordingThread):
    """So many clients that record one upload after another, in a thread of their own.

    `links` are addresses of API processes; `sessions` a session for each upload. `abandoned_after`: the server's.
    """

    def __init__(
        self,
        links: Sequence[str],
        token: str,
        sessions: Sequence[int],
        *,
        seed: int,
        clients: int,
        abandoned_after: float,
    ) -> None:
        super().__init__()
        self.uploads: list[SentUpload] = []
        # When bytes were acknowledged.
        self.acknowledgements: list[float] = []
        self._links = links
        self._token = token
        self._sessions = list(sessions)
        self._seed = seed
        self._number = clients
        self._abandoned_after = abandoned_after

    def _record_all(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._client(number) for number in range(self._number)))

    async def _client(self, number: int) -> None:
        dice = random.Random(f"{self._seed}-{number}")
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._token}"}, timeout=_TIMEOUT, trust_env=False
        ) as http:
            while self._sessions and not self._is_over:
                manner = dice.choices(_MANNERS, _WEIGHTS)[0]
                upload = SentUpload(make_content(dice), self._sessions.pop(), manner)
                self.uploads.append(upload)
                with suppress(_Gone):
                    await _Recording(self, http, dice, upload).record()

    def acknowledged(self) -> None:
        """Note an acknowledgement now."""
        self.acknowledgements.append(time.monotonic())

    @property
    def links(self) -> Sequence[str]:
        """Addresses of API processes."""
        return self._links

    @property
    def late(self) -> float:
        """Seconds after which an upload counts as abandoned for certain."""
        return 1.5 * self._abandoned_after


class _Recording:
    """One upload on its way."""

    def __init__(self, clients: TusClients, http: httpx.AsyncClient, dice: random.Random, upload: SentUpload) -> None:
        self._clients = clients
        self._http = http
        self._dice = dice
        self._upload = upload
        self._link = dice.randrange(len(clients.links))
        self._length_is_known = dice.random() < 0.3

    async def record(self) -> None:
        """From the creation to the last byte, or as far as its manner says."""
        upload = self._upload
        await self._create()
        stop = self._dice.randint(clip_bytes(), len(upload.content) - 1)
        while upload.acknowledged < len(upload.content):
            if upload.manner != "whole" and upload.acknowledged >= stop:
                if upload.manner == "abandoned":
                    return
                upload.manner = "whole"
                await asyncio.sleep(self._clients.late)
            await self._send_piece()
            await asyncio.sleep(self._dice.uniform(0.1, 1.2))
        while not await self._is_finished():  # noqa: ASYNC110 - the other side is another process
            await asyncio.sleep(_AGAIN)

    async def _create(self) -> None:
        """Create it, or find the one whose response was lost."""
        length = {"Upload-Length": str(len(self._upload.content))}
        size = length if self._length_is_known else {"Upload-Defer-Length": "1"}
        encoded = base64.b64encode(str(self._upload.session_id).encode()).decode()
        while True:
            answer = await self._ask("POST", "/v1/uploads", size | {"Upload-Metadata": f"session_id {encoded}"})
            if answer is not None and answer.status_code == 201:
                self._upload.upload_id = answer.headers["Location"].rpartition("/")[2]
                return
            await asyncio.sleep(_AGAIN)
            query = f"/v1/uploads?session_id={self._upload.session_id}"
            listed = await self._ask("GET", query, {})
            while listed is None or listed.status_code != 200:
                await asyncio.sleep(_AGAIN)
                listed = await self._ask("GET", query, {})
            if items := listed.json()["items"]:
                self._upload.upload_id = items[0]["id"]
                return

    async def _send_piece(self) -> None:
        upload, dice = self._upload, self._dice
        offset = upload.acknowledged
        piece = upload.content[offset : offset + dice.randint(1_000, _LARGEST_PIECE)]
        headers = {"Upload-Offset": str(offset)}
        if dice.random() < 0.4:
            digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
            headers["Upload-Checksum"] = f"sha256 {digest}"
        if dice.random() < 0.1:
            # The client's own link breaks in the middle.
            with suppress(TimeoutError):
                async with asyncio.timeout(dice.uniform(0.0, 0.05)):
                    await self._patch(piece, headers)
                    return
            await self._find_offset()
        else:
            await self._patch(piece, headers)

    async def _patch(self, piece: bytes, headers: dict[str, str]) -> None:
        answer = await self._ask("PATCH", self._upload.path, _PIECE | headers, piece)
        if answer is not None and answer.status_code == 204:
            self._acknowledge(int(answer.headers["Upload-Offset"]))
        else:
            await self._find_offset()

    async def _find_offset(self) -> None:
        while True:
            answer = await self._ask("HEAD", self._upload.path, {})
            if answer is not None and answer.status_code == 200:
                return self._acknowledge(int(answer.headers["Upload-Offset"]))
            await asyncio.sleep(_AGAIN)

    async def _is_finished(self) -> bool:
        """Set the length, unless it is known, and read whether the server has made a recording of it."""
        size = str(len(self._upload.content))
        if not self._length_is_known:
            headers = _PIECE | {"Upload-Offset": size, "Upload-Length": size}
            await self._ask("PATCH", self._upload.path, headers)
        else:
            await self._ask("HEAD", self._upload.path, {})
        answer = await self._ask("GET", self._upload.path, {})
        return answer is not None and answer.status_code == 200 and answer.json()["state"] == "finished"

    def _acknowledge(self, offset: int) -> None:
        self._upload.acknowledge(offset)
        self._clients.acknowledged()

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> httpx.Response | None:
        """The response; None without one. After a failure another API process is asked."""
        address = self._clients.links[self._link] + path
        try:
            answer = await self._http.request(method, address, headers=_TUS | headers, content=body)
        except httpx.TransportError:
            answer = None
        # 409: another request of ours is still being stored. 503: whatever that request needs is away.
        if answer is not None and answer.status_code not in {200, 201, 204, 409, 503}:
            is_gone = answer.status_code in {404, 410}
            if not is_gone or self._upload.acknowledged:
                self._upload.violations.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            if is_gone:
                raise _Gone
        if answer is None or answer.status_code >= 500:
            self._link = self._dice.randrange(len(self._clients.links))
        return answer
