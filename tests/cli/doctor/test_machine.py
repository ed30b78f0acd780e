"""What doctor reports about this machine."""

from pathlib import Path

import pytest

from worker.canvases.lettering import fonts
from worker.cli.doctor.machine import check_spool, check_versions
from worker.errors import Misconfigured
from worker.settings import Settings


def test_versions_are_told() -> None:
    assert check_versions(Settings()).startswith("astegni-worker ")


def test_every_font_is_installed_and_one_that_is_not_would_be_named() -> None:
    assert fonts.missing_fonts() == []
    assert not fonts._is_there(fonts.FontFile("no-such-package", "x.ttf"))
    assert not fonts._is_there(fonts.FontFile("ziafont", "ziafont/fonts/NoSuch.ttf"))


def test_a_spool_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"cannot be reached: File name too long\. Set SPOOL_DIR"):
        check_spool(Settings(spool_dir=tmp_path / ("x" * 300)))
