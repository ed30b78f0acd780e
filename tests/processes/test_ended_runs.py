"""Memory in which the children of a worker write which message they have processed last."""

import os

from worker.processes.ended_runs import EndedRuns


def test_the_ends_of_forked_children_are_read_by_their_parent() -> None:
    ended = EndedRuns(2)
    for number, message in enumerate(("a", "b")):
        child = os.fork()
        if child == 0:
            ended.use_slot(number)
            ended.record(message)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert [message in ended for message in ("a", "b", "c")] == [True, True, False]


def test_the_next_message_of_a_child_takes_the_place_of_its_last() -> None:
    ended = EndedRuns(1)
    for message in ("a", "b"):
        ended.record(message)
    assert "a" not in ended
    assert "b" in ended


def test_a_message_may_have_any_text_as_its_id() -> None:
    ended = EndedRuns(1)
    assert "" not in ended
    ended.record("ሰላም" * 1000)
    assert "ሰላም" * 1000 in ended
