"""Renditions and pictures on the whole stack: ordered by a request, made by its workers, played at their addresses."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx

from tests.e2e.conftest import UpStack
from tests.waiting import TIMEOUT

# Audio and pictures of a film; 720p of it is copied.
NAMES = ["audio", "audio-aac", "360p", "720p", "hls", "download", "posters", "storyboard", "preview", "activity"]


def decoded_seconds(binaries: Any, path: Path, fault: str) -> float:
    """Decode the whole file with real ffmpeg; returns how long it is. Any complaint of the decoder fails the test."""
    words = [str(binaries.ffmpeg), "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    assert subprocess.run(words, capture_output=True, text=True, check=False, timeout=TIMEOUT).stderr == "", fault
    words = [str(binaries.ffprobe), "-v", "error", "-of", "json", "-show_format", str(path)]
    described = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=TIMEOUT).stdout)
    return float(described["format"]["duration"])


def test_everything_that_is_ordered_is_ready_and_plays(
    stack: UpStack, sample: Callable[[str], bytes], tmp_path: Path
) -> None:
    tutor = stack.school.tutor
    recording_id, job_id = tutor.upload_accepted(stack.lesson(), sample("h264"), title="ክፍልፋዮች", type="video")
    assert tutor.job(job_id)["state"] == "succeeded"
    chapters = {"chapters": [{"start_ms": 0, "title": "መግቢያ"}, {"start_ms": 5000, "title": "ክፍልፋዮች"}]}
    tutor.checked_body(tutor.http.put(f"/v1/recordings/{recording_id}/chapters", json=chapters), 200)

    ordered = tutor.post(f"/v1/recordings/{recording_id}/renditions", {"names": NAMES}, status=202)

    assert (sorted(ordered["ordered"]), ordered["refused"]) == (sorted(NAMES), [])
    for job in (ordered["job_id"], ordered["pictures_job_id"]):
        assert tutor.job(job)["state"] == "succeeded"
    playback = tutor.get(f"/v1/recordings/{recording_id}/playback")
    renditions = {row["name"]: row for row in playback["renditions"]}
    assert {name: renditions[name]["state"] for name in NAMES[:6]} == dict.fromkeys(NAMES[:6], "ready")
    for name in ("audio", "audio-aac", "360p", "720p", "download"):
        content = httpx.get(renditions[name]["url"], timeout=TIMEOUT).content
        assert len(content) == renditions[name]["bytes"]
        path = tmp_path / name
        path.write_bytes(content)
        assert abs(decoded_seconds(stack.binaries, path, name) * 1000 - playback["duration_ms"]) <= 200, name
    assert len(playback["posters"]) == 6
    for url in (playback["preview_url"], playback["activity_url"], *(poster["url"] for poster in playback["posters"])):
        assert httpx.get(url, timeout=TIMEOUT).status_code == 200
    assert playback["storyboard"]
    listed = httpx.get(renditions["hls"]["url"], timeout=TIMEOUT)
    assert listed.text.startswith("#EXTM3U")
    again = tutor.post(f"/v1/recordings/{recording_id}/renditions", {"names": NAMES}, status=202)
    assert (again["job_id"], again["pictures_job_id"], again["ordered"]) == (None, None, [])
