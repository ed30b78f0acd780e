"""REDIS_URL: each documented form is taken as it is meant, by all processes, or refused with a sentence."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from devstack.process import ChildProcess, wait_until
from devstack.programs import valkey_server
from tests.certificate import make_certificate
from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.jobs.live.worker_stack import WorkerStack
from tests.waiting import TIMEOUT
from worker.api.operations.broker_state import broker_state
from worker.app import create_app
from worker.broker_address import BrokerAddress, read_broker_address
from worker.cli.doctor.broker import check_broker as doctor_of_broker
from worker.errors import AstegniError, Misconfigured
from worker.sentinels import Sentinels
from worker.settings import Settings


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h", BrokerAddress("redis", "h", 6379)),
        ("redis://h:6380/3", BrokerAddress("redis", "h", 6380, database="3")),
        ("REDIS://h/", BrokerAddress("redis", "h", 6379)),
        (" redis://h:1/0\n", BrokerAddress("redis", "h", 1)),
        ("redis://h?db=4", BrokerAddress("redis", "h", 6379, database="4")),
        ("redis://:pw@h", BrokerAddress("redis", "h", 6379, None, "pw")),
        ("redis://u:pw@h/1", BrokerAddress("redis", "h", 6379, "u", "pw", "1")),
        ("redis://u:p#w@h:1/1", BrokerAddress("redis", "h", 1, "u", "p#w", "1")),
        ("redis://u:p/w@x@h:1/1", BrokerAddress("redis", "h", 1, "u", "p/w@x", "1")),
        ("redis://u:p?w:x@h", BrokerAddress("redis", "h", 6379, "u", "p?w:x")),
        ("redis://u:p%23%40%2Fw%25@h", BrokerAddress("redis", "h", 6379, "u", "p#@/w%")),
        ("redis://[::1]:6380/2", BrokerAddress("redis", "::1", 6380, database="2")),
        ("rediss://:pw@h", BrokerAddress("redis", "h", 6379, None, "pw", tls=True)),
        ("unix:///run/redis.sock", BrokerAddress("redis", socket="/run/redis.sock")),
        ("unix://u:p@/run/redis.sock?db=2", BrokerAddress("redis", "", 0, "u", "p", "2", "/run/redis.sock")),
        ("redis+socket:///run/r.sock?virtual_host=5", BrokerAddress("redis", database="5", socket="/run/r.sock")),
        ("amqp://u:p@h", BrokerAddress("amqp", "h", 5672, "u", "p", "")),
        ("amqps://u:p@h:1/%2Fx", BrokerAddress("amqp", "h", 1, "u", "p", "%2Fx", tls=True)),
    ],
)
def test_forms_that_are_taken(url: str, expected: BrokerAddress) -> None:
    assert read_broker_address(url) == expected
    # What all processes are given means the same.
    if expected.host:
        assert read_broker_address(expected.url) == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("h:6379", "scheme"),
        ("hush@h:6379/0", "scheme"),
        ("localhost", "scheme"),
        ("http://h", "scheme"),
        ("memory://", "scheme"),
        ("sentinel://h:26379/0", "REDIS_MASTER_NAME"),
        ("redis+sentinel://h:26379/mymaster/0", "scheme"),
        ("redis://a:1;redis://b:2", "only Sentinels"),
        ("redis://", "no host"),
        ("redis:///0", "no host"),
        ("redis://:hush@", "no host"),
        ("redis://h..example", "empty or longer than 63"),
        (f"amqp://u:hush@{'h' * 64}/v", "empty or longer than 63"),
        ("redis://h:0", "port"),
        ("redis://h:99999", "port"),
        ("redis://h:hush", "cannot be read"),
        ("redis://h/zero", "number"),
        ("redis://h/1?db=2", "number"),
        ("redis://h/-1", "number"),
        ("redis://h#1", "cannot be read"),
        ("redis://::1:6379", "cannot be read"),
        ("redis://h?timeout=5", "only `db`"),
        ("rediss://h?ssl_cert_reqs=none", "always verified"),
        ("unix://run/redis.sock", "whole path"),
        ("unix:///", "whole path"),
        ("amqp://h?heartbeat=5", "only `db`"),
    ],
)
def test_forms_that_are_refused(url: str, message: str) -> None:
    with pytest.raises(Misconfigured, match=message) as refused:
        read_broker_address(url)
    assert "hush" not in refused.value.detail
    # At the start of worker, beat, Flower and API, which all make this application.
    with pytest.raises(Misconfigured, match=message):
        create_app(Settings(redis_url=url), ())


@pytest.mark.parametrize(
    ("url", "nodes", "login"),
    [
        ("sentinel://a", [("a", 26379)], (None, None, "0")),
        ("sentinel://:p;w@a:1/2;sentinel://b;SENTINEL://c:3", [("a", 1), ("b", 26379), ("c", 3)], (None, "p;w", "2")),
        ("sentinel://u:p%40@a/1;sentinel://u:p%40@b/1", [("a", 26379), ("b", 26379)], ("u", "p@", "1")),
        ("sentinel://a;sentinel://u:p@[::1]:7?db=3", [("a", 26379), ("::1", 7)], ("u", "p", "3")),
    ],
)
def test_sentinels(url: str, nodes: list[tuple[str, int]], login: tuple[str | None, str | None, str]) -> None:
    address = read_broker_address(url, master_name="m", sentinel_password="hush")
    assert address.sentinels == Sentinels(tuple(nodes), "m", "hush")
    assert (address.user, address.password, address.database) == login
    assert (address.host, address.port) == nodes[0]
    assert "hush" not in repr(address) + address.url
    # Flower shows what follows the first of a list with its passwords.
    assert ";" not in address.url


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://:hush@a;sentinel://:hush2@b",
        "sentinels://a;sentinel://:hush@b",
        "sentinel://a/1;sentinel://b/2",
        "sentinel://:hush@a;sentinel://",
        "sentinel://:hush@a;b",
        "sentinel://:hush@a:99999",
        "sentinel://a/hush",
        "sentinel://a?ssl_cert_reqs=none",
    ],
)
def test_sentinels_that_are_refused(url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_broker_address(url, master_name="m")
    assert "hush" not in refused.value.detail


def test_sentinels_with_tls(tmp_path: Path) -> None:
    """One authority for them and for Redis; kombu has one scheme for both."""
    ca_file, _key = make_certificate(tmp_path)
    address = read_broker_address("sentinels://a;SENTINELS://:p@b:1/2", master_name="m", ca_file=ca_file)
    verified = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, "ssl_ca_certs": str(ca_file)}
    assert address.sentinels == Sentinels((("a", 26379), ("b", 1)), "m", None, verified)
    assert address.tls_options == verified
    assert address.url == "sentinel://:p@a:26379/2"


_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(user=_WORDS, password=_WORDS, number=st.integers(0, 15))
def test_any_login_arrives_whole_at_both_clients(user: str, password: str, number: int) -> None:
    url = f"redis://{quote(user, safe='')}:{quote(password, safe='')}@h:7/{number}"
    address = read_broker_address(url)
    assert (address.user, address.password, address.database) == (user, password, str(number))
    from kombu import Connection

    with Connection(address.url) as link:
        assert (link.userid, link.password, link.hostname, link.port) == (user, password, "h", 7)
        assert link.virtual_host == str(number)


@given(password=_WORDS.filter(lambda text: "%" not in text))
def test_a_password_that_is_not_encoded_is_taken_as_it_stands(password: str) -> None:
    stripped = read_broker_address(f"redis://:{password}@h:7/1")
    assert (stripped.password, stripped.host, stripped.port, stripped.database) == (password, "h", 7, "1")


# --- on a real server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A Valkey on a port and a socket, with a user who may not ask for its configuration."""
    folder = tmp_path_factory.mktemp("valkey")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "valkey.conf").write_text(
        f"bind 127.0.0.1\nport {port}\nunixsocket {folder}/r.sock\nsave ''\n"
        f"appendonly yes\ndir {folder}\nmaxmemory-policy noeviction\n"
        "user default on >pa#s@s/w ~* &* +@all\nuser small on >pw ~* &* +@all -config\n"
    )
    process = ChildProcess("valkey", [valkey_server(), folder / "valkey.conf"], folder / "log", cwd=folder, env={})
    client = redis.Redis(port=port, password="pa#s@s/w")

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    wait_until(answers, process, TIMEOUT)
    yield port, folder / "r.sock"
    client.close()
    process.kill()


