"""Records into tables of MariaDB: in each mode, exactly or not at all, through what a server does."""

import json

import pytest

from harness.pipelines import file_source, pipeline, quick_retry


def deliver(agent, database, records, delivery=None, memory="8MiB", **options):
    path = agent.folder / "in.jsonl"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in records))
    sink = {"type": "mysql", "url": database.url, "table": "t", "batch": {"linger": "20ms"}, **options}
    agent.configure(pipeline(file_source(path, maxRecord="4MiB"), sink, delivery=quick_retry(**(delivery or {}))), memory=memory)
    return agent


def reasons(agent):
    return [one["reason"] for one in agent.dead_letters()]


def test_records_of_many_shapes_go_into_the_columns_of_their_names(agent, mysql_database):
    mysql_database.query("CREATE TABLE t (id int PRIMARY KEY, Name varchar(20) DEFAULT 'none', n int DEFAULT 5,"
                         " twice int AS (n * 2))")
    deliver(agent, mysql_database, [{"id": 1, "name": "a", "n": 1}, {"id": 2, "name": None}, {"id": 3, "n": 7, "twice": 99},
                                    {"n": 9, "id": 4, "extra": True}])
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT * FROM t ORDER BY id") == [
        ("1", "a", "1", "2"), ("2", "NULL", "5", "10"), ("3", "none", "7", "14"), ("4", "none", "9", "18")]
    assert len(agent.log_lines("field extra has no column")) == 1


def test_of_two_fields_for_one_column_the_second_is_left_out(agent, mysql_database):
    mysql_database.query("CREATE TABLE t (id int PRIMARY KEY, temp int)")
    deliver(agent, mysql_database, [{"id": 1, "temp": 1}, {"id": 2, "temp": 2, "Temp": 3}, {"id": 3, "TEMP": 4, "temp": 5},
                                    {"id": 4, "TEMP": 6, "Temp": 7}])
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT * FROM t ORDER BY id") == [("1", "1"), ("2", "2"), ("3", "5"), ("4", "6")]
    assert len(agent.log_lines("field Temp has no column of table t .field temp goes into column temp.: it is left out")) == 1
    deliver(agent, mysql_database, [{"id": 5, "temp": 2}, {"id": 6, "temp": 2, "Temp": 3}], unknownFields="reject")
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT id FROM t WHERE id > 4") == [("5",)]
    assert reasons(agent) == ["field Temp has no column of table t (field temp goes into column temp)"]


@pytest.mark.parametrize("columns, fields, column", [
    ({"id": "id", "temp": "temp", "Temp": "temp"}, '"temp" and "Temp"', "temp"), ({"x": "id", "y": "ID"}, '"x" and "y"', "ID")])
def test_columns_that_have_two_fields_are_refused(agent, columns, fields, column):
    agent.configure(pipeline(file_source(agent.folder / "in.jsonl"),
                             {"type": "mysql", "url": "mysql://u@127.0.0.1/d", "table": "t", "columns": columns}))
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2 and f'two fields, {fields}, go into column "{column}"' in done.stderr, done


def test_columns_say_which_field_goes_where(agent, mysql_database):
    mysql_database.query("CREATE TABLE t (a int, b int)")
    deliver(agent, mysql_database, [{"x": 1, "y": 2, "a": 3}], columns={"x": "a", "y": "b"})
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT a, b FROM t") == [("1", "2")]
    deliver(agent, mysql_database, [{"x": 1}], columns={"x": "gone"})
    assert agent.run() == 1
    assert agent.wait_log("has no column gone, where field x is to go")


@pytest.mark.parametrize("mode, row", [("upsert", ("1", "new", "7")), ("replace", ("1", "new", "5"))])
def test_a_row_that_is_there_is_updated_or_replaced(agent, mysql_database, mode, row):
    mysql_database.query("CREATE TABLE t (id int PRIMARY KEY, name varchar(20), n int DEFAULT 5);"
                         "INSERT INTO t VALUES (1, 'old', 7)")
    deliver(agent, mysql_database, [{"id": 2, "name": "x"}, {"id": 1, "name": "newer"}, {"id": 1, "name": "new"}],
            writeMode=mode)
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT * FROM t ORDER BY id") == [row, ("2", "x", "5")]


