"""Copies of tables that are written all the time, by transactions that stay open, under kills.

scripts/kill-test --only tables does the same at length.
"""

import random

import pytest

from faults.table_copy import PostgresTable, SqliteTable, TableCopy

KILLS = 10
SECONDS = 12
LONGEST = 3.0  # seconds that a transaction stays open
ROWS = 3000


@pytest.fixture
def seed():
    value = random.randrange(2**32)
    print(f"seed {value}")
    return value


@pytest.fixture(params=["postgres", "sqlite"])
def table(request, database, tmp_path, seed):
    written = (PostgresTable(database, ROWS, LONGEST, seed) if request.param == "postgres"
               else SqliteTable(tmp_path / "plant.db", ROWS, LONGEST, seed))
    yield written
    written.stop()


def test_with_exactly_once_the_copy_is_the_table_and_no_row_version_was_written_twice(
        agent, database, table, seed):
    copy = TableCopy(agent, table, database, seed=seed)
    copy.disturb(KILLS, SECONDS)
    copy.finish()
    assert copy.killed == KILLS
    assert copy.ran_well > 0
    assert table.committed > 0 and table.rolled_back > 0
    assert copy.differences() == []
    assert copy.repeated() == []


@pytest.mark.parametrize("table", ["postgres"], indirect=True)
def test_without_it_the_copy_is_the_table_all_the_same(agent, database, table, seed):
    copy = TableCopy(agent, table, database, exactly_once=False, seed=seed)
    copy.disturb(KILLS, SECONDS)
    copy.finish()
    assert copy.differences() == []