def all_reach(settings: Settings) -> None:
    """Celery's connection (worker, beat, Flower, publisher), the API's look and doctor's."""
    app = create_app(settings, ())
    with app.connection_for_write() as link:
        link.ensure_connection(max_retries=1, timeout=20)
        link.default_channel.client.ping()
    app.close()
    assert broker_state(settings) == "ok"
    assert doctor_of_broker(settings).startswith("Valkey ")


@pytest.mark.parametrize(
    "form",
    [
        "redis://:pa#s@s/w@127.0.0.1:{port}/1",
        "redis://:pa%23s%40s%2Fw@127.0.0.1:{port}/1",
        "redis://small:pw@127.0.0.1:{port}",
        "unix://small:pw@{socket}?db=1",
        "redis+socket://:pa%23s%40s%2Fw@{socket}",
    ],
)
def test_every_process_reaches_it_by_the_same_address(server: tuple[int, Path], form: str) -> None:
    port, path = server
    all_reach(Settings(redis_url=form.format(port=port, socket=path)))


def test_a_wrong_password_is_named_so(server: tuple[int, Path]) -> None:
    settings = Settings(redis_url=f"redis://:hush-hush@127.0.0.1:{server[0]}/0")
    assert "refuses the login" in broker_state(settings)
    with pytest.raises(AstegniError, match="refuses the user or password") as refused:
        doctor_of_broker(settings)
    assert "hush" not in refused.value.detail


