"""The zone of the platform's server: claimed by its settings, proven by the sample's rows on both sides of a change."""

from datetime import datetime
from urllib.parse import urlsplit

import pytest
from psycopg.sql import SQL, Identifier, Literal

from tests.conftest import Platform
from worker.platform.catalog import Catalog
from worker.platform.connection import PlatformConnection
from worker.platform.zone import PlatformZone, ServerZone, ZoneProof, prove_zone


def _prove(platform: Platform, setting: str | None = None) -> ZoneProof:
    """With a new connection, as settings of a role or a database count from the next one on."""
    connection = PlatformConnection(platform.url)
    try:
        return prove_zone(connection, Catalog.read(connection), setting)
    finally:
        connection.close()


def _claim(platform: Platform, zone: str) -> None:
    database = Identifier(platform.owner.info.dbname)
    platform.owner.execute(SQL("ALTER DATABASE {} SET timezone TO {}").format(database, Literal(zone)))


def _words(proof: ZoneProof) -> str:
    return "\n".join(f"{level} {text}" for level, text in proof.lines)


def test_the_sample_is_proven_on_both_sides_of_a_change_of_clocks(platform: Platform) -> None:
    proof = _prove(platform)

    assert proof.zone is not None
    assert proof.zone.name == "Europe/Berlin"
    assert [level for level, _ in proof.lines] == ["ok"] * 3
    assert "agrees with the rows on both sides of a change of clocks" in _words(proof)
    assert "5 of 5 ends of calls have the offset of Europe/Berlin (2026-10: 5)" in _words(proof)
    assert "0 of 6 people asked for lessons before they had an account, the soonest 55 s after" in _words(proof)


@pytest.mark.parametrize(
    "stamp", ["0001-01-01T00:00:00+10:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00", "1970-01-01T00:00:00Z"]
)
def test_times_that_measure_nothing(platform: Platform, stamp: str) -> None:
    """Any browser can send such a timestamp with the end of a call."""
    statement = """
        INSERT INTO whiteboard_call_history (caller_profile_id, caller_profile_type, caller_user_id, callee_profile_id,
                                             callee_profile_type, ended_at, canvas_snapshot)
        SELECT 14, 'tutor', 11, 11, 'student', ended_at, jsonb_build_object('timestamp', CAST(%s AS text))
          FROM (VALUES (CAST('infinity' AS timestamp)), ('20266-03-01'), ('2026-10-20')) AS call (ended_at)
    """
    platform.owner.execute(statement, [stamp])
    platform.owner.execute("UPDATE requested_sessions SET created_at = '-infinity' WHERE id = 51")
    platform.owner.execute("UPDATE requested_sessions SET created_at = '0001-01-01' WHERE id = 52")
    platform.owner.execute("UPDATE users SET created_at = 'infinity' WHERE id = 12")

    proof = _prove(platform)

    assert proof.zone is not None
    assert "5 of 5 ends of calls have the offset of Europe/Berlin (2026-10: 5)" in _words(proof)


@pytest.mark.parametrize("zone", ["Europe/Paris", "europe/berlin"])
def test_another_zone_with_the_same_rules_is_as_good(platform: Platform, zone: str) -> None:
    _claim(platform, zone)

    proof = _prove(platform)

    assert proof.zone is not None
    assert proof.zone.name.lower() == zone.lower()


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("UTC", "UTC, by the setting of this database, is not the zone of 5 of 5 ends of calls"),
        ("Africa/Addis_Ababa", "is not the zone of 5 of 5 ends of calls"),
        ("Africa/Johannesburg", "is not the zone of 1 of 5 ends of calls"),  # two hours in summer and in winter
        ("Etc/GMT-2", "is not the zone of 1 of 5 ends of calls"),
        ("Europe/London", "is not the zone of 5 of 5 ends of calls"),
        ("<+02>-02", "<+02>-02 (the setting of this database), which is not the name of a zone"),
    ],
)
def test_a_wrong_claim_proves_nothing(platform: Platform, zone: str, reason: str) -> None:
    _claim(platform, zone)

    proof = _prove(platform)

    assert proof.zone is None
    assert proof.lines[0][0] == "CANNOT"
    assert reason in _words(proof)
    assert "PLATFORM_TIMEZONE sets the zone" in _words(proof)
    # Which zones fit is a hint for people, never taken by itself.
    assert "what was measured fits " in _words(proof)


def test_requests_refute_a_zone_that_calls_do_not_show(platform: Platform) -> None:
    """The second measurement stands alone: three people asked an hour before they had an account."""
    platform.owner.execute(
        "UPDATE users SET created_at = created_at + interval '3 months' WHERE id IN (11, 12, 13, 16, 21)"
    )

    proof = _prove(platform)

    assert proof.zone is None
    assert "people asked for lessons before they had an account" in proof.lines[0][1]


