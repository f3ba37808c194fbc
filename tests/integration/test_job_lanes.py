"""Lanes of a job: its tables, or ranges of one, each over a connection of its own to the sink."""

import random
import signal
import threading
import time

import pytest

from harness.table_jobs import JOB, TABLES, job, make_tables

ROWS = 3000  # of each table
ALL = ROWS * len(TABLES)
LANES = "SELECT count(*) FROM leat_positions WHERE partition LIKE 'base64:lane %'"
# Sessions that have nothing to do with reading.
SINKS = ("SELECT {} FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'leat' "
         "AND query NOT LIKE '%orders%'")
RANGES = {"tables": None, "table": "orders", "split": {"tasks": 5}, "pageSize": 100}
# Slow enough for something to happen in the middle.
SLOW = {"recordsPerSecond": 6000}


@pytest.fixture
def seed():
    value = random.randrange(2**32)
    print(f"seed {value}")
    return value


def configure(agent, database, what="tables", sink=None, **rest):
    """A job of six tables, or of ranges of one with as many rows."""
    if what == "ranges" and database.count("orders") == 0:
        database.query("CREATE TABLE orders AS " + " UNION ALL ".join(f"SELECT * FROM {table}" for table in TABLES) +
                       "; ALTER TABLE orders ADD PRIMARY KEY (id)")
    source = {key: value for key, value in RANGES.items() if value} if what == "ranges" else {}
    made = job(database, source, sink={**JOB, **(sink or {})}, limits=SLOW, **rest)
    if what == "ranges":
        del made["source"]["tables"]
    agent.configure(made, journal={"commitEvery": "0ms"})


def expect_each_once(database, rows=ALL):
    assert database.value("SELECT count(*) || ' ' || count(DISTINCT id) FROM copies") == f"{rows} {rows}"
    assert database.query("SELECT * FROM log") == [("pre",), (f"post {rows}",)], "it is one job"


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
def test_each_task_delivers_over_a_connection_of_its_own_and_the_limit_is_that_of_all(agent, database, guarantee):
    make_tables(database, ROWS)
    configure(agent, database, guarantee=guarantee)
    began = time.monotonic()
    agent.start()
    agent.wait_for(lambda: database.value(SINKS.format("count(*)")) == "4")
    assert agent.wait() == 0, agent.log
    assert time.monotonic() - began > 2.5, "18,000 rows at 6,000 a second"
    expect_each_once(database)


@pytest.mark.parametrize("what", ["tables", "ranges"])
def test_killed_again_and_again_it_has_every_row_once(agent, database, what, seed):
    make_tables(database, ROWS)
    configure(agent, database, what)
    moments = random.Random(seed)
    most = 0
    for _ in range(8):
        agent.start()
        before = database.count("copies")
        agent.wait_for(lambda: not agent.running() or database.count("copies") > before)
        most = max(most, int(database.value(LANES)))
        time.sleep(moments.uniform(0, 0.3))
        agent.kill()
    assert agent.run() == 0, agent.log
    assert most == 3, "beside the first"
    expect_each_once(database)


def test_ranges_of_a_table_of_mysql_are_written_so_too(agent, database, mysql_database):
    mysql_database.query("CREATE TABLE orders (id bigint PRIMARY KEY, note text); "
                         f"INSERT INTO orders SELECT seq, concat('n', seq) FROM seq_1_to_{ALL}")
    make_tables(database, 0)
    made = job(database, sink=JOB, limits=SLOW)
    made["source"] = {"type": "mysql", "url": mysql_database.url, "table": "orders", "split": {"tasks": 5},
                      "pageSize": 100}
    agent.configure(made)
    for share in (0.2, 0.5):
        agent.start()
        agent.wait_for(lambda share=share: database.count("copies") > ALL * share)
        assert database.value(LANES) == "3"
        agent.kill()
    assert agent.run() == 0, agent.log
    expect_each_once(database)


@pytest.mark.parametrize("what", ["tables", "ranges"])
def test_connections_that_break_and_commits_whose_answers_are_lost_double_nothing(
        agent, database, make_relay, what, seed):
    make_tables(database, ROWS)
    relay = make_relay(cuts=20, but_not=b"BEGIN")
    configure(agent, database, what, sink={"url": relay.url(database)})
    moments = random.Random(seed)
    agent.start()
    for _ in range(12):
        database.query(f"SELECT pg_terminate_backend(pid) FROM ({SINKS.format('pid')} "
                       f"AND pid <> pg_backend_pid() ORDER BY random() LIMIT {moments.randint(1, 4)}) AS ended")
        time.sleep(moments.uniform(0, 0.2))
    assert agent.wait() == 0, agent.log
    assert relay.cuts == 0
    expect_each_once(database)


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
def test_told_to_stop_in_the_middle_it_goes_on_there_and_repeats_nothing(agent, database, guarantee):
    make_tables(database, ROWS)
    configure(agent, database, guarantee=guarantee)
    for share in (0.2, 0.5):
        agent.start()
        agent.wait_for(lambda: database.count("copies") > ALL * share)
        agent.terminate()
        assert agent.wait() == 0, agent.log
        assert database.query("SELECT * FROM log") == [("pre",)]
    assert agent.run() == 0, agent.log
    expect_each_once(database)


