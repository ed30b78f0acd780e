"""Claims of deliveries are exclusive."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from tests.reminders.sending.conftest import DeliveryFixture
from worker.reminders.delivery.claim import claim, release, renew, seconds_until_due, under_way
from worker.reminders.delivery.claimed import read_claimed
from worker.reminders.delivery.dispatcher import Dispatcher
from worker.reminders.delivery.mark import end, mark_sent, put_off


def hold(
    deliveries: DeliveryFixture, lane: str = "in_app", *, lost: bool = False, most: int = 100, **options: Any
) -> tuple[UUID, list[int]]:
    token = uuid4()
    with deliveries.database.statement() as statement:
        return token, claim(statement, lane, lost=lost, token=token, most=most, lease=60.0, **options)


def take_over(deliveries: DeliveryFixture, ids: list[int], token: UUID, run: UUID, lease: float = 60.0) -> list[int]:
    with deliveries.database.statement() as statement:
        return [row.id for row in read_claimed(statement, ids, token, run=run, lease=lease)]


def test_only_what_is_due_is_claimed_the_oldest_first_and_once(deliveries: DeliveryFixture) -> None:
    now = datetime.now(UTC)
    newer = deliveries.message(due_at=now - timedelta(seconds=5))
    older = deliveries.message(due_at=now - timedelta(seconds=50))
    deliveries.message(due_at=now + timedelta(hours=1))
    token, claimed = hold(deliveries)
    assert claimed == [older, newer]
    row = deliveries.delivery(older)
    assert (row.state, row.send_token, row.attempts) == ("sending", token, 0)
    assert 55 < (row.lease_until - now).total_seconds() < 65
    assert hold(deliveries)[1] == []


def test_at_most_so_many(deliveries: DeliveryFixture) -> None:
    for _n in range(3):
        deliveries.message()
    assert len(hold(deliveries, most=2)[1]) == 2
    assert len(hold(deliveries, most=2)[1]) == 1


def test_lanes_are_apart(deliveries: DeliveryFixture) -> None:
    in_app, email = deliveries.message(), deliveries.message(channel="email")
    webhook = deliveries.message(channel=deliveries.channel("webhook", b"x"))
    second = deliveries.message(channel=deliveries.channel("email", b"x"))
    removed = deliveries.message(channel="999")
    odd = deliveries.message(channel="no number")
    lanes = {lane: set(hold(deliveries, lane)[1]) for lane in ("in_app", "email", "webhook", "apprise")}
    assert lanes == {"in_app": {in_app, removed, odd}, "email": {email, second}, "webhook": {webhook}, "apprise": set()}


def test_what_is_overdue_only(deliveries: DeliveryFixture) -> None:
    deliveries.message(due_at=datetime.now(UTC) - timedelta(seconds=5))
    old = deliveries.message(due_at=datetime.now(UTC) - timedelta(seconds=15))
    assert hold(deliveries, overdue=10.0)[1] == [old]


def test_a_lease_that_runs_out_frees_it_as_lost(deliveries: DeliveryFixture) -> None:
    delivery = deliveries.message()
    hold(deliveries)
    deliveries.do("UPDATE deliveries SET lease_until = now() - interval '1 s'")
    assert hold(deliveries)[1] == []
    assert hold(deliveries, lost=True)[1] == [delivery]
    assert hold(deliveries, lost=True)[1] == []


def test_the_same_batch_is_taken_once(deliveries: DeliveryFixture) -> None:
    ids = [deliveries.message(), deliveries.message()]
    token, _claimed = hold(deliveries)
    first, second = uuid4(), uuid4()
    assert sorted(take_over(deliveries, ids, token, first)) == ids
    assert take_over(deliveries, ids, token, second) == []
    row = deliveries.delivery(ids[0])
    assert (row.send_token, row.attempts) == (first, 1)


def test_a_zombie_writes_nothing(deliveries: DeliveryFixture) -> None:
    delivery = deliveries.message()
    token, _claimed = hold(deliveries)
    zombie, successor = uuid4(), uuid4()
    take_over(deliveries, [delivery], token, zombie)
    deliveries.do("UPDATE deliveries SET lease_until = now() - interval '1 s'")
    token, _claimed = hold(deliveries, lost=True)
    take_over(deliveries, [delivery], token, successor)
    before = deliveries.delivery(delivery)
    with deliveries.database.transaction() as session:
        assert mark_sent(session, [delivery], zombie) == set()
        assert not end(session, delivery, zombie, state="dropped", reason="too-late")
        assert not put_off(session, delivery, zombie, until=datetime.now(UTC), reason="x", attempted=True)
        assert renew(session, [delivery], zombie, lease=60) == set()
        release(session, [delivery], zombie, charged=True)
    assert deliveries.delivery(delivery) == before
    with deliveries.database.transaction() as session:
        assert mark_sent(session, [delivery], successor) == {delivery}
        assert mark_sent(session, [delivery], successor) == set()
    assert deliveries.delivery(delivery).state == "sent"


def test_let_go_unharmed(deliveries: DeliveryFixture) -> None:
    delivery = deliveries.message()
    token, _claimed = hold(deliveries)
    run = uuid4()
    take_over(deliveries, [delivery], token, run)
    with deliveries.database.statement() as statement:
        assert under_way(statement, [delivery]) == {delivery}
        release(statement, [delivery], run, charged=True)
        assert under_way(statement, [delivery]) == set()
    row = deliveries.delivery(delivery)
    assert (row.state, row.attempts, row.send_token, row.lease_until) == ("pending", 0, None, None)


def test_how_long_until_the_next(deliveries: DeliveryFixture) -> None:
    def until() -> float | None:
        with deliveries.database.statement() as statement:
            return seconds_until_due(statement)

    assert until() is None
    deliveries.message(due_at=datetime.now(UTC) + timedelta(seconds=30))
    assert 28 < (until() or 0) < 31
    deliveries.message()
    assert (until() or 0) < 0
    hold(deliveries)
    assert 28 < (until() or 0) < 31  # a claimed delivery is not waited for


def test_claimers_at_once_share_the_rows_out(deliveries: DeliveryFixture) -> None:
    for user_id in deliveries.crowd(60):
        deliveries.message(user_id=user_id)

    def claim_all(_number: int) -> list[int]:
        mine: list[int] = []
        while True:
            claimed = hold(deliveries, most=7)[1]
            if not claimed:
                return mine
            mine += claimed

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(claim_all, range(4)))
    held = [delivery_id for share in shares for delivery_id in share]
    assert len(held) == len(set(held)) == 60


def test_nobody_waits_for_a_row_that_another_claims(deliveries: DeliveryFixture) -> None:
    first, second = deliveries.message(), deliveries.message()
    with deliveries.database.transaction() as session:
        session.execute(text("SELECT id FROM deliveries WHERE id = :id FOR UPDATE"), {"id": first})
        assert hold(deliveries)[1] == [second]
    assert hold(deliveries)[1] == [first]


class BatchRecorder:
    """Where batches are handed over to."""

    def __init__(self, deliveries: DeliveryFixture) -> None:
        self.deliveries = deliveries
        self.batches: list[tuple[str, list[int], UUID]] = []
        self.broken = False

    def hand_over(self, lane: str, ids: Any, token: UUID) -> None:
        if self.broken:
            raise ConnectionError("no broker")
        self.batches.append((lane, list(ids), token))

    def dispatcher(self, **options: Any) -> Dispatcher:
        values = {"children": 2, "interval": 1.0, "lease": 60.0} | options
        return Dispatcher(self.deliveries.database, self.hand_over, **values)


def test_the_dispatcher_hands_over_batches_of_a_lane_and_waits_for_them(deliveries: DeliveryFixture) -> None:
    recorder = BatchRecorder(deliveries)
    dispatcher = recorder.dispatcher()
    assert dispatcher.dispatch() == 1.0  # idle
    people = deliveries.crowd(120)
    mails = [deliveries.message(channel="email", user_id=person) for person in people]
    shown = deliveries.message()
    assert dispatcher.dispatch() < 0.1
    assert [(lane, len(ids)) for lane, ids, _token in recorder.batches] == [("in_app", 1), ("email", 100)]
    assert recorder.batches[1][1] == mails[:100]
    # A second batch of mail waits for the first; another lane does not.
    dispatcher.dispatch()
    assert len(recorder.batches) == 2
    for _lane, ids, token in recorder.batches:
        deliveries.sender.deliver(ids, token)
    assert deliveries.delivery(shown).state == "sent"
    dispatcher.dispatch()
    assert [(lane, len(ids)) for lane, ids, _token in recorder.batches[2:]] == [("email", 20)]
    deliveries.sender.deliver(*recorder.batches[2][1:])
    assert dispatcher.dispatch() == 1.0
    assert deliveries.one("SELECT count(*) AS n FROM deliveries WHERE state <> 'sent'").n == 0


def test_the_dispatcher_wakes_when_the_next_is_due(deliveries: DeliveryFixture) -> None:
    deliveries.message(due_at=datetime.now(UTC) + timedelta(seconds=0.5))
    assert 0.1 < BatchRecorder(deliveries).dispatcher().dispatch() < 0.55


def test_what_cannot_be_handed_over_is_let_go_at_once(deliveries: DeliveryFixture) -> None:
    delivery = deliveries.message()
    recorder = BatchRecorder(deliveries)
    recorder.broken = True
    dispatcher = recorder.dispatcher()
    for _n in range(2):
        try:
            dispatcher.dispatch()
        except ConnectionError:
            continue
        raise AssertionError("the broker's error is told")
    row = deliveries.delivery(delivery)
    assert (row.state, row.attempts, row.lease_until) == ("pending", 0, None)
    recorder.broken = False
    dispatcher.dispatch()
    assert [ids for _lane, ids, _token in recorder.batches] == [[delivery]]


def test_a_lost_batch_is_claimed_again_when_its_lease_has_run_out(deliveries: DeliveryFixture) -> None:
    ids = [deliveries.message(), deliveries.message()]
    recorder = BatchRecorder(deliveries)
    dispatcher = recorder.dispatcher(lease=0.2)
    dispatcher.dispatch()
    assert [sorted(batch[1]) for batch in recorder.batches] == [ids]
    until = datetime.now(UTC) + timedelta(seconds=5)
    while len(recorder.batches) < 3 and datetime.now(UTC) < until:
        dispatcher.dispatch()
    # One by one: whatever has ended their process shall not take the other along.
    assert sorted(batch[1] for batch in recorder.batches[1:3]) == [[ids[0]], [ids[1]]]
