"""What docker-compose.yml promises, without starting anything."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.compose.conftest import ReadCompose
from tests.deploy.conftest import least_memory
from worker.access.safety import require_safe
from worker.beat_timetable import timetable
from worker.celery_settings import celery_config
from worker.cli.flower import arguments
from worker.cli.main import app
from worker.errors import Misconfigured
from worker.processes.liveness import VARIABLE
from worker.queue_names import queue_names, queues_of
from worker.settings import Settings

IMAGES = {"postgres": "postgres:17", "redis": "redis:7"}
_PINNED = re.compile("(.+)@sha256:[0-9a-f]{64}")
# Names that the images of others read, and the one of ours that is no setting.
KNOWN = {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "REDISCLI_AUTH", VARIABLE}
ONE_SHOT = {"migrate"}
SECRETS = {
    "SECRET_KEY",
    "SECRET_KEY_PREVIOUS",
    "SMTP_PASSWORD",
    "BACKBLAZE_APPLICATION_KEY",
    "DATABASE_URL",
    "PLATFORM_DATABASE_URL",
    "REDIS_URL",
    "FLOWER_BASIC_AUTH",
}


@pytest.fixture(scope="module")
def compose(read_compose: ReadCompose, variables: dict[str, str]) -> dict[str, Any]:
    return read_compose(variables)


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    definitions: dict[str, Any] = compose["services"]
    return definitions


@pytest.fixture(scope="module")
def usual(services: dict[str, Any]) -> dict[str, Any]:
    """What starts without a profile."""
    return {name: service for name, service in services.items() if "profiles" not in service}


@pytest.fixture(scope="module")
def ours(services: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in services.items() if name not in IMAGES}


def _settings(service: dict[str, Any]) -> Settings:
    """The settings that a process with the service's environment has."""
    return Settings(**{name.lower(): value for name, value in service["environment"].items()})


def _operations(root: Path) -> str:
    return (root / "docs" / "operations.md").read_text()


def _seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_all_parts_are_there(compose: dict[str, Any], usual: dict[str, Any]) -> None:
    assert compose["name"] == "astegni"
    assert set(usual) == {*("postgres", "redis", "migrate", "api", "worker-default", "worker-media", "beat", "flower")}


def test_a_profile_adds_media_workers_like_the_first(services: dict[str, Any], usual: dict[str, Any]) -> None:
    added = {name: service["profiles"] for name, service in services.items() if name not in usual}

    assert added == {"worker-media-2": ["media-2", "media-3"], "worker-media-3": ["media-3"]}
    for name in added:
        assert {**services[name], "profiles": None} == {**services["worker-media"], "profiles": None}


def test_memory_is_limited_and_suffices(services: dict[str, Any]) -> None:
    limits = {name: service["mem_limit"] for name, service in services.items()}
    mib = {name: int(limit[:-1]) * {"m": 1, "g": 1024}[limit[-1]] for name, limit in limits.items()}

    for name, service in services.items():
        words = service.get("command", [])
        assert mib[name] >= (least_memory(words[-1]) if words[:1] == ["worker"] else 256), name
    # Data, and copies of its pages while the log is rewritten.
    assert mib["redis"] >= 2 * 256
    # What fits into 16 GB with one media worker, page cache of the database included.
    usual = sum(limit for name, limit in mib.items() if "profiles" not in services[name])
    assert usual <= 12 * 1024


def test_images_of_others_are_pinned_by_digest(services: dict[str, Any], ours: dict[str, Any]) -> None:
    pinned = {name: _PINNED.fullmatch(services[name]["image"]) for name in IMAGES}
    assert {name: match and match[1] for name, match in pinned.items()} == IMAGES
    assert {(service["image"], service["build"], service["pull_policy"]) for service in ours.values()} == {
        ("astegni-worker", ".", "build")
    }