@pytest.mark.parametrize("mode", ["upsert", "replace"])
def test_a_table_without_a_unique_index_is_refused_where_rows_are_to_be_known_again(agent, mysql_database, mode):
    mysql_database.query("CREATE TABLE t (id int, INDEX (id))")
    deliver(agent, mysql_database, [{"id": 1}], writeMode=mode)
    assert agent.run() == 1
    assert agent.wait_log("has no unique index")


def test_what_the_server_refuses_is_a_dead_letter_and_all_the_rest_is_delivered(agent, mysql_database):
    mysql_database.query("CREATE TABLE t (id int PRIMARY KEY, n tinyint, name varchar(3) NOT NULL DEFAULT '',"
                         " CHECK (n <> 13))")
    good = [{"id": i, "n": i % 10} for i in range(2000)]
    bad = [{"id": 7}, {"id": 3000, "n": 300}, {"id": 3001, "name": "long"}, {"id": 3002, "name": None},
           {"id": 3003, "n": 13}, {"id": "x"}, {"id": 3004, "n": 1.5}, {"id": 3005, "n": "1.5"}]
    deliver(agent, mysql_database, good[:1000] + bad + good[1000:])
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT COUNT(*), SUM(n) FROM t") == [("2000", "9000")]
    said = "\n".join(reasons(agent))
    assert len(reasons(agent)) == len(bad), said
    for words in ("Duplicate entry", "Out of range", "Data too long", "cannot be null", "CONSTRAINT", "is not whole"):
        assert words in said, said


def test_what_a_trigger_or_a_type_refuses_is_a_dead_letter_whatever_its_number(agent, mysql_database):
    signals = {2: "'45000' SET MYSQL_ERRNO=30001, MESSAGE_TEXT='own number'", 3: "'02000' SET MESSAGE_TEXT='no data'",
               4: "'22012' SET MYSQL_ERRNO=30002, MESSAGE_TEXT='bad data'", 5: "'23000' SET MYSQL_ERRNO=30003, MESSAGE_TEXT='bad key'",
               6: "'45001' SET MESSAGE_TEXT='own state'"}
    mysql_database.query(
        "CREATE TABLE t (id int PRIMARY KEY, g geometry);\nDELIMITER //\nCREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW BEGIN " +
        " ".join(f"IF NEW.id = {id} THEN SIGNAL SQLSTATE {state}; END IF;" for id, state in signals.items()) + " END//\n")
    deliver(agent, mysql_database, [{"id": i} for i in range(1, 9)] + [{"id": 9, "g": 5}, {"id": 10}])
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT id FROM t ORDER BY id") == [("1",), ("7",), ("8",), ("10",)]
    said = "\n".join(reasons(agent))
    assert len(reasons(agent)) == 6, said
    for words in ("own number", "no data", "bad data", "bad key", "own state", "Cannot cast 'int' as 'geometry'"):
        assert words in said, said


@pytest.mark.parametrize("type, last", [("tinyint", 127), ("bigint unsigned", 2**64 - 1)])
def test_a_row_without_a_number_is_a_dead_letter_where_all_are_used_up(agent, mysql_database, type, last):
    mysql_database.query(f"CREATE TABLE t (id {type} AUTO_INCREMENT PRIMARY KEY, n int); INSERT INTO t VALUES ({last}, 0)")
    deliver(agent, mysql_database, [{"n": 1}, {"id": 5, "n": 2}, {"n": 3}, {"id": 6, "n": 4}])
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT n FROM t WHERE n > 0 ORDER BY n") == [("2",), ("4",)]
    assert len(reasons(agent)) == 2, reasons(agent)


