"""The units of deploy/systemd: valid for systemd, without rights, and true to what the processes need."""

import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from tests.deploy.conftest import NO_SETTINGS, SECRETS, least_memory
from tests.deploy.units import (
    FOLDER,
    PREFIX,
    UNITS,
    environment_files,
    read_unit,
    seconds,
    service,
    variables,
    variables_of,
    words_of,
)
from tests.waiting import TIMEOUT
from worker.api.server import _GRACEFUL_SECONDS
from worker.cli.local_stack.command import astegni
from worker.cli.main import app
from worker.queue_names import queue_names, queues_of
from worker.settings import Settings

# Of 10, in tenths: "OK" begins at 4.5, a service without a sandbox has 9.6.
EXPOSURE = 13
WORKERS = [name for name in UNITS if "worker" in name]
SETTINGS = Settings(redis_url="redis://127.0.0.1:1/0")


def _systemd_analyze(*words: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing (Debian: apt-get install systemd): systemd has not read the units")
    run = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout + run.stderr


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """Paths of the units, one instance of a template, with a program that is installed here."""
    folder = tmp_path / "units"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("etc", "*.sysusers.conf"))
    program = tmp_path / "astegni"
    program.symlink_to(astegni()[0])
    for path in folder.glob("*.service"):
        path.write_text(path.read_text().replace(PREFIX, str(program)))
    for path in folder.glob("*@.service"):
        path.rename(path.with_name(path.name.replace("@", "@1")))
    return [str(path) for path in sorted(folder.iterdir()) if path.is_file()]


def test_systemd_accepts_the_units(installed: list[str]) -> None:
    _systemd_analyze("verify", "--man=no", *installed)


def test_systemd_rates_their_exposure_as_low(installed: list[str]) -> None:
    for path in installed:
        if path.endswith(".service"):
            _systemd_analyze("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", path)


def test_all_processes_are_there() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        *("astegni-.service.d", "astegni.target", "astegni.sysusers.conf", "etc"),
        *("astegni-migrate.service", "astegni-api.service", "astegni-worker-default.service"),
        *("astegni-worker-media@.service", "astegni-beat.service", "astegni-flower.service"),
    }
    for name in UNITS:
        assert read_unit(name)["Unit", "PartOf"] == ["astegni.target"], name
        assert read_unit(name)["Install", "WantedBy"] == ["astegni.target"], name


@pytest.mark.parametrize("name", UNITS)
def test_the_command_is_one_of_ours(name: str) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    command, *rest = words_of(name)

    assert command in commands
    # Several of them on one machine are distinguished by their names.
    named = ["--name"] if "@" in name else []
    assert [word for word in rest if word.startswith("-")] == ([*named, "--queues"] if name in WORKERS else [])


def test_every_queue_has_a_consumer() -> None:
    consumed = [queue for name in WORKERS for queue in queues_of(words_of(name)[-1].split(","), SETTINGS)]

    assert sorted(consumed) == sorted(queue_names(SETTINGS))


def test_every_variable_is_a_setting() -> None:
    known = NO_SETTINGS | {name.upper() for name in Settings.model_fields}

    assert set().union(*map(variables, UNITS)) <= known
    used = {file for name in UNITS for file in environment_files(name)}
    assert used == {path.name for path in (FOLDER / "etc").iterdir()}


@pytest.mark.parametrize("path", sorted((FOLDER / "etc").iterdir()), ids=lambda path: path.name)
def test_the_examples_hold_valid_values(path: Path) -> None:
    values = {name.lower(): value.replace("PASSWORD", "secret") for name, value in variables_of(path.name).items()}

    Settings(**values)  # type: ignore[arg-type]


def test_each_process_knows_only_its_own_secrets(compose_secrets: dict[str, frozenset[str]]) -> None:
    for name in UNITS:
        process = name.removeprefix("astegni-").removesuffix(".service").removesuffix("@")
        assert variables(name) & SECRETS == compose_secrets[process], name
    assert not SECRETS & set(variables_of("astegni.env"))


def test_api_and_media_workers_share_the_spool() -> None:
    for name in ("astegni-api.service", "astegni-worker-media@.service"):
        assert service(name, "StateDirectory") == ["astegni/spool"]
        assert "SPOOL_DIR=/var/lib/astegni/spool" in service(name, "Environment")
        assert service(name, "User") == ["astegni"]


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_may_finish_before_it_is_killed(name: str, stop_seconds: float) -> None:
    (stop,), (abort,) = service(name, "TimeoutStopSec"), service(name, "TimeoutAbortSec")

    assert min(seconds(stop), seconds(abort)) >= stop_seconds + 5
    # A SIGTERM to the whole group would interrupt ffmpeg and the children at once, an ABRT the main process.
    assert service(name, "KillMode") == ["mixed"]
    assert service(name, "WatchdogSignal") == ["SIGTERM"]


def test_the_api_may_answer_before_it_is_killed() -> None:
    (stop,) = service("astegni-api.service", "TimeoutStopSec")

    assert seconds(stop) >= _GRACEFUL_SECONDS + 5


@pytest.mark.parametrize("name", [*WORKERS, "astegni-beat.service"])
def test_what_reports_to_systemd_is_watched(name: str) -> None:
    assert service(name, "Type") == ["notify"]
    (watchdog,) = service(name, "WatchdogSec")
    # Beat reports at least every 5 s, a worker every 2 s while its broker answers.
    assert seconds(watchdog) >= 60


@pytest.mark.parametrize("name", UNITS)
def test_memory_is_limited_and_suffices(name: str) -> None:
    (limit,) = service(name, "MemoryMax")
    mib = int(limit[:-1]) * {"M": 1, "G": 1024}[limit[-1]]

    assert mib >= (least_memory(words_of(name)[-1]) if name in WORKERS else 256)


def test_what_ends_is_started_again_unless_its_settings_are_wrong() -> None:
    for name in UNITS:
        lasting = name != "astegni-migrate.service"
        assert service(name, "Restart") == ["always" if lasting else "on-failure"], name
        assert service(name, "RestartPreventExitStatus") == ["2" if lasting else "1 2"], name
        assert read_unit(name)["Unit", "StartLimitIntervalSec"] == ["0"], name