def test_every_service_is_watched_and_started_again(services: dict[str, Any]) -> None:
    lasting = {name: service for name, service in services.items() if name not in ONE_SHOT}

    assert {service["restart"] for service in lasting.values()} == {"unless-stopped"}
    assert [name for name, service in lasting.items() if not service["healthcheck"]["test"]] == []
    assert {services[name]["restart"] for name in ONE_SHOT} == {"no"}


def test_nothing_works_before_the_tables_are_there(services: dict[str, Any]) -> None:
    with_database = {name for name, service in services.items() if "DATABASE_URL" in service["environment"]} - ONE_SHOT

    assert with_database - {"worker-media-2", "worker-media-3"} == {"api", "worker-default", "worker-media", "beat"}
    for name in with_database:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for service in services.values():
        for name, wait in service.get("depends_on", {}).items():
            assert wait["condition"] == ("service_completed_successfully" if name in ONE_SHOT else "service_healthy")


def test_every_volume_is_declared_and_used(compose: dict[str, Any], services: dict[str, Any]) -> None:
    mounted = {mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])}

    assert mounted == set(compose["volumes"])


def test_every_queue_has_a_consumer(usual: dict[str, Any]) -> None:
    workers = [service for service in usual.values() if service.get("command", [None])[0] == "worker"]
    consumed = [
        (_settings(worker), worker["command"][worker["command"].index("--queues") + 1].split(",")) for worker in workers
    ]

    consumed_queues = [queues_of(kinds, settings) for settings, kinds in consumed]

    assert sorted(queue for queues in consumed_queues for queue in queues) == sorted(queue_names(consumed[0][0]))


@pytest.mark.parametrize("spool_id", ["", "addis-1"])
def test_api_and_media_worker_share_the_spool(
    read_compose: ReadCompose, variables: dict[str, str], image_environment: dict[str, str], spool_id: str
) -> None:
    services = read_compose(variables | {"SPOOL_ID": spool_id})["services"]
    mount = f"spool:{image_environment['SPOOL_DIR']}"

    assert {name for name, service in services.items() if mount in service.get("volumes", [])} == {
        *("api", "worker-media", "worker-media-2", "worker-media-3")
    }
    assert {_settings(services[name]).spool_id for name in ("api", "worker-default", "worker-media", "beat")} == {
        spool_id or "shared"
    }


def test_every_environment_variable_means_something(services: dict[str, Any]) -> None:
    named = {name for service in services.values() for name in service["environment"]}

    assert named - KNOWN - {name.upper() for name in Settings.model_fields} == set()


def test_the_documented_doctor_sees_everything(
    root: Path, compose: dict[str, Any], services: dict[str, Any], image_environment: dict[str, str]
) -> None:
    line = re.search(r"^docker compose run --rm (.*?) ?([\w-]+) doctor$", _operations(root), re.MULTILINE)
    assert line is not None
    named = {"DATABASE_URL", "PLATFORM_DATABASE_URL", "REDIS_URL", "BACKBLAZE_KEY_ID", "SMTP_HOST"}
    assert named <= services[line[2]]["environment"].keys()
    mount = f"spool:{image_environment['SPOOL_DIR']}"
    assert mount in services[line[2]].get("volumes", []) or line[1] == f"--volume={compose['name']}_{mount}"


def test_every_command_is_one_of_ours(ours: dict[str, Any], entrypoint: list[str]) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]

    assert entrypoint == ["astegni"]
    assert [name for name, service in ours.items() if service["command"][0] not in commands] == []


def test_an_empty_optional_variable_means_the_default(services: dict[str, Any]) -> None:
    api = _settings(services["api"])

    assert (api.timezone, api.cors_origins, api.backblaze_realm) == ("Africa/Addis_Ababa", (), "production")
    assert api.upload_max_bytes == Settings().upload_max_bytes


def test_a_missing_secret_stops_everything(read_compose: ReadCompose, variables: dict[str, str]) -> None:
    for name in variables:
        with pytest.raises(LookupError, match=f"^{name}: .+"):
            read_compose({**variables, name: ""})


