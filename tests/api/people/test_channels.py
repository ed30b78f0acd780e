"""Channels as people register, confirm and delete them; and that neither address nor code can be read anywhere."""

import hashlib
import hmac
import ipaddress
import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select, text, update
from starlette.testclient import TestClient

from models.deliveries import Delivery
from models.reminders import LessonAlarm, NotificationChannel, NotificationPreference
from models.schedules import Schedule
from tests.api.conftest import ClientFor
from tests.conftest import MakeSettings, School
from worker.access.callers import Operator
from worker.access.issue_token import issue_token
from worker.api.app import create_api
from worker.api.services import Services
from worker.channels.destinations import Mailbox, MessageService, Webhook
from worker.channels.errors import TemporaryFailure
from worker.channels.sealed_addresses import AddressSealer
from worker.database import Database
from worker.reminders.channel_codes import reveal_code
from worker.reminders.channels import is_in_use, read_destination

MINE = "/v1/me/channels"
CHAT = "tgram://123456789:AAsecretsecretsecretsecretsecret123/4242421234"
# A name that every machine resolves, so that nothing of the Internet is asked.
HOOK = "https://localhost:9443/s3cret-path?token=s3cret"


@pytest.fixture
def services(settings: MakeSettings, database: Database) -> Services:
    """An operator allows this machine, so that a webhook's name can be resolved without a network."""
    here = tuple(ipaddress.ip_network(text) for text in ("127.0.0.0/8", "::1/128"))
    return Services(settings(webhook_allowed_networks=here), database, failure_hooks={})


@pytest.fixture
def vault(services: Services) -> AddressSealer:
    return AddressSealer.of(services.settings)


@pytest.fixture
def sent_code(database: Database, vault: AddressSealer) -> Callable[[int], str]:
    """`sent_code(channel_id)`: the newest code that was ordered, as the sender reads it."""

    def read(channel_id: int) -> str:
        with database.transaction() as session:
            statement = select(Delivery.data).where(Delivery.channel == str(channel_id)).order_by(Delivery.id.desc())
            return str(reveal_code(vault, session.scalars(statement.limit(1)).one())["code"])

    return read


def register(person: Any, kind: str = "email", address: str = "abebe@example.com") -> dict[str, Any]:
    status, document = person.ask("POST", MINE, {"kind": kind, "address": address})
    assert status == 201, document
    return dict(document)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


@pytest.mark.parametrize(
    ("kind", "address", "label", "destination"),
    [
        ("email", "Abebe@Example.com", "A…@example.com", Mailbox),
        ("webhook", HOOK, "https://localhost:9443/…", Webhook),
        ("apprise", CHAT, "Telegram …1234", MessageService),
    ],
)
def test_a_channel_is_unused_until_confirmed(
    client_for: ClientFor,
    school: School,
    database: Database,
    vault: AddressSealer,
    sent_code: Callable[[int], str],
    kind: str,
    address: str,
    label: str,
    destination: type,
) -> None:
    tutor = client_for(school.tutor)
    response = tutor.send("POST", MINE, {"kind": kind, "address": address})
    document = response.json()

    assert response.status_code == 201
    assert response.headers["Location"] == f"{MINE}/{document['id']}"
    assert response.headers["Cache-Control"] == "no-store"
    assert (document["kind"], document["label"], document["confirmed_at"], document["disabled_at"]) == (
        kind,
        label,
        None,
        None,
    )
    assert ("whsec_" in (document["secret"] or "")) is (kind == "webhook")
    with database.transaction() as session:
        channel = session.get_one(NotificationChannel, document["id"])
        assert not is_in_use(channel)
        assert isinstance(read_destination(vault, channel), destination)
        [delivery] = session.scalars(select(Delivery))
        assert (delivery.kind, delivery.user_id, delivery.channel) == ("channel-code", 1, str(document["id"]))
        assert delivery.expires_at == channel.code_expires_at
        assert delivery.due_at <= datetime.now(UTC)

    status, confirmed = tutor.ask("POST", f"{MINE}/{document['id']}/confirm", {"code": sent_code(document["id"])})

    assert status == 200
    assert confirmed["confirmed_at"] is not None
    assert "secret" not in confirmed
    with database.transaction() as session:
        assert is_in_use(session.get_one(NotificationChannel, document["id"]))
    assert tutor.ask("GET", MINE) == (200, {"items": [confirmed], "next": None})
    assert tutor.ask("GET", f"{MINE}/{document['id']}") == (200, confirmed)


