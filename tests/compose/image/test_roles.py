"""The built image: its size, what is not in it, and every role of it, read-only and without rights (`make image`)."""

import signal
from typing import Any

import pytest

from tests.compose.image.conftest import ContainerHost, podman
from tests.compose.live.test_compose import RECORDING, SERVERS, _record_a_lesson, _teach
from tests.waiting import TIMEOUT
from worker.access.issue_token import issue_token

LARGEST = 800_000_000


def test_it_is_small(image: str) -> None:
    size = int(podman("image", "inspect", "--format", "{{.Size}}", image))

    assert size <= LARGEST


def test_it_has_no_tool_that_only_its_making_needs(image: str) -> None:
    script = (
        "ls /opt/astegni/lib/python3.11/site-packages; ls /usr/lib/*-linux-gnu; echo; id -u; touch /opt/astegni/x 2>&1"
    )
    words = podman("run", "--rm", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", "--network=none",
                   "--entrypoint=sh", image, "-c", f"{script}; true")  # fmt: skip
    names = words.split()

    assert {"worker", "celery", "libGL.so.1", "libEGL.so.1"} <= set(names)
    assert {"pip", "setuptools", "devstack", "pytest"} & set(names) == set()
    assert [name for name in names if "LLVM" in name or name.startswith("libgallium")] == []
    assert "10001" in names
    assert "Permission denied" in words


@pytest.fixture
def lesson(host: ContainerHost, variables: dict[str, str]) -> dict[str, Any]:
    """A recording that was made and whose job is over."""
    assert RECORDING.exists()
    token = issue_token(variables["SECRET_KEY"], sub=2, role="student", role_ids={"student": 22})
    with _teach(host, variables) as api:
        return _record_a_lesson(api, {"Authorization": f"Bearer {token}"})


def test_every_role_is_healthy_and_works_and_ends_in_order(host: ContainerHost, lesson: dict[str, Any]) -> None:
    """`host` is up once each health check of docker-compose.yml has succeeded in its container."""
    assert lesson["is_available"] is True
    ours = host.running.keys() - SERVERS
    assert ours == {"api", "worker-default", "worker-media", "beat", "flower"}
    for name in ours:
        host.running[name].signal(signal.SIGTERM)
    for name in ours:
        assert host.running[name].wait(TIMEOUT), f"{name} lives on"
    # uvicorn ends by the signal that stopped it.
    ends = {name: host.running[name].exit_code for name in ours}
    assert ends.pop("api") in {0, 128 + signal.SIGTERM}
    assert ends == dict.fromkeys(ends, 0), host.running["worker-media"].log_tail()
