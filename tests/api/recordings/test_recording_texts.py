"""Chapters and captions of recordings: who writes them, who reads them, and what players get."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql
from worker.access.callers import Operator
from worker.api.recordings.recording_captions import MAX_CAPTION_BYTES

SRT = "1\r\n00:00:01,000 --> 00:00:02,500\r\nሰላም <b>ተማሪዎች</b>\r\n"
CHAPTERS = [{"start_ms": 60_000, "title": "Fractions & <b>more</b>"}, {"start_ms": 0, "title": " መግቢያ "}]


@pytest.fixture
def tutor(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.tutor)


@pytest.fixture
def student(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.student)


def send_captions(person: ApiClient, address: str, content: bytes | str = SRT) -> Any:
    body = content.encode() if isinstance(content, str) else content
    return person.send("PUT", address, content=body, headers={"Content-Type": "text/vtt"})


def relative(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_a_tutor_writes_chapters_and_a_student_reads_them(
    recording_path: str, tutor: ApiClient, student: ApiClient
) -> None:
    assert student.ask("GET", f"{recording_path}/chapters") == (200, {"origin": None, "chapters": []})
    status, written = tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": CHAPTERS})
    assert status == 200
    assert written == {
        "origin": "tutor",
        "chapters": [{"start_ms": 0, "title": "መግቢያ"}, {"start_ms": 60_000, "title": "Fractions & <b>more</b>"}],
    }
    assert student.ask("GET", f"{recording_path}/chapters") == (200, written)
    response = student.send("GET", f"{recording_path}/chapters.vtt")
    assert response.headers["content-type"] == "text/vtt; charset=utf-8"
    assert response.text == (
        "WEBVTT\n\n00:00:00.000 --> 00:01:00.000\nመግቢያ\n\n"
        "00:01:00.000 --> 00:02:00.000\nFractions &amp; &lt;b&gt;more&lt;/b&gt;\n"
    )


def test_changed_chapters_order_the_download_again(recording_path: str, tutor: ApiClient, sql: Sql) -> None:
    statement = (
        "INSERT INTO recording_renditions (recording_id, name, state, object_name) VALUES (:id, :name, 'ready', :name)"
    )
    for name in ("download", "audio"):
        sql(statement, id=int(recording_path.split("/")[3]), name=name)

    for _twice in range(2):
        assert tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": CHAPTERS})[0] == 200

    states = {row.name: row.state for row in sql("SELECT name, state FROM recording_renditions")}
    assert (states["download"], states["audio"]) == ("pending", "ready")
    assert [row.kind for row in sql("SELECT kind FROM jobs")] == ["recordings.renditions"]


def test_no_chapters_at_all_is_also_what_a_tutor_may_want(
    b2: Credentials, recording_path: str, tutor: ApiClient, sql: Sql
) -> None:
    sql(
        'INSERT INTO recording_chapters VALUES (:id, \'automatic\', \'[{"start_ms": 0, "title": "Page 1"}]\')',
        id=int(recording_path.rpartition("/")[2]),
    )
    assert tutor.ask("GET", f"{recording_path}/chapters")[1]["origin"] == "automatic"
    assert tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": []})[1] == {"origin": "tutor", "chapters": []}
    assert tutor.ask("GET", f"{recording_path}/playback")[1]["chapters"] is None
    for _time in range(2):
        assert tutor.send("DELETE", f"{recording_path}/chapters").status_code == 204
    assert tutor.ask("GET", f"{recording_path}/chapters")[1] == {
        "origin": "automatic",
        "chapters": [{"start_ms": 0, "title": "Page 1"}],
    }


@pytest.mark.parametrize(
    "chapters",
    [
        [{"start_ms": 120_000, "title": "x"}],
        [{"start_ms": -1, "title": "x"}],
        [{"start_ms": 1.5, "title": "x"}],
        [{"start_ms": "1", "title": "x"}],
        [{"start_ms": 0, "title": ""}],
        [{"start_ms": 0, "title": " \n"}],
        [{"start_ms": 0, "title": "x" * 201}],
        [{"start_ms": 0, "title": "a\x00b"}],
        [{"start_ms": 0, "title": "\u202e\u200b"}],
        [{"start_ms": 0, "title": "x"}, {"start_ms": 0, "title": "y"}],
        [{"start_ms": number, "title": "x"} for number in range(501)],
        [{"start_ms": 0}],
        None,
    ],
)
def test_wrong_chapters_are_refused(recording_path: str, tutor: ApiClient, chapters: Any) -> None:
    assert tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": chapters})[0] == 422
    assert tutor.ask("GET", f"{recording_path}/chapters")[1]["chapters"] == []


def test_a_title_is_one_line_without_what_is_invisible(recording_path: str, tutor: ApiClient) -> None:
    title = "a\n\n00:00.000 --> 00:09.000\n\u202eb"
    chapters = tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": [{"start_ms": 0, "title": title}]})[1][
        "chapters"
    ]
    assert chapters == [{"start_ms": 0, "title": "a 00:00.000 --> 00:09.000 b"}]
    vtt = tutor.send("GET", f"{recording_path}/chapters.vtt").text
    assert vtt == "WEBVTT\n\n00:00:00.000 --> 00:02:00.000\na 00:00.000 --&gt; 00:09.000 b\n"


def test_captions_are_stored_listed_read_replaced_and_deleted(
    recording_path: str, tutor: ApiClient, student: ApiClient
) -> None:
    response = send_captions(tutor, f"{recording_path}/captions/am", SRT + "\n2\n00:00:09,000 --> 00:00:08,000\nx\n")
    assert response.status_code == 200, response.text
    stored = response.json()
    vtt = student.send("GET", f"{recording_path}/captions.am.vtt")
    assert vtt.text == "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nሰላም ተማሪዎች\n"
    assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    assert stored.pop("left_out") == [{"line": 6, "reason": "it ends before it begins"}]
    assert stored.pop("left_out_count") == 1
    assert (stored["language"], stored["count"], stored["bytes"]) == ("am", 1, len(vtt.content))
    cues = [{"start_ms": 1000, "end_ms": 2500, "text": "ሰላም ተማሪዎች"}]
    assert student.ask("GET", f"{recording_path}/captions/am") == (200, stored | {"cues": cues})

    assert send_captions(
        tutor, f"{recording_path}/captions/en-GB", "WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"
    ).is_success
    assert send_captions(tutor, f"{recording_path}/captions/am", SRT.replace("ሰላም", "ደህና")).is_success
    listed = student.ask("GET", f"{recording_path}/captions")[1]
    assert ([track["language"] for track in listed["items"]], listed["next"]) == (["am", "en-GB"], None)
    assert "ደህና" in student.send("GET", f"{recording_path}/captions.am.vtt").text

    assert tutor.send("DELETE", f"{recording_path}/captions/am").status_code == 204
    assert tutor.ask("DELETE", f"{recording_path}/captions/am")[0] == 404
    assert student.ask("GET", f"{recording_path}/captions/am")[0] == 404
    assert student.ask("GET", f"{recording_path}/captions.am.vtt")[0] == 404


def test_captions_that_cannot_be_used_are_a_problem(recording_path: str, tutor: ApiClient) -> None:
    address = f"{recording_path}/captions/am"
    assert send_captions(tutor, address, "<script>alert(1)</script>").json()["code"] == "captions-rejected"
    assert send_captions(tutor, address, b"").status_code == 422
    assert send_captions(tutor, address, b"\xff" * 100).status_code == 422
    late = send_captions(tutor, address, "WEBVTT\n\n02:00.000 --> 02:01.000\nx\n").json()
    assert late["left_out"] == [{"line": 3, "reason": "it begins after the end of the recording"}]
    assert send_captions(tutor, address, b"x" * (MAX_CAPTION_BYTES + 1)).status_code == 413
    assert tutor.ask("GET", f"{recording_path}/captions")[1]["items"] == []


def test_large_captions_are_taken(recording_path: str, tutor: ApiClient) -> None:
    cue = "00:01.000 --> 00:02.000\n{:06} {}\n\n"
    content = "WEBVTT\n\n" + "".join(cue.format(number, "ለ" * 310) for number in range(2000))
    assert len(content.encode()) > 1_900_000
    assert send_captions(tutor, f"{recording_path}/captions/am", content).json()["count"] == 2000
    assert send_captions(tutor, f"{recording_path}/captions/om", content).is_success
    # Of all languages together a recording has 4 MB at most.
    assert send_captions(tutor, f"{recording_path}/captions/ti", content).status_code == 409
    assert send_captions(tutor, f"{recording_path}/captions/am", content).is_success


@pytest.mark.parametrize("language", ["AM", "amharic", "a", "am-", "am_ET", "..", "am.vtt.vtt", "%2e", "x" * 400, "አማ"])
def test_a_language_is_a_tag(recording_path: str, tutor: ApiClient, language: str) -> None:
    assert send_captions(tutor, f"{recording_path}/captions/{language}").status_code in {404, 405}


def test_there_are_not_endlessly_many_languages(recording_path: str, tutor: ApiClient) -> None:
    for number in range(20):
        assert send_captions(tutor, f"{recording_path}/captions/a{chr(97 + number)}").is_success
    assert send_captions(tutor, f"{recording_path}/captions/zz").status_code == 409
    assert send_captions(tutor, f"{recording_path}/captions/aa").is_success


def test_only_its_tutor_and_operators_write(
    recording_path: str, school: School, client_for: ClientFor, operator: Operator, student: ApiClient
) -> None:
    send_captions(client_for(school.tutor), f"{recording_path}/captions/am")
    for person, status in ((student, 403), (client_for(school.parent), 403), (client_for(school.other_tutor), 404)):
        assert send_captions(person, f"{recording_path}/captions/am").status_code == status
        assert person.ask("PUT", f"{recording_path}/chapters", {"chapters": []})[0] == status
        assert person.ask("DELETE", f"{recording_path}/chapters")[0] == status
        assert person.ask("DELETE", f"{recording_path}/captions/am")[0] == status
    assert send_captions(client_for(operator), f"{recording_path}/captions/am").is_success
    assert client_for(operator).ask("PUT", f"{recording_path}/chapters", {"chapters": []})[0] == 200


def test_a_player_needs_no_token_for_the_files_that_a_playback_names(
    b2: Credentials, recording_path: str, tutor: ApiClient, student: ApiClient, client: TestClient, sql: Sql
) -> None:
    tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": CHAPTERS})
    send_captions(tutor, f"{recording_path}/captions/am")
    status, playback = student.ask("GET", f"{recording_path}/playback")
    assert status == 200
    chapters = relative(playback["chapters"]["vtt_url"])
    (captions,) = playback["captions"]
    assert captions["language"] == "am"
    assert client.get(chapters).text.startswith("WEBVTT\n\n00:00:00.000")
    assert "ሰላም" in client.get(relative(captions["vtt_url"])).text

    ticket = urlsplit(captions["vtt_url"]).query
    assert client.get(f"{recording_path}/captions/am?{ticket}").status_code == 401
    assert client.get(f"{recording_path}/chapters.vtt?{ticket}").status_code == 401
    assert client.get(f"{recording_path}/captions.am.vtt").status_code == 401
    assert client.put(relative(captions["vtt_url"]), content=SRT.encode()).status_code in {401, 405}
    # Who may no longer see the recording is refused at once.
    sql("UPDATE student_profiles SET is_active = false WHERE id = 22")
    assert client.get(chapters).status_code in {401, 404}


def test_a_student_searches(recording_path: str, tutor: ApiClient, student: ApiClient) -> None:
    tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": [{"start_ms": 0, "title": "Sälam"}]})
    send_captions(tutor, f"{recording_path}/captions/am")
    matches = student.ask("GET", f"{recording_path}/search?q=%E1%88%A0%E1%88%8B%E1%88%9D")
    caption = {"kind": "caption", "start_ms": 1000, "text": "ሰላም ተማሪዎች", "language": "am"}
    assert matches == (200, {"items": [caption], "total": 1})
    chapter = {"kind": "chapter", "start_ms": 0, "text": "Sälam", "language": None}
    assert student.ask("GET", f"{recording_path}/search?q=salam") == (200, {"items": [chapter], "total": 1})
    for query in ("", "?q=", "?q=%00", f"?q={'x' * 201}"):
        assert student.ask("GET", f"{recording_path}/search{query}")[0] == 422
    assert student.ask("GET", f"{recording_path}/search?q=%20")[1] == {"items": [], "total": 0}


def test_a_deleted_recording_takes_its_texts_with_it(recording_path: str, tutor: ApiClient, sql: Sql) -> None:
    tutor.ask("PUT", f"{recording_path}/chapters", {"chapters": CHAPTERS})
    send_captions(tutor, f"{recording_path}/captions/am")
    assert tutor.send("DELETE", recording_path).status_code == 204
    for table in ("recording_chapters", "recording_captions"):
        assert sql(f"SELECT count(*) FROM {table}")[0][0] == 0  # noqa: S608 - names of this test
    assert tutor.ask("GET", f"{recording_path}/chapters")[0] == 404
    assert send_captions(tutor, f"{recording_path}/captions/am").status_code == 404
