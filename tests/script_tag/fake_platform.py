"""The platform's responses that its whiteboard page needs, and its live channel, with the platform's own faults.

Faults that are kept:
  quick-create never finds a session: it creates one for each side of a call
  a profile id of the token is a text and is compared with a number, so adding a page, changing permissions and listing
    a recording are refused (403) to everybody
  permissions know PATCH, the page sends PUT (405)
  strokes are stored one by one, numbered by the highest of the page + 1, and neither undone nor cleared
  an upload needs `call_id` (422)
  the live channel passes on the keys that it knows and no others; a stroke goes whole
"""

import base64
import hashlib
import json
import re
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

_PAGES = Path(__file__).parents[1] / "data" / "platform"
_FILES = {
    "/profile-pages/tutor-profile.html": "whiteboard-stand-in.html",
    "/profile-pages/student-profile.html": "whiteboard-stand-in.html",
    "/whiteboard-stand-in.js": "whiteboard-stand-in.js",
}
_NEEDED = {
    **dict.fromkeys(["pen", "line", "rectangle", "circle", "arrow"], "can_draw"),
    "text": "can_write",
    "eraser": "can_erase",
}
# What the live channel passes on, beside the type of a message. Calls go whole.
_SENDER = ("sender_id", "sender_role", "sender_name")
_RELAYED = {
    "whiteboard_stroke": ("session_id", "page_id", "stroke", *_SENDER),
    "whiteboard_page_change": ("session_id", "action", "page", *_SENDER),
    "whiteboard_clear": ("session_id", "page_id"),
    "whiteboard_undo": ("session_id", "page_id", "stroke_id"),
}
_CALLS = {"video_call_invitation", "video_answer", "video_call_ended", "video_call_participant_left"}
_WEBSOCKET_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Row = dict[str, Any]
Claims = Mapping[str, Any]


