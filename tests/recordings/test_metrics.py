"""Metrics of renditions."""

from tests.conftest import Sql
from worker.database import Database
from worker.recordings.metrics import rendition_counts


def test_pending_outputs_are_counted_and_those_that_ended_lately(database: Database, sql: Sql) -> None:
    sql("INSERT INTO whiteboard_sessions (id) VALUES (1)")
    sql("INSERT INTO whiteboard_session_recordings (id, session_id) VALUES (7, 1), (8, 1)")
    sql(
        """
        INSERT INTO recording_renditions (recording_id, name, state, object_name, updated_at)
        SELECT recording_id, name, state, recording_id || name, now() - make_interval(mins => age)
          FROM (VALUES (7, '360p', 'pending', 900), (8, '360p', 'pending', 0), (7, '720p', 'failed', 50),
                       (8, '720p', 'failed', 70), (7, 'audio', 'ready', 70), (7, 'storyboard', 'ready', 1),
                       (7, 'storyboard-2', 'ready', 1)) AS made (recording_id, name, state, age)
        """
    )
    with database.transaction() as session:
        counts = rendition_counts(session)
    assert counts == {("pending", "360p"): 2, ("failed", "720p"): 1, ("ready", "storyboard"): 2}
