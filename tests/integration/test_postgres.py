"""The postgres sink against a real PostgreSQL: write modes, columns, types, createTable."""

import json
from pathlib import Path

import pytest

from harness.pipelines import file_source, pipeline, quick_retry
from harness.postgres_pipelines import READINGS, configure, deliver, fails, lines, reasons, sink
from harness.telemetry import expect_each_once

ROOT = Path(__file__).resolve().parents[2]


# --- write modes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["copy", "insert"])
def test_every_record_arrives_once(agent, database, telemetry, mode):
    database.query(READINGS)
    configure(agent, database, telemetry(20000), table="readings", writeMode=mode)
    assert agent.run() == 0
    expect_each_once([int(seq) for (seq,) in database.query("SELECT seq FROM readings")], 20000)
    assert database.value("SELECT count(DISTINCT xmin::text) > 1 FROM readings") == "t"


def test_the_order_is_kept(agent, database, telemetry):
    database.query(READINGS + "; ALTER TABLE readings ADD n bigserial")
    configure(agent, database, telemetry(5000), table="readings", records=300)
    assert agent.run() == 0
    assert database.value("SELECT count(*) FROM readings WHERE n <> seq + 1") == "0"


def test_upsert_updates_rows_and_the_last_of_a_batch_wins(agent, database):
    database.query("CREATE TABLE t (id int PRIMARY KEY, temp float8, note text);"
                   "INSERT INTO t VALUES (1, 10, 'old'), (2, 20, 'old')")
    deliver(agent, database, {"id": 1, "temp": 1}, {"id": 3, "temp": 3}, {"id": 1, "temp": 2},
            {"id": 1, "temp": 1.5}, writeMode="upsert", key=["id"])
    assert database.query("SELECT * FROM t ORDER BY id") == [
        ("1", "1.5", "old"), ("2", "20", "old"), ("3", "3", "NULL")]


def test_upsert_leaves_columns_alone_whose_field_is_absent(agent, database):
    database.query("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT 7, b int)")
    deliver(agent, database, {"id": 1, "a": 1, "b": 1}, {"id": 1, "b": 2}, {"id": 1, "a": None},
            {"id": 2, "b": 5}, {"b": 6, "id": 1}, writeMode="upsert", key=["id"])
    assert database.query("SELECT * FROM t ORDER BY id") == [("1", "NULL", "6"), ("2", "7", "5")]


def test_upsert_rejects_records_without_their_key(agent, database):
    database.query("CREATE TABLE t (id int PRIMARY KEY, a int)")
    deliver(agent, database, {"id": 1, "a": 1}, {"a": 2}, {"id": None, "a": 3}, writeMode="upsert",
            key=["id"])
    assert database.query("SELECT * FROM t") == [("1", "1")]
    assert reasons(agent) == ["key column id: the field is absent", "key column id: the field is null"]


def test_upsert_says_which_index_it_needs(agent, database):
    database.query("CREATE TABLE t (id int, a int)")
    log = fails(agent, database, {"id": 1}, writeMode="upsert", key=["id"])
    assert 'no unique index over exactly the key ("id"): CREATE UNIQUE INDEX ON "t" ("id")' in log


def test_merge_sql_fills_several_tables_in_one_transaction(agent, database):
    database.query("CREATE TABLE device (id serial PRIMARY KEY, name text UNIQUE);"
                   "CREATE TABLE reading (device int REFERENCES device, temp float8);"
                   "CREATE TYPE incoming AS (device text, temp float8)")
    merge = """INSERT INTO device (name) SELECT DISTINCT device FROM leat_staging
                 ON CONFLICT DO NOTHING;
               INSERT INTO reading SELECT d.id, s.temp FROM leat_staging s
                 JOIN device d ON d.name = s.device ORDER BY s.leat_row -- in order"""
    deliver(agent, database, {"device": "a", "temp": 1}, {"device": "b", "temp": 2.5},
            {"device": "a"}, table="incoming", writeMode="merge", mergeSql=merge, records=2)
    assert database.query("SELECT d.name, r.temp FROM reading r JOIN device d ON d.id = r.device") == [
        ("a", "1"), ("b", "2.5"), ("a", "NULL")]


