"""The postgres sink when things go wrong: servers that stop, die, change, hang or lie."""

import json
import re
import subprocess

import pytest

from harness.fake_postgres import (AUTHENTICATED, READY, FakePostgres, error, message, row, sasl,
                                   tag)
from harness.pipelines import file_source, pipeline, quick_retry
from harness.postgres_pipelines import READINGS, configure, deliver, lines, sink
from harness.telemetry import expect_each_once
from faults.kill_loop import file_to_postgres

RECORDS = 20000
ONCE = {"guarantee": "exactlyOnce"}


def seqs(database):
    return [int(seq) for (seq,) in database.query("SELECT seq FROM readings")]


@pytest.fixture
def make_fake():
    servers = []

    def make(script):
        servers.append(FakePostgres(script))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


# --- the server stops and dies -------------------------------------------------------------------


@pytest.mark.parametrize("how", ["restart", "kill"])
@pytest.mark.parametrize("mode", ["copy", "upsert"])
def test_nothing_is_lost_nor_doubled_when_the_server_goes_away(agent, make_postgres, telemetry, how,
                                                               mode):
    # With fsync: a kill of the server must not undo what it has confirmed.
    server = make_postgres(fsync="on")
    database = server.database("test")
    database.query(READINGS + "; CREATE UNIQUE INDEX ON readings (seq)")
    options = {"writeMode": "upsert", "key": ["seq"]} if mode == "upsert" else {}
    configure(agent, database, telemetry(RECORDS), table="readings", records=50,
              delivery=quick_retry(**ONCE), **options).start()
    for share in (0.1, 0.4):
        agent.wait_for(lambda: database.count("readings") > RECORDS * share)
        server.restart() if how == "restart" else (server.kill(), server.start())
    assert agent.wait(120) == 0, agent.log
    expect_each_once(seqs(database), RECORDS)
    assert agent.dead_letters() == []
    if how == "restart":  # one that breaks off, and is there again at the next attempt, is no trouble yet
        assert len(agent.log_lines("nothing is lost|after the last it is rejected")) >= 1


def test_a_server_that_is_not_there_yet_is_waited_for(agent, make_postgres, telemetry):
    server = make_postgres()
    database = server.database("test")
    database.query(READINGS)
    server.stop()
    configure(agent, database, telemetry(100), table="readings").start()
    agent.wait_log("warn .*connect 127.0.0.1:.*connection refused")
    server.start()
    assert agent.wait() == 0
    assert database.count("readings") == 100


def test_exactly_once_waits_for_the_server_to_say_where_to_resume(agent, make_postgres, telemetry):
    server = make_postgres()
    database = server.database("test")
    database.query(READINGS)
    server.stop()
    configure(agent, database, telemetry(100), table="readings", delivery=ONCE).start()
    agent.wait_log("waiting for the sink to say where to resume")
    server.start()
    assert agent.wait() == 0
    assert database.count("readings") == 100


def test_a_session_ended_while_idle_is_no_trouble(agent, database, postgres):
    database.query("CREATE TABLE t (id int)")
    path = lines(agent, {"id": 1})
    follows(agent, path, database)
    agent.wait_for(lambda: database.count("t") == 1)
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE application_name = 'leat'")
    agent.wait_for(lambda: postgres.connections() == 0)
    add(path, {"id": 2})
    agent.wait_for(lambda: database.count("t") == 2)
    ends_well(agent)
    assert agent.log_lines(" warn ") == []


def test_one_session_serves_all_deliveries(agent, database, telemetry):
    database.query(READINGS + "; ALTER TABLE readings ADD pid int DEFAULT pg_backend_pid()")
    configure(agent, database, telemetry(2000), table="readings", records=100)
    assert agent.run() == 0
    assert database.value("SELECT count(DISTINCT pid) FROM readings") == "1"


def test_every_line_is_in_postgres_exactly_once_after_kills(agent, database, telemetry):
    database.query(READINGS)
    loop = file_to_postgres(agent, database, telemetry(2 * RECORDS), 2 * RECORDS, 10, batch=100)
    assert loop.killed >= 5  # a fast machine may be done before the last
    expect_each_once(seqs(database), 2 * RECORDS)


# --- what a DBA does -----------------------------------------------------------------------------


