"""One table in several ranges: the tasks of one job, over kills too."""

import json
import sqlite3

import pytest

from harness.output import conforming
from harness.pipelines import pipeline, quick_retry
from harness.ports import free_port
from harness.waiting import wait_for


def job(database, split, source=None, sink=None, guarantee="exactlyOnce", **rest):
    return pipeline({"type": "postgres", "url": database.url, "table": "orders", "split": split,
                     "pageSize": 200, **(source or {})},
                    {"type": "postgres", "url": database.url, "table": "copies",
                     "batch": {"records": 100, "linger": "10ms"}, **(sink or {})},
                    delivery=quick_retry(guarantee=guarantee), **rest)


def tasks(agent):
    answer = agent.command("tasks", "p", "--json", "--data-dir", str(agent.data_dir))
    jobs = conforming(answer.stdout, "tasks")["pipelines"] if answer.returncode == 0 else []
    return {task["name"]: task for job in jobs for task in job["tasks"]}


def is_copied(database, columns="*"):
    return database.value(f"""SELECT NOT EXISTS (
        (SELECT {columns} FROM orders EXCEPT ALL SELECT {columns} FROM copies) UNION ALL
        (SELECT {columns} FROM copies EXCEPT ALL SELECT {columns} FROM orders))""") == "t"


# Keys of which an arithmetic between the least and the largest would put nearly all into one range.
KEYS = {
    "skewed": ("bigint", "CASE WHEN i <= 5900 THEN i ELSE i::bigint * 1000000000 END"),
    "text": ("text", "chr(97 + i % 3) || md5(i::text)"),
    "in german": ('text COLLATE "de-x-icu"', "chr(ascii('ä') - i % 7) || i"),
    "times": ("timestamptz", "timestamptz '2026-01-01' + i * i * interval '1 second'"),
    "uuid": ("uuid", "md5(i::text)::uuid"),
    "numeric": ("numeric", "1.5 ^ (i % 300) + i"),
}


def make_orders(database, key="skewed", rows=6000):
    kind, value = KEYS[key]
    database.query(f"""CREATE TABLE orders (id {kind} PRIMARY KEY, note text); CREATE TABLE copies (LIKE orders);
        INSERT INTO orders SELECT {value}, 'n' || i FROM generate_series(1, {rows}) i""")


@pytest.mark.parametrize("key", KEYS)
def test_ranges_have_as_many_rows_each_whatever_the_key_is(agent, database, key):
    make_orders(database, key)
    agent.configure(job(database, {"by": "id", "tasks": 4}, schedule={"every": "1h"}))
    agent.start()
    agent.wait_for(lambda: database.count("copies") == 6000)
    wait_for(lambda: {task["state"] for task in tasks(agent).values()} == {"done"})
    assert {name: task["records"] for name, task in tasks(agent).items()} == \
        {f"orders, {number} of 4": 1500 for number in range(1, 5)}
    agent.terminate()
    assert agent.wait() == 0
    assert is_copied(database)


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
def test_a_job_that_is_killed_goes_on_in_the_same_ranges(agent, database, guarantee):
    make_orders(database, rows=20000)
    agent.configure(job(database, {"tasks": 5}, {"concurrency": 3}, guarantee=guarantee,
                        sink={"preSql": "TRUNCATE copies"}), journal={"commitEvery": "0ms"})
    for share in (1000, 4000, 7000, 10000, 13000, 16000, 18000):
        agent.start()
        agent.wait_for(lambda: database.count("copies") > share)
        agent.kill()
        # Rows that would be divided otherwise.
        database.query(f"INSERT INTO orders SELECT -i, 'late' FROM generate_series({share}, {share} + 50) i")
    assert agent.run() == 0, agent.log
    assert database.value("SELECT count(DISTINCT id) FROM copies WHERE note <> 'late'") == "20000"
    if guarantee == "exactlyOnce":
        assert database.value("SELECT count(*) - count(DISTINCT id) FROM copies") == "0"
    begun = [line for line in agent.log.splitlines() if "begins with the table" in line]
    assert all("of 5" in line for line in begun)
    positions = agent.command("positions", "p", "--data-dir", str(agent.data_dir)).stdout
    assert "ranges of table orders" in positions, positions
    # What is done is not read again.
    before = database.count("copies")
    assert agent.run() == 0, agent.log
    assert database.count("copies") == before


