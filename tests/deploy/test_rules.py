"""The alarms of deploy/prometheus as Prometheus reads them: valid, and each with a test of when it fires."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.waiting import TIMEOUT

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"


def _promtool(*words: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing (Debian: apt-get install prometheus): no alarm is evaluated by Prometheus")
    run = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def test_prometheus_accepts_rules_and_configuration() -> None:
    _promtool("check", "rules", str(FOLDER / "rules.yml"))
    _promtool("check", "config", str(FOLDER / "prometheus.yml"))


def test_each_alarm_fires_and_stops_and_is_silent_when_nothing_is_wrong() -> None:
    _promtool("test", "rules", str(FOLDER / "rules.test.yml"))


def test_the_documentation_has_every_alarm_and_no_other() -> None:
    page = (FOLDER.parents[1] / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `((?:[^`\\]|\\.)+)` \| ", page, re.MULTILINE)
    documented = {alarm: expression.replace("\\|", "|") for alarm, expression in rows if "astegni_" in expression}
    assert documented == {
        rule["alert"]: rule["expr"] for group in _read("rules.yml")["groups"] for rule in group["rules"]
    }


def test_every_alarm_has_both_tests() -> None:
    expected = Counter[tuple[str, bool]]()
    for test in _read("rules.test.yml")["tests"]:
        for check in test["alert_rule_test"]:
            expected[check["alertname"], bool(check["exp_alerts"])] += 1
    alarms = {rule["alert"] for group in _read("rules.yml")["groups"] for rule in group["rules"]}
    assert alarms == {alarm for alarm, fires in expected if fires}
    # At least once after it fired, and once in the test where it never does.
    assert alarms == {alarm for alarm in alarms if expected[alarm, False] >= 2}
