"""Tables of SQLite databases as sources, while another program (this one) writes them."""

import json
import os
import random
import sqlite3

import pytest

from harness.pipelines import pipeline, quick_retry

DEATHS = int(os.environ.get("LEAT_DEATHS", "3"))
ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT, updated_at REAL NOT NULL)"


@pytest.fixture(params=["wal", "delete"])
def mode(request):
    return request.param


@pytest.fixture
def writer(tmp_path):
    db = sqlite3.connect(tmp_path / "plant.db", timeout=30, isolation_level=None)
    db.execute("PRAGMA journal_mode=wal")
    yield db
    db.close()


def source(tmp_path, **options):
    if "query" not in options:
        options.setdefault("table", "orders")
    return {"type": "sqlite", "path": str(tmp_path / "plant.db"), "every": "100ms", **options}


def follow(agent, tmp_path, sink=None, delivery=None, **options):
    agent.configure(pipeline(source(tmp_path, **options), sink or {"type": "stdout", "format": "ndjson"},
                             **({"delivery": delivery} if delivery else {})))
    return agent


def records(agent):
    return [json.loads(line) for line in agent.stdout.splitlines()]


def ids(agent):
    return [record["id"] for record in records(agent)]


def insert(db, first, count):
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO orders VALUES (?, ?, ?)",
                   [(i, f"n{i}", float(i)) for i in range(first, first + count)])
    db.execute("COMMIT")


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_a_full_read_gives_every_row_once_and_ends(agent, tmp_path, writer, page):
    writer.execute(ORDERS)
    insert(writer, 1, 100)
    follow(agent, tmp_path, pageSize=page)
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 101))
    insert(writer, 101, 1)
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 102)), "what was read is not read again"


def test_each_value_is_read_as_what_it_is(agent, tmp_path, writer):
    writer.execute("CREATE TABLE orders (k TEXT, ok BOOLEAN, v, PRIMARY KEY (k, v)) WITHOUT ROWID")
    values = [-2**63, 2**63 - 1, 0.1, 1e300, "it's ä\n", "", b"\x00\xff"]
    for value in values:
        writer.execute("INSERT INTO orders VALUES ('x', ?, ?)", (value == 0.1, value))
    writer.execute("INSERT INTO orders VALUES ('a', NULL, 5)")
    follow(agent, tmp_path, pageSize=1)
    assert agent.run() == 0, agent.log
    found = {json.dumps(one["v"]): one["ok"] for one in records(agent)}
    assert found.pop("5") is None
    assert found == {json.dumps("AP8=" if value == b"\x00\xff" else value): value == 0.1
                     for value in values}


def test_a_copy_equals_its_table_while_it_is_written_and_the_agent_is_killed(agent, tmp_path, mode):
    db = sqlite3.connect(tmp_path / "plant.db", timeout=30, isolation_level=None)
    db.execute(f"PRAGMA journal_mode={mode}")
    db.execute("PRAGMA synchronous=off")  # it is the agent that is killed
    db.execute(ORDERS)
    db.execute("CREATE INDEX changes ON orders (updated_at, id)")
    insert(db, 1, 1000)
    sink = {"type": "sqlite", "path": str(tmp_path / "copy.db"), "table": "copies", "key": ["id"],
            "batch": {"linger": "10ms"}}
    follow(agent, tmp_path, sink, quick_retry(guarantee="exactlyOnce"), mode="fullAndContinuous",
           cursor=["updated_at", "id"], pageSize=50, consistencyDelay="200ms")
    agent.start()
    rows = "SELECT id, note, updated_at FROM {} ORDER BY id"
    copy = sqlite3.connect(tmp_path / "copy.db", timeout=30)

    def copied():
        there = copy.execute("SELECT 1 FROM sqlite_schema WHERE name = 'copies'").fetchone()
        return copy.execute(rows.format("copies")).fetchall() if there else []

    randomly = random.Random(3)
    for step in range(1, 10 * DEATHS + 1):
        db.execute("BEGIN IMMEDIATE")
        for i in range(5):
            now = 10_000.0 + step
            db.execute("INSERT INTO orders VALUES (?, 'new', ?)", (5000 + 5 * step + i, now))
            db.execute("UPDATE orders SET note = note || '+', updated_at = ? WHERE id = ?",
                       (now, randomly.randrange(1, 1000)))
        db.execute("COMMIT")
        if step % 10 == 0:
            # From one in the midst of the full read to one behind all that is there.
            share = (1000 + 5 * step) * step // (10 * DEATHS)
            agent.wait_for(lambda share=share: len(copied()) >= share)
            agent.kill()
            agent.start()
    agent.wait_for(lambda: copied() == db.execute(rows.format("orders")).fetchall(), 60)
    agent.terminate()
    assert agent.wait() == 0, agent.log
    if mode == "wal":
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    copy.close()
    db.close()


