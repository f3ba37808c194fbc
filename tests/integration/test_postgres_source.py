"""Tables of PostgreSQL as sources: every row once, whatever commits when."""

import json

import pytest

from harness.pipelines import pipeline, quick_retry
from harness.sessions import Transaction

ORDERS = ("CREATE TABLE orders (id bigint PRIMARY KEY, note text, "
          "updated_at timestamptz NOT NULL DEFAULT now()); "
          "CREATE INDEX ON orders (updated_at, id); ")
COPIES = "CREATE TABLE copies (id bigint PRIMARY KEY, note text, updated_at timestamptz)"
CURSOR = ["updated_at", "id"]


def source(database, **options):
    if "query" not in options:
        options.setdefault("table", "orders")
    return {"type": "postgres", "url": database.url, "every": "100ms", **options}


def to_table(database, table="copies", **options):
    return {"type": "postgres", "url": database.url, "table": table, "writeMode": "upsert",
            "key": ["id"], "batch": {"records": 100, "linger": "10ms"}, **options}


def to_stdout():
    return {"type": "stdout", "format": "ndjson"}


def records(agent):
    return [json.loads(line) for line in agent.stdout.splitlines()]


def ids(agent):
    return [record["id"] for record in records(agent)]


def insert(database, first, count, **columns):
    extra = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    database.query(f"INSERT INTO orders (id, note{extra}) SELECT i, 'n' || i{values} "
                   f"FROM generate_series({first}, {first + count - 1}) i")


def follow(agent, database, sink=None, delivery=None, **options):
    options = {"mode": "fullAndContinuous", "cursor": CURSOR, **options}
    agent.configure(pipeline(source(database, **options), sink or to_stdout(),
                             **({"delivery": delivery} if delivery else {})))
    return agent


def both(database, columns="id, note, updated_at"):
    """What is in one of the tables and not in the other."""
    return database.query(
        f"(SELECT 'source', {columns} FROM orders EXCEPT ALL SELECT 'source', {columns} FROM copies)"
        f" UNION ALL (SELECT 'copy', {columns} FROM copies EXCEPT ALL SELECT 'copy', {columns} "
        "FROM orders)")


# --- full ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_a_full_read_gives_every_row_once_and_ends(agent, database, page):
    database.query(ORDERS)
    insert(database, 1, 100)
    agent.configure(pipeline(source(database, pageSize=page), to_stdout()))
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 101))


def test_a_full_read_that_was_killed_goes_on_behind_the_last_row_delivered(agent, database):
    database.query(ORDERS + COPIES)
    insert(database, 1, 20000)
    agent.configure(pipeline(source(database, pageSize=100), to_table(database, writeMode="insert",
                                                                      key=None),
                             delivery=quick_retry(guarantee="exactlyOnce")))
    config = json.loads(agent.config_path.read_text())
    del config["pipelines"][0]["sink"]["key"]
    agent.write_config(config)
    for share in (1000, 8000):
        agent.start()
        agent.wait_for(lambda: database.count("copies") >= share)
        agent.kill()
    assert agent.run() == 0, agent.log
    assert both(database) == []


def test_a_table_without_a_key_is_read_from_its_start_to_its_end(agent, database):
    database.query("CREATE TABLE orders (id int, note text); "
                   "INSERT INTO orders SELECT i, repeat('x', 1000) FROM generate_series(1, 5000) i")
    agent.configure(pipeline(source(database), to_stdout()))
    assert agent.run() == 0, agent.log
    assert sorted(ids(agent)) == list(range(1, 5001))
    assert agent.run() == 0, agent.log
    assert len(ids(agent)) == 5000, "it was read, and is not read again"


def test_a_sink_that_is_slow_holds_the_reading_back(agent, database, make_collector, sanitized):
    database.query("CREATE TABLE orders (id int PRIMARY KEY, note text); "
                   "INSERT INTO orders SELECT i, repeat('x', 10000) FROM generate_series(1, 5000) i")
    collector = make_collector()
    collector.down()
    agent.configure(pipeline(source(database, pageSize=100_000),
                             {"type": "http", "url": collector.url, "format": "ndjson"},
                             delivery=quick_retry()), memory="4MiB")
    agent.start()
    agent.wait_log("trying again until it works")
    collector.up()
    assert agent.wait(120) == 0, agent.log
    assert {one["id"] for one in collector.records()} == set(range(1, 5001))
    if not sanitized:  # which needs memory of its own
        assert agent.peak_rss_kib < 30_000


