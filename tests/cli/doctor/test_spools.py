"""What doctor reports about the spools of other machines."""

import pytest

from tests.conftest import School, Sql
from worker.cli.doctor.check_warning import CheckWarning
from worker.cli.doctor.spools import check_spools
from worker.database import Database
from worker.errors import Misconfigured
from worker.jobs.heartbeats import HeartbeatWriter
from worker.settings import Settings

_RECORDING = """
WITH session AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id)
INSERT INTO whiteboard_session_recordings (session_id, recording_type, source_sha1, spool_id, spool_name, is_processing)
SELECT id, 'video', repeat('a', 40), 'addis-2', repeat('b', 32), true FROM session
"""


def test_a_lost_machine_is_named_with_what_it_has(
    database: Database, database_url: str, school: School, sql: Sql
) -> None:
    settings = Settings(database_url=database_url)
    assert check_spools(Settings()).startswith("DATABASE_URL is not set")
    assert check_spools(settings) == "no bytes wait in any"
    sql(_RECORDING, booking=school.booking_id)
    with pytest.raises(Misconfigured, match=r"^The spool addis-2 has bytes .*\(recordings: 1, open uploads: 0\)"):
        check_spools(settings)
    HeartbeatWriter(database, "a", "consumer", interval=10, queues=("media.addis-2",)).beat()
    assert check_spools(settings) == "workers see what waits in addis-2"
    with pytest.raises(CheckWarning, match="cannot be read"):
        check_spools(Settings(database_url="postgresql://x:hush@127.0.0.1:1/d"))
