"""preSql and postSql of sinks whose client blocks: SQLite and MariaDB. Those of postgres: test_postgres_jobs."""

import contextlib
import json
import sqlite3

import pytest

from harness.pipelines import file_source, pipeline, quick_retry


class Sqlite:
    alone = "VACUUM"

    def __init__(self, path):
        self.path = path

    def query(self, sql):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as database:
            for one in sql.split(";")[:-1]:
                database.execute(one)
            return [tuple(str(value) for value in row) for row in database.execute(sql.split(";")[-1])]

    def sink(self, **options):
        return {"type": "sqlite", "path": str(self.path), "table": "t", "createTable": False, **options}


class Mysql:
    alone = "OPTIMIZE TABLE t"

    def __init__(self, database):
        self.query = database.query
        self.url = database.url

    def sink(self, **options):
        return {"type": "mysql", "url": self.url, "table": "t", **options}


@pytest.fixture
def can_sqlite(agent):
    if "preSql" not in agent.command("help", "sqlite").stdout:
        pytest.skip("this build has no preSql of sqlite")


@pytest.fixture(params=["sqlite", "mysql"])
def database(request, tmp_path):
    request.getfixturevalue(f"can_{request.param}")
    if request.param == "sqlite":
        one = Sqlite(tmp_path / "data.db")
    else:
        one = Mysql(request.getfixturevalue("mysql_database"))
    one.query("CREATE TABLE t (id int); CREATE TABLE log (what varchar(40)); INSERT INTO t VALUES (99)")
    return one


def job(database, count="count(*)", *more):
    post = "'post ' || " + count if isinstance(database, Sqlite) else f"concat('post ', {count})"
    return {"preSql": ["DELETE FROM t", "INSERT INTO log VALUES ('pre')"],
            "postSql": [f"INSERT INTO log SELECT {post} FROM t", database.alone, *more]}


def configure(agent, database, records, follow=False, batch=1000, **options):
    path = agent.folder / "in.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    agent.configure(pipeline(file_source(path, follow=follow),
                             database.sink(batch={"records": batch, "linger": "20ms"}, **options), delivery=quick_retry()))
    return agent


def rows_of(database):
    return database.query("SELECT what FROM log")


def test_they_run_once_around_a_job(agent, database):
    configure(agent, database, [{"id": n} for n in range(10)], batch=3, **job(database))
    assert agent.run() == 0, agent.log
    assert rows_of(database) == [("pre",), ("post 10",)]
    assert database.query("SELECT count(*) FROM leat_jobs") == [("0",)]
    # A second run has nothing to deliver: nothing is emptied.
    assert agent.run() == 0
    assert rows_of(database) == [("pre",), ("post 10",)]
    assert database.query("SELECT count(*) FROM t") == [("10",)]


def test_a_job_without_a_record_empties_the_table_and_is_done(agent, database):
    configure(agent, database, [], **job(database))
    assert agent.run() == 0, agent.log
    assert "preSql and postSql run for an empty job" in agent.log
    assert rows_of(database) == [("pre",), ("post 0",)]
    assert database.query("SELECT count(*) FROM t") == [("0",)]


def test_a_job_that_is_killed_and_goes_on_is_one_job(agent, database):
    configure(agent, database, [{"id": n} for n in range(3000)], batch=10, **job(database, "count(DISTINCT id)"))
    agent.start()
    agent.wait_for(lambda: int(database.query("SELECT count(*) FROM t")[0][0]) > 100)
    agent.kill()
    assert agent.run() == 0, agent.log
    assert rows_of(database) == [("pre",), ("post 3000",)]


def test_a_drained_agent_has_not_ended_its_job(agent, database):
    configure(agent, database, [{"id": 1}], follow=True, **job(database))
    agent.start()
    agent.wait_for(lambda: database.query("SELECT id FROM t") == [("1",)])
    agent.terminate()
    assert agent.wait() == 0
    assert rows_of(database) == [("pre",)]


@pytest.mark.parametrize("option", ["preSql", "postSql"])
def test_an_error_in_one_is_the_pipelines_and_is_tried_again_by_the_next_run(agent, database, option):
    configure(agent, database, [{"id": 1}], **{**job(database), option: ["DELETE FROM later"]})
    assert agent.run() == 1
    assert f"{option}: " in agent.log and "later" in agent.log, agent.log
    assert agent.dead_letters() == []
    database.query("CREATE TABLE later (id int); INSERT INTO later VALUES (1)")
    assert agent.run() == 0, agent.log
    assert database.query("SELECT count(*) FROM later") == [("0",)]
    assert database.query("SELECT id FROM t WHERE id = 1") == [("1",)]


@pytest.mark.usefixtures("can_sqlite")
def test_a_statement_may_not_end_the_transaction_it_stands_in(agent, tmp_path):
    database = Sqlite(tmp_path / "data.db")
    database.query("CREATE TABLE t (id int)")
    configure(agent, database, [{"id": 1}], preSql=["COMMIT"])
    assert agent.run() == 1
    assert "preSql: the statements must not end the transaction that they run in" in agent.log
    assert database.query("SELECT count(*) FROM t") == [("0",)]


@pytest.mark.usefixtures("can_mysql")
def test_a_statement_may_give_rows_and_a_procedure_several_results(agent, mysql_database):
    database = Mysql(mysql_database)
    database.query("CREATE TABLE t (id int); CREATE TABLE log (what varchar(40));\nDELIMITER //\n"
                   "CREATE PROCEDURE two() BEGIN SELECT 1; SELECT * FROM t; INSERT INTO log VALUES ('called'); END//\n")
    configure(agent, database, [{"id": 1}], preSql=["SELECT 1", "TRUNCATE t"], postSql=["CALL two()", "ANALYZE TABLE t"])
    assert agent.run() == 0, agent.log
    assert rows_of(database) == [("called",)]


@pytest.mark.usefixtures("can_mysql")
def test_who_goes_on_after_a_kill_waits_for_what_the_server_still_runs(agent, mysql_database):
    database = Mysql(mysql_database)
    database.query("CREATE TABLE t (id int); CREATE TABLE log (what varchar(40)) ENGINE = MyISAM")
    # No transaction takes the row back.
    configure(agent, database, [{"id": 1}], postSql=["INSERT INTO log SELECT 'slow' WHERE SLEEP(3) = 0"])
    agent.start()
    agent.wait_for(lambda: database.query("SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'INSERT%SLEEP%'")
                   == [("1",)])
    agent.kill()
    assert agent.run() == 0, agent.log
    slow = rows_of(database)
    assert ("slow",) in slow
    assert database.query("SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'INSERT%SLEEP%'") == [("0",)]
