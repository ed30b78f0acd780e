"""Partitions of deliveries: each kind of channel is sent separately, so that a slow one does not delay the others."""

from collections.abc import Sequence

# Rows per batch. In-app messages are written together, all others are sent one by one.
BATCH = {"in_app": 200, "email": 100, "webhook": 50, "apprise": 50}


def batches_at_once(children: int) -> int:
    """How many batches of one lane a dispatcher has in progress: they leave half of the children free."""
    return max(1, children // 2)


def batches(ids: Sequence[int], size: int) -> list[Sequence[int]]:
    """Ids in batches of at most `size`."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def batch_size(lane: str, *, lost: bool) -> int:
    """How many deliveries one batch holds.

    A lost delivery is sent alone: if it crashes its sender's process, no other is affected, and only it is charged an
    attempt.
    """
    return 1 if lost else BATCH[lane]