# --- what is new ---------------------------------------------------------------------------------


def test_incremental_begins_now_and_goes_on_there_after_a_kill(agent, database):
    database.query(ORDERS)
    insert(database, 1, 10)
    follow(agent, database, mode="incremental").start()
    agent.wait_for(lambda: "note" not in agent.log and (agent.data_dir / "journal.db").exists())
    agent.wait_for(lambda: agent.command("positions", "-c", agent.config_path).stdout.count("orders"),
                   what="the position to be saved")
    agent.kill()
    insert(database, 11, 5)
    agent.start()
    agent.wait_for(lambda: len(ids(agent)) >= 5)
    insert(database, 16, 5)
    agent.wait_for(lambda: len(ids(agent)) >= 10)
    agent.terminate()
    assert agent.wait() == 0, agent.log
    assert ids(agent) == list(range(11, 21))


@pytest.mark.parametrize("late", ["snapshot", "delay"])
def test_incremental_once_from_a_value_reads_what_there_is_and_ends(agent, database, late):
    database.query(ORDERS)
    insert(database, 1, 10, updated_at="'2026-01-01'::timestamptz")
    insert(database, 11, 10, updated_at="'2026-02-01'::timestamptz")
    follow(agent, database, mode="incremental", once=True, late=late, **{"from": "2026-01-15"})
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(11, 21))
    insert(database, 21, 10, updated_at="'2026-03-01'::timestamptz")
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(11, 31)), "the second run goes on where the first has ended"


def test_rows_of_one_instant_are_all_read_by_small_pages(agent, database):
    database.query(ORDERS)
    insert(database, 1, 50, updated_at="'2026-01-01'::timestamptz")
    follow(agent, database, pageSize=3, once=True)
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 51))


def test_a_row_that_is_committed_late_with_an_old_time_is_found(agent, database):
    """It was open while several passes went by, and while rows of later transactions came."""
    database.query(ORDERS)
    insert(database, 1, 5)
    with Transaction(database) as late, Transaction(database) as later:
        late.run("INSERT INTO orders VALUES (100, 'late'), (101, 'late')")
        late.run("SAVEPOINT s")
        late.run("INSERT INTO orders VALUES (102, 'of a subtransaction')")
        late.run("RELEASE s")
        follow(agent, database).start()
        agent.wait_for(lambda: len(ids(agent)) == 5)
        for i in range(6, 10):
            insert(database, i, 1)
        later.run("UPDATE orders SET note = 'changed' WHERE id = 3")
        late.commit()
        agent.wait_for(lambda: {100, 101, 102} <= set(ids(agent)), what=lambda: str(ids(agent)))
        later.commit()
    agent.wait_for(lambda: {"id": 3, "note": "changed"}.items() <= records(agent)[-1].items() or
                   any(one["note"] == "changed" for one in records(agent)))
    agent.wait_for(lambda: set(range(1, 10)) <= set(ids(agent)))
    agent.terminate()
    assert agent.wait() == 0, agent.log
    assert sorted(ids(agent)) == sorted([*range(1, 10), 3, 100, 101, 102]), "nothing came twice"


def test_what_an_open_transaction_holds_back_comes_when_it_has_ended(agent, database):
    database.query(ORDERS)
    with Transaction(database) as late:
        late.run("INSERT INTO orders VALUES (100, 'late')")
        follow(agent, database).start()
        insert(database, 1, 1)
        late.commit()
    agent.wait_for(lambda: set(ids(agent)) == {1, 100})
    agent.terminate()
    assert agent.wait() == 0, agent.log


def test_a_delay_holds_back_what_is_too_new(agent, database):
    database.query(ORDERS)
    insert(database, 1, 5, updated_at="now() - interval '1 hour'")
    insert(database, 6, 5, updated_at="now() + interval '1 hour'")
    follow(agent, database, late="delay", consistencyDelay="10s", once=True)
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 6))


def test_a_query_is_read_by_its_parameters(agent, database):
    database.query(ORDERS)
    insert(database, 1, 100)
    query = ("SELECT id, upper(note) AS loud, tag FROM orders, (VALUES ('it''s :after_id')) v(tag) "
             "WHERE id > :after_id AND id % 2 = 0 ORDER BY id -- the end")
    follow(agent, database, query=query, mode="incremental", cursor=["id"], once=True, pageSize=7,
           consistencyDelay="0ms", **{"from": ["10"]})
    assert agent.run() == 0, agent.log
    assert [(one["id"], one["loud"]) for one in records(agent)] == \
        [(i, f"N{i}") for i in range(12, 101, 2)]
    assert records(agent)[0]["tag"] == "it's :after_id"


