"""Whether the ledger, the messages and the boards stay as fast when their tables have a hundred times as many rows."""

from collections.abc import Callable
from contextlib import ExitStack
from secrets import token_hex

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.material.full_stack import UNBOUNDED
from benchmarks.rows.filling import fill_history, loading
from benchmarks.rows.ledger import measure_claims, measure_lanes, measure_reaper
from benchmarks.rows.messages import measure_dispatcher
from benchmarks.rows.requests import measure_requests
from benchmarks.rows.side import Side, Took, opened_side
from benchmarks.rows.upkeep import measure_metrics, measure_pruner
from devstack.directories import scratch_directory
from devstack.postgres import EmbeddedPostgres
from devstack.valkey import EmbeddedValkey
from worker.migrate import migrate
from worker.settings import Settings

_LIMIT = Limit("ratio", "≤", 1.3)
# More rows are more events of the last hour; it must not be felt by who scrapes.
_METRICS_LIMIT = Limit("value", "≤", 500.0)
_NOTE = (
    "One server; each turn does the same work on both databases, one after the other, and the first turn is not "
    "counted, so the data is in memory. Medians are of all calls of all turns. The pruner's batches are rolled back "
    "and read again. Times are those of the product's own functions, including their commits (except the pruner's), "
    "and of whole requests to the API."
)
_STEPS = (
    measure_claims,
    measure_lanes,
    measure_reaper,
    measure_dispatcher,
    measure_pruner,
    measure_metrics,
    measure_requests,
)


def measure_rows(scale: Scale) -> Figure:
    """Measure each step in turns on two databases of one server: one with few rows, one with many."""
    figure = Figure(f"Tables: {scale.many_rows:,} jobs, deliveries and strokes, beside {scale.few_rows:,}")
    with scratch_directory() as folder, ExitStack() as opened:
        postgres = opened.enter_context(EmbeddedPostgres(folder / "postgres"))
        valkey = opened.enter_context(EmbeddedValkey(folder / "valkey"))
        with loading(postgres):
            sizes = [_fill(postgres, rows) for rows in (scale.few_rows, scale.many_rows)]
        settings = Settings(redis_url=valkey.url(), spool_dir=folder / "spool", secret_key=token_hex(32)).model_copy(
            update=UNBOUNDED
        )
        few, many = (
            opened.enter_context(opened_side(settings, postgres.url(_name(rows)), rows, batch=scale.few_rows // 20))
            for rows in (scale.few_rows, scale.many_rows)
        )
        for step in _STEPS:
            figure.readings += _compared(step, few, many, scale.row_turns)
    figure.notes += [_NOTE, _on_disk(sizes[-1])]
    return figure


def _name(rows: int) -> str:
    return f"rows_{rows}"


def _fill(postgres: EmbeddedPostgres, rows: int) -> dict[str, int]:
    print(f"filling tables with {rows:,} rows", flush=True)
    postgres.create_database(_name(rows))
    url = postgres.url(_name(rows))
    migrate(Settings(database_url=url).sqlalchemy_url)
    return fill_history(url, rows)


def _compared(step: Callable[[Side], Took], few: Side, many: Side, turns: int) -> list[Reading]:
    took: dict[int, list[Took]] = {few.rows: [], many.rows: []}
    for turn in range(turns + 1):
        for side in (few, many) if turn % 2 else (many, few):
            took[side.rows].append(step(side))
    name = f"{few.rows:,} rows"

    def values(side: Side, what: str) -> list[float]:
        return [each for turn in took[side.rows][1:] for each in turn[what]]

    return [
        Reading.of(
            what,
            values(many, what),
            "ms",
            values(few, what),
            name,
            _METRICS_LIMIT if step is measure_metrics else _LIMIT,
        )
        for what in took[few.rows][0]
    ]


def _on_disk(sizes: dict[str, int]) -> str:
    large = (f"`{table}` {size / 1e9:.1f} GB" for table, size in sizes.items() if size >= 1e8)
    return f"On the disk, with indexes and TOAST: {', '.join(large)}."
