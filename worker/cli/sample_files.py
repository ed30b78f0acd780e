"""The files of the sample data: a recording, a board, and an environment for a shell."""

import json
import os
import shlex
import shutil
from pathlib import Path

from worker.cli.demo.board import BOARD_TITLE, sample_strokes
from worker.cli.sample import Sample

# Twelve seconds of VP9 and Opus, as Chromium's MediaRecorder wrote them: no duration, no cues.
SAMPLE_RECORDING = Path(__file__).with_name("lesson.webm")


def write_sample_files(directory: Path, sample: Sample, *, api: str, operator_token: str) -> None:
    """Write `lesson.webm`, `board.json` and `env` into `directory`.

    `env` exports API, TOKEN (the tutor's), STUDENT_TOKEN, PARENT_TOKEN, OPERATOR_TOKEN, BOOKING, LESSON, SESSION and
    PAGE to a shell. Only its owner can read it, since it contains tokens.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(SAMPLE_RECORDING, directory / "lesson.webm")
    board = {"page_title": BOARD_TITLE, "background_color": "#FFFFFF", "strokes": sample_strokes()}
    (directory / "board.json").write_text(json.dumps(board, ensure_ascii=False, indent=1))
    variables = {
        "API": api,
        "TOKEN": sample.tutor.token,
        "STUDENT_TOKEN": sample.student.token,
        "PARENT_TOKEN": sample.parent.token,
        "OPERATOR_TOKEN": operator_token,
        "BOOKING": sample.booking_id,
        "LESSON": sample.schedule_id,
        "SESSION": sample.session_id,
        "PAGE": sample.page_id,
    }
    lines = [f"export {name}={shlex.quote(str(value))}\n" for name, value in variables.items()]
    remove_sample_env(directory)
    descriptor = os.open(directory / "env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(lines)


def remove_sample_env(directory: Path) -> None:
    """Remove the file with the tokens, whose stack has ended."""
    (directory / "env").unlink(missing_ok=True)