def test_values_are_stored_exactly_or_refused(agent, mysql_database):
    mysql_database.query(
        "CREATE TABLE t (id int PRIMARY KEY, i bigint, u bigint unsigned, d decimal(30,10), f double, s text,"
        " b bit(1), ti tinyint(1), bl blob, t datetime(6), ts timestamp(3) NULL, j json, e enum('a','b'))")
    deliver(agent, mysql_database, [
        '{"id": 1, "i": -9223372036854775808, "u": 18446744073709551615, "d": 12345678901234567890.0123456789,'
        ' "f": 0.1, "s": "it\'s \\\\ ä😀\\n\\u0000", "b": true, "ti": false, "t": "2026-01-02 03:04:05.678901",'
        ' "ts": "2026-01-02 03:04:05.678", "j": {"a": [1, null]}, "e": "b"}',
        '{"id": 2, "i": 44.0, "u": 1e3, "d": 1, "f": 1e300, "s": 44.50, "ti": true, "j": "text", "b": 0}',
        '{"id": 3, "s": true, "j": [1], "bl": "bytes"}',
        '{"id": 4, "i": 9223372036854775808}', '{"id": 5, "u": -1}', '{"id": 6, "t": "0000-00-00 00:00:00"}'])
    assert agent.run() == 0, agent.log
    rows = mysql_database.query("SELECT id, i, u, d, f, HEX(s), b + 0, ti, HEX(bl), t, ts, j, e FROM t ORDER BY id")
    text = "it's \\ ä😀\n\0".encode().hex().upper()
    assert rows == [
        ("1", "-9223372036854775808", "18446744073709551615", "12345678901234567890.0123456789", "0.1", text, "1", "0",
         "NULL", "2026-01-02 03:04:05.678901", "2026-01-02 03:04:05.678", '{"a": [1, null]}', "b"),
        ("2", "44", "1000", "1.0000000000", "1e300", b"44.50".hex().upper(), "0", "1", "NULL", "NULL", "NULL", '"text"', "NULL"),
        ("3", "NULL", "NULL", "NULL", "NULL", b"true".hex().upper(), "NULL", "NULL", b"bytes".hex().upper(), "NULL",
         "NULL", "[1]", "NULL"),
        ("6", *["NULL"] * 8, "0000-00-00 00:00:00.000000", "NULL", "NULL", "NULL")]
    assert len(reasons(agent)) == 2, reasons(agent)


def test_what_is_read_from_a_table_is_the_same_in_its_copy(agent, mysql_database):
    types = ("bigint unsigned", "decimal(40,20)", "float", "double", "bit(1)", "bit(64)", "datetime(6)", "timestamp(6)",
             "date", "time(6)", "year", "varchar(50)", "blob", "varbinary(50)", "json", "enum('a','b')", "set('a','b')",
             "point", "tinyint(1)", "datetime")
    values = ("18446744073709551615", "-0.12345678901234567890", "0.1", "1e-300", "1", f"b'{'1' * 64}'",
              "'2026-01-02 03:04:05.000006'", "'2026-01-02 03:04:05.000006'", "'2026-01-02'", "'-838:59:58.5'", "2026",
              "'it''s ä😀'", "x'00ff27'", "x'5c'", "'{\"a\": [1.50, null]}'", "'b'", "'a,b'",
              "ST_GeomFromText('POINT(1 2)')", "5", "'0000-00-00'")
    columns = ", ".join(f"c{i} {type} NULL" for i, type in enumerate(types))
    mysql_database.query(f"SET sql_mode=''; CREATE TABLE orders (id int PRIMARY KEY, {columns}); CREATE TABLE t LIKE orders;"
                         f"INSERT INTO orders VALUES (1, {', '.join(values)}), (2{', NULL' * len(types)})")
    agent.configure(pipeline({"type": "mysql", "url": mysql_database.url, "table": "orders"},
                             {"type": "mysql", "url": mysql_database.url, "table": "t"}))
    assert agent.run() == 0, agent.log
    assert mysql_database.query("SELECT * FROM orders EXCEPT SELECT * FROM t") == [], agent.log
    assert mysql_database.query("SELECT COUNT(*) FROM t") == [("2",)]


