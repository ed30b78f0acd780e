"""Which kinds of jobs there are."""

import pytest

from tests.conftest import Sql
from worker.database import Database
from worker.errors import InvalidInput
from worker.jobs.operations.kinds import check_kind
from worker.jobs.orders.registered import order_kinds


def test_kinds_of_this_release_and_of_the_ledger_are_known(database: Database, sql: Sql) -> None:
    with database.transaction() as session:
        for kind in order_kinds():
            check_kind(session, kind)
        with pytest.raises(InvalidInput, match=", ".join(order_kinds())):
            check_kind(session, "tests.gone")
    sql("INSERT INTO jobs (kind) SELECT unnest(ARRAY['tests.gone', 'tests.gone', 'aaa.first'])")
    with database.transaction() as session:
        check_kind(session, "tests.gone")
        with pytest.raises(InvalidInput, match=r"The kinds are aaa\.first, .*, tests\.gone, ") as refused:
            check_kind(session, "tests.other")
    assert refused.value.detail.count("tests.gone") == 1
