"""Prometheus itself, with the rules and the intervals of deploy/prometheus, where it is installed."""

import shutil
from pathlib import Path
from typing import Any, Self

import httpx2 as httpx
import yaml

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from tests.chaos.mayhem.alarms import RULES
from tests.waiting import PATIENCE

_SCRAPES_BEFORE = 3
CONFIGURATION = RULES.with_name("prometheus.yml")


class Prometheus:
    """A server that scrapes an API on a port of this machine; its data is below `folder`."""

    def __init__(self, api_port: int, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._api_port = api_port
        self._process: ChildProcess | None = None
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", trust_env=False, timeout=10)

    @staticmethod
    def is_installed() -> bool:
        """Whether there is one."""
        return shutil.which("prometheus") is not None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        configuration: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
        configuration["rule_files"] = [str(RULES)]
        configuration["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{self._api_port}"]}]
        file = self._folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration))
        command = [
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
        ]
        self._process = ChildProcess("prometheus", command, self._folder / "prometheus.log")
        # `increase()` needs a value from before the trouble.
        wait_until(lambda: self._scrapes() >= _SCRAPES_BEFORE, self._process, PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        if self._process is not None:
            self._process.kill()

    def _scrapes(self) -> int:
        query = {"query": "count_over_time(astegni_database_up[5m])"}
        try:
            series = self._http.get("/api/v1/query", params=query).json()["data"]["result"]
        except (httpx.HTTPError, ValueError, KeyError):
            return 0
        return int(series[0]["value"][1]) if series else 0

    def firing(self) -> set[str]:
        """The names of the alarms that fire now."""
        alerts = self._http.get("/api/v1/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}
