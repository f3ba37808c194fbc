"""Tables of MariaDB as sources: every row once, of every type, whatever becomes of the connection."""

import base64
import json
import os
import re
import sqlite3
import threading
from urllib.parse import quote

import pytest

from harness.fake_mysql import FakeMysql
from harness.mariadb import PASSWORD
from harness.pipelines import pipeline, quick_retry

DEATHS = int(os.environ.get("LEAT_DEATHS", "3"))
ORDERS = ("CREATE TABLE orders (id bigint PRIMARY KEY AUTO_INCREMENT, note text,"
          " updated_at timestamp(6) NOT NULL DEFAULT current_timestamp(6), INDEX changes (updated_at, id));")
CURSOR = ["updated_at", "id"]


def source(database, **options):
    if "query" not in options:
        options.setdefault("table", "orders")
    return {"type": "mysql", "url": database.url, "every": "100ms", **options}


def to_stdout():
    return {"type": "stdout", "format": "ndjson"}


def read(agent, database, sink=None, delivery=None, **options):
    agent.configure(pipeline(source(database, **options), sink or to_stdout(),
                             **({"delivery": delivery} if delivery else {})))
    return agent


def follow(agent, database, sink=None, delivery=None, **options):
    return read(agent, database, sink, delivery,
                **{"mode": "fullAndContinuous", "cursor": CURSOR, "consistencyDelay": "200ms", **options})


def records(agent):
    return [json.loads(line) for line in agent.stdout.splitlines()]


def ids(agent):
    return [record["id"] for record in records(agent)]


def insert(database, first, count, **columns):
    extra = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    database.query(f"INSERT INTO orders (id, note{extra}) SELECT seq, concat('n', seq){values} "
                   f"FROM seq_{first}_to_{first + count - 1}")


# --- full ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_a_full_read_gives_every_row_once_and_ends(agent, mysql_database, page):
    mysql_database.query(ORDERS)
    insert(mysql_database, 1, 100)
    read(agent, mysql_database, pageSize=page)
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 101))
    insert(mysql_database, 101, 1)
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 102)), "what was read is not read again"


def test_a_table_without_a_key_is_read_from_its_start_to_its_end(agent, mysql_database):
    mysql_database.query("CREATE TABLE orders (id int, note text); "
                         "INSERT INTO orders SELECT seq, repeat('x', 1000) FROM seq_1_to_5000")
    read(agent, mysql_database)
    assert agent.run() == 0, agent.log
    assert sorted(ids(agent)) == list(range(1, 5001))


def test_a_sink_that_is_slow_holds_the_reading_back(agent, mysql_database, make_collector, sanitized):
    mysql_database.query("CREATE TABLE orders (id int PRIMARY KEY, note text); "
                         "INSERT INTO orders SELECT seq, repeat('x', 10000) FROM seq_1_to_5000")
    collector = make_collector()
    collector.down()
    agent.configure(pipeline(source(mysql_database, pageSize=100_000),
                             {"type": "http", "url": collector.url, "format": "ndjson"},
                             delivery=quick_retry()), memory="4MiB")
    agent.start()
    agent.wait_log("trying again until it works")
    collector.up()
    assert agent.wait(120) == 0, agent.log
    assert {one["id"] for one in collector.records()} == set(range(1, 5001))
    if not sanitized:  # which needs memory of its own
        assert agent.peak_rss_kib < 30_000


