"""What tus 1.0 requires of every request and response below `/v1/uploads`."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.api.uploads.tus_headers import VERSION, UnsupportedVersion, protocol_headers

PATH = "/v1/uploads"
_OVERRIDDEN = frozenset({"PATCH", "DELETE", "HEAD"})

# Headers of requests that a page of another origin may send, and of responses that it may read.
REQUEST_HEADERS = (
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "Upload-Checksum",
    "Upload-Marks",
    "X-HTTP-Method-Override",
    "X-Requested-With",
)
RESPONSE_HEADERS = (
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Tus-Checksum-Algorithm",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Expires",
)


class TusProtocol:
    """ASGI middleware: `Tus-Resumable` on every response, the response to OPTIONS, and `X-HTTP-Method-Override`.

    `most` is the largest upload in bytes.
    """

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._protocol = protocol_headers(most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; other paths are left alone."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{PATH}/"):
            await self._app(scope, receive, send)
            return
        override = Headers(scope=scope).get("x-http-method-override", "").upper()
        if scope["method"] == "POST" and override in _OVERRIDDEN:
            scope = {**scope, "method": override}

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Tus-Resumable"] = VERSION
                if scope["method"] == "OPTIONS":
                    headers.update(self._protocol)
                elif message["status"] == UnsupportedVersion.status:
                    headers["Tus-Version"] = VERSION
            await send(message)

        await self._app(scope, receive, marked)
