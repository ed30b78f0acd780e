"""Prints docs/settings.md as it should be, from the settings themselves (`make settings`)."""

import inspect
import re
from collections.abc import Iterator

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from worker.settings import Settings

_HEAD = """# Settings

By environment, under the platform's own names. Durations are seconds, sizes bytes. `make settings` writes this page.

"""
_TAIL = """
## For processes only

`READY_FILE` is touched by a worker or by beat while it is alive (`astegni alive` looks at its age).
`ASTEGNI_API_URL` and `ASTEGNI_TOKEN` tell `astegni ingest` which API to use, and as whom.
"""


def settings_page() -> str:
    """The whole page."""
    lines: list[str] = []
    for heading, names in _groups():
        lines += [f"## {heading}", "", "| setting | default | what it is |", "|---|---|---|"]
        lines += [_row(name, Settings.model_fields[name]) for name in names]
        lines.append("")
    return _HEAD + "\n".join(lines) + _TAIL


def _groups() -> Iterator[tuple[str, list[str]]]:
    """Headings (comments `# --- heading` of the classes) and the names of the settings below each."""
    source = "".join(map(inspect.getsource, Settings.__bases__))
    sections = re.split(r"^    # --- (.+)$", source, flags=re.MULTILINE)
    for heading, source in zip(sections[1::2], sections[2::2], strict=True):
        names = [name for name in re.findall(r"^    (\w+): ", source, re.MULTILINE) if name in Settings.model_fields]
        yield heading[0].upper() + heading[1:], names


def _row(name: str, field: FieldInfo) -> str:
    default = field.default
    if default in (None, PydanticUndefined) or default in ((), frozenset()):
        shown = ""
    elif isinstance(default, frozenset | tuple):
        shown = f"`{','.join(sorted(map(str, default)))}`"
    else:
        shown = f"`{default}`"
    return f"| `{name.upper()}` | {shown} | {field.description} |"


if __name__ == "__main__":
    print(settings_page(), end="")  # noqa: T201 - its output is the page