def test_keys_of_text_are_ordered_by_the_server(agent, database):
    database.query("CREATE TABLE orders (id text PRIMARY KEY, note text)")
    keys = ["", "a", "A", "b'", 'q"', "ä", "Z", "\\", "zz", "10", "9", "😀"]
    for key in keys:
        quoted = key.replace("'", "''")
        database.query(f"INSERT INTO orders VALUES ('{quoted}', 'x')")
    agent.configure(pipeline(source(database, pageSize=1), to_stdout()))
    assert agent.run() == 0, agent.log
    assert sorted(ids(agent)) == sorted(keys)


@pytest.mark.parametrize("options", [
    {"table": "orders"},
    {"table": "public.orders", "columns": ["a"], "cursor": ["id"]},
    {"query": "SELECT * FROM orders WHERE a > :after_a ORDER BY a", "from": ["{}"], "cursor": ["a"],
     "mode": "incremental", "once": True, "consistencyDelay": "0ms"}])
def test_arrays_can_be_a_key_and_columns_that_are_not_read_too(agent, database, options):
    database.query("CREATE TABLE orders (a int[] PRIMARY KEY, id int UNIQUE NOT NULL); "
                   "INSERT INTO orders SELECT ARRAY[i, 1], i FROM generate_series(1, 25) i")
    agent.configure(pipeline(source(database, pageSize=4, **options), to_stdout()))
    assert agent.run(deadline=20) == 0, agent.log
    assert [one["a"][0] for one in records(agent)] == list(range(1, 26))


# --- trouble -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_server_that_goes_away_in_the_middle_is_read_on_where_it_was(agent, make_postgres, how):
    server = make_postgres()
    database = server.database("t")
    database.query(ORDERS)
    insert(database, 1, 20000)
    follow(agent, database, pageSize=50, mode="incremental", **{"from": "2020-01-01"})
    agent.start()
    for share in (1000, 10000):
        agent.wait_for(lambda: len(agent.stdout.splitlines()) > share)
        if how == "kill":
            server.kill()
            server.start()
        else:
            database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE application_name = 'leat'")
    agent.wait_for(lambda: len(agent.stdout.splitlines()) >= 20000)
    insert(database, 20001, 1)
    agent.wait_for(lambda: len(agent.stdout.splitlines()) > 20000)
    agent.terminate()
    assert agent.wait() == 0, agent.log
    assert ids(agent) == list(range(1, 20002))


def test_a_column_that_is_dropped_or_retyped_changes_the_records_that_follow(agent, database):
    database.query(ORDERS)
    insert(database, 1, 3)
    follow(agent, database).start()
    agent.wait_for(lambda: len(ids(agent)) == 3)
    database.query("ALTER TABLE orders DROP COLUMN note; INSERT INTO orders VALUES (4)")
    agent.wait_for(lambda: 4 in ids(agent))
    database.query("ALTER TABLE orders ADD COLUMN note int; INSERT INTO orders (id, note) VALUES (5, 7)")
    agent.wait_for(lambda: 5 in ids(agent))
    assert records(agent)[-1]["note"] == 7
    database.query("ALTER TABLE orders DROP COLUMN updated_at")
    assert agent.wait() == 1, agent.log
    assert agent.log_lines("updated_at"), agent.log


def test_what_cannot_be_read_without_losing_rows_is_refused_with_what_is_missing(agent, database):
    database.query("CREATE TABLE orders (id int, note text, n int, updated_at timestamptz NOT NULL);"
                   "CREATE UNIQUE INDEX ON orders (n);"
                   "CREATE TABLE good (id int PRIMARY KEY, updated_at timestamptz NOT NULL);"
                   "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);"
                   "CREATE COLLATION ci (provider=icu, locale='und-u-ks-level2', deterministic=false);"
                   "CREATE TABLE texts (t text COLLATE ci NOT NULL);"
                   "CREATE UNIQUE INDEX ON texts (t COLLATE \"C\")")
    for table, cursor, said in (
            ("orders", ["updated_at"], r"add the columns of a unique index: \(n\)"),
            ("orders", ["updated_at", "n"], "column n of the cursor can be NULL"),
            ("orders", ["gone"], "no column gone"),
            ("parent", ["id"], "other tables inherit from \"parent\""),
            ("texts", ["t"], "with the collations that the columns have"),
            ("good", ["updated_at"], r"add the columns of a unique index: \(id\)")):
        follow(agent, database, table=table, cursor=cursor)
        assert agent.run() == 1, agent.log
        assert agent.wait_log(said)
    for bad, said in (
            ({"cursor": []}, "is needed to find what is new"),
            ({"cursor": ["id desc"]}, "rows are always read upwards"),
            ({"query": "SELECT * FROM orders", "table": ""}, "ORDER BY updated_at, id"),
            ({"query": "SELECT 1 ORDER BY 1", "table": ""}, "lacks the parameter :after_id"),
            ({"mode": "full", "from": "1"}, "is for mode incremental")):
        options = {"table": "orders", "mode": "fullAndContinuous", "cursor": CURSOR, **bad}
        if not options["table"]:
            del options["table"]
        agent.configure(pipeline(source(database, **options), to_stdout()))
        done = agent.command("check", "-c", agent.config_path)
        assert done.returncode == 2 and said in done.stderr + done.stdout, done.stderr + done.stdout


