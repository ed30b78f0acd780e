import re
from pathlib import Path

import pytest

from worker.errors import Misconfigured
from worker.media.processes.binaries import FFMPEG_FEATURES, Binaries, find_binaries, missing_features
from worker.settings import Settings


def test_the_binaries_of_the_wheels_can_do_all_that_is_asked(binaries: Binaries) -> None:
    assert missing_features(binaries) == []


def test_every_filter_that_is_used_is_asked_for() -> None:
    sources = "".join(path.read_text("utf-8") for path in (Path(__file__).parents[3] / "worker").rglob("*.py"))
    used = {*re.findall(r'\.filter\(\s*"(\w+)"', sources), *re.findall(r'ffmpeg\.filter\([^"]+"(\w+)"', sources)}
    assert len(used) > 30
    assert used <= set(FFMPEG_FEATURES["filters"].split())


def test_what_is_absent_is_named(binaries: Binaries) -> None:
    """The ffprobe of the wheel reads AV1 without dav1d and cannot decode PNG."""
    missing = missing_features(Binaries(ffmpeg=binaries.ffprobe, ffprobe=binaries.ffprobe))

    assert f"{binaries.ffprobe.name}: decoder libdav1d" in missing
    assert f"{binaries.ffprobe.name}: decoder png" in missing
    assert f"{binaries.ffprobe.name}: decoder vp9" not in missing


def test_settings_name_other_programs(binaries: Binaries, tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.symlink_to(binaries.ffmpeg)

    programs = find_binaries(Settings(ffmpeg_path=program, ffprobe_path=binaries.ffprobe))

    assert programs == Binaries(program, binaries.ffprobe)


def test_a_program_that_is_not_there_is_a_misconfiguration(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="FFPROBE_PATH"):
        find_binaries(Settings(ffprobe_path=tmp_path / "nowhere"))
