"""The processes that `astegni up` starts."""

from pathlib import Path

from devstack.supervisor import Service, start_program
from tests.conftest import MakeSettings
from worker.cli.local_stack.services import services_for


def test_each_process_has_a_port_of_its_own_for_its_metrics(settings: MakeSettings, tmp_path: Path) -> None:
    def ports(**changes: int) -> dict[str, str | None]:
        services: list[Service] = services_for(settings(**changes), tmp_path, start_program)
        return {service.name: service._environment.get("METRICS_PORT") for service in services}

    (tmp_path / "run").mkdir()
    assert set(ports().values()) == {None}
    taken = ports(metrics_port=9100)
    assert [taken[name] for name in ("worker-default", "worker-media", "beat")] == ["9100", "9101", "9102"]