class TlsFront:
    """TLS in front of a server that has none; its certificate is its own authority."""

    def __init__(self, port: int, folder: Path) -> None:
        self.certificate, private = make_certificate(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, private)
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            inside = self._context.wrap_socket(client, server_side=True)
        except OSError:
            client.close()
            return
        outside = socket.create_connection(("127.0.0.1", self._target))
        for source, sink in ((inside, outside), (outside, inside)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            sink.close()


@pytest.fixture
def front(server: tuple[int, Path], tmp_path: Path) -> Iterator[TlsFront]:
    front = TlsFront(server[0], tmp_path)
    yield front
    front.close()


def test_certificates_are_verified_by_every_process(front: TlsFront) -> None:
    url = f"rediss://small:pw@127.0.0.1:{front.port}/0"
    all_reach(Settings(redis_url=url, redis_ca_file=front.certificate))
    at_once: dict[str, Any] = {"transport_options": {"max_retries": 1, "interval_start": 0}}
    wrong = "CERTIFICATE_VERIFY"
    # Nobody known to the system signed it.
    outsider = Settings(redis_url=url)
    with create_app(outsider, ()).connection_for_write(**at_once) as link, pytest.raises(Exception, match=wrong):
        link.default_channel.client.ping()
    assert broker_state(outsider).startswith("does not answer")
    with pytest.raises(AstegniError, match="certificate"):
        doctor_of_broker(outsider)
    # Signed, but for another name.
    other = Settings(redis_url=url.replace("127.0.0.1", "localhost"), redis_ca_file=front.certificate)
    with create_app(other, ()).connection_for_write(**at_once) as link, pytest.raises(Exception, match=wrong):
        link.default_channel.client.ping()


@pytest.mark.parametrize("form", ["unix://small:pw@{socket}?db=1", "rediss://small:pw@127.0.0.1:{tls_port}/1"])
def test_jobs_go_through_a_socket_and_through_tls(
    server: tuple[int, Path],
    front: TlsFront,
    settings: MakeSettings,
    database_url: str,
    tmp_path: Path,
    fork_server: ForkServer,
    form: str,
) -> None:
    """A worker and a publisher; a message that a killed worker had is delivered again."""
    url = form.format(socket=server[1], tls_port=front.port)
    stack = WorkerStack(settings(redis_url=url, redis_ca_file=front.certificate), tmp_path, fork_server)
    try:
        worker = stack.start_worker()
        assert stack.wait_for(stack.order("succeed"), "succeeded").attempt == 1
        assert stack.repeat_after_kill(worker).attempt == 2
    finally:
        stack.close()


def test_an_authority_that_is_no_file_is_refused() -> None:
    with pytest.raises(Misconfigured, match="REDIS_CA_FILE"):
        read_broker_address("rediss://h", ca_file=Path("/nowhere/ca.pem"))


def test_the_password_does_not_show_by_accident() -> None:
    address = read_broker_address("redis://u:hush@h")
    assert "hush" not in repr(address)
    assert urlsplit(address.url).hostname == "h"