@pytest.mark.parametrize("longest", [1 << 20, 64 << 10])
def test_no_statement_is_longer_than_the_server_takes(agent, make_mariadb, longest):
    database = make_mariadb(max_allowed_packet=longest).database("test")
    database.query("CREATE TABLE t (id int PRIMARY KEY, text longtext)")
    beside = len("INSERT INTO `t` (`id`, `text`) VALUES (1, '')") + 2  # as the sink has it
    deliver(agent, database, [{"id": 1, "text": "x" * (longest - beside)}, {"id": 2, "text": "x" * (longest - beside + 1)},
                              {"id": 3, "text": "x" * (longest * 3 // 2)}, {"id": 4, "text": "behind"}])
    assert agent.run() == 0, agent.log
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("4",)]
    assert len(reasons(agent)) == 2 and all("max_allowed_packet" in one for one in reasons(agent)), reasons(agent)


def test_many_small_rows_go_in_statements_that_the_server_takes(agent, make_mariadb):
    database = make_mariadb(max_allowed_packet=1 << 20).database("test")
    database.query("CREATE TABLE t (id int PRIMARY KEY)")
    deliver(agent, database, [{"id": i} for i in range(300_000)], memory="256MiB",
            batch={"records": 300_000, "bytes": "16MiB", "linger": "5s"})
    assert agent.run() == 0, agent.log
    assert database.query("SELECT COUNT(*), SUM(id) FROM t") == [("300000", str(300_000 * 299_999 // 2))]
    assert agent.log_lines("gone away") == [], agent.log


@pytest.mark.parametrize("how", ["kill the server", "kill the connection"])
def test_a_connection_that_is_lost_loses_nothing(agent, make_mariadb, how):
    server = make_mariadb()
    database = server.database("t")
    database.query("CREATE TABLE t (id int PRIMARY KEY, text varchar(100))")
    deliver(agent, database, [{"id": i, "text": "x" * 50} for i in range(40000)], writeMode="upsert",
            batch={"records": 200, "linger": "10ms"})
    agent.start()
    for share in (1000, 20000):
        agent.wait_for(lambda share=share: int(database.query("SELECT COUNT(*) FROM t")[0][0]) > share)
        if how == "kill the server":
            server.kill()
            server.start()
        else:
            for session in server.sessions():
                server.query(f"KILL {session}")
    assert agent.wait(120) == 0, agent.log
    assert database.query("SELECT COUNT(*), SUM(id) FROM t") == [("40000", str(40000 * 39999 // 2))]


def test_a_lock_and_a_deadlock_are_waited_for(agent, mysql_database, mariadb_server):
    mysql_database.query("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)")
    mariadb_server.query("SET GLOBAL innodb_lock_wait_timeout = 1")
    holder = mariadb_server.client("test", stdin=-1, stdout=-1, text=True)
    try:
        holder.stdin.write("BEGIN; UPDATE t SET n = 1 WHERE id = 1; SELECT 'held';\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        deliver(agent, mysql_database, [{"id": 1, "n": 5}, {"id": 2, "n": 6}], writeMode="upsert")
        agent.start()
        agent.wait_log("Lock wait timeout exceeded")
        holder.communicate("COMMIT;\n", timeout=30)
        assert agent.wait() == 0, agent.log
    finally:
        holder.kill()
        holder.wait(30)
        mariadb_server.query("SET GLOBAL innodb_lock_wait_timeout = 50")
    assert mysql_database.query("SELECT * FROM t ORDER BY id") == [("1", "5"), ("2", "6")]


def test_a_column_that_is_dropped_while_it_runs_is_seen(agent, mysql_database):
    mysql_database.query("CREATE TABLE t (id int PRIMARY KEY, n int)")
    path = agent.folder / "in.jsonl"
    path.write_text('{"id": 1, "n": 1}\n')
    agent.configure(pipeline(file_source(path, follow=True),
                             {"type": "mysql", "url": mysql_database.url, "table": "t", "batch": {"linger": "10ms"}},
                             delivery=quick_retry()))
    agent.start()
    agent.wait_for(lambda: mysql_database.query("SELECT COUNT(*) FROM t") == [("1",)])
    mysql_database.query("ALTER TABLE t DROP COLUMN n")
    with open(path, "a", encoding="utf8") as file:
        file.write('{"id": 2, "n": 2}\n')
    agent.wait_for(lambda: mysql_database.query("SELECT COUNT(*) FROM t") == [("2",)])
    agent.terminate()
    assert agent.wait() == 0, agent.log


def test_check_connect_asks_for_the_table(agent, mysql_database):
    mysql_database.query("CREATE TABLE t (id int, n int)")
    deliver(agent, mysql_database, [])
    done = agent.command("check", "--connect", "-c", agent.config_path)
    assert done.returncode == 0 and "t with 2 columns" in done.stdout + done.stderr, done.stdout + done.stderr
    deliver(agent, mysql_database, [], table="gone")
    done = agent.command("check", "--connect", "-c", agent.config_path)
    assert done.returncode == 1 and "gone" in done.stdout + done.stderr