def test_keys_of_every_kind_order_pages_as_the_server_does(agent, mysql_database):
    """Of each kind: values that another comparison would order otherwise, or round."""
    kinds = {
        "bigint unsigned": ["0", "9007199254740993", "9007199254740992", "18446744073709551615"],
        "decimal(30,10)": ["-1.5", "0.1", "12345678901234567890.0000000001", "12345678901234567890"],
        "float": ["-1.5", "0.1", "16777216", "1e30"], "double": ["0.1", "0.30000000000000004", "0.3", "1e300"],
        "datetime(6)": ["'2026-01-02 03:04:05.000001'", "'2026-01-02 03:04:05'", "'1000-01-01'"],
        "timestamp(6)": ["'2026-01-02 03:04:05.000001'", "'2026-01-02 03:04:05'"],
        "date": ["'2026-01-02'", "'1000-01-01'"], "time(6)": ["'-838:59:59'", "'10:00:00.000001'", "'9:00:00'"],
        "year": ["2026", "1999"], "bit(40)": ["b'1'", "b'1111111111111111111111111111111111111111'"],
        "varchar(50)": ["''", "'a'", "'B'", "'it''s'", "'\\\\'", "'ö'", "'😀'", "'10'", "'9'"],
        "varchar(50) COLLATE utf8mb4_bin": ["'a'", "'A'", "'B'", "'b'"],
        "varchar(50) CHARACTER SET latin1": ["'ä'", "'z'", "'A'"],
        "varbinary(20)": ["''", "x'00'", "x'00ff'", "x'27'", "x'5c'"],
    }
    for i, (kind, values) in enumerate(kinds.items()):
        mysql_database.query(f"CREATE TABLE t{i} (k {kind} NOT NULL PRIMARY KEY, n int); "
                             + "".join(f"INSERT INTO t{i} VALUES ({value}, {n});" for n, value in enumerate(values)))
        expected = [int(row[0]) for row in mysql_database.query(f"SELECT n FROM t{i} ORDER BY k")]
        read(agent, mysql_database, table=f"t{i}", pageSize=1)
        before = len(records(agent)) if agent.stdout_path.exists() else 0
        assert agent.run() == 0, (kind, agent.log)
        assert [one["n"] for one in records(agent)[before:]] == expected, kind


@pytest.mark.parametrize("page", [1, 3])
def test_a_cursor_of_three_columns_misses_no_tie(agent, mysql_database, page):
    mysql_database.query("CREATE TABLE orders (a int NOT NULL, b varchar(9) NOT NULL, id int NOT NULL, "
                         "UNIQUE (a, b, id)); INSERT INTO orders SELECT seq % 3, concat('b', seq % 2), seq "
                         "FROM seq_1_to_50")
    read(agent, mysql_database, cursor=["a", "b", "id"], pageSize=page)
    assert agent.run() == 0, agent.log
    assert sorted(ids(agent)) == list(range(1, 51))
    assert [(one["a"], one["b"], one["id"]) for one in records(agent)] == \
        sorted((one["a"], one["b"], one["id"]) for one in records(agent))


# --- types ---------------------------------------------------------------------------------------

