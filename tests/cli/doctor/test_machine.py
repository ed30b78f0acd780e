"""What this machine brings."""

from worker.canvases.lettering import fonts
from worker.cli.doctor.machine import check_versions
from worker.settings import Settings


def test_versions_are_told() -> None:
    assert check_versions(Settings()).startswith("astegni-worker ")


def test_every_font_is_installed_and_one_that_is_not_would_be_named() -> None:
    assert fonts.missing_fonts() == []
    assert not fonts._is_there(fonts.FontFile("no-such-package", "x.ttf"))
    assert not fonts._is_there(fonts.FontFile("ziafont", "ziafont/fonts/NoSuch.ttf"))
