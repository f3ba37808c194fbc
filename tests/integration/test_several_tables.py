"""Several tables in one source: one job, over kills too."""

import json
import sqlite3

import pytest

from harness.pipelines import pipeline, quick_retry

TABLES = [f"orders_{number}" for number in range(1, 7)]
JOB = {"preSql": ["TRUNCATE copies", "INSERT INTO log VALUES ('pre')"],
       "postSql": ["INSERT INTO log SELECT 'post ' || count(*) FROM copies"]}


def make_tables(database, rows):
    database.query("CREATE TABLE copies (id bigint, note text); CREATE TABLE log (what text)")
    for number, table in enumerate(TABLES):
        database.query(f"CREATE TABLE {table} (id bigint PRIMARY KEY, note text); INSERT INTO {table} "
                       f"SELECT i * 10 + {number}, 'n' || i FROM generate_series(1, {rows}) i")


def job(database, source=None, sink=None, guarantee="exactlyOnce", **rest):
    return pipeline({"type": "postgres", "url": database.url, "tables": TABLES, **(source or {})},
                    {"type": "postgres", "url": database.url, "table": "copies",
                     "batch": {"records": 100, "linger": "10ms"}, **(sink or {})},
                    delivery=quick_retry(guarantee=guarantee), **rest)


def test_several_tables_become_one_in_one_job(agent, database):
    make_tables(database, 500)
    agent.configure(job(database, sink=JOB))
    assert agent.run() == 0, agent.log
    assert database.count("copies") == 3000
    assert database.query("SELECT * FROM log") == [("pre",), ("post 3000",)]
    assert "begins with the table orders_2, 2 of 6" in agent.log


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
def test_a_job_that_is_killed_goes_on_in_the_table_where_it_was(agent, database, guarantee):
    make_tables(database, 3000)
    agent.configure(job(database, sink=JOB, guarantee=guarantee), journal={"commitEvery": "0ms"})
    for share in (2000, 7000, 12000):
        agent.start()
        agent.wait_for(lambda: database.count("copies") > share)
        agent.kill()
    assert agent.run() == 0, agent.log
    assert database.value("SELECT count(DISTINCT id) FROM copies") == "18000"
    if guarantee == "exactlyOnce":
        assert database.count("copies") == 18000
    assert database.value("SELECT count(*) FROM log WHERE what = 'pre'") == "1", "it is one job"
    runs = json.loads(agent.command("runs", "p", "--json", "--data-dir", str(agent.data_dir)).stdout)["runs"]
    assert runs[0]["records"]["read"] < 18000 - 10000, "what was done is not read again"


def test_each_run_of_a_schedule_reads_all_of_them_anew(agent, database):
    make_tables(database, 50)
    agent.configure(job(database, sink=JOB, schedule={"every": "1s"}))
    agent.start()
    agent.wait_for(lambda: database.count("copies") == 300)
    database.query("DELETE FROM orders_2")
    agent.wait_for(lambda: database.count("copies") == 250)
    agent.terminate()
    assert agent.wait() == 0


def test_tables_of_sqlite_are_read_so_too(agent, database):
    database.query("CREATE TABLE copies (id bigint, note text)")
    path = agent.folder / "plant.db"
    with sqlite3.connect(path) as plant:
        for table in TABLES:
            plant.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, note TEXT)")
            plant.executemany(f"INSERT INTO {table} (note) VALUES (?)", [(f"n{i}",) for i in range(100)])
    plant.close()
    agent.configure(pipeline({"type": "sqlite", "path": str(path), "tables": TABLES},
                             {"type": "postgres", "url": database.url, "table": "copies"},
                             delivery=quick_retry(guarantee="exactlyOnce")))
    checked = agent.command("check", "-c", agent.config_path, "--connect")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert agent.run() == 0, agent.log
    assert database.count("copies") == 600
