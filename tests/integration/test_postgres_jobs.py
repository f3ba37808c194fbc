"""The postgres sink through a whole job: preSql and postSql, positions of exactlyOnce."""

from harness.pipelines import file_source, pipeline
from harness.postgres_pipelines import READINGS, configure, deliver, fails, lines, sink


# --- preSql and postSql --------------------------------------------------------------------------

JOB = {"preSql": ["TRUNCATE t", "INSERT INTO log VALUES ('pre')"],
       "postSql": ["INSERT INTO log SELECT 'post ' || count(*) FROM t", "VACUUM t"]}


def test_pre_and_post_sql_run_once_around_a_job(agent, database):
    database.query("CREATE TABLE t (id int); CREATE TABLE log (what text); INSERT INTO t VALUES (99)")
    deliver(agent, database, *({"id": n} for n in range(10)), records=3, **JOB)
    assert database.query("SELECT * FROM log") == [("pre",), ("post 10",)]
    # A second run has nothing to deliver: nothing is truncated.
    assert agent.run() == 0
    assert database.query("SELECT * FROM log") == [("pre",), ("post 10",)]
    assert database.count("t") == 10


def test_a_job_that_is_killed_and_goes_on_is_one_job(agent, database):
    database.query("CREATE TABLE t (id int); CREATE TABLE log (what text)")
    path = lines(agent, *({"id": n} for n in range(2000)))
    configure(agent, database, path, records=10, delivery={"guarantee": "exactlyOnce"}, **JOB).start()
    agent.wait_for(lambda: database.count("t") > 100)
    agent.kill()
    assert agent.run() == 0
    assert database.query("SELECT * FROM log") == [("pre",), ("post 2000",)]
    assert database.value("SELECT count(DISTINCT id) FROM t") == "2000"
    assert database.count("t") == 2000


def test_post_sql_that_was_done_before_a_kill_is_not_done_again(agent, database):
    database.query("CREATE TABLE t (id int); CREATE TABLE log (what text)")
    path = lines(agent, *({"id": n} for n in range(10)))
    job = {"preSql": JOB["preSql"], "postSql": ["INSERT INTO log VALUES ('first')", "VACUUM t",
                                                "INSERT INTO log SELECT 'second' FROM pg_sleep(4)"]}
    configure(agent, database, path, delivery={"guarantee": "exactlyOnce"}, **job).start()
    agent.wait_for(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                                          "'%second%pg_sleep%' AND pid <> pg_backend_pid()") == "1")
    assert database.value("SELECT post_sql_done FROM leat_jobs") == "2"
    agent.kill()
    assert agent.run() == 0, agent.log
    assert database.query("SELECT * FROM log") == [("pre",), ("first",), ("second",)]
    assert database.count("leat_jobs") == 0, "and what the server was still at came once, too"


def test_a_table_of_jobs_of_an_earlier_version_gets_its_column(agent, database):
    database.query("CREATE TABLE t (id int); CREATE TABLE log (what text);"
                   "CREATE TABLE leat_jobs (agent text NOT NULL, pipeline text NOT NULL,"
                   " began timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (agent, pipeline))")
    deliver(agent, database, {"id": 1}, **JOB)
    assert database.query("SELECT * FROM log") == [("pre",), ("post 1",)]


def test_a_drained_agent_has_not_ended_its_job(agent, database):
    database.query("CREATE TABLE t (id int); CREATE TABLE log (what text)")
    path = lines(agent, {"id": 1})
    agent.configure(pipeline(file_source(path, follow=True), sink(database, **JOB)))
    agent.start()
    agent.wait_for(lambda: database.count("t") == 1)
    agent.terminate()
    assert agent.wait() == 0
    assert database.query("SELECT * FROM log") == [("pre",)]


def test_an_error_in_pre_sql_ends_the_pipeline(agent, database):
    database.query("CREATE TABLE t (id int)")
    log = fails(agent, database, {"id": 1}, preSql="TRUNCATE nowhere")
    assert 'preSql: relation "nowhere" does not exist' in log
    assert database.count("leat_jobs") == 0


def test_an_error_in_post_sql_is_the_pipelines_error(agent, database):
    database.query("CREATE TABLE t (id int)")
    log = fails(agent, database, {"id": 1}, postSql=["TRUNCATE nowhere"])
    assert 'postSql: relation "nowhere" does not exist' in log
    assert database.count("t") == 1


# --- exactly once --------------------------------------------------------------------------------


def test_positions_are_those_of_one_agent_and_pipeline(agent, make_agent, database, telemetry):
    database.query(READINGS)
    for number, one in enumerate((agent, make_agent("other"))):
        one.configure(pipeline(file_source(telemetry(100)), sink(database, "readings"),
                               delivery={"guarantee": "exactlyOnce"}), id=f"gw-{number}")
        assert one.run() == 0, one.log
        assert one.run() == 0
    assert database.count("readings") == 200
    assert database.query("SELECT DISTINCT agent, pipeline FROM leat_positions ORDER BY 1") == [
        ("gw-0", "p"), ("gw-1", "p")]


def test_the_position_moves_also_without_records(agent, database, telemetry):
    database.query(READINGS)
    configure(agent, database, telemetry(1000), {"type": "filter", "where": "seq < 10"},
              table="readings", records=5, delivery={"guarantee": "exactlyOnce"})
    assert agent.run() == 0, agent.log
    assert database.count("readings") == 10
    assert agent.run() == 0
    assert database.count("readings") == 10


def test_a_bad_record_moves_the_position_exactly_once(agent, database):
    database.query("CREATE TABLE t (id int UNIQUE); INSERT INTO t VALUES (3)")
    deliver(agent, database, *({"id": n} for n in range(8)), {"id": "x"},
            delivery={"guarantee": "exactlyOnce"})
    assert agent.run() == 0
    assert database.count("t") == 8
    assert len(agent.dead_letters()) == 2