def test_neither_address_nor_code_can_be_read(
    client_for: ClientFor,
    school: School,
    database: Database,
    sent_code: Callable[[int], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    tutor = client_for(school.tutor)
    secrets = [CHAT, "s3cret", "AAsecret", "abebe@"]
    for kind, address in (("email", "abebe@example.com"), ("webhook", HOOK), ("apprise", CHAT)):
        channel = register(tutor, kind, address)
        secrets += [sent_code(channel["id"]), channel["secret"] or "whsec_"]
        tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": sent_code(channel["id"])})
    with database.transaction() as session:
        rows = [
            str(row)
            for table in ("notification_channels", "deliveries", "idempotency_keys")
            for row in session.execute(text(f"SELECT row_to_json({table})::text FROM {table}"))  # noqa: S608 - three names
        ]
    shown = "".join(rows) + json.dumps(tutor.ask("GET", MINE)[1])
    ours = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))

    for secret in secrets:
        assert secret.encode().hex() not in shown
        # Six digits may stand in any long hexadecimal number.
        assert f'"{secret}"' not in shown
        assert len(secret) == 6 or secret not in shown
        assert secret not in ours


def test_a_code_has_five_guesses(client_for: ClientFor, school: School, sent_code: Callable[[int], str]) -> None:
    tutor = client_for(school.tutor)
    channel = register(tutor)
    right = sent_code(channel["id"])

    refusals = [tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": wrong(right)}) for _ in range(5)]

    assert [(status, problem["guesses_left"]) for status, problem in refusals] == [
        (422, left) for left in (4, 3, 2, 1, 0)
    ]
    assert tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": right})[0] == 409
    assert tutor.ask("GET", f"{MINE}/{channel['id']}")[1]["confirmed_at"] is None
    # Another code, another five.
    assert tutor.ask("POST", f"{MINE}/{channel['id']}/resend")[0] == 202
    assert tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": sent_code(channel["id"])})[0] == 200


def test_guesses_at_once_are_counted_one_by_one(
    client_for: ClientFor, school: School, database: Database, sent_code: Callable[[int], str]
) -> None:
    tutor = client_for(school.tutor)
    channel = register(tutor)
    guess = wrong(sent_code(channel["id"]))
    statuses: list[int] = []

    def guess_once() -> None:
        statuses.append(tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": guess})[0])

    threads = [threading.Thread(target=guess_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [409] * 3 + [422] * 5


def test_a_code_is_good_for_a_quarter_of_an_hour(
    client_for: ClientFor, school: School, database: Database, sent_code: Callable[[int], str]
) -> None:
    tutor = client_for(school.tutor)
    registration = register(tutor)
    with database.transaction() as session:
        channel = session.get_one(NotificationChannel, registration["id"])
        assert channel.code_expires_at is not None
        left = channel.code_expires_at - datetime.now(UTC)
        assert timedelta(minutes=14) < left <= timedelta(minutes=15)
        channel.code_expires_at = datetime.now(UTC)

    assert tutor.ask("POST", f"{MINE}/{registration['id']}/confirm", {"code": sent_code(registration["id"])})[0] == 409


def test_a_new_code_replaces_the_one_before(
    client_for: ClientFor, school: School, sent_code: Callable[[int], str]
) -> None:
    tutor = client_for(school.tutor)
    channel = register(tutor)
    first = sent_code(channel["id"])
    second = first
    while second == first:
        assert tutor.ask("POST", f"{MINE}/{channel['id']}/resend")[0] == 202
        second = sent_code(channel["id"])

    assert tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": first})[0] == 422
    assert tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": second})[0] == 200


def test_five_codes_an_hour(client_for: ClientFor, school: School, database: Database) -> None:
    """A deleted channel still counts: otherwise another person's mailbox could be flooded."""
    tutor, other = client_for(school.tutor), client_for(school.other_tutor)
    for number in range(4):
        channel = register(tutor, address=f"a{number}@example.com")
        assert tutor.ask("DELETE", f"{MINE}/{channel['id']}") == (204, None)
    channel = register(tutor)

    response = tutor.send("POST", f"{MINE}/{channel['id']}/resend")

    assert response.status_code == 429
    assert 3500 < int(response.headers["Retry-After"]) <= 3600
    assert tutor.ask("POST", MINE, {"kind": "email", "address": "b@example.com"})[0] == 429
    assert len(tutor.ask("GET", MINE)[1]["items"]) == 1
    register(other)
    with database.transaction() as session:
        session.execute(update(Delivery).values(created_at=Delivery.created_at - timedelta(hours=1)))
    assert tutor.ask("POST", f"{MINE}/{channel['id']}/resend")[0] == 202


def test_ten_channels(client_for: ClientFor, school: School, database: Database) -> None:
    tutor = client_for(school.tutor)
    for number in range(10):
        register(tutor, address=f"a{number}@example.com")
        with database.transaction() as session:
            session.execute(delete(Delivery))

    status, problem = tutor.ask("POST", MINE, {"kind": "email", "address": "b@example.com"})

    assert status == 409
    assert "10 are the most" in problem["detail"]


def test_registering_at_once_keeps_the_limit(client_for: ClientFor, school: School, database: Database) -> None:
    tutor = client_for(school.tutor)
    statuses: list[int] = []

    def post(number: int) -> None:
        statuses.append(tutor.ask("POST", MINE, {"kind": "email", "address": f"a{number}@example.com"})[0])

    threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [201] * 5 + [429] * 3


@pytest.mark.parametrize(("kind", "address"), [("email", "abebe@example.com"), ("webhook", HOOK), ("apprise", CHAT)])
def test_the_same_address_twice(client_for: ClientFor, school: School, kind: str, address: str) -> None:
    tutor = client_for(school.tutor)
    channel = register(tutor, kind, address)

    status, problem = tutor.ask("POST", MINE, {"kind": kind, "address": address})

    assert (status, problem["channel_id"]) == (409, channel["id"])
    assert "s3cret" not in json.dumps(problem)
    register(client_for(school.student), kind, address)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("email", "abebe"),
        ("email", "abebe@localhost"),
        ("email", "a@example.com\r\nBcc: s3cret@example.com"),
        ("webhook", "http://localhost:9443/s3cret"),
        ("webhook", "https://127.0.0.1/s3cret"),
        ("webhook", "https://127.1/s3cret"),
        ("webhook", "https://user:s3cret@example.com/"),
        ("webhook", "https://no-such-host.invalid/s3cret"),
        ("apprise", "json://127.0.0.1/s3cret"),
        ("apprise", "mailto://a:s3cret@127.0.0.1"),
        ("apprise", "https://discord.com/api/webhooks/1/s3cret"),
        ("apprise", f"{CHAT}?template=/etc/s3cret"),
        ("sms", "+251911223344"),
        ("in_app", "x"),
        ("email", ""),
        ("email", "a" * 3000),
        ("email", "a\x00@example.com"),
        ("email", "a\ud83d@example.com"),
        ("email", None),
        ("email", ["a@example.com"]),
    ],
)
def test_what_may_not_be_registered(
    client_for: ClientFor, school: School, database: Database, kind: str, address: Any
) -> None:
    status, problem = client_for(school.tutor).ask("POST", MINE, {"kind": kind, "address": address})

    assert status == 422
    assert "s3cret" not in json.dumps(problem)
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(NotificationChannel)) == 0


def test_the_inside_is_refused_where_no_operator_allows_it(
    database: Database, settings: MakeSettings, school: School
) -> None:
    strict = settings()
    token = issue_token(strict.signing_key, sub=1, role="tutor", role_ids={"tutor": 11})
    with TestClient(create_api(Services(strict, database, failure_hooks={}))) as client:
        response = client.post(
            MINE,
            json={"kind": "webhook", "address": "https://localhost/s3cret"},
            headers={"Authorization": f"Bearer {token}"},
        )

    assert response.status_code == 422
    assert "may not reach" in response.json()["detail"]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "१२३४५६", "123456\n", 123456, None])