@pytest.mark.parametrize("way", [
    {"mode": "full", "table": "seen"},
    {"mode": "fullAndContinuous", "table": "seen", "consistencyDelay": "0ms"},
    {"mode": "fullAndContinuous", "table": "seen", "cursor": CURSOR},
    {"mode": "full", "from": ["0"],
     "query": "SELECT * FROM seen WHERE coalesce(id, 9) > :after_id ORDER BY id"}])
def test_a_view_that_has_null_in_the_cursor_is_refused_wherever_the_row_is(agent, database, way):
    database.query("CREATE TABLE base (id int, updated_at timestamptz DEFAULT now()); INSERT INTO base "
                   "SELECT generate_series(1, 5) UNION ALL SELECT NULL; CREATE VIEW seen AS SELECT * FROM base")
    follow(agent, database, **{"cursor": ["id"], "pageSize": 2, "once": True, **way})
    config = json.loads(agent.config_path.read_text())
    if way["mode"] == "full":
        del config["pipelines"][0]["source"]["once"]
    agent.write_config(config)
    assert agent.run() == 1, agent.log
    assert agent.wait_log(r"a row has NULL in the cursor")


def test_a_row_that_is_too_long_is_a_dead_letter_and_reading_goes_on(agent, database):
    database.query("CREATE TABLE orders (note text, id int PRIMARY KEY); INSERT INTO orders SELECT 'n', "
                   "generate_series(1, 6); UPDATE orders SET note = repeat('ä', 10000000) WHERE id IN (3, 6)")
    follow(agent, database, mode="full", cursor=["id"], pageSize=2, maxRecord="1MiB")
    agent.run()
    assert ids(agent) == [1, 2, 4, 5], agent.log
    letters = agent.dead_letters()
    assert [letter["raw"] for letter in letters] == ["(id) = (3)", "(id) = (6)"]
    assert [letter["source"] for letter in letters] == ["table orders, row (3)", "table orders, row (6)"]
    assert "the row is longer than maxRecord (1.0 MiB): 19.1 MiB" in letters[0]["reason"]


def test_a_page_that_takes_longer_than_its_timeout_is_read_in_several(agent, database):
    database.query(ORDERS)
    insert(database, 1, 30)
    follow(agent, database, mode="full", cursor=["id"], **{"from": ["0"]}, timeout="500ms",
           query="SELECT id, pg_sleep(0.05)::text AS slept FROM orders WHERE id > :after_id ORDER BY id")
    assert agent.run() == 0, agent.log
    assert ids(agent) == list(range(1, 31))
    assert not agent.log_lines("trying again")


def test_another_database_than_before_is_read_from_the_start(agent, make_postgres):
    first, second = (make_postgres().database("t") for _ in range(2))
    for database in (first, second):
        database.query(ORDERS)
    for _ in range(20):
        first.query("SELECT pg_current_xact_id()")
    insert(first, 1, 3)
    follow(agent, first, once=True)
    assert agent.run() == 0, agent.log
    insert(second, 1, 4)
    follow(agent, second, once=True)
    assert agent.run() == 0, agent.log
    assert ids(agent) == [1, 2, 3, 1, 2, 3, 4]
    assert agent.log_lines("read from the start")