TYPES = [
    # type, value in SQL, what is read
    ("tinyint(1)", "1", 1), ("tinyint", "-128", -128), ("smallint unsigned", "65535", 65535),
    ("mediumint", "-8388608", -8388608), ("int(8) zerofill", "42", 42), ("bigint", "-9223372036854775808", -2**63),
    ("bigint unsigned", "18446744073709551615", 2**64 - 1),
    ("decimal(20,2)", "44.50", "44.50"), ("decimal(65,30)", "-0.000000000000000000000000000001", "-0.000000000000000000000000000001"),
    ("decimal(65)", "9" * 65, "9" * 65),
    ("float", "16777215", 16777215.0), ("float", "0.1", 0.10000000149011612), ("double", "0.1", 0.1),
    ("double", "1.7976931348623157e308", 1.7976931348623157e308), ("double", "-5e-324", -5e-324),
    ("bit(1)", "b'1'", True), ("bit(1)", "b'0'", False), ("bit(40)", "b'1111111111111111111111111111111111111111'", 2**40 - 1),
    ("bit(64)", "b'" + "1" * 64 + "'", 2**64 - 1),
    ("datetime", "'2026-01-02 03:04:05'", "2026-01-02T03:04:05Z"),
    ("datetime(6)", "'9999-12-31 23:59:59.999999'", "9999-12-31T23:59:59.999999Z"),
    ("timestamp(6)", "'2026-01-02 03:04:05.678901'", "2026-01-02T03:04:05.678901Z"),
    ("datetime", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"), ("date", "'0000-00-00'", "0000-00-00"),
    ("datetime", "'2026-02-00 00:00:00'", "2026-02-00 00:00:00"),
    ("date", "'2026-01-02'", "2026-01-02"), ("time(3)", "'-838:59:58.5'", "-838:59:58.500"), ("year", "2026", 2026),
    ("char(5)", "'ab '", "ab"), ("varchar(50)", "'it''s ä😀\\n'", "it's ä😀\\n"), ("text", "''", ""),
    ("varchar(9) CHARACTER SET latin1", "'ä'", "ä"), ("varchar(9) CHARACTER SET utf16", "'ä'", "ä"),
    ("enum('a','b')", "'b'", "b"), ("set('a','b','c')", "'a,c'", "a,c"),
    ("blob", "x'00ff27'", base64.b64encode(b"\0\xff'").decode()), ("binary(3)", "x'61'", base64.b64encode(b"a\0\0").decode()),
    ("json", "'{\"a\": [1, null,\\n \"x\"]}'", {"a": [1, None, "x"]}),
    ("point", "ST_GeomFromText('POINT(1 2)')",
     base64.b64encode(bytes.fromhex("00000000" "01" "01000000" "000000000000f03f" "0000000000000040")).decode()),
    ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("inet6", "'::1'", "::1"), ("int", "NULL", None), ("json", "NULL", None), ("bit(1)", "NULL", None),
]


@pytest.mark.parametrize("by", ["table", "query"])
def test_each_type_is_read_as_what_it_is(agent, mysql_database, by):
    columns = ", ".join(f"c{i} {type} NULL" for i, (type, _, _) in enumerate(TYPES))
    values = ", ".join(value for _, value, _ in TYPES)
    mysql_database.query(f"SET sql_mode='NO_BACKSLASH_ESCAPES'; SET time_zone='+00:00'; "
                         f"CREATE TABLE orders (id int PRIMARY KEY, {columns}); "
                         f"INSERT INTO orders VALUES (1, {values.replace(chr(92) + 'n', chr(10))})")
    how = {} if by == "table" else {"query": "SELECT * FROM orders"}
    read(agent, mysql_database, **how)
    assert agent.run() == 0, agent.log
    text = agent.stdout.splitlines()[0].decode()
    one = json.loads(text, parse_float=lambda number: number)
    for i, (type, _, expected) in enumerate(TYPES):
        if type.startswith("decimal"):
            assert f'"c{i}":{expected}' in text, (type, text)
        elif isinstance(expected, float):
            assert float(one[f"c{i}"]) == expected, (type, one[f"c{i}"])
        elif isinstance(expected, str):
            assert one[f"c{i}"] == expected.replace("\\n", "\n"), (type, one[f"c{i}"])
        else:
            assert one[f"c{i}"] == expected, (type, one[f"c{i}"])


def test_times_are_in_utc_whatever_zone_the_server_and_its_writers_are_in(agent, make_mariadb):
    server = make_mariadb(default_time_zone="+05:30")
    database = server.database("t")
    database.query("SET time_zone='+02:00'; CREATE TABLE orders (id int PRIMARY KEY, t timestamp(6)); "
                   "INSERT INTO orders VALUES (1, '2026-01-02 03:04:05.000006')")
    read(agent, database)
    assert agent.run() == 0, agent.log
    assert records(agent) == [{"id": 1, "t": "2026-01-02T01:04:05.000006Z"}]


def test_texts_that_are_alike_for_long_lose_no_row(agent, mysql_database):
    mysql_database.query("CREATE TABLE orders (s text NOT NULL UNIQUE); "
                         "INSERT INTO orders SELECT concat(repeat('a', 1100), seq) FROM seq_1_to_1000")
    read(agent, mysql_database, cursor=["s"])
    assert agent.run() == 1
    assert agent.wait_log("column s is ordered otherwise than it is compared, and can be in no cursor")
    read(agent, mysql_database, pageSize=10)
    assert agent.run() == 0, agent.log
    assert len({record["s"] for record in records(agent)}) == len(records(agent)) == 1000


def test_what_a_server_is_set_to_cuts_nothing_off(agent, make_mariadb):
    server = make_mariadb(sql_mode="MSSQL,EMPTY_STRING_IS_NULL")
    database = server.database("t")
    database.query("SET GLOBAL sql_select_limit = 5; SET sql_mode = ''; CREATE TABLE nokey (id int, s text); "
                   "INSERT INTO nokey SELECT seq, '' FROM seq_1_to_1000; "
                   "CREATE TABLE orders (s varchar(20) NOT NULL, id int NOT NULL, UNIQUE (s, id)); "
                   "INSERT INTO orders SELECT IF(seq % 3, '', concat('n', seq)), seq FROM seq_1_to_300")
    read(agent, database, table="nokey")
    assert agent.run() == 0, agent.log
    assert sorted(ids(agent)) == list(range(1, 1001))
    read(agent, database, cursor=["s", "id"], pageSize=3)
    assert agent.run() == 0, agent.log
    assert sorted(ids(agent)[1000:]) == list(range(1, 301))


@pytest.mark.parametrize("start", ["garbage", "2026-13-45", "1767398400", "2026-01-03T00:00:00+05:00"])
def test_a_start_that_is_no_time_is_refused(agent, mysql_database, start):
    mysql_database.query("CREATE TABLE orders (id int PRIMARY KEY, t datetime(6) NOT NULL); "
                         "INSERT INTO orders VALUES (1, '2026-01-02')")
    read(agent, mysql_database, mode="incremental", once=True, cursor=["t", "id"],
         **{"from": [start], "consistencyDelay": "100ms"})
    assert agent.run() == 1
    assert agent.wait_log(re.escape(f"column t: {start} is no time such as 2026-01-02 03:04:05, in UTC"))


# --- what is new ---------------------------------------------------------------------------------


def test_incremental_begins_now_and_goes_on_there_after_a_kill(agent, mysql_database):
    mysql_database.query(ORDERS)
    insert(mysql_database, 1, 10)
    follow(agent, mysql_database, mode="incremental").start()
    agent.wait_for(lambda: agent.command("positions", "-c", agent.config_path).stdout.count("orders"),
                   what="the position to be saved")
    agent.kill()
    insert(mysql_database, 11, 5)
    agent.start()
    agent.wait_for(lambda: len(ids(agent)) >= 5)
    insert(mysql_database, 16, 5)
    agent.wait_for(lambda: len(ids(agent)) >= 10)
    agent.terminate()
    assert agent.wait() == 0, agent.log
    assert ids(agent) == list(range(11, 21))


def test_incremental_once_from_a_value_reads_what_there_is_and_ends(agent, mysql_database):
    mysql_database.query(ORDERS)
    insert(mysql_database, 1, 10, updated_at="'2026-01-01'")
    insert(mysql_database, 11, 10, updated_at="'2026-02-01'")
    follow(agent, mysql_database, mode="incremental", once=True, **{"from": "2026-01-15"})
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(11, 21))
    insert(mysql_database, 21, 10, updated_at="'2026-03-01'")
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(11, 31)), "the second run goes on where the first has ended"


