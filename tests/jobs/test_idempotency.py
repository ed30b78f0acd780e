"""The Idempotency-Key protocol: executed once, the same response, and never somebody else's."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.jobs.conftest import Ledger, SampleOrder
from tests.waiting import TIMEOUT
from worker.errors import Conflict, InvalidInput
from worker.jobs.idempotency import StoredResponse, checked_key, find_response, fingerprint, remember

PRINT = fingerprint("POST", "/v1/recordings", "{}")


def _post(
    ledger: Ledger, sample_order: type[SampleOrder], *, principal: str = "user:1", key: str = "k", what: str = PRINT
) -> StoredResponse:
    """What a door does: the key and the job in one transaction."""
    with ledger.database.transaction() as session:
        before = find_response(session, principal, key, what)
        if before is not None:
            return before
        session.execute(text("INSERT INTO jobs (kind, principal) VALUES ('tests.sample', :who)"), {"who": principal})
        number = session.scalar(text("SELECT count(*) FROM jobs"))
        # Numbers and an order of keys that jsonb would write otherwise.
        answer = StoredResponse(
            202, f'{{"z":1.50,"job":{number},"a":1e3}}', {"Location": "/v1/jobs/1", "Retry-After": "2"}
        )
        remember(session, principal, key, what, answer)
        return answer


def test_a_repeat_gets_the_same_answer_byte_by_byte(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    first = _post(ledger, sample_order)
    assert _post(ledger, sample_order) == first
    assert first.body == '{"z":1.50,"job":1,"a":1e3}'
    assert ledger.count() == 1


def test_fifty_at_once_are_one(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    start = threading.Barrier(10)

    def post(number: int) -> StoredResponse:
        if number < 10:
            start.wait(TIMEOUT)
        return _post(ledger, sample_order)

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(post, range(50)))
    assert ledger.count() == 1
    assert all(answer == answers[0] for answer in answers)


def test_another_request_under_the_same_key_is_refused(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    _post(ledger, sample_order)
    with pytest.raises(InvalidInput, match="new key"):
        _post(ledger, sample_order, what=fingerprint("POST", "/v1/recordings", '{"a":1}'))
    assert ledger.count() == 1


def test_a_key_belongs_to_whoever_sends_it(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    assert _post(ledger, sample_order).body != _post(ledger, sample_order, principal="user:2").body
    assert ledger.count() == 2


def test_a_failure_is_not_remembered(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    with pytest.raises(RuntimeError), ledger.database.transaction() as session:
        assert find_response(session, "user:1", "k", PRINT) is None
        remember(session, "user:1", "k", PRINT, StoredResponse(202, "{}"))
        raise RuntimeError
    _post(ledger, sample_order)
    assert ledger.count() == 1


def test_who_waits_too_long_is_told_to_come_back(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    with ledger.database.transaction() as first, ledger.database.transaction() as second:
        assert find_response(first, "user:1", "k", PRINT) is None
        second.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(Conflict) as caught:
            find_response(second, "user:1", "k", PRINT)
        second.rollback()
        assert caught.value.members == {"retry_after": 2}


def test_keys_of_others_do_not_wait(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    with ledger.database.transaction() as first:
        assert find_response(first, "user:1", "k", PRINT) is None
        _post(ledger, sample_order, key="another")
        _post(ledger, sample_order, principal="user:2")


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "é", "\x7f", "x" * 256])
def test_keys_that_are_refused(key: str) -> None:
    with pytest.raises(InvalidInput):
        checked_key(key)


@pytest.mark.parametrize("key", ["a", "x" * 255, "8e03978e-40d5-43e8-bc93-6894a57f9324", '"quoted"', "~!@"])
def test_keys_that_are_taken(key: str) -> None:
    assert checked_key(key) == key


def test_parts_of_a_fingerprint_do_not_run_together() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