def follows(agent, path, database, delivery=None, **options):
    """Starts an agent that delivers `path` and what is written to it later."""
    agent.configure(pipeline(file_source(path, follow=True), sink(database, **options),
                             delivery=delivery or quick_retry()))
    return agent.start()


def add(path, record):
    with open(path, "a") as file:
        file.write(json.dumps(record) + "\n")


def ends_well(agent):
    agent.terminate()
    assert agent.wait() == 0
    assert agent.dead_letters() == []


def test_a_missing_right_is_waited_for(agent, database):
    database.query("CREATE TABLE t (id int)")
    follows(agent, lines(agent, {"id": 1}), database, url=database.url_of("trusted"))
    agent.wait_log("permission denied for table t.*42501.*lacks a right")
    database.query("GRANT INSERT ON t TO trusted")
    agent.wait_for(lambda: database.count("t") == 1)
    ends_well(agent)


def test_a_lock_is_waited_for_without_leaving_sessions_behind(agent, database, postgres):
    database.query("CREATE TABLE t (id int)")
    holder = subprocess.Popen(
        ["psql", "-X", "-q", "-d", database.url], stdin=subprocess.PIPE, text=True)
    holder.stdin.write("BEGIN; LOCK TABLE t;\n")
    holder.stdin.flush()
    locks = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND granted"
    agent.wait_for(lambda: database.value(locks) == "1")
    follows(agent, lines(agent, {"id": 1}), database, timeout="100ms")
    agent.wait_log("55P03.*another session holds a lock")
    agent.wait_for(lambda: postgres.log.count("canceling statement due to lock timeout") >= 3)
    assert postgres.connections() == 1
    holder.communicate("COMMIT;\n")
    agent.wait_for(lambda: database.count("t") == 1)
    ends_well(agent)