def test_a_query_is_read_by_its_parameters(agent, mysql_database):
    mysql_database.query(ORDERS)
    insert(mysql_database, 1, 100)
    query = ("SELECT id, upper(note) AS loud, tag FROM orders, (SELECT 'it''s :after_id' AS tag) v "
             "WHERE id > :after_id AND id % 2 = 0 ORDER BY id -- the end")
    follow(agent, mysql_database, query=query, mode="incremental", cursor=["id"], once=True, pageSize=7,
           consistencyDelay="0ms", **{"from": ["10"]})
    assert agent.run() == 0, agent.log
    assert [(one["id"], one["loud"]) for one in records(agent)] == [(i, f"N{i}") for i in range(12, 101, 2)]
    assert records(agent)[0]["tag"] == "it's :after_id"


def test_a_copy_equals_its_table_while_it_is_written_and_the_agent_is_killed(agent, mysql_database, tmp_path):
    mysql_database.query(ORDERS)
    insert(mysql_database, 1, 1000)
    path = tmp_path / "copy.db"
    sink = {"type": "sqlite", "path": str(path), "table": "copies", "key": ["id"], "batch": {"linger": "10ms"}}
    follow(agent, mysql_database, sink, quick_retry(guarantee="exactlyOnce"), pageSize=50)
    agent.start()
    copy = sqlite3.connect(path, timeout=30)

    def copied():
        there = copy.execute("SELECT 1 FROM sqlite_schema WHERE name = 'copies'").fetchone()
        return copy.execute("SELECT id, note FROM copies ORDER BY id").fetchall() if there else []

    for step in range(1, 10 * DEATHS + 1):
        first = 5000 + 5 * step
        insert(mysql_database, first, 5)
        mysql_database.query("UPDATE orders SET note = concat(note, '+'), updated_at = current_timestamp(6) "
                             "WHERE id <= 1000 AND rand() < 0.005")
        if step % 10 == 0:
            share = (1000 + 5 * step) * step // (10 * DEATHS)
            agent.wait_for(lambda share=share: len(copied()) >= share)
            agent.kill()
            agent.start()
    expected = [(int(one), two) for one, two in mysql_database.query("SELECT id, note FROM orders ORDER BY id")]
    agent.wait_for(lambda: copied() == expected, 60)
    agent.terminate()
    assert agent.wait() == 0, agent.log
    copy.close()