def test_each_process_knows_only_its_own_secrets(ours: dict[str, Any]) -> None:
    work = {"BACKBLAZE_APPLICATION_KEY", "DATABASE_URL", "REDIS_URL"}

    assert {name: SECRETS & set(service["environment"]) for name, service in ours.items()} == {
        "migrate": {"DATABASE_URL"},
        "api": work | {"SECRET_KEY", "SECRET_KEY_PREVIOUS", "PLATFORM_DATABASE_URL"},
        # It sends: addresses are read with the key.
        "worker-default": work | {"SECRET_KEY", "SECRET_KEY_PREVIOUS", "SMTP_PASSWORD", "PLATFORM_DATABASE_URL"},
        **dict.fromkeys(("worker-media", "worker-media-2", "worker-media-3"), work),
        "beat": {"REDIS_URL", "DATABASE_URL", "PLATFORM_DATABASE_URL"},
        "flower": {"REDIS_URL", "FLOWER_BASIC_AUTH"},
    }


@pytest.mark.parametrize("address", ["", "postgresql://astegni_reader:x@host.docker.internal/astegni"])
def test_the_platform_is_read_by_who_is_told_of_it(
    read_compose: ReadCompose, variables: dict[str, str], address: str
) -> None:
    services = read_compose(variables | {"PLATFORM_DATABASE_URL": address})["services"]
    addresses = {name: _settings(services[name]).platform_database_url for name in ("api", "worker-default", "beat")}

    assert {secret.get_secret_value() if secret else "" for secret in addresses.values()} == {address}
    assert ("upkeep.sweep_people" in timetable(_settings(services["beat"]))) == bool(address)
    for name in ("api", "worker-default"):
        assert services[name]["extra_hosts"] == ["host.docker.internal:host-gateway"]


def test_no_secret_stands_in_a_command(services: dict[str, Any], variables: dict[str, str]) -> None:
    for service in services.values():
        words = " ".join([*service.get("command", []), *service.get("healthcheck", {}).get("test", [])])
        assert [secret for secret in variables.values() if secret in words] == []


def test_the_development_key_and_an_open_flower_are_refused(services: dict[str, Any]) -> None:
    api = _settings(services["api"]).model_copy(update={"secret_key": None})
    with pytest.raises(Misconfigured, match="SECRET_KEY"):
        require_safe(api, api.api_host)
    flower = _settings(services["flower"]).model_copy(update={"flower_basic_auth": None})
    with pytest.raises(Misconfigured, match="FLOWER_BASIC_AUTH"):
        arguments(flower, {})


def test_only_this_host_reaches_the_ports(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert published == {"api": ["127.0.0.1:8090:8090"], "flower": ["127.0.0.1:5555:5555"]}
    assert services["api"]["environment"]["API_PORT"] == "8090"
    assert services["flower"]["environment"]["FLOWER_PORT"] == "5555"


def test_our_containers_have_no_rights_they_do_not_need(ours: dict[str, Any]) -> None:
    for service in ours.values():
        assert service["read_only"] is True
        assert service["init"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_workers_may_finish_before_they_are_killed(services: dict[str, Any]) -> None:
    soft = celery_config(_settings(services["worker-media"]))["worker_soft_shutdown_timeout"]

    for name in ("worker-default", "worker-media", "worker-media-2", "worker-media-3"):
        assert _seconds(services[name]["stop_grace_period"]) >= soft + 10
    assert _seconds(services["api"]["stop_grace_period"]) >= 20 + 5  # what worker/api/server.py gives an upload


def test_the_example_explains_every_variable(compose_text: str, root: Path, variables: dict[str, str]) -> None:
    example = (root / ".env.example").read_text()
    required = re.findall(r"^# .+\n([A-Z_]+)=$", example, flags=re.MULTILINE)
    optional = re.findall(r"^# .+\n#([A-Z_]+)=", example, flags=re.MULTILINE)

    assert sorted(required) == sorted(variables)
    assert sorted([*required, *optional]) == sorted(
        # The last one is Docker's own.
        {*re.findall(r"(?<!\$)\$\{(\w+)", compose_text), "COMPOSE_PROFILES"}
    )