def test_one_value_may_be_in_many_rows(agent, database):
    database.query("""CREATE TABLE orders (id bigint PRIMARY KEY, plant text NOT NULL); CREATE TABLE copies (LIKE orders);
        CREATE INDEX ON orders (plant, id);
        INSERT INTO orders SELECT i, CASE WHEN i % 100 = 0 THEN 'small' ELSE 'large' END FROM generate_series(1, 4000) i""")
    agent.configure(job(database, {"by": "plant", "tasks": 4}))
    assert agent.run() == 0, agent.log
    assert agent.log.count("begins with the table orders, ") == 4
    assert is_copied(database)


@pytest.mark.parametrize("rows, ranges", [(0, 1), (1, 1), (3, 3)])
def test_where_there_is_hardly_anything_there_are_few_ranges(agent, database, rows, ranges):
    make_orders(database, rows=rows)
    agent.configure(job(database, {"tasks": 8}))
    assert agent.run() == 0, agent.log
    assert agent.log.count("begins with the table orders, ") == ranges
    assert is_copied(database)


def test_a_condition_holds_for_all_ranges_and_a_large_table_is_sampled(agent, database):
    database.query("""CREATE TABLE orders (id bigint PRIMARY KEY, note text); CREATE TABLE copies (LIKE orders);
        INSERT INTO orders SELECT i, repeat('x', 1900) FROM generate_series(1, 24000) i""")  # 48 MB
    agent.configure(job(database, {"tasks": 4}, {"pageSize": 5000, "columns": ["id"]}, schedule={"every": "1h"}))
    agent.start()
    agent.wait_for(lambda: database.count("copies") == 24000)
    wait_for(lambda: {task["state"] for task in tasks(agent).values()} == {"done"})
    records = [task["records"] for task in tasks(agent).values()]
    assert len(records) == 4 and min(records) > 4000 and max(records) < 8000, records
    agent.terminate()
    assert agent.wait() == 0
    agent.configure(job(database, {"tasks": 4}, {"where": "id % 1000 = 7", "columns": ["id"]}, name="q"))
    database.query("TRUNCATE copies")
    assert agent.run() == 0, agent.log
    assert database.value("SELECT count(*) || ' ' || count(DISTINCT id) FROM copies") == "24 24"


@pytest.mark.parametrize("table, split, why", [
    ("id bigint PRIMARY KEY", {"by": "plant"}, 'the table has no column plant, which "split" names'),
    ("id bigint PRIMARY KEY, plant text", {"by": "plant"}, 'column plant of the cursor can be NULL'),
    ("id bigint", {}, "it has no key by which it could be divided"),
    ("id bigint NOT NULL", {"by": "id"}, "it needs a unique index"),
])
def test_what_cannot_be_divided_is_refused(agent, database, table, split, why):
    database.query(f"CREATE TABLE orders ({table}); CREATE TABLE copies (id bigint)")
    agent.configure(job(database, {"tasks": 2, **split}))
    assert agent.run() == 1
    assert why in agent.log, agent.log


def test_each_run_of_a_schedule_divides_the_table_anew(agent, database):
    make_orders(database, rows=100)
    agent.configure(job(database, {"tasks": 2}, sink={"preSql": "TRUNCATE copies"}, schedule={"every": "1s"}))
    agent.start()
    agent.wait_for(lambda: database.count("copies") == 100)
    database.query("DELETE FROM orders; INSERT INTO orders SELECT i, '' FROM generate_series(501, 700) i")
    agent.wait_for(lambda: database.count("copies") == 200 and is_copied(database))
    wait_for(lambda: [task["records"] for task in tasks(agent).values()] == [100, 100])
    agent.terminate()
    assert agent.wait() == 0


