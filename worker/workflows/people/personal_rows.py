"""Select, count and erase a person's rows, as models/personal_data.py declares them for every table."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    TextClause,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from models.metadata import metadata
from models.personal_data import PERSONAL_TABLES, PersonalTable
from worker.access.person_ids import PersonIds
from worker.array_text import number_array

_BATCH = 5000
_CTID: ColumnElement[Any] = literal_column("ctid")


def personal_table_names() -> list[str]:
    """The names of the tables, each once."""
    return list(dict.fromkeys(personal.table for personal in PERSONAL_TABLES))


def select_rows(table_name: str, person: PersonIds) -> Select[*tuple[Any, ...]]:
    """The person's rows of a table, without secrets."""
    mine = [personal for personal in PERSONAL_TABLES if personal.table == table_name]
    secrets = {name for personal in mine for name in personal.secret}
    columns = [column for column in metadata.tables[table_name].columns if column.name not in secrets]
    return select(*columns).where(or_(*(_condition(personal, person) for personal in mine)))


def recordings_of(session: Session, person: PersonIds) -> list[int]:
    """The person's recordings, ordered by id."""
    rows = select_rows("whiteboard_session_recordings", person).subquery()
    return list(session.scalars(select(rows.c.id).order_by(rows.c.id)))


def count_rows(session: Session, table_name: str, person: PersonIds) -> int:
    """How many rows of a table are the person's."""
    return session.scalar(select(func.count()).select_from(select_rows(table_name, person).subquery())) or 0


def erase_batch(session: Session, personal: PersonalTable, person: PersonIds) -> int:
    """Delete or anonymise at most 5000 of the person's remaining rows; returns how many."""
    if personal.blank == {}:
        return 0
    table = metadata.tables[personal.table]
    wanted = select(_CTID).select_from(table).where(_condition(personal, person))
    if personal.blank:
        differs = [table.c[name].is_distinct_from(value) for name, value in personal.blank.items()]
        wanted = wanted.where(or_(*differs))
    here = _CTID.in_(wanted.limit(_BATCH))
    statement: Any = update(table).values(dict(personal.blank)) if personal.blank else delete(table)
    result: CursorResult[Any] = session.execute(statement.where(here))  # type: ignore[assignment]
    return result.rowcount


def _condition(personal: PersonalTable, person: PersonIds) -> TextClause:
    values = {
        "of_user": person.user_id,
        "of_principal": person.principal,
        "of_tutors": number_array(person.tutors),
        "of_students": number_array(person.students),
        "of_parents": number_array(person.parents),
    }
    named = {name: value for name, value in values.items() if f":{name}" in personal.condition}
    return text(f"({personal.condition})").bindparams(**named)
