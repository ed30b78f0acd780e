"""Every alarm about a part of the installation is caused, fires, and stops when its cause is gone."""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.chaos.harness.alarms import Alarms, OwnAlarms, read_rules, wait_until_firing
from tests.chaos.harness.incidents import incidents_of
from tests.chaos.harness.installation import Installation
from tests.chaos.harness.prometheus import Prometheus
from tests.chaos.harness.servers import Servers
from tests.conftest import MakeSettings, Platform
from tests.forking.forked_process import ForkServer
from tests.waiting import TIMEOUT
from worker.api.app import create_api
from worker.api.services import Services
from worker.database import Database

ROOT = Path(__file__).parents[2]
# Intervals, and thresholds in seconds, are this many times shorter than in production.
QUICK = 10.0
# A provider that was away for long is tried again within five minutes, however short the intervals are.
_TIMEOUT = TIMEOUT + 300


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, fork_server: ForkServer) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("alarms")
    with (
        Servers(folder / "servers") as servers,
        Installation(servers, folder, quick=QUICK, start=fork_server.start) as running,
    ):
        yield running


@pytest.fixture
def alarms(installation: Installation, tmp_path: Path) -> Iterator[Alarms]:
    """Prometheus, where it is installed (Debian: apt-get install prometheus), else our own evaluator of its rules."""
    if not Prometheus.is_installed():
        yield OwnAlarms(installation.metrics, quick=QUICK)
        return
    port = installation.environment.settings.api_port
    with Prometheus(port, tmp_path / "prometheus", quick=QUICK, with_thresholds=True) as prometheus:
        yield prometheus


def test_alarms_fire_while_their_cause_lasts(installation: Installation, alarms: Alarms) -> None:
    """One after the other on one installation: each begins while its own alarms are quiet.

    Those of the one before stop meanwhile; where it must be alone, all are quiet.
    """
    parts = {rule.name for rule in read_rules("astegni-parts")}

    def wait(*, firing: Collection[str] = (), quiet: Collection[str] = ()) -> None:
        def is_reached(names: set[str]) -> bool:
            return names.issuperset(firing) and names.isdisjoint(quiet)

        wait_until_firing(alarms, is_reached, within=_TIMEOUT, details=installation.log)

    wait(quiet=parts)
    incidents = incidents_of(installation)
    stopping: tuple[str, ...] = ()
    for incident in incidents:
        if incident.is_alone:
            wait(quiet=parts)
            stopping = ()
        wait(quiet=incident.alarms)
        with incident.lasting():
            wait(firing=incident.alarms, quiet=stopping)
        incident.afterwards()
        stopping = incident.alarms
    wait(quiet=parts)
    caused = {alarm for incident in incidents for alarm in incident.alarms} | {"SpoolFull"}
    assert parts == caused


def test_a_full_spool_fires(settings: MakeSettings, database: Database, small_disk: Callable[..., Path]) -> None:
    disk = small_disk("4m")
    with TestClient(
        create_api(Services(settings(spool_dir=disk / "spool", spool_reserve_bytes=1_000_000), database, {}))
    ) as api:
        alarms = OwnAlarms(lambda: str(api.get("/metrics").text), quick=QUICK)
        assert "SpoolFull" not in alarms.firing()
        (disk / "bytes").write_bytes(bytes(3_500_000))
        wait_until_firing(alarms, lambda names: "SpoolFull" in names, within=TIMEOUT, details=str)
        (disk / "bytes").unlink()
        wait_until_firing(alarms, lambda names: "SpoolFull" not in names, within=TIMEOUT, details=str)


def test_alarms_watch_what_is_exposed_and_are_documented(
    settings: MakeSettings, database: Database, b2: Credentials, redis_url: str, platform: Platform
) -> None:
    services = Services(settings(platform_database_url=platform.url), database, {})
    assert services.context.platform_connection is not None
    with closing(services.context.platform_connection), TestClient(create_api(services)) as api:
        api.get("/healthz")
        exposed = {
            name
            for family in text_string_to_metric_families(api.get("/metrics").text)
            for name in (family.name, *(sample.name for sample in family.samples))
        }
    watched = {name for rule in read_rules() for name in re.findall(r"astegni_\w+", rule.expression)}
    # There is no active series here.
    assert watched - exposed - {"astegni_series_filled_days"} == set()
    operations = (ROOT / "docs" / "operations.md").read_text()
    missing = [rule.name for rule in read_rules() if f"`{rule.name}`" not in operations]
    assert not missing