def test_a_server_that_becomes_read_only_is_waited_for(agent, database):
    """As after a failover, when the name still leads to the old primary."""
    database.query("CREATE TABLE t (id int)")
    path = lines(agent, {"id": 1})
    follows(agent, path, database)
    agent.wait_for(lambda: database.count("t") == 1)
    database.query("ALTER DATABASE test SET default_transaction_read_only = on;"
                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE application_name = 'leat'")
    add(path, {"id": 2})
    agent.wait_log("read-only transaction.*25006.*standby")
    database.query("SET default_transaction_read_only = off;"
                   "ALTER DATABASE test RESET default_transaction_read_only")
    agent.wait_for(lambda: database.count("t") == 2)
    ends_well(agent)


@pytest.mark.parametrize("mode", ["copy", "upsert"])
def test_a_column_that_changes_to_a_type_that_fits_goes_on(agent, database, mode):
    """int4 to float4: the same four bytes would be another number, and nobody would notice."""
    database.query("CREATE TABLE t (id int PRIMARY KEY, v int)")
    path = lines(agent, {"id": 1, "v": 5})
    follows(agent, path, database, **({"writeMode": "upsert", "key": ["id"]} if mode == "upsert"
                                      else {}))
    agent.wait_for(lambda: database.count("t") == 1)
    for number, type in enumerate(("real", "text", "double precision USING v::float8",
                                   "numeric(20,3)"), start=2):
        database.query(f"ALTER TABLE t ALTER v TYPE {type}")
        add(path, {"id": number, "v": 5})
        agent.wait_for(lambda: database.count("t") == number)
    database.query("ALTER TABLE t RENAME TO old; CREATE TABLE t (v bigint, id int PRIMARY KEY)")
    add(path, {"id": 9, "v": 5})
    agent.wait_for(lambda: database.count("t") == 1)
    assert database.query("SELECT DISTINCT v::bigint FROM old") == [("5",)]
    assert database.query("SELECT v FROM t") == [("5",)]
    ends_well(agent)


@pytest.mark.parametrize("change,message", [
    ("DROP TABLE t", 'there is no table "t"'),
    ("ALTER TABLE t DROP COLUMN v", "table t: has no column v"),
    ("DROP TABLE t; CREATE SEQUENCE t", "table t: is no table that rows can be written to"),
])
def test_a_table_that_does_not_fit_any_more_ends_the_pipeline_without_loss(agent, database, change,
                                                                           message):
    database.query("CREATE TABLE t (id int, v int)")
    path = lines(agent, {"id": 1, "v": 1})
    follows(agent, path, database, delivery=ONCE, columns={"id": "id", "v": "v"})
    agent.wait_for(lambda: database.count("t") == 1)
    database.query(change)
    add(path, {"id": 2, "v": 2})
    assert agent.wait() == 1
    assert message in agent.log
    assert agent.dead_letters() == []
    database.query(("DROP SEQUENCE t;" if "SEQUENCE" in change else "DROP TABLE IF EXISTS t;") +
                   "CREATE TABLE t (id int, v int)")
    agent.start()
    agent.wait_for(lambda: database.query("SELECT * FROM t") == [("2", "2")])
    ends_well(agent)


# --- exactly once --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["copy", "insert"])
def test_a_row_at_which_the_servers_process_dies_is_found_and_the_rest_arrives(agent, database, mode):
    """It was taken for an outage, for ever. The trigger kills the process it runs in."""
    database.query("""
        CREATE TABLE t (id int);
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.id = 2 THEN EXECUTE $kill$COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'$kill$; END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER die BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION die()""")
    deliver(agent, database, *({"id": n} for n in range(5)), writeMode=mode)
    database.server.wait_ready()
    assert database.query("SELECT id FROM t ORDER BY id") == [("0",), ("1",), ("3",), ("4",)]
    assert len(agent.dead_letters()) == 1 and agent.dead_letters()[0]["record"] == {"id": 2}
    assert "closed the connection" in agent.dead_letters()[0]["reason"]
    assert "at this record, 3 times in a row" in agent.dead_letters()[0]["reason"]


@pytest.mark.parametrize("mode", ["copy", "insert"])
def test_a_commit_whose_answer_is_lost_is_not_repeated(agent, database, make_relay, telemetry, mode):
    # The key would turn a second copy of a row into a dead letter.
    database.query(READINGS + "; CREATE UNIQUE INDEX ON readings (seq)")
    relay = make_relay(cuts=5)
    configure(agent, database, telemetry(2000), table="readings", records=100,
              url=relay.url(database), writeMode=mode, delivery=quick_retry(**ONCE))
    assert agent.run() == 0, agent.log
    assert relay.cuts == 0
    expect_each_once(seqs(database), 2000)
    assert agent.dead_letters() == []


def test_a_lost_commit_is_found_also_when_the_source_describes_its_place_in_other_words(
        agent, database, make_relay):
    """The file was emptied before the next attempt: what is said of the place in it differs."""
    database.query("CREATE TABLE t (id int)")
    path = lines(agent, {"id": 1})
    relay = make_relay(cuts=1, but_not=b"BEGIN")  # the positions are taken over in one piece
    relay.away.set()
    follows(agent, path, database, delivery=quick_retry(**ONCE), url=relay.url(database))
    assert relay.has_cut.wait(30), agent.log
    path.write_text("")
    relay.away.clear()
    agent.wait_log("delivering again|changed by somebody else")
    add(path, {"id": 2})
    agent.wait_for(lambda: database.count("t") == 2)
    ends_well(agent)
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("2",)]


@pytest.mark.parametrize("mode,hold,first", [("copy", b"\t", b"COPY"),
                                             ("insert", b"INSERT INTO \"r", b"INSERT INTO \"r")])
def test_a_commit_that_lands_after_the_restart_has_asked_where_to_resume_is_no_second_writer(
        agent, database, make_relay, telemetry, mode, hold, first):
    """`copy`: the server has the rows and waits for the COMMIT. `insert`: it has seen nothing yet."""
    database.query(READINGS)
    how = {"table": "readings", "writeMode": mode, "delivery": quick_retry(**ONCE)}
    before = make_relay(hold=hold)
    configure(agent, database, telemetry(500), url=before.url(database), records=100, **how).start()
    assert before.holds.wait(30), agent.log
    agent.kill()
    after = make_relay(hold=first)
    configure(agent, database, telemetry(500), url=after.url(database), records=70, **how).start()
    waits = ("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
             "AND application_name = 'leat'")
    agent.wait_for(lambda: after.holds.is_set() or database.value(waits) == "1")
    before.release()
    assert before.ended.wait(30)
    after.release()
    assert agent.wait() == 0, agent.log
    expect_each_once(seqs(database), 500)