def test_what_is_no_code(client_for: ClientFor, school: School, code: Any) -> None:
    tutor = client_for(school.tutor)
    channel = register(tutor)

    assert tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": code})[0] == 422


def test_a_channel_of_another_person_is_not_there(
    client_for: ClientFor, school: School, sent_code: Callable[[int], str]
) -> None:
    channel = register(client_for(school.tutor))
    for person in (client_for(school.student), client_for(school.parent), client_for(school.other_tutor)):
        for method, path, body in (
            ("GET", "", None),
            ("DELETE", "", None),
            ("POST", "/confirm", {"code": sent_code(channel["id"])}),
            ("POST", "/resend", None),
        ):
            assert person.ask(method, f"{MINE}/{channel['id']}{path}", body)[0] == 404
        assert person.ask("GET", MINE)[1]["items"] == []
    assert client_for(school.tutor).ask("GET", f"{MINE}/999999")[0] == 404


def test_who_may_not(client: TestClient, client_for: ClientFor, operator: Operator) -> None:
    assert client.get(MINE).status_code == 401
    assert client_for(operator).ask("GET", MINE)[0] == 403
    assert client_for(operator).ask("POST", MINE, {"kind": "email", "address": "a@example.com"})[0] == 403


def disable(database: Database, channel_id: int) -> None:
    """As after a failure for good (worker/reminders/delivery/fail.py)."""
    with database.transaction() as session:
        values = {"disabled_at": datetime.now(UTC), "disabled_reason": "The mail server refuses the recipient: 550."}
        session.execute(update(NotificationChannel).where(NotificationChannel.id == channel_id).values(values))


