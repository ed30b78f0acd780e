"""What the rows of a long history are: columns and SELECTs by table, with the sizes to be formatted in.

Nothing is due and no lease runs out within hours, so what is measured decides what there is to do. What waits for later
grows with the rows: a thousandth of the jobs is to be tried again, a third of the deliveries is of lessons to come.
"""

KINDS = "(ARRAY['recordings.ingest', 'recordings.store_source', 'recordings.renditions', 'recordings.pictures', "
KINDS += "'canvases.snapshot_session', 'recordings.remove_files'])[1 + n % 6]"
# A month of jobs, of which the oldest are a little past their retention.
PAST = """
    SELECT n, md5(n::text)::uuid AS id, now() - interval '31 days' * (1 - n::float / {rows}) - interval '1 h' AS at,
           'user:' || 1 + n / 6 % {pairs} AS principal, {kinds} AS kind,
           CASE WHEN n % 1000 = 0 THEN 'retryable' WHEN n % 211 = 0 THEN 'failed' WHEN n % 499 = 0 THEN 'dead'
                WHEN n % 307 = 0 THEN 'cancelled' ELSE 'succeeded' END AS state
      FROM generate_series(1, {rows}) AS n
"""
JOB_COLUMNS = """
    id, kind, queue, principal, subject, args, state, priority, attempt, run_at, worker, progress, progress_seq,
    created_at, published_at, started_at, result, error, finished_at, lane, weight, request_id, unique_key
"""
JOBS = """
    SELECT id, kind, CASE WHEN n % 6 < 2 THEN 'media.shared' ELSE 'media' END, principal, 'recording:' || n / 6,
           jsonb_build_object('recording_id', n / 6, 'session_id', n / 24, 'size_bytes', 30000000 + n), state,
           CASE n % 6 WHEN 0 THEN 2 ELSE 5 END, 1,
           CASE state WHEN 'retryable' THEN now() + interval '3 h' + interval '1 s' * (n / 1000 % 36000) ELSE at END,
           'worker@host-' || n % 7, CASE state WHEN 'succeeded' THEN 100 ELSE 0 END, 2, at, at + interval '10 ms',
           at + interval '1 s',
           CASE state WHEN 'succeeded' THEN '{{"object": "playback.webm", "duration_ms": 1200000}}'::jsonb END,
           CASE WHEN state IN ('failed', 'dead') THEN '{{"code": "internal", "detail": "unexpected"}}'::jsonb END,
           CASE WHEN state <> 'retryable' THEN at + interval '5 s' END,
           CASE WHEN n % 6 < 1 THEN kind ELSE 'background' END, 30000000 + n, md5('request' || n / 6)::uuid,
           kind || ':' || n / 6
      FROM ({past}) AS past
"""
ROUTINE = """
    SELECT gen_random_uuid(), (ARRAY['schedules.advance', 'canvases.snapshot_changed', 'uploads.seal'])[1 + n % 3],
           'default', 'beat', NULL, '{{}}'::jsonb, 'succeeded', 5, 1, at, 'worker@host-' || n % 7, 100, 2, at,
           at + interval '10 ms', at + interval '1 s', NULL::jsonb, NULL::jsonb, at + interval '2 s',
           NULL, 0, NULL, NULL
      FROM (SELECT n, now() - interval '48 h' * (1 - n::float / {routine}) AS at
              FROM generate_series(1, {routine}) AS n) AS past
"""
ATTEMPT_COLUMNS = "job_id, attempt, run_token, worker, started_at, ended_at, outcome, error"
ATTEMPTS = """
    SELECT id, 1, md5('run' || n)::uuid, 'worker@host-' || n % 7, at + interval '1 s', at + interval '5 s',
           CASE state WHEN 'retryable' THEN 'failed' ELSE state END,
           CASE WHEN state IN ('failed', 'dead') THEN '{{"code": "internal", "detail": "unexpected"}}'::jsonb END
      FROM ({past}) AS past
"""
# Three months of past lessons, as long as deliveries are kept, and the next six weeks.
BEGINS = """
    SELECT n AS id, 1 + n % {pairs} AS person,
           date_trunc('hour', now()) + interval '132 days' * (n / {pairs})::float / ({lessons} / {pairs})
           - interval '91 days' AS begin
      FROM generate_series(1, {lessons}) AS n
"""
LESSON_COLUMNS = """
    id, tutor_id, student_id, schedule_date, start_time, end_time, starts_at, ends_at, timezone, subject, status
"""
LESSONS = """
    SELECT id, person, person, begin::date, begin::time, (begin + interval '1 h')::time, begin, begin + interval '1 h',
           'UTC', 'Mathematics', CASE WHEN begin < now() THEN 'completed' ELSE 'scheduled' END
      FROM ({begins}) AS begins
"""
PARTICIPANT_COLUMNS = "schedule_id, student_id, starts_at, ends_at, status"
PARTICIPANTS = """
    SELECT id, person, begin, begin + interval '1 h', CASE WHEN begin < now() THEN 'completed' ELSE 'scheduled' END
      FROM ({begins}) AS begins
"""
DELIVERY_COLUMNS = """
    kind, user_id, channel, schedule_id, minutes_before, starts_at, key, due_at, expires_at, state, attempts, sent_at,
    created_at, updated_at
"""
DELIVERIES = """
    SELECT 'lesson-reminder', CASE n / 4 % 2 WHEN 0 THEN person ELSE {pairs} + person END,
           CASE n % 2 WHEN 0 THEN 'email' ELSE 'in_app' END, id, minutes, begin,
           'lesson:' || id || ':' || minutes || ':' || extract(epoch FROM begin)::bigint, due, begin,
           CASE WHEN due > soon THEN 'pending' WHEN n % 50 = 0 THEN 'dropped' WHEN n % 99 = 0 THEN 'failed'
                ELSE 'sent' END,
           CASE WHEN due > soon THEN 0 ELSE 1 END, CASE WHEN due <= soon THEN due + interval '1 s' END,
           begin - interval '43 days', CASE WHEN due > soon THEN begin - interval '43 days' ELSE due END
      FROM (SELECT *, begin - make_interval(mins => minutes) AS due, now() + interval '3 h' AS soon
              FROM (SELECT n, begins.*, CASE n / 2 % 2 WHEN 0 THEN 1440 ELSE 15 END AS minutes
                      FROM ({begins}) AS begins, generate_series(8 * id - 8, 8 * id - 1) AS n) AS alarms) AS planned
"""
BOARD_COLUMNS = """
    id, host_profile_type, host_profile_id, participant_profile_ids, participant_profile_types, status, created_at,
    actual_start
"""
BOARDS = """
    SELECT n, 'tutor', 1 + n % {pairs}, ARRAY[1 + n % {pairs}], ARRAY['student'], 'completed',
           now() - interval '730 days' * (1 - n::float / {boards}),
           now() - interval '730 days' * (1 - n::float / {boards})
      FROM generate_series(1, {boards}) AS n
"""
PAGE_COLUMNS = "id, session_id, page_number, stroke_bytes, created_at"
PAGES = """
    SELECT n, 1 + (n - 1) / 5, 1 + (n - 1) % 5, 200000, now() - interval '730 days' * (1 - n::float / {pages})
      FROM generate_series(1, {pages}) AS n
"""
STROKE_COLUMNS = """
    page_id, session_id, user_id, stroke_type, stroke_data, stroke_order, is_deleted, created_at, client_id
"""
STROKES = """
    SELECT 1 + n / 300, 1 + n / 1500, 1 + (1 + n / 1500) % {pairs}, 'pen', samples.data, 1 + n % 300, n % 15 = 0,
           now() - interval '730 days' * (1 - n::float / {rows}), gen_random_uuid()
      FROM generate_series(0, {rows} - 1) AS n JOIN samples ON samples.number = n % 200
"""