# --- several tables, and ranges ------------------------------------------------------------------


def test_tables_by_a_pattern_are_each_read_once(agent, mysql_database):
    for name in ("orders_1", "orders_2", "ordersx3"):
        mysql_database.query(f"CREATE TABLE {name} (id varchar(30) PRIMARY KEY); INSERT INTO {name} VALUES ('{name}')")
    mysql_database.query("CREATE VIEW orders_seen AS SELECT * FROM orders_1")
    agent.configure(pipeline({"type": "mysql", "url": mysql_database.url,
                              "tables": ["orders_%", "orders_1", "test.orders_2", "`ordersx3`"]}, to_stdout()))
    assert agent.run() == 0, agent.log
    assert sorted(ids(agent)) == ["orders_1", "orders_2", "ordersx3"]


def test_a_large_table_is_read_in_ranges(agent, mysql_database):
    mysql_database.query(ORDERS)
    insert(mysql_database, 1, 1000)
    read(agent, mysql_database, split={"by": "id", "tasks": 4}, pageSize=100)
    assert agent.run() == 0, agent.log
    assert sorted(ids(agent)) == list(range(1, 1001))
    positions = agent.command("positions", "-c", agent.config_path).stdout
    assert "orders, 4 of 4" in positions, positions


# --- trouble -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["kill the server", "restart the server", "kill the connection"])
def test_a_connection_that_is_lost_in_the_middle_is_read_on_where_it_was(agent, make_mariadb, how):
    server = make_mariadb()
    database = server.database("t")
    database.query(ORDERS)
    insert(database, 1, 20000)
    follow(agent, database, pageSize=500, mode="incremental", **{"from": "2020-01-01"})
    agent.start()
    for share in (1000, 10000):
        agent.wait_for(lambda share=share: len(agent.stdout.splitlines()) > share)
        if how == "kill the server":
            server.kill()
            server.start()
        elif how == "restart the server":
            server.restart()
        else:
            for session in server.sessions():
                server.query(f"KILL {session}")
    agent.wait_for(lambda: len(agent.stdout.splitlines()) >= 20000)
    insert(database, 20001, 1)
    agent.wait_for(lambda: len(agent.stdout.splitlines()) > 20000)
    agent.terminate()
    assert agent.wait() == 0, agent.log
    assert ids(agent) == list(range(1, 20002))


