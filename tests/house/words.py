"""Finds words in comments and docstrings that have a standard term (`make check`); prints each place and the term."""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKED = ("models", "worker", "tasks", "migrations", "devstack", "benchmarks", "tests")

# What is written instead.
TERMS = {
    r"anew": "again; redraw, restart, re-encode",
    r"mends?|mended|mending": "fix, repair",
    r"lets? (?:\w+ )?go\b|let go": "release, drop",
    r"said twice|done twice is": "idempotent",
    r"its like": "a job with the same unique key",
    r"(?:this|the|of the|our) house": "this project",
    r"rings? the bell": "sends a job id",
    r"is not to be had|to be had": "cannot be claimed, unavailable",
    r"gainsays?": "contradict",
    r"lies about": "is unclaimed",
    r"strangers?": "untrusted user",
    r"told": "report, notify, ask, distinguish",
    r"wish(?:es|ed)?": "request, requested",
    r"patience": "timeout",
}
_PATTERN = re.compile("|".join(rf"(?P<t{n}>\b(?:{word})\b)" for n, word in enumerate(TERMS)), re.IGNORECASE)


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Line numbers and texts of comments and docstrings."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text is not None:
                first = node.body[0].lineno
                yield from ((first + number, line) for number, line in enumerate(text.splitlines()))


def findings(path: Path) -> list[str]:
    """`path:line: word -> term` for each place."""
    lines = []
    for line, text in prose_of(path.read_text()):
        for match in _PATTERN.finditer(text):
            term = list(TERMS.values())[int(str(match.lastgroup)[1:])]
            lines.append(f"{path.relative_to(ROOT)}:{line}: “{match[0]}” -> {term}")
    return lines


if __name__ == "__main__":
    paths = [path for root in CHECKED for path in sorted((ROOT / root).rglob("*.py"))]
    messages = [line for path in paths for line in findings(path)]
    print("\n".join(messages), end="\n" if messages else "")  # noqa: T201 - its output is what it found
    sys.exit(1 if messages else 0)