def test_merge_sql_may_take_the_staging_table_as_it_is(agent, database):
    """It ended the pipeline: leat_staging had a column more than the table."""
    database.query("CREATE TABLE t (id int, v text)")
    deliver(agent, database, {"id": 1, "v": "a"}, {"v": "b", "id": 2}, writeMode="merge",
            mergeSql="INSERT INTO t SELECT * FROM leat_staging")
    assert database.query("SELECT * FROM t ORDER BY id") == [("1", "a"), ("2", "b")]


def test_merge_sql_that_ends_the_transaction_ends_the_pipeline(agent, database):
    database.query("CREATE TABLE t (id int)")
    log = fails(agent, database, {"id": 1}, writeMode="merge", mergeSql="COMMIT")
    assert "mergeSql must not end the transaction" in log


def test_an_error_in_merge_sql_ends_the_pipeline_and_stores_nothing(agent, database):
    database.query("CREATE TABLE t (id int)")
    log = fails(agent, database, {"id": 1}, writeMode="merge",
                mergeSql="INSERT INTO t SELECT id FROM leat_staging; SELEC 1")
    assert "syntax error" in log and "42601" in log
    assert database.count("t") == 0


# --- columns -------------------------------------------------------------------------------------


def test_columns_say_which_field_goes_where(agent, database):
    database.query('CREATE SCHEMA s; CREATE TABLE s."T" ("Temp C" float8, name text, x int)')
    deliver(agent, database, {"temp": 1.5, "device": "a", "x": 5}, table='s."T"',
            columns={"temp": "Temp C", "device": "name"})
    assert database.query('SELECT * FROM s."T"') == [("1.5", "a", "NULL")]
    assert "left out" not in agent.log


def test_names_without_quotes_are_lower_case_in_the_table(agent, database):
    database.query("CREATE TABLE Readings (tempF float8)")
    deliver(agent, database, {"tempF": 70.5}, table="Public.Readings")
    assert database.query("SELECT tempf FROM readings") == [("70.5",)]


def test_an_unknown_field_is_left_out_and_told_once(agent, database):
    database.query("CREATE TABLE t (id int)")
    deliver(agent, database, *({"id": n, "extra": n} for n in range(50)), records=10)
    assert database.count("t") == 50
    assert len(agent.log_lines('field extra has no column of table "t": it is left out')) == 1


def test_an_unknown_field_can_reject_the_record(agent, database):
    database.query("CREATE TABLE t (id int)")
    deliver(agent, database, {"id": 1}, {"id": 2, "extra": 1}, {"id": 3}, unknownFields="reject")
    assert database.query("SELECT id FROM t") == [("1",), ("3",)]
    assert reasons(agent) == ["field extra has no column of table t"]


def test_defaults_and_identity_columns_fill_what_no_field_gives(agent, database):
    database.query("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a int DEFAULT 7, b int, "
                   "twice int GENERATED ALWAYS AS (b * 2) STORED, at timestamptz NOT NULL DEFAULT now())")
    records = [{"b": 1}, {"a": 1, "b": 2}, {"a": None, "b": 3}, {"b": 4, "twice": 9}]
    for mode in ("copy", "insert"):
        database.query("TRUNCATE t RESTART IDENTITY")
        agent.data_dir = agent.folder / mode
        deliver(agent, database, *records, writeMode=mode)
        assert database.query("SELECT id, a, b, twice FROM t ORDER BY id") == [
            ("1", "7", "1", "2"), ("2", "1", "2", "4"), ("3", "NULL", "3", "6"), ("4", "7", "4", "8")]
    assert "field twice is a generated column" in agent.log


@pytest.mark.parametrize("ddl,options,message", [
    (None, {}, 'there is no table "t", and createTable is false'),
    ("CREATE TABLE t (id int, a int)", {"columns": {"id": "idd"}},
     "table t: has no column idd, where field id is to go; it has id, a"),
    ("CREATE TABLE t (id int, g int GENERATED ALWAYS AS (id) STORED)", {"columns": {"id": "g"}},
     "table t: column g is generated: nothing can be written to it"),
    ("CREATE TABLE t (id int, need int NOT NULL)", {"columns": {"id": "id"}},
     "column need is NOT NULL without a default, and no field goes into it"),
    ("CREATE TABLE t (id int, need int NOT NULL)", {},
     "column need of table \"t\" is NOT NULL without a default, and no record has a field for it"),
    ("CREATE SEQUENCE t", {}, "table t: is no table that rows can be written to"),
    ("CREATE TABLE t (id int)", {"writeMode": "upsert", "key": ["x"]},
     'table t: has no column x, named by "key"'),
], ids=["no_table", "no_column", "generated", "not_null", "not_null_by_name", "sequence", "no_key"])
def test_what_does_not_fit_is_said_before_the_first_row(agent, database, ddl, options, message):
    if ddl:
        database.query(ddl)
    assert message in fails(agent, database, {"id": 1}, {"id": 2}, **options)


