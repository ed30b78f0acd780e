"""Real servers at the other end: SMTP that misbehaves on purpose, HTTPS with a certificate made here."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from tests.conftest import Identity, MakeIdentity
from tests.waiting import TIMEOUT
from worker.channels.message import Attachment, Message

HOST = "hooks.example.org"


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory, make_identity: MakeIdentity) -> Identity:
    """A certificate for hooks.example.org and localhost."""
    return make_identity(tmp_path_factory.mktemp("tls"), HOST, "localhost")


@dataclass
class Listener:
    """A TCP server: every connection is handed to a thread of its own, and counted."""

    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def listen(talk: Callable[[Listener, socket.socket], None]) -> Iterator[Listener]:
    """Listen on a free port of 127.0.0.1 until the block ends, and wait for every thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        ended = threading.Event()
        threads: list[threading.Thread] = []
        open_ones: list[socket.socket] = []
        listener = Listener(server.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.settimeout(TIMEOUT)
                talk(listener, connection)

        def accept() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    listener.connections += 1
                    open_ones.append(connection)
                    threads.append(threading.Thread(target=serve, args=(connection,)))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listener
        finally:
            ended.set()
            accepting.join()
            for connection in open_ones:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


Listening = Callable[[Callable[[Listener, socket.socket], None]], AbstractContextManager[Listener]]
SmtpTalk = Callable[..., AbstractContextManager[Listener]]


@pytest.fixture
def listening() -> Listening:
    """`with listening(talk) as listener:`: a server on a free port, see `Listener`."""
    return listen


@pytest.fixture
def smtp_talk() -> SmtpTalk:
    """`with smtp_talk(mails_per_connection=1):`: a mail server that hangs up after so many, with a `farewell`."""

    def start(*, mails_per_connection: int, farewell: bytes = b"") -> AbstractContextManager[Listener]:
        def talk(listener: Listener, connection: socket.socket) -> None:
            lines = connection.makefile("rb")
            connection.sendall(b"220 ready\r\n")
            remaining = mails_per_connection
            while remaining and (line := lines.readline()):
                if line.upper().startswith(b"DATA"):
                    connection.sendall(b"354 go on\r\n")
                    content = b""
                    while (line := lines.readline()) != b".\r\n":
                        content += line
                    listener.requests.append(content)
                    remaining -= 1
                connection.sendall(b"250 ok\r\n")
            if farewell:
                lines.readline()
                connection.sendall(farewell)

        return listen(talk)

    return start


@pytest.fixture
def message() -> Message:
    return Message(
        kind="lesson-reminder",
        subject="ሒሳብ ከ15 ደቂቃ በኋላ ይጀምራል",
        text="ሰላም Abebe,\nyour lesson begins at 8:30.",
        html="<p>ሰላም <b>Abebe</b></p>",
        attachments=(Attachment("lesson.ics", "text/calendar", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),),
        data={"schedule_id": 5},
        id="0123456789abcdef0123456789abcdef",
    )