def test_positions_changed_by_somebody_else_end_the_pipeline(agent, database):
    database.query("CREATE TABLE t (id int)")
    path = lines(agent, {"id": 1})
    follows(agent, path, database, delivery=ONCE)
    agent.wait_for(lambda: database.count("t") == 1)
    database.query("UPDATE leat_positions SET value = 'x' || value")
    add(path, {"id": 2})
    assert agent.wait() == 1
    assert 'were changed by somebody else: does another agent run with the id "test"' in agent.log
    assert database.count("t") == 1


def test_a_second_agent_with_the_same_id_takes_over_and_the_first_ends(agent, make_agent, database):
    database.query("CREATE TABLE t (id int)")
    path = lines(agent, {"id": 1})
    follows(agent, path, database, delivery=ONCE)
    agent.wait_for(lambda: database.count("t") == 1)
    owner = "SELECT value FROM leat_positions WHERE partition = ''"
    first = database.value(owner)
    second = follows(make_agent("second"), path, database, delivery=ONCE)
    second.wait_for(lambda: database.value(owner) != first)
    add(path, {"id": 2})
    agent.wait()
    assert "were changed by somebody else" in agent.log
    second.wait_for(lambda: database.count("t") == 2)
    ends_well(second)
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("2",)]


# --- hostile and broken servers ------------------------------------------------------------------


def hang(talk):
    talk.startup()
    while True:
        talk.message()


def flood_of_notices(talk):
    talk.log_in()
    talk.query()
    while True:
        talk.send(message(b"N", b"MI am busy\x00\x00") * 1000)


def flood_of_rows(talk):
    talk.log_in()
    talk.query()
    while True:
        talk.send(row("x" * 1000) * 100)


def endless_notice(talk):
    talk.log_in()
    talk.query()
    talk.send(b"N\x7f\xff\xff\xffM")
    while True:
        talk.send(b"x" * 65536)


def scram(first, final=b"v=AAAA"):
    def script(talk):
        talk.startup()
        talk.send(sasl(10, b"SCRAM-SHA-256\x00\x00"))
        _, body = talk.message()
        nonce = body.split(b"r=")[1]
        talk.send(sasl(11, first.replace(b"NONCE", nonce)))
        talk.message()
        talk.send(sasl(12, final) + AUTHENTICATED + READY)
        talk.query()
    return script


def after_copy(data):
    def script(talk):
        talk.until_copy()
        talk.query()  # what follows the data
        talk.send(data)
        talk.query()
    return script


def hang_up_in_a_copy(talk):
    talk.until_copy()
    talk.message()


def says(data):
    def script(talk):
        talk.startup()
        talk.send(data)
        talk.message()
    return script


def logged_in(data):
    def script(talk):
        talk.log_in()
        talk.query()
        talk.send(data)
        talk.message()
    return script


GOOD_SALT = b",s=c2FsdHNhbHQ=,i=4096"


