"""Prometheus itself, with the rules and the intervals of deploy/prometheus, where it is installed."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx2 as httpx
import yaml

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from tests.chaos.harness.alarms import RULES, seconds_of
from tests.waiting import TIMEOUT

_SCRAPES_BEFORE = 3
# Seconds between two scrapes: a busy machine must answer one within as long. Rules are evaluated on what is stored.
_SHORTEST = {"scrape_interval": 2.0, "evaluation_interval": 1.0}
CONFIGURATION = RULES.with_name("prometheus.yml")


class Prometheus:
    """A server that scrapes ports of this machine: an API's, and those of workers and beat. Its data is below `folder`.

    Its intervals, and how long an expression must be true, are `quick` times shorter than in deploy/prometheus; with
    `with_thresholds` so are the ages that rules compare and the windows of rates.
    """

    def __init__(
        self,
        api_port: int,
        folder: Path,
        *,
        process_ports: Sequence[int] = (),
        quick: float = 1.0,
        with_thresholds: bool = False,
    ) -> None:
        self._folder = folder
        self._port = free_port()
        self._api_port = api_port
        self._process_ports = process_ports
        self._quick = quick
        self._with_thresholds = with_thresholds
        self._process: ChildProcess | None = None
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", trust_env=False, timeout=10)

    @staticmethod
    def is_installed() -> bool:
        """Whether there is one."""
        return shutil.which("prometheus") is not None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        file, rules = self._folder / "prometheus.yml", self._folder / "rules.yml"
        rules.write_text(yaml.safe_dump(self._rules()))
        file.write_text(yaml.safe_dump(self._configuration(rules)))
        command = [
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
        ]
        self._process = ChildProcess("prometheus", command, self._folder / "prometheus.log")
        # `increase()` needs a value from before the trouble.
        wait_until(lambda: self._scrapes() >= _SCRAPES_BEFORE, self._process, TIMEOUT)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        if self._process is not None:
            self._process.kill()

    def _configuration(self, rules: Path) -> dict[str, Any]:
        configuration: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
        configuration["rule_files"] = [str(rules)]
        for interval, shortest in _SHORTEST.items():
            configuration["global"][interval] = self._shorter(configuration["global"][interval], shortest)
        jobs = {job["job_name"]: job for job in configuration["scrape_configs"]}
        ports = {"astegni": [self._api_port], "astegni-processes": self._process_ports}
        configuration["scrape_configs"] = [
            {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports[name]]}]}
            for name in jobs
        ]
        return configuration

    def _rules(self) -> Any:
        content = yaml.safe_load(RULES.read_text())
        for group in content["groups"]:
            for rule in group["rules"]:
                rule["for"] = self._shorter(rule.get("for", "0s"))
                if self._with_thresholds:
                    rule["expr"] = self._lower(rule["expr"])
        return content

    def _lower(self, expression: str) -> str:
        windows = re.sub(r"\[(\w+)\]", lambda window: f"[{self._shorter(window[1])}]", expression)
        return re.sub(
            r"(_seconds(?:\{.*\})? > )([0-9]+)$", lambda age: f"{age[1]}{int(age[2]) / self._quick:g}", windows
        )

    def _shorter(self, duration: str, least: float = 0.0) -> str:
        return f"{max(least, seconds_of(duration) / self._quick) * 1000:.0f}ms"

    def _scrapes(self) -> int:
        try:
            series = self.query("count_over_time(astegni_database_up[5m])")
        except (httpx.HTTPError, ValueError, KeyError):
            return 0
        return int(series[0]["value"][1]) if series else 0

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query; KeyError when it is not an expression."""
        answer = self._http.get("/api/v1/query", params={"query": expression}).json()
        return list(answer["data"]["result"])

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series of an expression between two times (Unix), each with its `metric` and `values`."""
        parameters: dict[str, str | float] = {"query": expression, "start": start, "end": end, "step": step}
        answer = self._http.get("/api/v1/query_range", params=parameters).json()
        return list(answer["data"]["result"])

    def firing(self) -> set[str]:
        """The names of the alarms that fire now."""
        alerts = self._http.get("/api/v1/alerts").json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}