def test_a_pass_that_finds_nothing_writes_nothing_to_the_journal(agent, database):
    database.query(ORDERS)
    insert(database, 1, 3)
    agent.configure(pipeline(source(database, mode="fullAndContinuous", cursor=CURSOR), to_stdout()),
                    journal={"commitEvery": "0ms"})
    agent.start()
    agent.wait_for(lambda: len(ids(agent)) == 3)

    def some_passes():
        asked = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        before = int(database.value(asked))
        agent.wait_for(lambda: int(database.value(asked)) > before + 20)  # some are those of the test

    def journal():
        return {path.name: (path.stat().st_size, path.stat().st_mtime_ns)
                for path in agent.data_dir.glob("journal.db*")}
    some_passes()  # the position of what was read is saved by then
    written = journal()
    some_passes()
    assert journal() == written
    agent.terminate()
    assert agent.wait() == 0, agent.log
    assert ids(agent) == [1, 2, 3]


# --- types ---------------------------------------------------------------------------------------

TYPES = {
    "b boolean": ("true", True),
    "i2 smallint": ("-32768", -32768),
    "i8 bigint": ("9223372036854775807", 9223372036854775807),
    "f8 double precision": ("0.1", 0.1),
    "f4 real": ("3.4028235e38", 3.4028235e38),
    "d numeric": ("'12345678901234567890.1234567890'", None),
    "t text": ("E'a\\tb\\nc\\\\d\"'", 'a\tb\nc\\d"'),
    "c char(4)": ("'ab'", "ab  "),
    "by bytea": ("'\\x00ff10'", "AP8Q"),
    "tz timestamptz": ("'2026-01-02 03:04:05.123456+02'", "2026-01-02T01:04:05.123456Z"),
    "ts timestamp": ("'1969-12-31 23:59:59.5'", "1969-12-31T23:59:59.500Z"),
    "inf timestamptz": ("'infinity'", "infinity"),
    "bc timestamp": ("'0044-03-15 12:00:00 BC'", "0044-03-15 12:00:00 BC"),
    "da date": ("'2024-02-29'", "2024-02-29"),
    "ti time": ("'23:59:59.999999'", "23:59:59.999999"),
    "iv interval": ("'1 day 2 hours'", "1 day 02:00:00"),
    "u uuid": ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "j json": ("E'{\"a\":\\n 1.50}'", {"a": 1.5}),
    "jb jsonb": ("'[1, null, \"x\"]'", [1, None, "x"]),
    "ai int[]": ("'{1,NULL,3}'", [1, None, 3]),
    "at text[]": ("'{{a,\"b,c\"},{d,e}}'", [["a", "b,c"], ["d", "e"]]),
    "ad numeric[]": ("'{1.10,22222222222222222222.5}'", None),
    "aj jsonb[]": ("""ARRAY['{"a": 1}', '[1, 2]', 'null', NULL, '"{}"', '"12"', '12']::jsonb[]""",
                   r'''{"{\"a\": 1}","[1, 2]","null",NULL,"\"{}\"","\"12\"",12}'''),
    "ajn json[]": ("""ARRAY[ARRAY['[1 ]', '{}'], ARRAY['"x"', NULL]]::json[]""",
                   r'''{{"[1 ]","{}"},{"\"x\"",NULL}}'''),
    "ip inet": ("'10.0.0.1/8'", "10.0.0.1/8"),
    "n text": ("NULL", None),
}


def test_each_type_is_read_as_what_it_is_and_goes_round_to_the_last_digit(agent, database):
    columns = ", ".join(TYPES)
    values = ", ".join(value for value, _ in TYPES.values())
    database.query(f"CREATE TABLE orders (id int PRIMARY KEY, {columns}); CREATE TABLE copies "
                   f"(id int PRIMARY KEY, {columns}); INSERT INTO orders VALUES (1, {values}); "
                   "INSERT INTO orders (id, f8, d) VALUES (2, 'NaN', 'NaN'), (3, '-Infinity', '5')")
    agent.configure(pipeline(source(database), to_stdout()),
                    pipeline(source(database), to_table(database)))
    assert agent.run() == 0, agent.log
    record = records(agent)[0]
    for column, (_, expected) in TYPES.items():
        name = column.split()[0]
        if expected is not None or name == "n":
            assert record[name] == expected, column
    assert [record["f8"] for record in records(agent)[1:]] == ["NaN", "-Infinity"], "JSON has no such numbers"
    line = agent.stdout.splitlines()[0]
    assert b'"d":12345678901234567890.1234567890,' in line
    assert b'"ad":[1.10,22222222222222222222.5]' in line
    names = ", ".join(f"{column.split()[0]}::text" for column in TYPES if not column.startswith("j "))
    assert both(database, f"id, {names}") == []
