"""Which process or link is killed when: all of it follows from the seed."""

import random
from dataclasses import dataclass

from tests.chaos.harness.plan import shuffled_packs

# How often each kill is drawn, compared with the others.
KILLS = {
    "tab": 4,
    "browser": 2,
    "api": 5,
    "kill_main": 2,
    "kill_child": 3,
    "crash_database": 2,
    "restart_database": 1,
    "kill_backend": 2,
    "reset_link": 3,
    "cut_link": 3,
}
# What the table calls them.
KINDS = {
    "tab": "tab",
    "browser": "browser",
    "api": "API",
    "kill_main": "worker",
    "kill_child": "worker",
    "crash_database": "database",
    "restart_database": "database",
    "kill_backend": "database",
    "reset_link": "link",
    "cut_link": "link",
}
OF_BROWSERS = {"tab", "browser"}
# Seconds for which the victim stays away.
_AWAY = {
    "api": (0.1, 3.0),
    "crash_database": (0.0, 3.0),
    "restart_database": (0.2, 4.0),
    "cut_link": (0.5, 6.0),
    "browser": (0.1, 3.0),
}
# Every so many kills another one follows at once.
_TOGETHER = 0.2


@dataclass(frozen=True)
class Kill:
    """At `at` seconds after the start `name` is killed, and stays away for `seconds`."""

    at: float
    name: str
    seconds: float


@dataclass(frozen=True)
class UploadPlan:
    """One run: so many clients record, one after another, and a browser does (or none), until the last kill.

    `abandoned_after`: seconds without a byte after which the server seals an upload.
    """

    seed: int
    kills: list[Kill]
    clients: int
    with_browser: bool
    abandoned_after: int


def make_upload_plan(
    seed: int,
    *,
    kills: int,
    clients: int = 6,
    with_browser: bool = True,
    pause: tuple[float, float] = (1.0, 6.0),
    # Shorter than the longest outages, and than what a late client waits: uploads are sealed and go on later.
    abandoned_after: int = 10,
) -> UploadPlan:
    """The run of this seed; `pause` are the least and the most seconds between two kills."""
    dice = random.Random(seed)
    weights = {name: weight for name, weight in KILLS.items() if with_browser or name not in OF_BROWSERS}
    names = shuffled_packs(dice, weights)
    plan: list[Kill] = []
    at = pause[1]
    while len(plan) < kills:
        name = next(names)
        plan.append(Kill(at, name, dice.uniform(*_AWAY.get(name, (0.0, 0.0)))))
        if dice.random() > _TOGETHER:
            at += dice.uniform(*pause)
    return UploadPlan(seed, plan, clients, with_browser, abandoned_after)
