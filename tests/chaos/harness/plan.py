"""What is requested and what fails, and when: all of it follows from the seed."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

# How often each fault is drawn, compared with the others.
FAULTS = {
    "kill_child": 7,
    "kill_main": 5,
    "stop_child": 5,
    "stop_main": 2,
    "rolling_restart": 2,
    "flush_broker": 3,
    "freeze_broker": 4,
    "restart_broker": 2,
    "reset_broker": 3,
    "echo_messages": 3,
    "slow_lines": 2,
    "restart_database": 2,
    "crash_database": 1,
    "terminate_backends": 3,
    "hog": 3,
    "trouble_storage": 2,
    "restart_storage": 1,
    "reset_storage": 1,
}
# Seconds that a fault lasts in production time, at least and at most.
_LASTS = {
    # Shorter and longer than a lease (30 s).
    "stop_child": (5.0, 90.0),
    "stop_main": (5.0, 40.0),
    "freeze_broker": (5.0, 20.0),
    "restart_broker": (0.5, 8.0),
    "slow_lines": (5.0, 20.0),
    "restart_database": (0.2, 6.0),
    "crash_database": (0.0, 2.0),
    "hog": (5.0, 25.0),
    "trouble_storage": (5.0, 20.0),
}


@dataclass(frozen=True)
class Fault:
    """At `at` seconds after the start `name` happens and lasts `seconds`."""

    at: float
    name: str
    seconds: float


@dataclass(frozen=True)
class Request:
    """At `at` seconds an order is given that takes `seconds`, or (`clip`) a recording is uploaded.

    After `then_after` seconds it is cancelled or deleted when `then` says so.
    """

    at: float
    number: int
    what: str
    seconds: float = 0.0
    clip: str | None = None
    then: str | None = None
    then_after: float = 0.0


@dataclass(frozen=True)
class Plan:
    """One run: `seconds` of trouble, and what is asked meanwhile."""

    seed: int
    seconds: float
    quick: float
    faults: list[Fault]
    requests: list[Request]


def make_plan(seed: int, *, seconds: float, jobs: int, quick: float, only: Sequence[str] = ()) -> Plan:
    """The run of this seed. `quick`: how many times faster than in production everything goes.

    With `only`, no other faults than these happen.
    """
    weights = {name: weight for name, weight in FAULTS.items() if name in only or not only}
    dice = random.Random(seed)
    # Orders and recordings from the first second; faults a little later and not at the very end.
    requests = sorted(
        (_request(dice, number, seconds, quick) for number in range(jobs)), key=lambda request: request.at
    )
    faults = []
    at = 3.0
    # Each once, even in a short run, and then each as often as its weight says.
    names = chain(reversed(dice.sample(list(weights), len(weights))), shuffled_packs(dice, weights))
    while at < seconds - 5:
        name = next(names)
        low, high = _LASTS.get(name, (0.0, 0.0))
        faults.append(Fault(at, name, dice.uniform(low, high) / quick))
        at += dice.uniform(3.0, 13.0) / min(quick, 4.0)
    return Plan(seed, seconds, quick, faults, requests)


def shuffled_packs(dice: random.Random, weights: Mapping[str, int]) -> Iterator[str]:
    """Names without end, as from packs of cards: each as often as its weight says, also among the first ones."""
    while True:
        yield from reversed(dice.sample(list(weights), sum(weights.values()), counts=list(weights.values())))


def _request(dice: random.Random, number: int, seconds: float, quick: float) -> Request:
    at = dice.uniform(0.0, seconds - 3)
    kind = dice.random()
    if kind < 0.25:
        clip = dice.choice(["audio.webm", "audio.webm", "h264.webm", "vp9.webm"])
        then = "delete" if dice.random() < 0.15 else None
        return Request(at, number, "record", clip=clip, then=then, then_after=dice.uniform(0.0, 3.0))
    if kind < 0.256:
        return Request(min(at, seconds / 2), number, "die")
    if kind < 0.55:
        then = "cancel" if dice.random() < 0.1 else None
        what = dice.choice(["go", "go", "trudge"])
        lasts = dice.uniform(1.0, 20.0) / quick
        return Request(at, number, what, lasts, then=then, then_after=dice.uniform(0.0, lasts))
    return Request(at, number, "go")
