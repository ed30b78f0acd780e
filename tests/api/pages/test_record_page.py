"""`/recorder.js` and `/record`: small, and strict about what they load."""

import gzip
import re
from pathlib import Path

from starlette.testclient import TestClient

from tests.conftest import MakeSettings, School, Sql
from worker.api.app import create_api
from worker.api.pages import record_page
from worker.api.services import Services
from worker.database import Database

MAX_BYTES = 12_000
_UPLOAD = """
INSERT INTO uploads (id, principal, session_id, spool_id, state, reserved, base_url)
VALUES (:id, 'user:1', :session_id, 'shared', :state, 0, :url)
"""
FOLDER = Path(record_page.__file__).parent


def test_the_module_is_small_and_whole(client: TestClient) -> None:
    content = client.get("/recorder.js").content.decode()
    assert len(gzip.compress(content.encode(), mtime=0)) <= MAX_BYTES
    lines = [line for path in (FOLDER / "recorder").glob("*.js") for line in path.read_text().splitlines()]
    code = [line for line in lines if not re.match(r" *(//|/?\*)", line)]
    assert set(content.splitlines()) == set(code)
    assert set(re.findall(r"^import .*", content, re.MULTILINE)) == set()


def test_pages_of_other_origins_may_import_the_module(client: TestClient) -> None:
    headers = client.get("/recorder.js", headers={"Origin": "https://astegni.example"}).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"


def test_the_page_loads_nothing_of_others(client: TestClient) -> None:
    response = client.get("/record")
    assert response.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    texts = [path.read_text() for pattern in ("record.*", "record-*", "recorder/*") for path in FOLDER.glob(pattern)]
    assert len(texts) == 9
    assert not [text for text in texts if "http:" in text or "https:" in text or "style=" in text]


def _policies(services: Services) -> list[str]:
    with TestClient(create_api(services)) as client:
        responses = [client.get(path) for path in ("/record", "/record.js", "/recorder.js")]
    return [response.headers["content-security-policy"] for response in responses]


def test_the_page_may_send_to_the_addresses_of_open_uploads(
    database: Database, settings: MakeSettings, school: School, sql: Sql
) -> None:
    """An earlier page of another API may have begun an upload there, and this page goes on with it."""
    ((session_id,),) = sql(
        "INSERT INTO whiteboard_sessions (booking_id) VALUES (:id) RETURNING id", id=school.booking_id
    )
    for number, (state, host) in enumerate([("open", "2"), ("recovered", "3"), ("finished", "4")]):
        sql(
            _UPLOAD,
            id=f"{number:032}",
            session_id=session_id,
            state=state,
            url=f"https://uploads-{host}.example/worker",
        )
    of_page, *of_scripts = _policies(Services(settings(upload_base_url="https://uploads-1.example"), database, {}))
    origins = "https://uploads-1.example https://uploads-2.example https://uploads-3.example"
    assert f"connect-src 'self' {origins};" in of_page
    assert "uploads-" not in "".join(of_scripts)
    # Without the setting, all APIs have all bytes.
    assert "uploads-" not in "".join(_policies(Services(settings(), database, {})))


def test_the_page_loads_without_the_database(settings: MakeSettings) -> None:
    away = Database("postgresql+psycopg://x:x@127.0.0.1:1/x", pool_size=1)
    services = Services(settings(upload_base_url="https://uploads-1.example"), away, {})
    assert "connect-src 'self' https://uploads-1.example;" in _policies(services)[0]


def test_both_languages_have_all_words() -> None:
    words = (FOLDER / "record-words.js").read_text()
    english, amharic = (set(re.findall(r"^    '?([\w-]+)'?: ", part, re.MULTILINE)) for part in words.split("  am: {"))
    assert english == amharic
    page = (FOLDER / "record.html").read_text()
    assert set(re.findall(r'data-word="(\w+)"', page)) <= english