def test_connections_that_are_killed_again_and_again_only_slow_it_down(agent, mysql_database, mariadb_server):
    mysql_database.query(ORDERS)
    insert(mysql_database, 1, 30000, updated_at="'2026-01-01'")
    read(agent, mysql_database, pageSize=1000, delivery=quick_retry())
    over = threading.Event()

    def kill():
        while not over.wait(0.05):
            for session in mariadb_server.sessions():
                try:
                    mariadb_server.query(f"KILL {session}")
                except AssertionError:
                    pass  # it has ended by itself

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert agent.run(deadline=90) == 0, agent.log
    finally:
        over.set()
        killer.join(30)
    assert ids(agent) == list(range(1, 30001))


def test_a_row_that_is_too_long_is_a_dead_letter_and_reading_goes_on(agent, mysql_database):
    mysql_database.query("CREATE TABLE orders (id int PRIMARY KEY, note longtext); INSERT INTO orders VALUES "
                         "(1, 'a'), (2, repeat('x', 5000)), (3, 'c'), (4, repeat('y', 8000000)), (5, 'e')")
    read(agent, mysql_database, maxRecord="4KiB")
    assert agent.run() == 0, agent.log
    assert ids(agent) == [1, 3, 5]
    letters = agent.dead_letters()
    assert len(letters) == 2 and all("maxRecord" in one["reason"] for one in letters), letters


def test_what_cannot_be_read_without_losing_rows_is_refused_with_what_is_missing(agent, mysql_database):
    mysql_database.query("CREATE TABLE orders (id int, n int NOT NULL, m int, kind enum('b','a') NOT NULL, "
                         "updated_at datetime NOT NULL, UNIQUE (n), UNIQUE (m))")
    for cursor, said in ((["updated_at"], r"add the columns of a unique index: \(m\)|\(n\)"),
                         (["updated_at", "m"], "column m of the cursor can be NULL"),
                         (["kind", "n"], "column kind is ordered otherwise than it is compared"),
                         (["gone"], "no column gone")):
        follow(agent, mysql_database, cursor=cursor)
        assert agent.run() == 1, agent.log
        assert agent.wait_log(said)


def test_a_view_with_null_in_the_cursor_is_refused(agent, mysql_database):
    mysql_database.query("CREATE TABLE base (id int); INSERT INTO base VALUES (1), (NULL), (3); "
                         "CREATE VIEW orders AS SELECT * FROM base")
    read(agent, mysql_database, cursor=["id"])
    assert agent.run() == 1, agent.log
    assert agent.wait_log("a row has NULL in the cursor")


def test_a_column_that_is_dropped_or_retyped_changes_the_records_that_follow(agent, mysql_database):
    mysql_database.query(ORDERS)
    insert(mysql_database, 1, 3)
    follow(agent, mysql_database).start()
    agent.wait_for(lambda: len(ids(agent)) == 3)
    mysql_database.query("ALTER TABLE orders DROP COLUMN note; INSERT INTO orders (id) VALUES (4)")
    agent.wait_for(lambda: 4 in ids(agent))
    mysql_database.query("ALTER TABLE orders ADD COLUMN note int; INSERT INTO orders (id, note) VALUES (5, 7)")
    agent.wait_for(lambda: 5 in ids(agent))
    assert records(agent)[-1]["note"] == 7
    mysql_database.query("ALTER TABLE orders DROP COLUMN updated_at")
    assert agent.wait() == 1, agent.log
    assert agent.log_lines("updated_at"), agent.log


