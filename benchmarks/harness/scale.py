"""The size of a run: full for published figures, small for testing the benchmarks themselves."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes and repeats of every benchmark."""

    short_minutes: float = 5.0
    lesson_minutes: float = 20.0
    lesson_repeats: int = 7
    long_minutes: float = 60.0
    long_repeats: int = 3
    media_minutes: float = 20.0
    media_repeats: int = 5
    film_strokes: int = 1500
    upload_bytes: int = 1_000_000_000
    upload_repeats: int = 7
    ledger_jobs: int = 1000
    ledger_repeats: int = 5
    rate_jobs: int = 1000
    latency_jobs: int = 200
    relay_jobs: int = 30
    table_rows: int = 1_000_000
    few_rows: int = 100_000
    many_rows: int = 10_000_000
    row_turns: int = 15
    requests: int = 200
    crowd_requests: int = 640
    clients: int = 32
    series: int = 1000
    series_repeats: int = 5
    reminders: int = 10_000
    reminder_seconds: int = 20
    single_reminders: int = 20
    canvas_repeats: int = 9
    stroke_batches: int = 100
    stroke_repeats: int = 5
    board_share: float = 1.0
    platform_share: float = 1.0
    tus_clients: int = 64
    tus_seconds: float = 20.0
    live_uploads: int = 500
    recorder_seconds: float = 10.0
    recorder_repeats: int = 5
    recorder_breaks: int = 5


FULL = Scale()
QUICK = Scale(
    short_minutes=0.5,
    film_strokes=50,
    lesson_minutes=1.0,
    lesson_repeats=2,
    long_minutes=2.0,
    long_repeats=1,
    media_minutes=0.2,
    media_repeats=1,
    upload_bytes=20_000_000,
    upload_repeats=2,
    ledger_jobs=100,
    ledger_repeats=1,
    rate_jobs=100,
    latency_jobs=10,
    relay_jobs=3,
    table_rows=5_000,
    few_rows=5_000,
    many_rows=20_000,
    row_turns=1,
    requests=20,
    crowd_requests=64,
    clients=8,
    series=50,
    series_repeats=1,
    reminders=400,
    reminder_seconds=2,
    single_reminders=4,
    canvas_repeats=1,
    stroke_batches=4,
    stroke_repeats=1,
    board_share=0.05,
    platform_share=0.01,
    tus_clients=8,
    tus_seconds=3.0,
    live_uploads=40,
    recorder_seconds=4.0,
    recorder_repeats=1,
    recorder_breaks=1,
)