def test_a_disabled_channel_comes_back_by_a_new_code(
    client_for: ClientFor, school: School, database: Database, sent_code: Callable[[int], str]
) -> None:
    tutor = client_for(school.tutor)
    channel = register(tutor)
    tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": sent_code(channel["id"])})
    assert tutor.ask("POST", f"{MINE}/{channel['id']}/resend")[0] == 409
    disable(database, channel["id"])
    disabled = tutor.ask("GET", f"{MINE}/{channel['id']}")[1]
    assert disabled["disabled_reason"] == "The mail server refuses the recipient: 550."

    status, resent = tutor.ask("POST", f"{MINE}/{channel['id']}/resend")
    # As a new one: nothing but the code goes there.
    assert (status, resent["confirmed_at"], resent["disabled_at"]) == (202, None, None)
    status, document = tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": sent_code(channel["id"])})

    assert (status, document["disabled_at"], document["disabled_reason"]) == (200, None, None)
    # Confirmed once more it is the same.
    assert tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": "000000"}) == (200, document)


def test_the_same_address_twice_says_what_brings_it_into_use(
    client_for: ClientFor, school: School, database: Database, sent_code: Callable[[int], str]
) -> None:
    tutor = client_for(school.tutor)
    channel = register(tutor)

    def reason() -> str:
        status, problem = tutor.ask("POST", MINE, {"kind": "email", "address": "abebe@example.com"})
        assert status == 409
        return str(problem["detail"]).removeprefix(f"You have this channel already: {channel['id']}.")

    unconfirmed = reason()
    assert "not confirmed" in unconfirmed
    assert "/resend" in unconfirmed
    tutor.ask("POST", f"{MINE}/{channel['id']}/confirm", {"code": sent_code(channel["id"])})
    assert reason() == ""
    disable(database, channel["id"])
    off = reason()
    assert "switched off" in off
    assert "/resend" in off