# --- types ---------------------------------------------------------------------------------------

TYPES = [  # type, JSON value, what the database shows
    ("boolean", True, "t"), ("boolean", 0, "f"), ("boolean", "yes", "t"),
    ("smallint", -32768, "-32768"), ("int", "42", "42"), ("int", 44.0, "44"),
    ("bigint", 9223372036854775807, "9223372036854775807"),
    ("bigint", -9223372036854775808, "-9223372036854775808"),
    ("real", 3.5, "3.5"), ("float8", "1e-5", "1e-05"), ("float8", "NaN", "NaN"),
    ("float8", "-Infinity", "-Infinity"), ("float8", 123456789012345678901234567890, "1.2345678901234568e+29"),
    ("numeric", 44.50, "44.5"), ("numeric", "44.50", "44.50"), ("numeric", 0, "0"),
    ("numeric", "-0.00010", "-0.00010"), ("numeric", "12345678901234567890.123456789", "12345678901234567890.123456789"),
    ("numeric", "1e20", "100000000000000000000"), ("numeric", "1.5e-7", "0.00000015"),
    ("numeric", "NaN", "NaN"), ("numeric(6,2)", 9999.994, "9999.99"), ("numeric", "10000", "10000"),
    ("numeric", "99990001", "99990001"), ("numeric", "0.1", "0.1"), ("numeric", "-10000.00001", "-10000.00001"),
    ("text", "tab\tnew\nline\\ \"q\" äö€😀", "tab\tnew\nline\\ \"q\" äö€😀"), ("text", 44.5, "44.5"),
    ("text", True, "true"), ("text", {"a": [1]}, '{"a": [1]}'), ("varchar(4)", "äöü€", "äöü€"),
    ("varchar(2)", "ab   ", "ab"), ("char(3)", "ab", "ab "), ("name", "n", "n"),
    ("bytea", "\\x00ff", "\\x00ff"), ("bytea", "ab", "\\x6162"),
    ("date", "2026-02-28", "2026-02-28"), ("date", "1969-12-31T23:59:59Z", "1969-12-31"),
    ("date", "infinity", "infinity"),
    ("time", "03:04", "03:04:00"), ("time", "23:59:59.123456", "23:59:59.123456"),
    ("timestamp", "2026-01-02T03:04:05.678901Z", "2026-01-02 03:04:05.678901"),
    ("timestamp", "2026-01-02 03:04:05", "2026-01-02 03:04:05"),
    ("timestamp", "2026-01-02T03:04:05+02:00", "2026-01-02 03:04:05"),  # as the type reads it
    ("timestamptz", "2026-01-02T03:04:05+02:00", "2026-01-02 01:04:05+00"),
    ("timestamptz", "1999-12-31T23:59:59Z", "1999-12-31 23:59:59+00"),
    ("timestamptz", "-infinity", "-infinity"), ("timestamptz(0)", "2026-01-02T03:04:05.6Z", "2026-01-02 03:04:06+00"),
    ("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", {"a": [1, None, "x"]}, '{"a": [1, null, "x"]}'), ("jsonb", [1, 2], "[1, 2]"),
    ("jsonb", "plain \"text\"", '"plain \\"text\\""'), ("jsonb", '{"in": "text"}', '{"in": "text"}'),
    ("jsonb", "[not json", '"[not json"'), ("jsonb", 1.50, "1.5"), ("jsonb", False, "false"),
    ("mood", "happy", "happy"), ("percent", 55, "55"),
]
MORE_TYPES = [
    ("inet", "10.0.0.1/8", "10.0.0.1/8"), ("interval", "1 day 2 hours", "1 day 02:00:00"),
    ("int[]", [1, None, 3], "{1,NULL,3}"), ("text[]", ["a\"b\\", "", "NULL", "ä,{}"],
                                            '{"a\\"b\\\\","","NULL","ä,{}"}'),
    ("int[]", [[1, 2], [3, 4]], "{{1,2},{3,4}}"), ("int[]", "{7,8}", "{7,8}"), ("int[]", [], "{}"),
    ("jsonb[]", [{"a": 1}], '{"{\\"a\\": 1}"}'), ("jsonb[]", ["12", "true", 12], '{"\\"12\\"","\\"true\\"",12}'),
    ("words", ["12"], '{"\\"12\\""}'), ("box[]", ["(2,2),(1,1)", "(4,4),(3,3)"], "{(2,2),(1,1);(4,4),(3,3)}"), ("int4range", "[1,5)", "[1,5)"),
    ("point", "(1,2)", "(1,2)"), ("bit(3)", "101", "101"), ("money", "12.50", "$12.50"),
]


