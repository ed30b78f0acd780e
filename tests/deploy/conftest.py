"""What the files of deploy/ are compared with: docker-compose.yml, the settings, and what a worker needs."""

from pathlib import Path

import pytest
import yaml

from worker.app import _GIVE_BACK_SECONDS
from worker.celery_settings import celery_config
from worker.media.processes.budget import Budget
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
# Variables that hold secrets; the rest may be read by everybody who administers the machines.
SECRETS = frozenset(
    {
        *("SECRET_KEY", "SECRET_KEY_PREVIOUS", "SMTP_PASSWORD", "BACKBLAZE_APPLICATION_KEY", "DATABASE_URL"),
        *("PLATFORM_DATABASE_URL", "REDIS_URL", "FLOWER_BASIC_AUTH"),
    }
)
# Read by Python, and by the processes before there are settings.
NO_SETTINGS = frozenset({"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "READY_FILE"})
_MIB = 1024**2
# The main process, and what a child has when it is replaced (worker/celery_settings.py), in MiB.
_MAIN = 100


@pytest.fixture(scope="session")
def compose_secrets() -> dict[str, frozenset[str]]:
    """The secrets of each process, as docker-compose.yml gives them."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {name: SECRETS.intersection(service["environment"]) for name, service in services.items()}


@pytest.fixture(scope="session")
def stop_seconds() -> float:
    """How long a worker needs after SIGTERM."""
    soft: float = celery_config(Settings(redis_url="redis://127.0.0.1:1/0"))["worker_soft_shutdown_timeout"]
    return soft + _GIVE_BACK_SECONDS


def least_memory(queues: str) -> int:
    """MiB that a worker of two children may use at most, each with an ffmpeg if it consumes `media`."""
    config = celery_config(Settings(redis_url="redis://127.0.0.1:1/0"))
    child: int = config["worker_max_memory_per_child"] // 1024
    ffmpeg = Budget(wall_seconds=1).memory_bytes // _MIB if "media" in queues else 0
    return _MAIN + Settings().worker_concurrency * (child + ffmpeg)
