"""The command `astegni`, and how errors are reported: one sentence on stderr and an exit code."""

import errno
import sys
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from worker.cli import b2, canvas, ingest, mailbox, migrate, processes, schedules, stack, tokens
from worker.cli.doctor import command as doctor
from worker.cli.operations import backup, bucket, drain, jobs, recordings, reminders, users
from worker.cli.platform import command as platform
from worker.cli.platform import legacy
from worker.cli.setting_faults import setting_faults
from worker.cli.target import database_error, database_errors
from worker.errors import AstegniError, InvalidSetting

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE}
# 2 for wrong usage, as Click has it, and for wrong settings: systemd does not restart then. 69 is EX_UNAVAILABLE of
# sysexits(3): a retry may help.
_EXIT_USAGE, _EXIT_FAILED, _EXIT_UNAVAILABLE = 2, 1, 69


class CannotUseFile(AstegniError):
    """A file or folder that an argument names cannot be read or written."""

    code, title = "cannot-use-file", "File cannot be used"


app = typer.Typer(
    name="astegni",
    help="Recordings in, playable lessons out: the background and media worker of Astegni.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (stack, processes, migrate, tokens, ingest, doctor, drain):
    module.register(app)
app.add_typer(jobs.app, name="jobs")
app.add_typer(users.app, name="users")
app.add_typer(schedules.app, name="schedules")
app.add_typer(recordings.app, name="recordings")
app.add_typer(reminders.app, name="reminders")
app.add_typer(platform.app, name="platform")
app.add_typer(canvas.app, name="canvas")
app.add_typer(legacy.app, name="legacy")
app.add_typer(b2.app, name="b2")
app.add_typer(bucket.app, name="bucket")
app.add_typer(backup.app, name="backup")
app.add_typer(mailbox.app, name="mailbox")


def main() -> None:
    """Run one command."""
    try:
        app()
    except (SystemExit, KeyboardInterrupt):
        raise
    except AstegniError as error:
        _end(error)
    except ValidationError as error:
        for fault in setting_faults(error):
            sys.stderr.write(f"astegni: {fault}\n")
        sys.exit(_EXIT_USAGE)
    except database_errors() as error:
        _end(database_error(error))
    except UnicodeEncodeError:
        # Bytes of an argument that are not UTF-8 become surrogates, which neither database nor terminal can encode.
        sys.stderr.write("astegni: an argument is not valid UTF-8.\n")
        sys.exit(_EXIT_USAGE)
    except OSError as error:
        if error.filename is not None and error.strerror is not None:
            _end(CannotUseFile(f"{error.filename!a} cannot be used: {error.strerror}."))
        # Reading and writing an open file do not name it.
        if error.errno in _DISK_ERRORS:
            _end(CannotUseFile(f"A file cannot be read or written further: {error.strerror}."))
        raise


def _end(error: AstegniError) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(f"astegni: {error.detail}", markup=False, highlight=False)
    if isinstance(error, InvalidSetting):
        sys.exit(_EXIT_USAGE)
    sys.exit(_EXIT_UNAVAILABLE if error.retryable else _EXIT_FAILED)