# --- who one is, and TLS -------------------------------------------------------------------------


def test_a_password_proves_who_one_is_and_a_wrong_one_does_not(agent, mysql_database):
    mysql_database.query(ORDERS + "INSERT INTO orders VALUES (1, 'x', now())")
    for password, connected in ((PASSWORD, True), ("wrong", False)):
        agent.configure(pipeline(source(mysql_database, url=mysql_database.url_of("password_user", password=password)),
                                 to_stdout()))
        done = agent.command("check", "--connect", "-c", agent.config_path)
        assert (done.returncode == 0) == connected, done.stdout + done.stderr
        assert password not in done.stdout + done.stderr
        if not connected:
            assert "Access denied" in done.stdout + done.stderr


def test_tls_is_spoken_and_the_server_is_known_by_its_certificate(agent, make_mariadb, certs):
    server = make_mariadb(ssl=(certs.server, certs.server_key), client_ca=certs.ca)
    database = server.database("t")
    database.query(ORDERS)
    insert(database, 1, 3000)

    def configure(user, tls=None, **url):
        url = database.url_of(user, password=PASSWORD if user == "tls_user" else None, **url)
        agent.configure(pipeline(source(database, url=url, **({"tls": tls} if tls else {})), to_stdout()))
        return agent

    configure("tls_user", {"ca": str(certs.ca)}, host="localhost")
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 3001))
    for user, tls, url, good, said in (
            ("tls_user", None, {}, False, "Access denied"),
            ("tls_user", None, {"ssl-mode": "REQUIRED"}, True, ""),
            ("tls_user", None, {"ssl-mode": "VERIFY_IDENTITY", "host": "localhost"}, False, "unknown authority"),
            ("cert_user", {"ca": str(certs.ca)}, {"host": "localhost"}, False, "Access denied"),
            ("cert_user", {"ca": str(certs.ca), "cert": str(certs.client), "key": str(certs.client_key)},
             {"host": "localhost"}, True, "")):
        configure(user, tls, **url)
        done = agent.command("check", "--connect", "-c", agent.config_path)
        assert (done.returncode == 0) == good, (user, url, done.stdout + done.stderr)
        assert said in done.stdout + done.stderr


def test_a_server_without_tls_is_not_spoken_to_where_it_is_asked_for(agent, mysql_database):
    mysql_database.query(ORDERS)
    agent.configure(pipeline(source(mysql_database, url=mysql_database.url_of("leat", **{"ssl-mode": "REQUIRED"})),
                             to_stdout()))
    done = agent.command("check", "--connect", "-c", agent.config_path)
    assert done.returncode != 0 and "TLS" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("how", ["plain", "tls"])
def test_mysql_8_is_shown_a_proof_of_the_password_and_itself_only_over_tls(agent, certs, cached, how):
    server = FakeMysql(PASSWORD, cached, certs if how == "tls" else None)
    try:
        for password in (PASSWORD, "wrong"):
            url = f"mysql://leat:{quote(password, safe='')}@localhost:{server.port}/t"
            tls = {"tls": {"ca": str(certs.ca)}} if how == "tls" else {}
            agent.configure(pipeline({"type": "mysql", "url": url, "table": "orders", **tls}, to_stdout()))
            done = agent.command("check", "--connect", "-c", agent.config_path)
            said = done.stdout + done.stderr
            if password == "wrong":
                assert "Access denied" in said, said
            elif how == "plain" and not cached:
                assert "which is given only over TLS" in said, said
            else:
                assert "asked for SET SESSION time_zone" in said, said
        assert server.passwords == ([PASSWORD.encode()] if how == "tls" and not cached else [])
    finally:
        server.close()
