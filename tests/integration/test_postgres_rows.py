"""Rows of PostgreSQL into PostgreSQL: as they are where that is possible, and with the same outcome where
it is not."""

import pytest

from harness.pipelines import pipeline, quick_retry, where

# A column of each type that can pass, and values of it that are not all alike.
TYPES = {
    "b boolean": ("true", "false", "NULL"),
    "i2 smallint": ("-32768", "32767", "0"),
    "i4 int": ("-2147483648", "2147483647", "7"),
    "i8 bigint": ("-9223372036854775808", "9223372036854775807", "NULL"),
    "f8 double precision": ("0.1", "'-Infinity'", "1e20", "100000", "1e15", "123456789012345", "-0.00012", "1.5e-7",
                            "5e-324", "1.7976931348623157e308", "0", "'-0'", "'NaN'", "1e14", "0.0001", "0.00001"),
    "f4 real": ("3.4028235e38", "0.1", "100000", "1e6", "123456", "1234567", "1e-5", "'NaN'", "1e-45", "16777216"),
    "d numeric": ("12345678901234567890.1234567890", "0", "-0.00001", "10000", "100000000", "0.0", "'NaN'", "1e20",
                  "-99999999.50", "0.00012345", "1e-20"),
    "dp numeric(9,2)": ("1.50", "-9999999.99", "0.00", "120000"),
    "t text": ("E'a\\tb\\nc\\\\d\"ä😀'", "''", "'\\N'", "NULL"),
    "vc varchar(9)": ("'abc  '", "''", "'ä'"),
    "c char(4)": ("'ab'", "''", "'abcd'"),
    "na name": ("'n'", "'N n'", "NULL"),
    "by bytea": ("'\\x00ff10'", "''", "NULL"),
    "tz timestamptz": ("'2026-01-02 03:04:05.123456+02'", "'infinity'", "'-infinity'", "'0044-03-15 12:00:00+00 BC'",
                       "'12026-01-02'", "'294276-12-31 23:59:59.999999+00'", "'1969-12-31 23:59:59.999999+00'"),
    "ts timestamp": ("'1969-12-31 23:59:59.5'", "'4713-01-01 00:00:00 BC'", "'9999-12-31 23:59:59'", "'infinity'"),
    "da date": ("'2024-02-29'", "'infinity'", "'0044-03-15 BC'", "'5874897-12-31'", "'4713-01-01 BC'", "'1970-01-01'"),
    "ti time": ("'23:59:59.999999'", "'24:00:00'", "'00:00:00'", "'12:00:00.5'"),
    "u uuid": ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "'00000000-0000-0000-0000-000000000000'", "NULL"),
    "j json": ("E'{\"a\":  1.50}'", "'null'", "'[1, \"x\"]'"),
    "jb jsonb": ("'[1, null, \"x\"]'", "'1.50'", "NULL"),
}
COLUMNS = ", ".join(TYPES)
NAMES = [column.split()[0] for column in TYPES]
AS_TEXT = ", ".join(f"{name}::text" for name in NAMES)


@pytest.fixture
def spoken(database):
    """What was sent to the server so far: statements of leat."""
    log = database.server.folder / "server.log"
    before = log.stat().st_size
    database.query("ALTER DATABASE test SET log_statement = 'all'")
    return lambda: log.read_bytes()[before:].decode(errors="replace")


def fill(database, rows=50):
    values = ", ".join("(" + ", ".join(
        [str(i), *(choices[i % len(choices)] for choices in TYPES.values())]) + ")" for i in range(rows))
    database.query(f"CREATE TABLE orders (id int PRIMARY KEY, {COLUMNS}); INSERT INTO orders VALUES {values}")


def source(database, **options):
    return {"type": "postgres", "url": database.url, **({} if "query" in options else {"table": "orders"}), **options}


def sink(database, table="copies", **options):
    return {"type": "postgres", "url": database.url, "table": table, "batch": {"records": 20}, **options}


def both(database, table="copies", columns="*"):
    return database.query(f"(SELECT {columns} FROM orders EXCEPT ALL SELECT {columns} FROM {table}) UNION ALL "
                          f"(SELECT {columns} FROM {table} EXCEPT ALL SELECT {columns} FROM orders)")


def copy(agent, database, *transforms, delivery=None, **options):
    agent.configure(pipeline(source(database, pageSize=15), sink(database, **options), *transforms,
                             delivery=quick_retry(**(delivery or {}))))
    return agent.run()


@pytest.mark.parametrize("how", [{}, {"writeMode": "upsert", "key": ["id"]},
                                 {"writeMode": "merge", "mergeSql": "INSERT INTO copies SELECT * FROM leat_staging"}])
@pytest.mark.parametrize("guarantee", ["atLeastOnce", "exactlyOnce"])
def test_rows_pass_as_they_are_into_columns_of_the_same_types(agent, database, spoken, how, guarantee):
    fill(database)
    database.query(f"CREATE TABLE copies (id int PRIMARY KEY, {COLUMNS})")
    assert copy(agent, database, delivery={"guarantee": guarantee}, **how) == 0, agent.log
    assert "FROM STDIN (FORMAT binary)" in spoken()
    assert "FROM STDIN;" not in spoken() and not agent.log_lines("rejected")
    assert both(database, columns=f"id, {AS_TEXT}") == []
    assert database.count("copies") == 50