@pytest.mark.parametrize("mode", ["copy", "insert", "upsert"])
def test_values_of_every_type_arrive_as_they_are(agent, database, mode):
    database.query("CREATE TYPE mood AS ENUM ('sad', 'happy');"
                   "CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);"
                   "CREATE DOMAIN word AS jsonb; CREATE DOMAIN words AS word[]")
    types = TYPES + MORE_TYPES
    columns = [f"c{n}" for n in range(len(types))]
    database.query("CREATE TABLE t (id int PRIMARY KEY, " + ", ".join(
        f"{column} {type}" for column, (type, _, _) in zip(columns, types)) + ")")
    values = {column: value for column, (_, value, _) in zip(columns, types)}
    options = {"key": ["id"]} if mode == "upsert" else {}
    deliver(agent, database, {"id": 1, **values}, {"id": 2, **{c: None for c in columns}}, writeMode=mode, **options)
    assert reasons(agent) == []
    row, nulls = database.query("SET timezone = 'UTC'; SET lc_monetary = 'C'; SELECT * FROM t ORDER BY id")
    shown = dict(zip(columns, row[1:]))
    assert {(types[i][0], json.dumps(types[i][1])): shown[c] for i, c in enumerate(columns)} == {
        (type, json.dumps(value)): text for type, value, text in types}
    assert set(nulls[1:]) == {"NULL"}


def test_times_of_a_transform_and_exact_decimals_arrive(agent, database):
    """CSV with typed columns makes values that JSON has not: times and decimals."""
    database.query("CREATE TABLE t (at timestamptz, day date, tod time, price numeric, words text)")
    path = agent.folder / "in.csv"
    path.write_text("at,day,tod,price,words\n" + "1760000000005,1760000000005,1760000000005,"
                    "00.10,1760000000005\n")
    time = {"type": "time", "format": "unixMs"}
    source = file_source(path, format="csv", csv={"columns": [
        {"index": 0, "name": "at", **time}, {"index": 1, "name": "day", **time},
        {"index": 2, "name": "tod", **time}, {"index": 3, "name": "price", "type": "string"},
        {"index": 4, "name": "words", **time}]})
    agent.configure(pipeline(source, sink(database)))
    assert agent.run() == 0, agent.log
    assert database.query("SET timezone = 'UTC'; SELECT * FROM t") == [
        ("2025-10-09 08:53:20.005+00", "2025-10-09", "08:53:20.005", "0.10",
         "2025-10-09T08:53:20.005Z")]


# --- createTable ---------------------------------------------------------------------------------


def test_create_table_makes_columns_of_the_records(agent, database):
    deliver(agent, database,
            {"id": 1, "temp": 1, "ok": True, "name": "a", "tags": [1], "big": 1, "none": None},
            {"id": 2, "temp": 1.5, "ok": False, "name": 5, "big": 12345678901234567890},
            createTable=True)
    types = database.query("SELECT column_name, data_type FROM information_schema.columns "
                           "WHERE table_name = 't' ORDER BY ordinal_position")
    assert types == [("id", "bigint"), ("temp", "double precision"), ("ok", "boolean"),
                     ("name", "text"), ("tags", "jsonb"), ("big", "numeric")], "nothing is known of none yet"
    assert database.query("SELECT id, temp, name, big FROM t ORDER BY id") == [
        ("1", "1", "a", "1"), ("2", "1.5", "5", "12345678901234567890")]