class RequestRefused(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass
class FakePlatform:
    """The rows, and what may be done with them. `on_session` sees each session that is created."""

    key: str
    on_session: Callable[[Row, Row], None] = lambda _session, _page: None
    url: str = ""
    sessions: dict[int, Row] = field(default_factory=dict)
    pages: dict[int, Row] = field(default_factory=dict)
    strokes: list[Row] = field(default_factory=list)
    calls: dict[int, Row] = field(default_factory=dict)
    uploads: list[Row] = field(default_factory=list)
    alarms: dict[str, bool] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def token(self, claims: Claims) -> str:
        """A token of somebody who has signed in."""
        return jwt.encode({"exp": 4_000_000_000, **claims}, self.key, algorithm="HS256")

    def page_url(self, role: str, claims: Claims, other: int, tag: str | None, *options: str) -> str:
        """The address of a person's page; `other` is the profile of the other party, `tag` the script under test."""
        query = urlencode({"token": self.token(claims), "other": other, **({"tag": tag} if tag else {})})
        return f"{self.url}/profile-pages/{role}-profile.html?{'&'.join([query, *options])}"

    def create_session(self, me: Claims, body: Row, _: str) -> Row:
        role = body.get("host_profile_type") or me["role"]
        profile = me["role_ids"].get(role)
        if not profile:
            raise RequestRefused(403, f"no {role} profile")
        session_id, page_id = len(self.sessions) + 2001, len(self.pages) + 3001
        self.sessions[session_id] = {
            "id": session_id,
            "session_title": body["session_title"],
            "status": "in-progress",
            "host_profile_id": int(profile),
            "host_profile_type": role,
            "participant_profile_ids": [body["participant_profile_id"]],
            "participant_profile_types": [body["participant_profile_type"]],
            "student_permissions": {"can_draw": False, "can_write": False, "can_erase": False},
        }
        self.pages[page_id] = {
            "id": page_id,
            "session_id": session_id,
            "page_number": 1,
            "page_title": "Page 1",
            "background_color": "#FFFFFF",
        }
        self.on_session(self.sessions[session_id], self.pages[page_id])
        return {"success": True, "session_id": session_id, "page_id": page_id, "existing": False}

    def read_session(self, me: Claims, _: Row, session_id: str) -> Row:
        session = self.sessions.get(int(session_id)) or _missing()
        _role_in(me, session)
        pages = [page for page in self.pages.values() if page["session_id"] == session["id"]]
        strokes = {page["id"]: [row for row in self.strokes if row["page_id"] == page["id"]] for page in pages}
        shown = [{**page, "strokes": strokes[page["id"]]} for page in pages]
        return {"success": True, "session": {**session, "pages": shown}}

    def save_stroke(self, me: Claims, body: Row, _: str) -> Row:
        page = self.pages.get(body["page_id"]) or _missing()
        session = self.sessions[page["session_id"]]
        is_host, needed = _role_in(me, session), _NEEDED.get(body["stroke_type"])
        if not is_host and needed and not session["student_permissions"][needed]:
            raise RequestRefused(403, "no permission")
        order = max((row["stroke_order"] for row in self.strokes if row["page_id"] == page["id"]), default=0) + 1
        # A client_id that came along is not kept.
        fields = {name: body[name] for name in ("page_id", "stroke_type", "stroke_data")}
        self.strokes.append({"id": len(self.strokes) + 1, "stroke_order": order, **fields})
        return {"success": True, "stroke_id": len(self.strokes), "stroke_order": order}

    def refuse(self, _me: Claims, _body: Row, _: str) -> Row:
        raise RequestRefused(403, "only the host may do that")

    def start_call(self, me: Claims, body: Row, _: str) -> Row:
        call_id = len(self.calls) + 4001
        self.calls[call_id] = {"id": call_id, "caller": me["role"], "ended": False, **body}
        return {"success": True, "call_id": call_id}

    def end_call(self, _me: Claims, _body: Row, call_id: str) -> Row:
        (self.calls.get(int(call_id)) or _missing())["ended"] = True
        return {"success": True}

    def upload(self, _me: Claims, body: Row, _: str) -> Row:
        if not str(body.get("call_id", "")).isdigit():
            raise RequestRefused(422, "call_id is missing")
        name, content = body["video"]
        self.uploads.append({"call_id": int(body["call_id"]), "filename": name, "bytes": len(content)})
        return {"success": True, "file_url": f"/uploads/{name}", "storage": "local"}

    def set_alarm(self, _me: Claims, body: Row, session_id: str) -> Row:
        self.alarms[session_id] = bool(body.get("alarm_enabled"))
        return {"message": "changed"}

    def read_profile(self, me: Claims, _: Row, role: str) -> Row:
        profile = me["role_ids"].get(role)
        about = {f"{role}_profile_id": int(profile), "full_name": role.capitalize()} if profile else None
        return {"success": bool(profile), role: about}

    def answer(self, method: str, path: str, authorization: str | None, body: Callable[[], Row]) -> tuple[int, Row]:
        """Status and JSON of a request of the platform's API."""
        matches = [(verb, act, match) for verb, way, act in _ROUTES if (match := re.fullmatch(way, path))]
        with self.lock:
            try:
                for verb, act, match in matches:
                    if verb == method:
                        return 200, act(self, self._claims(authorization), body(), match[1])
                raise RequestRefused(405 if matches else 404, "not here")
            except RequestRefused as error:
                return error.status, {"detail": error.detail}
            except (KeyError, TypeError, ValueError) as error:
                return 422, {"detail": repr(error)}

    def _claims(self, authorization: str | None) -> Claims:
        try:
            claims: Claims = jwt.decode((authorization or "").removeprefix("Bearer "), self.key, algorithms=["HS256"])
        except jwt.InvalidTokenError as error:
            raise RequestRefused(401, "bad token") from error
        return claims


def _missing() -> Row:
    raise RequestRefused(404, "not found")


def _role_in(me: Claims, session: Row) -> bool:
    """Whether the caller hosts the session; by the active role, as the platform does."""
    mine = (me["role"], int(me["role_ids"].get(me["role"]) or 0))
    if mine == (session["host_profile_type"], session["host_profile_id"]):
        return True
    if mine in zip(session["participant_profile_types"], session["participant_profile_ids"], strict=True):
        return False
    raise RequestRefused(403, "not of this session")


_API = "/api/whiteboard"
_ROUTES: tuple[tuple[str, str, Callable[[FakePlatform, Claims, Row, str], Row]], ...] = (
    ("POST", rf"{_API}/sessions/quick-create()", FakePlatform.create_session),
    ("GET", rf"{_API}/sessions/(\d+)", FakePlatform.read_session),
    ("PATCH", rf"{_API}/sessions/(\d+)/permissions", FakePlatform.refuse),
    ("POST", rf"{_API}/pages/create()", FakePlatform.refuse),
    ("POST", rf"{_API}/canvas/stroke()", FakePlatform.save_stroke),
    ("POST", rf"{_API}/call-history()", FakePlatform.start_call),
    ("PUT", rf"{_API}/call-history/(\d+)/end", FakePlatform.end_call),
    ("POST", rf"{_API}/recordings/upload()", FakePlatform.upload),
    ("POST", rf"{_API}/recordings()", FakePlatform.refuse),
    ("GET", rf"{_API}/context/(tutor|student)-info", FakePlatform.read_profile),
    ("PATCH", r"/api/tutor/sessions/(\d+)/toggle-alarm", FakePlatform.set_alarm),
)


class LiveChannel:
    """WebSockets at /ws/{profile id}/{role}, without a login (RFC 6455, text frames only)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], BufferedIOBase] = {}

    def serve(self, handler: BaseHTTPRequestHandler, who: tuple[str, str]) -> None:
        """Relay what this person sends until their page closes the socket."""
        accept = hashlib.sha1((handler.headers["Sec-WebSocket-Key"] + _WEBSOCKET_KEY).encode()).digest()  # noqa: S324
        handler.send_response(101)
        handler.send_header("Upgrade", "websocket")
        handler.send_header("Connection", "Upgrade")
        handler.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        handler.end_headers()
        with self._lock:
            self._open[who] = handler.wfile
        try:
            while (text := _read_message(handler.rfile)) is not None:
                self._relay(json.loads(text))
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                if self._open.get(who) is handler.wfile:
                    del self._open[who]
            handler.close_connection = True

    def _relay(self, message: Row) -> None:
        kind = message["type"]
        if kind not in _CALLS:
            message = {"type": kind, **{name: message[name] for name in _RELAYED[kind] if name in message}} | {
                name: message[name] for name in ("to_profile_type", "to_profile_id")
            }
        with self._lock:
            out = self._open.get((message["to_profile_type"], str(message["to_profile_id"])))
            if out:
                out.write(_frame(json.dumps(message).encode()))
                out.flush()


def _read_message(source: BufferedIOBase) -> bytes | None:
    """The next whole text message, or None when the other side closes."""
    text = b""
    while True:
        start = source.read(2)
        if len(start) < 2:
            return None
        size = start[1] & 127
        if size > 125:
            size = struct.unpack(">H" if size == 126 else ">Q", source.read(2 if size == 126 else 8))[0]
        mask = source.read(4)
        data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(source.read(size)))
        if start[0] & 15 == 8:
            return None
        if start[0] & 15 in (0, 1):
            text += data
            if start[0] & 128:
                return text


def _frame(data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        return bytes([129, size]) + data
    if size < 65_536:
        return bytes([129, 126]) + struct.pack(">H", size) + data
    return bytes([129, 127]) + struct.pack(">Q", size) + data


def _handler_of(platform: FakePlatform, live: LiveChannel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            socket_of = re.fullmatch(r"/ws/(\d+)/(tutor|student)", path)
            if socket_of:
                live.serve(self, (socket_of[2], socket_of[1]))
            elif path in _FILES:
                kind = "text/html" if path.endswith("html") else "text/javascript"
                self._send(200, (_PAGES / _FILES[path]).read_bytes(), f"{kind}; charset=utf-8")
            else:
                self.do_POST()

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, authorization = urlsplit(self.path).path, self.headers.get("Authorization")
            status, document = platform.answer(self.command, path, authorization, lambda: self._body(sent))
            self._send(status, json.dumps(document).encode(), "application/json")

        do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names that the server looks for

        def _body(self, sent: bytes) -> Row:
            kind = self.headers.get("Content-Type", "")
            if kind.startswith("multipart/"):
                return _form(kind, sent)
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            return {**query, **(json.loads(sent) if sent else {})}

        def _send(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _form(kind: str, sent: bytes) -> Row:
    fields: Row = {}
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + sent)
    for part in message.walk():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = (part.get_filename(), content) if part.get_filename() else content.decode()
    return fields


@contextmanager
def serving(platform: FakePlatform) -> Iterator[FakePlatform]:
    """The platform on a free port of 127.0.0.1; `platform.url` is its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(platform, LiveChannel()))
    server.daemon_threads = True
    platform.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