def test_a_table_without_a_key_passes_too_and_so_does_a_query(agent, database, spoken):
    fill(database)
    database.query(f"ALTER TABLE orders DROP CONSTRAINT orders_pkey; CREATE TABLE copies (id int, {COLUMNS})")
    assert copy(agent, database) == 0, agent.log
    assert both(database, columns=f"id, {AS_TEXT}") == []
    database.query("TRUNCATE copies")
    agent.configure(pipeline(
        source(database, query="SELECT *, id + 1 AS more FROM orders WHERE id > :after_id ORDER BY id", cursor=["id"],
               pageSize=7, **{"from": ["-1"]}), sink(database, columns={"id": "id", "more": "more"})))
    database.query("ALTER TABLE copies ADD COLUMN more int")
    assert agent.run() == 0, agent.log
    assert "FROM STDIN (FORMAT binary)" in spoken()
    assert database.value("SELECT count(*) FROM copies WHERE more = id + 1") == "50"


@pytest.mark.parametrize("kind", ["text", "same but one"])
def test_rows_that_do_not_fit_become_what_they_would_be_without_passing(agent, make_agent, database, spoken, kind):
    """Behind a filter nothing can pass: fields come as text."""
    fill(database)
    columns = ", ".join(f"{name} text" for name in NAMES) if kind == "text" else f"{COLUMNS}, id_too text"
    for table in ("copies", "decoded"):
        database.query(f"CREATE TABLE {table} (id bigint PRIMARY KEY, {columns})")
    assert copy(agent, database) == 0, agent.log
    assert "FORMAT binary" not in spoken()
    assert copy(make_agent("other"), database, where("1"), table="decoded") == 0
    assert database.count("copies") == 50
    for name in NAMES:
        assert database.query(f"SELECT id, c.{name}::text, d.{name}::text FROM copies c JOIN decoded d USING (id) "
                              f"WHERE c.{name}::text IS DISTINCT FROM d.{name}::text") == [], name


@pytest.mark.parametrize("how", [{}, {"writeMode": "upsert", "key": ["id"]}])
@pytest.mark.parametrize("table", [
    "id int PRIMARY KEY, note text CHECK (note <> 'n7'), temp float8",
    "id int PRIMARY KEY, note varchar(2), temp float8",
    "id int PRIMARY KEY, note text, temp float8 NOT NULL"])
def test_a_row_that_the_table_refuses_is_the_dead_letter_that_it_would_be_without_passing(
        make_agent, database, spoken, how, table):
    note = "varchar" if "varchar" in table else "text"
    database.query(f"CREATE TABLE orders (id int PRIMARY KEY, note {note}, temp float8); INSERT INTO orders "
                   "SELECT i, 'n' || i % 10, CASE WHEN i <> 30 THEN i * 0.1 END FROM generate_series(1, 60) i; "
                   f"UPDATE orders SET note = 'long' WHERE id IN (11, 12); CREATE TABLE copies ({table}); "
                   f"CREATE TABLE decoded ({table})")
    letters = []
    for name, transforms, target in (("passing", [], "copies"), ("decoding", [where("1")], "decoded")):
        agent = make_agent(name)
        copy(agent, database, *transforms, table=target, **how)
        letters.append(sorted((letter["record"]["id"], str(letter["record"]), letter["code"],
                               letter["reason"].replace("decoded", "copies"), str(letter.get("types")))
                              for letter in agent.dead_letters()))
    assert letters[0] and letters[0] == letters[1]
    assert "FROM STDIN (FORMAT binary)" in spoken()
    assert database.count("copies") == 60 - len(letters[0])
    assert database.query("TABLE copies EXCEPT TABLE decoded") == []


def test_a_key_that_may_be_null_is_looked_at(agent, database):
    database.query("CREATE TABLE orders (id int PRIMARY KEY, k int); CREATE TABLE copies (id int, k int UNIQUE); "
                   "INSERT INTO orders VALUES (1, 1), (2, NULL), (3, 3)")
    copy(agent, database, writeMode="upsert", key=["k"])
    assert [letter["record"]["id"] for letter in agent.dead_letters()] == [2]
    assert database.query("SELECT id FROM copies ORDER BY 1") == [("1",), ("3",)]


def test_a_table_that_changes_while_rows_pass_gets_them_all_the_same(agent, database):
    database.query("CREATE TABLE orders (id int PRIMARY KEY, n int); INSERT INTO orders SELECT i, i FROM "
                   "generate_series(1, 10) i; CREATE TABLE copies (id int PRIMARY KEY, n int)")
    agent.configure(pipeline(source(database, mode="fullAndContinuous", cursor=["id"], every="100ms"),
                             sink(database), delivery=quick_retry()))
    agent.start()
    agent.wait_for(lambda: database.count("copies") == 10)
    # Of as many bytes.
    database.query("ALTER TABLE copies ALTER n TYPE real; INSERT INTO orders VALUES (11, 11)")
    agent.wait_for(lambda: database.count("copies") == 11)
    database.query("ALTER TABLE orders ADD COLUMN m text; INSERT INTO orders VALUES (12, 12, 'twelve')")
    agent.wait_for(lambda: database.count("copies") == 12)
    agent.terminate()
    assert agent.wait() == 0, agent.log
    assert both(database, columns="id, n") == []


def test_explain_says_where_rows_pass(agent, database):
    agent.configure(pipeline(source(database), sink(database)),
                    pipeline(source(database), sink(database), where("id > 1")),
                    pipeline(source(database), sink(database), delivery={"spool": "always"}))
    told = agent.command("explain", "-c", agent.config_path).stdout.split("pipeline ")
    assert ["undecoded" in one for one in told] == [False, True, False, False], told
