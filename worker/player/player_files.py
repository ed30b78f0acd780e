"""The files of the player, as text."""

import json
import re
from functools import cache
from importlib.resources import files

# In the order in which they are joined: each uses what the parts before it declare.
_COMMON = ("elements", "cues", "drawing", "replay", "player", "controls", "contents")
PAGE_PARTS = (*_COMMON, "meter", "modes", "stream", "token", "page", "start")
PACK_PARTS = (*_COMMON, "pack")
# The page `/` plays nothing; it uses only the first declarations of the controls.
INDEX_PARTS = ("elements", "controls", "token", "index")
# Before the script of `/record`, which is in worker/api/pages.
RECORD_PARTS = ("elements", "token")
LANGUAGES = ("en", "am")

_FOLDER = files("worker.player")
_WORD = re.compile(r"""^  '?([\w-]+)'?: '((?:[^'\\]|\\.)*)',$""", re.MULTILINE)


@cache
def player_file(name: str) -> str:
    """The text of a file."""
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def joined(parts: tuple[str, ...]) -> str:
    """These scripts joined into one, without whole-line comments and indentation, to save bytes."""
    text = "\n".join(player_file(f"scripts/{name}.js") for name in parts)
    return re.sub(r"^ *(?:(?://.*|/\*\*(?s:.*?)\*/)\n)?", "", text, flags=re.MULTILINE)


@cache
def words_of(language: str) -> dict[str, str]:
    """The texts of a language by name."""
    return {name: json.loads(f'"{text}"') for name, text in _WORD.findall(player_file(f"words-{language}.js"))}
