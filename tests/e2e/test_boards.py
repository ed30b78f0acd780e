"""A board becomes pictures and a document, on the whole stack."""

import io
from collections.abc import Iterator

import httpx2 as httpx
import pytest
from pypdf import PdfReader

from tests.e2e.conftest import School, UpStack
from tests.waiting import TIMEOUT

STROKES = (
    ("pen", {"points": [[40, 40], [300, 120], [560, 60]], "color": "#1d4ed8", "width": 4}),
    ("rectangle", {"x": 100, "y": 200, "width": 300, "height": 150, "color": "#047857"}),
    ("text", {"text": "Fractions ክፍልፋዮች", "x": 120, "y": 280, "fontSize": 28, "color": "#0f172a"}),
    ("eraser", {"points": [[250, 190], [250, 360]], "width": 20}),
)


@pytest.fixture
def outside() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
        yield client


def test_a_lesson_s_board_is_there_when_it_has_ended(stack: UpStack, school: School, outside: httpx.Client) -> None:
    session_id = stack.lesson()
    tutor, path = school.tutor, f"/v1/whiteboard/sessions/{session_id}"
    page_id = tutor.get(path)["pages"][0]["id"]
    strokes = [
        {"client_id": f"s{number}", "stroke_type": kind, "stroke_data": data}
        for number, (kind, data) in enumerate(STROKES)
    ]
    tutor.post(f"/v1/whiteboard/pages/{page_id}/strokes", {"strokes": strokes}, status=200)

    ordered = tutor.post(f"/v1/whiteboard/pages/{page_id}/snapshot", status=202)
    job = tutor.job(ordered["job_id"])
    assert (job["state"], job["result"]["skipped"]["count"]) == ("succeeded", 0), job
    tutor.post(f"{path}/end", status=200)
    (ending,) = tutor.get(f"/v1/jobs?subject=session:{session_id}")["items"]
    done = tutor.job(ending["id"])
    assert (done["state"], done["result"]["document"]) == ("succeeded", "drawn"), done

    # A parent looks at it, with nothing but addresses.
    items = {item["name"]: item for item in school.parent.get(f"{path}/snapshots")["items"]}
    assert set(items) == {"png", "png_2x", "thumbnail", "svg", "pdf"}
    assert all(item["is_current"] for item in items.values())
    files = {name: outside.get(item["url"]) for name, item in items.items()}
    assert {response.status_code for response in files.values()} == {200}
    assert files["png"].content.startswith(b"\x89PNG")
    words = PdfReader(io.BytesIO(files["pdf"].content)).pages[0].extract_text()
    assert "Fractions" in words
    assert "ክፍልፋዮች" in words
    school.other_tutor.get(f"{path}/snapshots", status=404)