def test_checkpoints_of_the_other_program_find_no_reader_in_their_way(agent, tmp_path, writer):
    writer.execute(ORDERS)
    insert(writer, 1, 3000)
    follow(agent, tmp_path, {"type": "http", "url": "http://127.0.0.1:1/", "format": "ndjson"},
           quick_retry(), mode="fullAndContinuous", cursor=["id"], pageSize=100)
    agent.start()
    agent.wait_log("trying again until it works")
    insert(writer, 3001, 3000)
    # The sink takes nothing: the reading stands in the middle of the table.
    agent.wait_for(lambda: writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    agent.kill()


def test_a_database_that_is_locked_is_asked_again(agent, tmp_path):
    db = sqlite3.connect(tmp_path / "plant.db", timeout=30, isolation_level=None)
    db.execute(ORDERS)
    insert(db, 1, 10)
    db.execute("BEGIN EXCLUSIVE")
    follow(agent, tmp_path, busyTimeout="50ms").start()
    agent.wait_log("database is locked; trying again until the table can be read")
    db.execute("COMMIT")
    assert agent.wait() == 0, agent.log
    assert ids(agent) == list(range(1, 11))
    db.close()


def test_a_schema_that_changes_changes_the_records_that_follow(agent, tmp_path, writer):
    writer.execute(ORDERS)
    insert(writer, 1, 3)
    follow(agent, tmp_path, mode="fullAndContinuous", cursor=["id"]).start()
    agent.wait_for(lambda: len(ids(agent)) == 3)
    writer.execute("ALTER TABLE orders ADD COLUMN extra DEFAULT 7")
    insert_more = "INSERT INTO orders (id, updated_at) VALUES ({}, 1)"
    writer.execute(insert_more.format(4))
    agent.wait_for(lambda: 4 in ids(agent))
    assert records(agent)[-1]["extra"] == 7
    writer.execute("ALTER TABLE orders DROP COLUMN note")
    writer.execute(insert_more.format(5))
    agent.wait_for(lambda: 5 in ids(agent))
    assert "note" not in records(agent)[-1]
    agent.terminate()
    assert agent.wait() == 0, agent.log


def test_a_query_is_read_by_its_parameters(agent, tmp_path, writer):
    writer.execute(ORDERS)
    insert(writer, 1, 50)
    follow(agent, tmp_path, mode="incremental", once=True, cursor=["id"], pageSize=7,
           consistencyDelay="0ms", query="SELECT id, upper(note) AS loud FROM orders "
           "WHERE id > :after_id AND id % 2 = 0 ORDER BY id", **{"from": ["10"]})
    assert agent.run() == 0, agent.log
    assert [(one["id"], one["loud"]) for one in records(agent)] == \
        [(i, f"N{i}") for i in range(12, 51, 2)]


def test_what_cannot_be_read_without_losing_rows_is_refused_with_what_is_missing(agent, tmp_path,
                                                                                writer):
    writer.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")
    writer.execute("INSERT INTO orders VALUES (1, NULL)")
    for options, said in (
            ({"cursor": ["note"]}, r"add the columns of a unique index: \(id\)"),
            ({"cursor": ["note", "id"]}, r"a row has NULL in the cursor \(note, id\)"),
            ({"cursor": ["gone"]}, "no column gone"),
            ({"cursor": ["id"], "columns": ["gone"]}, "no such column"),
            ({"cursor": ["id"], "table": "nowhere"}, "there is no table nowhere")):
        follow(agent, tmp_path, mode="fullAndContinuous", **options)
        assert agent.run() == 1, agent.log
        agent.wait_log(said)