def test_create_table_adds_columns_for_new_fields(agent, database):
    deliver(agent, database, {"id": 1}, {"id": 2, "later": 1.5}, records=1, createTable=True,
            writeMode="upsert", key=["id"])
    assert database.query("SELECT * FROM t ORDER BY id") == [("1", "NULL"), ("2", "1.5")]
    assert database.value("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass "
                          "AND indisprimary") == "1"


@pytest.mark.parametrize("exists", [False, True])
def test_a_record_with_more_fields_than_a_table_can_have_is_rejected(agent, database, exists):
    """It stopped the pipeline at every start."""
    if exists:
        database.query("CREATE TABLE t (id int)")
    wide = {f"f{n}": n for n in range(2500)}
    deliver(agent, database, {"id": 1}, wide, {"id": 3}, createTable=True)
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("3",)]
    assert [letter["record"]["f7"] for letter in agent.dead_letters()] == [7]
    assert "createTable: tables can have at most 1600 columns, SQLSTATE 54011" in reasons(agent)[0]


def test_fields_that_are_new_in_every_record_fill_the_table_and_are_then_rejected(agent, database):
    deliver(agent, database, *({"id": n, f"f{n}": n} for n in range(1650)), createTable=True)
    assert database.count("t") + len(agent.dead_letters()) == 1650
    assert database.count("t") > 1500


def test_a_field_with_the_name_of_a_system_column_is_left_out_and_the_log_says_so(agent, database):
    for run in ("is_made", "is_there"):
        agent.data_dir = agent.folder / run
        deliver(agent, database, {"id": 1, "xmin": 5, "ctid": "x", "n" * 64: 5, "n" * 65: 1}, createTable=True)
    assert database.query(f"SELECT id, {'n' * 63} FROM t") == [("1", "5"), ("1", "5")]
    for name, why in (("xmin", "every table has a system column"), ("ctid", "every table has"),
                      ("n" * 10, "of a name, PostgreSQL takes 63 bytes, and another field has these")):
        assert len(agent.log_lines(f"field {name}.* cannot become a column .*{why}")) == 2


def test_a_field_that_was_dropped_needs_no_column_and_a_dropped_table_is_made_again(agent, database):
    path = lines(agent, {"id": 1, "x": 1})
    agent.configure(pipeline(file_source(path, follow=True), sink(database, createTable=True),
                             {"type": "map", "drop": ["x"]}, delivery=quick_retry()))
    agent.start()
    agent.wait_for(lambda: database.count("t") == 1)
    database.query("DROP TABLE t")
    with open(path, "a") as file:
        file.write('{"id": 2, "x": 2}\n')
    agent.wait_for(lambda: database.count("t") == 1)
    agent.terminate()
    assert agent.wait() == 0
    assert agent.log_lines("no column|cannot become") == []


