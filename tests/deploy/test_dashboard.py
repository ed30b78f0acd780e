"""The dashboard of deploy/grafana: each query returns data of a running installation."""

import re
from pathlib import Path

from tests.chaos.harness.prometheus import Prometheus
from tests.conftest import School
from tests.deploy.conftest import Watched
from tests.deploy.dashboard import DASHBOARD, panels, queries_of
from tests.waiting import wait_for
from worker.metrics.families import families_of

ROOT = Path(__file__).parents[2]


def expressions() -> list[str]:
    """The queries of all panels, as Prometheus gets them."""
    return [expression for panel in panels() for expression, _legend in queries_of(panel)]


def test_panels_are_told_apart_and_lie_beside_each_other() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert all(panel["title"] and panel["description"] for panel in panels())
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _y in taken) < 24


def test_it_shows_what_processes_measure() -> None:
    shown = " ".join(expressions())
    unseen = {family.name for family in families_of(()) if family.name not in shown}
    # A pause is seen while it lasts, and orders of beat by their jobs.
    assert unseen == {"astegni_provider_pauses", "astegni_routine_orders"}


def test_every_query_returns_data(watched: Watched, school: School) -> None:
    with watched.client(school.tutor) as tutor:
        watched.upload(tutor)
    prometheus, processes = watched.prometheus, watched.processes
    # Forty queries at each look, and a scrape every two seconds.
    wait_for(
        lambda: not empty(prometheus), pause=0.5, details=lambda: f"{empty(prometheus)}\n{processes.logs()[-5000:]}"
    )


def empty(prometheus: Prometheus) -> list[str]:
    """The queries that return nothing yet."""
    return [expression for expression in expressions() if not prometheus.query(expression)]


def test_every_metric_of_the_dashboard_is_documented() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    metrics = set(re.findall(r"\b(astegni_\w+?)(?:_bucket)?\b", " ".join(expressions())))
    assert {metric for metric in metrics if metric not in page} == set()