@pytest.fixture
def few_connections(database):
    """The URL of the database for a role that may have three of them."""
    database.query("ALTER ROLE trusted CONNECTION LIMIT 3; GRANT ALL ON SCHEMA public TO trusted; "
                   "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO trusted")
    yield database.url_of("trusted")
    database.query("ALTER ROLE trusted CONNECTION LIMIT -1")


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
@pytest.mark.parametrize("tables", [8, 24])
def test_where_the_server_has_fewer_connections_than_there_are_all_get_through(
        agent, database, few_connections, tables, guarantee):
    """With 24, those that wait for one hold so much that nothing more is read meanwhile."""
    rows = 400
    make_tables(database, 0)
    database.query("; ".join(
        f"CREATE TABLE wide_{number} (id bigint PRIMARY KEY, note text); INSERT INTO wide_{number} "
        f"SELECT i * 100 + {number}, repeat('n', 3000) FROM generate_series(1, {rows}) i" for number in range(tables)))
    source = {"tables": ["wide_%"], "concurrency": 8}
    agent.configure(job(database, source, sink={**JOB, "url": few_connections}, guarantee=guarantee), memory="16MiB")
    agent.start()
    assert agent.wait(120) == 0, agent.log
    assert "too many connections for role" in agent.log
    expect_each_once(database, tables * rows)


def test_a_reload_that_changes_how_many_there_are_goes_on(agent, database):
    make_tables(database, ROWS)
    configure(agent, database)
    agent.start()
    for share, at_once in ((0.1, 2), (0.3, 6), (0.5, 1)):
        agent.wait_for(lambda: database.count("copies") > ALL * share)
        changed = job(database, {"concurrency": at_once}, sink=JOB, limits=SLOW)
        agent.configure(changed, journal={"commitEvery": "0ms"})
        agent.send(signal.SIGHUP)
    assert agent.wait() == 0, agent.log
    expect_each_once(database)


def test_a_second_agent_with_the_same_id_takes_over_what_all_lanes_have(agent, make_agent, database):
    make_tables(database, ROWS)
    configure(agent, database, sink={"batch": {"records": 50, "linger": "10ms"}})
    agent.start()
    agent.wait_for(lambda: database.count("copies") > 1000 and database.value(LANES) == "3")
    second = make_agent("second")
    configure(second, database)
    assert second.run() == 0, second.log
    assert agent.wait() == 1
    assert "were changed by somebody else" in agent.log
    expect_each_once(database)


def test_a_deadlock_between_them_is_no_failure(agent, database):
    """A trigger counts in rows that all of them change, half of them in the other order."""
    make_tables(database, 0)
    database.query("""ALTER DATABASE test SET deadlock_timeout = '10ms';
        CREATE TABLE counts (bucket int PRIMARY KEY, n int); INSERT INTO counts SELECT i, 0 FROM generate_series(0, 99) i;
        CREATE FUNCTION count_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          UPDATE counts SET n = n + 1 WHERE bucket = NEW.id / 10 % 100;
          RETURN NEW;
        END $$;
        CREATE TRIGGER count_row BEFORE INSERT ON copies FOR EACH ROW EXECUTE FUNCTION count_row()""")
    for number, table in enumerate(TABLES):
        database.query(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD place bigint PRIMARY KEY; "
                       f"INSERT INTO {table} SELECT i * 10 + {number}, 'n', {'-i' if number % 2 else 'i'} "
                       f"FROM generate_series(1, {ROWS}) i")
    agent.configure(job(database, sink=JOB))
    assert agent.run() == 0, agent.log
    assert "deadlock detected" in database.server.log
    assert agent.dead_letters() == []
    expect_each_once(database)
    assert database.value("SELECT min(n) || ' ' || max(n) FROM counts") == f"{ALL // 100} {ALL // 100}"


def test_what_fails_in_the_sink_for_one_ends_the_job_and_is_said_once(agent, database):
    make_tables(database, ROWS)
    configure(agent, database, guarantee="atLeastOnce")
    database.query("ALTER TABLE copies ADD must int NOT NULL")
    assert agent.run() == 1
    assert "column must of table copies is NOT NULL" in agent.log.replace('"', "")
    assert database.query("SELECT * FROM log") == [("pre",)]
    configure(agent, database, sink={"preSql": "TRUNCATE nowhere"}, name="q")
    assert agent.run() == 1
    assert len(agent.log_lines('preSql: relation "nowhere" does not exist')) == 1, agent.log


def test_a_lane_that_had_nothing_and_ends_the_job_does_not_take_it_for_an_empty_one(
        agent, database, make_relay):
    """The answer to its last word is lost. It looks then whether the job has begun, and it has ended."""
    make_tables(database, 0)
    database.query("INSERT INTO orders_1 SELECT i, 'n' FROM generate_series(1, 100) i")
    relay = make_relay(cuts=1, answer=b"DELETE 1\x00")
    holder = threading.Thread(target=database.query, daemon=True,
                              args=("BEGIN; LOCK TABLE orders_2; SELECT pg_sleep(2); COMMIT",))
    holder.start()
    locked = "SELECT count(*) FROM pg_locks WHERE relation = 'orders_2'::regclass"
    agent.wait_for(lambda: database.value(locked) == "1")
    agent.configure(job(database, {"concurrency": 2}, sink={**JOB, "url": relay.url(database)},
                        guarantee="atLeastOnce"))
    assert agent.run() == 0, agent.log
    holder.join(30)
    assert relay.cuts == 0
    expect_each_once(database, 100)
