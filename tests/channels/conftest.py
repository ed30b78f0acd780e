"""Real servers at the other end: SMTP that misbehaves on purpose, HTTPS with a certificate made here."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from worker.channels.message import Attachment, Message

HOST = "hooks.example.org"


@dataclass(frozen=True)
class Identity:
    """A certificate for hooks.example.org and localhost, its key, and both sides' contexts."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity_of(tmp_path_factory.mktemp("tls"), HOST, "localhost")


def identity_of(directory: Path, *names: str) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Astegni tests")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [x509.DNSName(one) for one in names] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = directory / "certificate.pem", directory / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate_file, key_file)
    return Identity(server, ssl.create_default_context(cafile=str(certificate_file)))


@pytest.fixture(scope="session")
def make_identity() -> Callable[..., Identity]:
    """`make_identity(directory, *names)`: an identity of these names, its certificate in `certificate.pem` there."""
    return identity_of


@dataclass
class Listener:
    """A TCP server: every connection is handed to a thread of its own, and counted."""

    port: int
    connections: int = 0
    seen: list[bytes] = field(default_factory=list)


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
                connection.settimeout(5)
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


@pytest.fixture
def listening() -> Callable[[Callable[[Listener, socket.socket], None]], AbstractContextManager[Listener]]:
    """`with listening(talk) as listener:`: a server on a free port, see `Listener`."""
    return listen


@pytest.fixture
def smtp_talk() -> Callable[..., AbstractContextManager[Listener]]:
    """`with smtp_talk(mails_per_connection=1):`: a mail server that hangs up after so many, with a `farewell`."""

    def start(*, mails_per_connection: int, farewell: bytes = b"") -> AbstractContextManager[Listener]:
        def talk(listener: Listener, connection: socket.socket) -> None:
            lines = connection.makefile("rb")
            connection.sendall(b"220 ready\r\n")
            left = mails_per_connection
            while left and (line := lines.readline()):
                if line.upper().startswith(b"DATA"):
                    connection.sendall(b"354 go on\r\n")
                    content = b""
                    while (line := lines.readline()) != b".\r\n":
                        content += line
                    listener.seen.append(content)
                    left -= 1
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