@pytest.mark.parametrize("script,words", [
    (hang, "no session within 500ms"),
    (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not PostgreSQL's protocol"),
    (says(b"R\x00\x00\x00\x02"), "not PostgreSQL's protocol"),
    (says(b"S\x7f\x00\x00\x00xxxx"), "not PostgreSQL's protocol"),
    (says(b"R\xff\xff\xff\xff"), "not PostgreSQL's protocol"),
    (says(message(b"R", b"\x00")), "cannot be read"),
    (says(READY), "the server did not ask who we are"),
    (says(AUTHENTICATED + AUTHENTICATED), "a second time"),
    (says(message(b"R", b"\x00\x00\x00\x63")), "method 99"),
    (says(message(b"R", b"\x00\x00\x00\x03")), "password in clear"),
    (says(sasl(10, b"SCRAM-SHA-256-PLUS\x00SCRAM-SHA-256\x00\x00")), "channel binding without TLS"),
    (says(sasl(10, b"OTHER\x00\x00")), "no method that leat knows"),
    (says(sasl(10, b"SCRAM-SHA-256")), "list of methods cannot be read"),
    (says(sasl(12, b"v=x")), "did not begin"),
    (says(message(b"N", b"M\x00\x00") * 20000), "does not come to the point"),
    (says(error("57P03", "the database system is starting up", "FATAL")), "starting up.*57P03"),
    (scram(b"r=other" + GOOD_SALT), "makes no sense"),
    (scram(b"r=NONCE" + GOOD_SALT), "makes no sense"),
    (scram(b"r=NONCEx,s=,i=1"), "makes no sense"),
    (scram(b"r=NONCEx,s=!!,i=1"), "makes no sense"),
    (scram(b"r=NONCEx,s=c2FsdA==,i=2000000000"), "2000000000 rounds"),
    (scram(b"r=NONCEx" + GOOD_SALT), "could not prove that it knows the password"),
    (scram(b"r=NONCEx" + GOOD_SALT, b"e=other-error"), "the server says other-error"),
    (flood_of_notices, "does not stop sending notices"),
    (flood_of_rows, "does not stop sending rows"),
    (endless_notice, "no answer within|not PostgreSQL's protocol"),
    (logged_in(message(b"W", b"")), "unexpected message"),
    (logged_in(message(b"D", b"\x00\x05")), "malformed row"),
    (logged_in(message(b"Z", b"X")), "malformed message"),
    (logged_in(row("T") + READY), "strange answer"),
    (logged_in(row("T", 1, "t", "r", "f", "f") + row("C", 1) + READY), "strange answer"),
    (after_copy(message(b"G", b"\x00\x00\x00")), "at the wrong time"),
    (after_copy(tag("COPY 1") + READY + tag("ROLLBACK") + READY), "did not commit"),
    (after_copy(error("53100", "disk full") + READY + READY), "disk full.*53100.*server's disk is full"),
    (after_copy(error("XX999", "odd") + READY + READY), "odd.*XX999"),
    (hang_up_in_a_copy, "the server closed the connection"),
], ids=lambda value: getattr(value, "__name__", None) or str(value)[:24])
def test_a_server_that_misbehaves_is_tried_again(agent, make_fake, script, words):
    fake = make_fake(script)
    path = lines(agent, {"id": 1})
    agent.configure(pipeline(file_source(path), sink(None, url=fake.url, connectTimeout="500ms",
                                                     timeout="1s"), delivery=quick_retry()))
    agent.start()
    agent.wait_log(f" warn .*({words})")
    agent.wait_for(lambda: fake.connections >= 2, what="a second attempt")
    assert agent.running()
    assert agent.dead_letters() == []
    assert agent.peak_rss_kib < 400_000
    agent.kill()


def test_bytes_in_clear_behind_the_consent_to_tls_are_refused(agent, make_fake):
    """CVE-2021-23222."""
    def script(talk):
        talk._exactly(8)
        talk.send(b"S" + AUTHENTICATED + READY)
        talk.message()

    fake = make_fake(script)
    agent.configure(pipeline(file_source(lines(agent, {"id": 1})),
                             sink(None, url=fake.url + "?sslmode=require"), delivery=quick_retry()))
    agent.start()
    agent.wait_log("bytes in clear behind the answer to the request for TLS")
    agent.kill()


def test_a_server_that_hangs_in_the_middle_is_given_up(agent, make_fake):
    def script(talk):
        talk.until_copy()
        while True:
            talk.message()

    fake = make_fake(script)
    agent.configure(pipeline(file_source(lines(agent, {"id": 1})),
                             sink(None, url=fake.url, timeout="100ms"), delivery=quick_retry()))
    agent.start()
    agent.wait_log("no answer within")
    agent.wait_for(lambda: fake.connections >= 2)
    agent.kill()


def test_an_agent_told_to_stop_in_the_middle_stores_nothing_of_it(agent, database, telemetry):
    """The connection is closed inside the transaction: the server rolls back."""
    database.query(READINGS + ";CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                   "PERFORM pg_sleep(0.01); RETURN NEW; END $$; CREATE TRIGGER slow BEFORE INSERT ON "
                   "readings FOR EACH ROW EXECUTE FUNCTION slow()")
    configure(agent, database, telemetry(5000), table="readings", delivery=ONCE).start()
    agent.wait_for(lambda: "COPY" in str(database.query(
        "SELECT query FROM pg_stat_activity WHERE application_name = 'leat'")))
    agent.terminate()
    agent.wait_log("drain")
    agent.terminate()
    agent.wait()
    assert database.count("readings") == 0
    assert database.query("SELECT * FROM leat_positions WHERE partition <> ''") == []