@pytest.mark.parametrize("half", ["ended_at < '2026-10-25'", "ended_at > '2026-10-25'"])
def test_rows_of_one_half_of_the_year_prove_less(platform: Platform, half: str) -> None:
    platform.owner.execute(SQL("DELETE FROM whiteboard_call_history WHERE NOT ({})").format(SQL(half)))
    platform.owner.execute(
        "INSERT INTO whiteboard_call_history SELECT id + 500, caller_profile_id, caller_profile_type, caller_user_id,"
        " callee_profile_id, callee_profile_type, callee_user_id, call_type, status, whiteboard_session_id,"
        " initiated_at, answered_at, ended_at, duration_seconds, canvas_snapshot FROM whiteboard_call_history"
    )

    proof = _prove(platform)

    assert proof.zone is not None
    assert ("WARNING", "all ends of calls are from one half of the year: other daylight saving would fit as well") in [
        *proof.lines
    ]


def test_one_row_is_too_few(platform: Platform) -> None:
    platform.owner.execute("DELETE FROM whiteboard_call_history WHERE id <> 405")

    proof = _prove(platform)

    assert proof.zone is None
    assert "1 end of a call by both clocks is too few" in proof.lines[0][1]


def test_a_browser_whose_clock_is_wrong_is_left_out(platform: Platform) -> None:
    platform.owner.execute(
        "UPDATE whiteboard_call_history SET ended_at = ended_at + interval '7 minutes' WHERE id = 404"
    )
    platform.owner.execute(
        """UPDATE whiteboard_call_history SET canvas_snapshot = '{"timestamp": "yesterday"}' WHERE id = 403"""
    )

    proof = _prove(platform)

    assert proof.zone is not None
    assert "3 of 3 ends of calls have the offset of Europe/Berlin (2026-10: 3); 1 more by browsers" in _words(proof)


def test_without_the_grant_nothing_is_proven(platform: Platform) -> None:
    reader = Identifier(urlsplit(platform.url).username or "")
    platform.owner.execute(SQL("REVOKE SELECT (canvas_snapshot) ON whiteboard_call_history FROM {}").format(reader))

    proof = _prove(platform)

    assert proof.zone is None
    assert "this role may not read whiteboard_call_history.canvas_snapshot; run the statements of" in proof.lines[0][1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DROP TABLE whiteboard_call_history", "this state of the platform has no whiteboard_call_history."),
        ("TRUNCATE whiteboard_call_history", "no call in whiteboard_call_history has both clocks"),
    ],
)
def test_without_calls_nothing_is_proven(platform: Platform, change: str, reason: str) -> None:
    platform.owner.execute(change)

    proof = _prove(platform)

    assert proof.zone is None
    assert reason in proof.lines[0][1]
    # The requests agree, and would agree with other zones.
    assert "the soonest 55 s after" in _words(proof)


def test_one_measurement_alone_is_said(platform: Platform) -> None:
    platform.owner.execute("DELETE FROM requested_sessions WHERE id = 58")

    proof = _prove(platform)

    assert proof.zone is not None
    assert ("WARNING", "one measurement alone: nobody asked for lessons within an hour of signing up") in proof.lines


def test_the_setting_overrides_and_says_so(platform: Platform) -> None:
    platform.owner.execute("DROP TABLE whiteboard_call_history")

    proof = _prove(platform, "Europe/Berlin")

    assert proof.zone is not None
    assert proof.lines[0][0] == "ok"
    assert "Europe/Berlin, set by PLATFORM_TIMEZONE, which overrides the proof; nothing confirms it" in _words(proof)


def test_the_setting_overrides_what_was_measured_with_a_warning(platform: Platform) -> None:
    proof = _prove(platform, "America/New_York")

    assert proof.zone is not None
    assert proof.zone.name == "America/New_York"
    assert proof.lines[0][0] == "WARNING"
    assert "what was measured contradicts it; what was measured fits " in proof.lines[0][1]


def test_the_zone_of_the_reading_role_is_not_the_servers(platform: Platform) -> None:
    """The database's setting comes before what the reader's own connection shows."""
    reader = Identifier(urlsplit(platform.url).username or "")
    platform.owner.execute(SQL("ALTER ROLE {} SET timezone TO 'UTC'").format(reader))

    proof = _prove(platform)

    assert proof.zone is not None
    assert proof.zone.name == "Europe/Berlin"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-10-20T16:02:11.204318", "2026-10-20T14:02:11.204318Z"),
        ("2026-10-28T20:15:00", "2026-10-28T19:15:00Z"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),  # in the hour that came twice: the first
        ("2026-10-25T02:30:00Z", "2026-10-25T02:30:00Z"),  # a column that says its zone
    ],
)
def test_times_become_instants_with_daylight_saving(moment: str, expected: str) -> None:
    zone = ServerZone("Europe/Berlin")

    assert zone.instant(datetime.fromisoformat(moment)) == datetime.fromisoformat(expected)


def test_the_proof_is_kept(platform: Platform) -> None:
    connection = PlatformConnection(platform.url)
    try:
        zone = PlatformZone(connection, None)
        first = zone.proof()
        platform.owner.execute("TRUNCATE whiteboard_call_history")
        assert zone.proof() is first
    finally:
        connection.close()