def test_a_table_of_sqlite_is_divided_so_too(agent, database):
    path = agent.folder / "plant.db"
    with sqlite3.connect(path) as plant:
        plant.execute("CREATE TABLE orders (name TEXT PRIMARY KEY, plant TEXT, note TEXT) WITHOUT ROWID")
        plant.executemany("INSERT INTO orders VALUES (?, ?, ?)",
                          [(f"o'{i % 10}-{i}", None if i == 77 else "north", f"n{i}") for i in range(8000)])
    plant.close()
    database.query("CREATE TABLE copies (name text, plant text, note text)")
    source = {"type": "sqlite", "path": str(path), "table": "orders", "pageSize": 100, "concurrency": 2}
    sink = {"type": "postgres", "url": database.url, "table": "copies", "batch": {"records": 100, "linger": "10ms"}}

    def configure(split, name="p"):
        agent.configure(pipeline({**source, "split": split}, sink, name=name,
                                 delivery=quick_retry(guarantee="exactlyOnce")))
    configure({"tasks": 4})
    for share in (1000, 3000, 5000, 7000):
        agent.start()
        agent.wait_for(lambda: database.count("copies") > share)
        agent.kill()
    assert agent.run() == 0, agent.log
    assert database.value("SELECT count(*) || ' ' || count(DISTINCT name) FROM copies") == "8000 8000"
    assert "begins with the table orders, 4 of 4" in agent.log
    configure({"by": "nothing"}, name="q")
    assert agent.run() == 1 and 'the table has no column nothing' in agent.log, agent.log
    configure({"by": "plant"}, name="r")
    assert agent.run() == 1 and "a row has NULL in the cursor (plant, name)" in agent.log, agent.log


# --- before anything runs -------------------------------------------------------------------------


def explained(agent, *options):
    """The exit code of `explain`, and what it says of tasks: the first line, and those of the tasks."""
    done = agent.command("explain", "-c", agent.config_path, *options)
    said = [line.strip() for line in done.stdout.partition("  tasks     ")[2].splitlines()]
    return done.returncode, said


def test_explain_shows_the_ranges_before_anything_runs(agent, database):
    database.query("""CREATE TABLE orders (id bigint PRIMARY KEY, note text);
        INSERT INTO orders SELECT i, 'n' || i FROM generate_series(1, 4000) i""")
    agent.configure(job(database, {"by": "id", "tasks": 4}, {"concurrency": 2}))
    assert explained(agent) == (0, ["ranges of orders, 2 at once; --connect asks which they are"])
    assert explained(agent, "--connect") == (0, [
        "ranges of orders, 2 at once", "orders, 1 of 4: id up to 1000", "orders, 2 of 4: id up to 2000",
        "orders, 3 of 4: id up to 3000", "orders, 4 of 4: the rest"])
    assert not agent.data_dir.exists()


def test_explain_shows_ranges_of_several_columns_and_of_hardly_anything(agent, database):
    database.query("""CREATE TABLE orders (plant text, id bigint, PRIMARY KEY (plant, id));
        INSERT INTO orders SELECT 'north', i FROM generate_series(1, 4) i""")
    agent.configure(job(database, {"tasks": 2}))
    assert explained(agent, "--connect") == (0, [
        "ranges of orders, 4 at once", "orders, 1 of 2: plant, id up to north, 2", "orders, 2 of 2: the rest"])
    database.query("DELETE FROM orders")
    assert explained(agent, "--connect")[1][1:] == ["orders, 1 of 1: the rest"]


def test_explain_shows_ranges_of_sqlite(agent):
    path = agent.folder / "plant.db"
    with sqlite3.connect(path) as plant:
        plant.execute("CREATE TABLE orders (name TEXT PRIMARY KEY) WITHOUT ROWID")
        plant.executemany("INSERT INTO orders VALUES (?)", [(f"n{i}",) for i in range(10)])
    plant.close()
    agent.configure(pipeline({"type": "sqlite", "path": str(path), "table": "orders", "split": {"tasks": 2}},
                             {"type": "stdout"}))
    assert explained(agent, "--connect") == (0, [
        "ranges of orders, 4 at once", "orders, 1 of 2: name up to 'n4'", "orders, 2 of 2: the rest"])


def test_explain_says_why_the_ranges_are_not_known(agent, database):
    database.query("CREATE TABLE orders (id bigint)")
    agent.configure(job(database, {"tasks": 2}))
    code, said = explained(agent, "--connect")
    assert code == 1 and len(said) == 1
    assert said[0].startswith("ranges of orders, 4 at once; which they are is not known: ")
    assert said[0].endswith("it has no key by which it could be divided")
    config = json.loads(agent.config_path.read_text())
    config["pipelines"][0]["source"]["url"] = f"postgresql://u@127.0.0.1:{free_port()}/d?sslmode=disable"
    agent.write_config(json.dumps(config))
    code, said = explained(agent, "--connect")
    assert code == 1 and "connection refused" in said[0], said