def test_a_deleted_channel_is_named_nowhere(client_for: ClientFor, school: School, database: Database) -> None:
    tutor = client_for(school.tutor)
    channel, other_channel = register(tutor), register(tutor, address="kept@example.com")
    name, other = str(channel["id"]), str(other_channel["id"])
    with database.transaction() as session:
        lesson = Schedule(tutor_id=11, student_id=22, subject="Mathematics", timezone="UTC")
        lesson.schedule_date = datetime(2030, 1, 1, tzinfo=UTC).date()
        lesson.start_time, lesson.end_time = datetime(2030, 1, 1, 8).time(), datetime(2030, 1, 1, 9).time()  # noqa: DTZ001 - local
        lesson.starts_at, lesson.ends_at = datetime(2030, 1, 1, 8, tzinfo=UTC), datetime(2030, 1, 1, 9, tzinfo=UTC)
        session.add(lesson)
        session.add(NotificationPreference(user_id=1, channels=[name], fallback=[other, name]))
        session.add(NotificationPreference(user_id=2, channels=[name]))
        session.flush()
        session.add_all(
            [
                LessonAlarm(
                    user_id=1, schedule_id=lesson.id, minutes_before=5, channels=[name, other], fallback=[name]
                ),
                LessonAlarm(user_id=1, schedule_id=lesson.id, minutes_before=9, channels=[name]),
            ]
        )

    assert tutor.ask("DELETE", f"{MINE}/{channel['id']}") == (204, None)

    assert tutor.ask("DELETE", f"{MINE}/{channel['id']}")[0] == 404
    with database.transaction() as session:
        states = {row.channel: row.state for row in session.execute(select(Delivery.channel, Delivery.state))}
        # What waited for it goes another way.
        assert states == {name: "cancelled", other: "pending", "email": "pending", "in_app": "pending"}
        mine, others = session.get_one(NotificationPreference, 1), session.get_one(NotificationPreference, 2)
        assert (mine.channels, mine.fallback) == (["email", "in_app"], [other])
        assert others.channels == [name]
        alarms = session.scalars(select(LessonAlarm).order_by(LessonAlarm.minutes_before)).all()
        assert [(alarm.channels, alarm.fallback) for alarm in alarms] == [([other], []), (None, None)]


def test_a_replaced_secret_key(
    client_for: ClientFor, school: School, database: Database, settings: MakeSettings
) -> None:
    registration = register(client_for(school.tutor), "apprise", CHAT)
    before = settings().signing_key
    with database.transaction() as session:
        channel = session.get_one(NotificationChannel, registration["id"])
        assert read_destination(AddressSealer(["new", before]), channel) == MessageService(CHAT)
        with pytest.raises(TemporaryFailure):
            read_destination(AddressSealer(["new"]), channel)


def test_the_code_is_kept_as_a_hash_under_a_key(
    client_for: ClientFor, school: School, database: Database, sent_code: Callable[[int], str]
) -> None:
    channel = register(client_for(school.tutor))
    with database.transaction() as session:
        code_hash = session.get_one(NotificationChannel, channel["id"]).code_hash

    assert code_hash is not None
    for source in (sent_code(channel["id"]), f"{channel['id']}:{sent_code(channel['id'])}"):
        assert not hmac.compare_digest(code_hash, hashlib.sha256(source.encode()).hexdigest())


def test_the_description_names_every_route(api: FastAPI) -> None:
    paths = api.openapi()["paths"]

    assert {path: set(paths[path]) for path in paths if path.startswith(MINE)} == {
        MINE: {"get", "post"},
        MINE + "/{channel_id}": {"get", "delete"},
        MINE + "/{channel_id}/confirm": {"post"},
        MINE + "/{channel_id}/resend": {"post"},
    }