def column_types(database):
    return dict(database.query("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                               "WHERE attrelid = 't'::regclass AND attnum > 0 ORDER BY attnum"))


@pytest.mark.parametrize("mode", ["copy", "insert", "upsert"])
def test_created_columns_get_a_wider_type_when_values_need_it(agent, database, mode):
    """Each of the later records was a dead letter, for ever."""
    options = {"key": ["id"]} if mode == "upsert" else {}
    deliver(agent, database,
            {"id": 1, "temp": 21, "big": 9007199254740993, "huge": 1, "zip": 10001, "frac": 0.5},
            {"id": 2, "temp": 21.5, "big": 0.5, "huge": 9223372036854775808, "zip": "01234", "frac": "00.5"},
            {"id": 3, "temp": 22, "big": 7, "huge": 2, "zip": 10002, "frac": 1.5},
            createTable=True, records=1, writeMode=mode, **options)
    assert reasons(agent) == []
    assert column_types(database) == {"id": "bigint", "temp": "double precision", "big": "numeric",
                                      "huge": "numeric", "zip": "text", "frac": "text"}
    assert database.query("SELECT * FROM t ORDER BY id") == [
        ("1", "21", "9007199254740993", "1", "10001", "0.5"),
        ("2", "21.5", "0.5", "9223372036854775808", "01234", "00.5"),
        ("3", "22", "7", "2", "10002", "1.5")]
    assert agent.log_lines("column temp of .* is double precision now, and was bigint")


@pytest.mark.parametrize("mode", ["copy", "insert", "upsert"])
def test_a_null_that_comes_first_does_not_decide_a_type(agent, database, mode):
    """The column was text for ever."""
    options = {"key": ["id"]} if mode == "upsert" else {}
    deliver(agent, database, {"id": 1, "v": None, "w": None}, {"id": 2, "v": 21.5, "w": None}, {"id": 3, "v": None},
            createTable=True, records=1, writeMode=mode, **options)
    assert reasons(agent) == []
    assert column_types(database) == {"id": "bigint", "v": "double precision"}
    assert database.query("SELECT id, coalesce(v::text, 'null') FROM t ORDER BY id") == [
        ("1", "null"), ("2", "21.5"), ("3", "null")]


def test_a_record_of_nulls_is_a_row_all_the_same(agent, database):
    deliver(agent, database, {"v": None}, {"w": 1}, {"x": None}, createTable=True, records=1)
    assert reasons(agent) == []
    assert database.count("t") == 3


def test_one_text_among_many_numbers_does_not_make_a_column_text(agent, database):
    deliver(agent, database, {"id": 0, "v": "N/A"}, *({"id": n, "v": n} for n in range(1, 20)), createTable=True)
    assert column_types(database)["v"] == "bigint"
    assert database.count("t") == 19
    assert len(reasons(agent)) == 1


@pytest.mark.parametrize("mode", ["copy", "insert", "upsert"])
def test_a_column_of_numbers_becomes_text_when_ten_different_values_are_none(agent, database, mode):
    """Each text was a dead letter, for ever."""
    options = {"key": ["id"]} if mode == "upsert" else {}
    values = [4711, "N/A", 0.5, *["N/A"] * 20, *(f"A-{n}" for n in range(1, 13)), 7, "N/A"]
    deliver(agent, database, *({"id": n, "v": v} for n, v in enumerate(values)), records=5, writeMode=mode,
            createTable=True, **options)
    assert column_types(database) == {"id": "bigint", "v": "text"}
    stored = [v for (v,) in database.query("SELECT v FROM t ORDER BY id")]
    assert stored[:2] == ["4711", "0.5"] and stored[-2:] == ["7", "N/A"]
    assert [v for v in stored if v.startswith("A-")][-4:] == ["A-9", "A-10", "A-11", "A-12"]
    assert len(stored) + len(agent.dead_letters()) == len(values)
    assert len(agent.log_lines("column v of .* is text now, and was double precision")) == 1


@pytest.mark.parametrize("records", [1, 3, 1000])
def test_types_and_rows_do_not_depend_on_where_deliveries_end(agent, database, records):
    """One true among numbers made them texts, or was stored as 1."""
    values = [1, 2, True, 3, 0.1, "N/A", 9007199254740993, 0.30000000000000004, "x", False, 4]
    deliver(agent, database, *({"id": n, "v": v} for n, v in enumerate(values)), records=records, createTable=True)
    assert column_types(database)["v"] == "numeric"
    assert database.query("SELECT v FROM t ORDER BY id") == [
        ("1",), ("2",), ("3",), ("0.1",), ("9007199254740993",), ("0.30000000000000004",), ("4",)]
    assert sorted(letter["record"]["id"] for letter in agent.dead_letters()) == [2, 5, 8, 9]
    assert any("a value of type bool does not go into" in reason for reason in reasons(agent))


def test_a_key_gets_a_wider_type_too(agent, database):
    """It depended on where the first delivery ended."""
    deliver(agent, database, {"id": 1, "v": 1}, {"id": "007", "v": 2}, {"id": 1, "v": 3}, {"id": 2.5, "v": 4},
            records=1, createTable=True, writeMode="upsert", key=["id"])
    assert reasons(agent) == []
    assert database.query("SELECT * FROM t ORDER BY v") == [("007", "2"), ("1", "3"), ("2.5", "4")]


@pytest.mark.parametrize("mode", ["copy", "insert", "upsert", "merge"])
def test_a_bool_is_not_stored_as_a_number(agent, database, mode):
    database.query("CREATE TABLE t (id int PRIMARY KEY, v bigint)")
    options = {"key": ["id"]} if mode == "upsert" else {}
    if mode == "merge":
        options = {"mergeSql": "INSERT INTO t SELECT id, v FROM leat_staging"}
    deliver(agent, database, {"id": 1, "v": True}, {"id": 2, "v": 7}, writeMode=mode, **options)
    assert database.query("SELECT * FROM t") == [("2", "7")]
    assert "field v: a value of type bool does not go into bigint (column v)" in reasons(agent)[0]


def test_a_column_that_cannot_be_widened_stays_and_what_does_not_fit_is_rejected(agent, database):
    """A view needs it."""
    database.query("CREATE TABLE t (id int, v bigint, zip bigint); CREATE VIEW w AS SELECT v, zip FROM t")
    deliver(agent, database, {"id": 1, "v": 21, "zip": 10001}, {"id": 2, "v": 21.5}, {"id": 3, "v": 22},
            {"id": 4, "zip": "01234"}, {"id": 5, "v": 0.5}, createTable=True, records=1)
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("3",)]
    assert len(reasons(agent)) == 3 and "not a whole number" in reasons(agent)[0]
    assert "leading zeros" in reasons(agent)[1]
    assert len(agent.log_lines("column v of .* stays bigint, not double precision: .*view")) == 1


def test_a_name_of_more_than_63_bytes_goes_where_postgresql_has_cut_it(agent, database):
    """Its values were left out."""
    name = "ä" * 40  # 80 bytes
    database.query(f'SET client_min_messages = error; CREATE TABLE t (id int, "{name}" int)')
    deliver(agent, database, {"id": 1, name: 7})
    assert database.query("SELECT * FROM t") == [("1", "7")]


# --- configuration -------------------------------------------------------------------------------


@pytest.mark.parametrize("options,message", [
    ({"url": "http://x/"}, 'sink.url: it must start with "postgresql://"'),
    ({"url": "postgresql://u:hunter2@h/d?sslmod=require"},
     'sink.url: parameter "sslmod" is not known, did you mean "sslmode"?'),
    ({"url": "postgresql://u:hunter2@a,b/d"}, "several hosts"),
    ({"url": "postgresql://u@h/d?sslmode=verify-ca"}, "sslmode=verify-ca needs"),
    ({"writeMode": "upsert"}, "sink.key: writeMode upsert needs it"),
    ({"key": ["id"]}, "sink.key: is for writeMode upsert"),
    ({"writeMode": "merge"}, "sink.mergeSql: writeMode merge needs it"),
    ({"mergeSql": "SELECT 1"}, "sink.mergeSql: is for writeMode merge"),
    ({"columns": {"a": "x", "b": "x"}}, 'sink.columns.b: two fields, "a" and "b", go into column "x"'),
    ({"columns": {"a": "ctid"}}, "cannot have a column ctid: every table has a system column"),
    ({"table": "a.b.c"}, 'sink.table: write "table" or "schema.table"'),
    ({"table": "leat_positions"}, "sink.table: leat_positions is where"),
    ({"tls": {"verify": False}}, "sink.tls.verify: what is checked is said by sslmode"),
    ({"tls": {"ca": "/x"}, "url": "postgresql://u@h/d?sslrootcert=/y"},
     'sink.tls.ca: "url" says it, too, as sslrootcert'),
])
def test_check_says_what_is_wrong_with_the_options(agent, options, message):
    agent.configure(pipeline(file_source("x"), {
        "type": "postgres", "url": "postgresql://u@h/d", "table": "t", **options}))
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "hunter2" not in done.stderr


def test_the_example_runs(agent, database, telemetry):
    """config/examples/file-to-postgres.json, with another file and another database."""
    database.query("CREATE TABLE readings (device text, seq bigint, at timestamptz, temp real, "
                   "vib real, PRIMARY KEY (device, seq))")
    config = json.loads((ROOT / "config/examples/file-to-postgres.json").read_text())
    config["agent"]["dataDir"] = str(agent.data_dir)
    source, target = (config["pipelines"][0][stage] for stage in ("source", "sink"))
    source.update(path=[str(telemetry(1000))], follow=False)
    target["url"] = database.url
    agent.write_config(config)
    assert agent.run() == 0, agent.log
    assert database.count("readings") > 500
    assert database.value("SELECT min(at) > '2025-10-09' FROM readings") == "t"
