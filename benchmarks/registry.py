"""All figures, in the order in which they are measured."""

from benchmarks.accepting import measure_accepting
from benchmarks.board_memory import measure_board_memory
from benchmarks.canvas import measure_canvas
from benchmarks.fairness import measure_fairness
from benchmarks.harness.figure import Measure
from benchmarks.ingest import measure_ingest
from benchmarks.ledger import measure_ledger
from benchmarks.limits import measure_limits
from benchmarks.media import measure_media
from benchmarks.memory import measure_memory
from benchmarks.messages.claiming import measure_reminders_claiming
from benchmarks.messages.lateness import measure_reminders
from benchmarks.messages.planning import measure_reminders_planning
from benchmarks.migrating import measure_migrating
from benchmarks.pictures import measure_pictures
from benchmarks.platform import measure_platform
from benchmarks.rates import measure_latency, measure_rates
from benchmarks.reading_calendars import measure_calendars
from benchmarks.reading_jobs import measure_reading
from benchmarks.recorder import measure_recorder
from benchmarks.replay import measure_replay
from benchmarks.rows.ten_million import measure_rows
from benchmarks.schedules import measure_schedules
from benchmarks.strokes import measure_strokes
from benchmarks.uploads import measure_uploads

FIGURES: dict[str, Measure] = {
    "ingest": measure_ingest,
    "fairness": measure_fairness,
    "memory": measure_memory,
    "ledger": measure_ledger,
    "rates": measure_rates,
    "latency": measure_latency,
    "reading": measure_reading,
    "rows": measure_rows,
    "accepting": measure_accepting,
    "limits": measure_limits,
    "migrating": measure_migrating,
    "schedules": measure_schedules,
    "calendars": measure_calendars,
    "reminders_planning": measure_reminders_planning,
    "reminders_claiming": measure_reminders_claiming,
    "reminders": measure_reminders,
    "replay": measure_replay,
    "pictures": measure_pictures,
    "media": measure_media,
    "canvas": measure_canvas,
    "strokes": measure_strokes,
    "board_memory": measure_board_memory,
    "platform": measure_platform,
    "uploads": measure_uploads,
    "recorder": measure_recorder,
}
