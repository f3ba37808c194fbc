"""Rows that the postgres sink or the server refuses: each is named, and the others arrive."""

import pytest

from harness.postgres_pipelines import configure, deliver, fails, lines, reasons


@pytest.mark.parametrize("mode", ["copy", "insert", "upsert"])
@pytest.mark.parametrize("type,value,reason", [
    ("smallint", 70000, "out of range for smallint (column v)"),
    ("bigint", 9223372036854775808, "out of range for bigint"),
    ("int", 1.5, "is not a whole number"),
    ("int", "1,000", "this string is no valid integer (column v)"),
    ("int", [1], "a value of type json does not go into integer"),
    ("numeric", "N/A", "no valid numeric"),
    ("text", "a\x00b", "NUL character"),
    ("varchar(3)", "abcd", "too long for character varying(3)"),
    ("timestamptz", 1760000000005, "a value of type integer does not go into timestamp with time zone"),
    ("uuid", "a0eebc99", "no valid uuid"),
    ("boolean", 2, "out of range for boolean"),
    ("real", 1e39, None), ("numeric(4,2)", 123.4, None), ("date", "2026-02-30", None),
    ("bytea", "\\xabc", None),
], ids=lambda value: str(value)[:12].replace("\x00", "0"))
def test_a_value_that_does_not_fit_is_rejected(agent, database, postgres, mode, type, value, reason):
    """What no server would take, before it is sent; the rest, where there is no reason, by the server."""
    database.query(f"CREATE TABLE t (id int PRIMARY KEY, v {type})")
    errors = postgres.log.count("ERROR")
    options = {"key": ["id"]} if mode == "upsert" else {}
    deliver(agent, database, {"id": 1}, {"id": 2, "v": value}, {"id": 3, "v": None},
            {"id": 4, "v": value}, writeMode=mode, **options)
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("3",)]
    assert len(reasons(agent)) == 2 and all((reason or "SQLSTATE 22") in text for text in reasons(agent)), reasons(agent)
    told = postgres.log.split("ERROR")[errors + 1:]
    assert reason is None or all("COPY from stdin failed" in line for line in told), told


def test_a_row_the_server_refuses_is_named_by_its_line(agent, database, postgres):
    database.query("CREATE TABLE t (id int UNIQUE, v int CHECK (v < 100), j jsonb)")
    database.query("INSERT INTO t VALUES (17, 0)")
    attempts = postgres.log.count("COPY t, line")
    records = [{"id": n, "v": 5} for n in range(1000)]
    records[400]["v"] = 200
    records[900]["j"] = {"nul": "\x00"}
    deliver(agent, database, *records, records=1000)
    assert database.count("t") == 998
    assert sorted(letter["record"]["id"] for letter in agent.dead_letters()) == [17, 400, 900]
    told = " ".join(reasons(agent))
    assert 't_id_key' in told and 't_v_check' in told
    assert "Key (id)=(17) already exists" in told
    # Each costs one attempt, instead of the ten of halving.
    assert postgres.log.count("COPY t, line") - attempts == 3


def test_a_trigger_may_reject_rows_and_fill_in_nulls(agent, database):
    database.query("""
        CREATE TABLE t (id int, site text NOT NULL);
        CREATE FUNCTION check_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.id = 3 THEN RAISE EXCEPTION 'no threes'; END IF;
          NEW.site := coalesce(NEW.site, 'north');
          RETURN NEW;
        END $$;
        CREATE TRIGGER check_it BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION check_it()""")
    deliver(agent, database, *({"id": n} for n in range(6)))
    assert database.query("SELECT * FROM t") == [(str(n), "north") for n in (0, 1, 2, 4, 5)]
    assert reasons(agent) == ["no threes, SQLSTATE P0001"]


def test_a_deferred_constraint_is_found_by_halving(agent, database):
    database.query("CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);"
                   "CREATE TABLE t (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
    deliver(agent, database, {"id": 1}, {"id": 2}, {"id": 1}, {"id": 1})
    assert database.count("t") == 3
    assert len(reasons(agent)) == 1 and "foreign key" in reasons(agent)[0]


def test_a_bad_row_of_an_upsert_is_found_by_halving(agent, database):
    database.query("CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v < 100))")
    deliver(agent, database, *({"id": n, "v": 200 if n == 5 else 1} for n in range(20)),
            writeMode="upsert", key=["id"])
    assert database.count("t") == 19
    assert len(reasons(agent)) == 1


def test_rows_of_a_partitioned_table_find_their_partition(agent, database):
    database.query("CREATE TABLE t (id int, at date) PARTITION BY RANGE (at);"
                   "CREATE TABLE t26 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
    deliver(agent, database, {"id": 1, "at": "2026-05-05"}, {"id": 2, "at": "2025-05-05"},
            {"id": 3, "at": "2026-06-05"})
    assert database.query("SELECT id FROM t26") == [("1",), ("3",)]
    assert "no partition" in reasons(agent)[0]


def test_a_view_with_an_instead_of_trigger_is_a_target(agent, database):
    database.query("""
        CREATE TABLE base (id int); CREATE VIEW t AS SELECT id FROM base;
        CREATE FUNCTION store() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO base VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER store INSTEAD OF INSERT ON t FOR EACH ROW EXECUTE FUNCTION store()""")
    deliver(agent, database, {"id": 1}, {"id": 2})
    assert database.count("base") == 2


# --- whose an error is ---------------------------------------------------------------------------


MODES = ["copy", "insert", "upsert"]

# What array_in('{1}', 0, -1) raises, in every version; other mistakes of a caller get codes of their
# own with time (setweight's is 22023 since PostgreSQL 17).
INTERNAL_ERROR = "cache lookup failed for type 0"


def options_of(mode):
    return {"writeMode": mode, **({"key": ["id"]} if mode == "upsert" else {})}


@pytest.mark.parametrize("mode", MODES)
def test_text_that_an_input_function_calls_a_syntax_error_is_that_records(agent, database, mode):
    """42601, as of a mistake in the configuration's SQL. It ended the pipeline."""
    database.query("CREATE TABLE t (id int PRIMARY KEY, v tsquery)")
    deliver(agent, database, {"id": 1, "v": "a & b"}, {"id": 2, "v": "a & "}, {"id": 3, "v": "c"},
            **options_of(mode))
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("3",)]
    assert len(reasons(agent)) == 1 and "42601" in reasons(agent)[0]


def test_the_reason_of_an_error_of_several_lines_is_one_line_and_escaped_once(agent, database):
    database.query("CREATE TABLE t (id int PRIMARY KEY, v xml)")
    deliver(agent, database, {"id": 1, "v": "<a></b>"}, {"id": 2, "v": "<a/>"})
    assert database.query("SELECT id FROM t") == [("2",)]
    assert "invalid XML content" in reasons(agent)[0] and " / <a></b> / " in reasons(agent)[0]
    assert "\n" not in reasons(agent)[0] and "\\" not in reasons(agent)[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("code", ["45000", "42501", "42P01", "0A000", "28000", "25006", "XX000"])
def test_whatever_a_trigger_raises_for_one_row_is_that_rows(agent, database, mode, code):
    """It was tried again for ever, or ended the pipeline."""
    database.query(f"""
        CREATE TABLE t (id int PRIMARY KEY);
        CREATE FUNCTION check_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.id = 2 THEN RAISE EXCEPTION 'no twos' USING ERRCODE = '{code}'; END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER check_it BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION check_it()""")
    deliver(agent, database, {"id": 1}, {"id": 2}, {"id": 3}, **options_of(mode))
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("3",)]
    assert len(reasons(agent)) == 1
    assert reasons(agent)[0].startswith(f"no twos, SQLSTATE {code}"), reasons(agent)


@pytest.mark.parametrize("mode", MODES)
def test_an_internal_error_that_stays_with_one_row_is_that_rows(agent, database, mode):
    """As extensions in C raise. But for COPY, which names the line, it was tried again for ever."""
    database.query("""
        CREATE TABLE t (id int PRIMARY KEY);
        CREATE FUNCTION check_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.id = 2 THEN PERFORM array_in('{1}', 0, -1); END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER check_it BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION check_it()""")
    deliver(agent, database, {"id": 1}, {"id": 2}, {"id": 3}, **options_of(mode))
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("3",)]
    assert len(reasons(agent)) == 1
    assert INTERNAL_ERROR in reasons(agent)[0] and "XX000" in reasons(agent)[0], reasons(agent)


@pytest.mark.parametrize("mode", MODES)
def test_an_internal_error_without_any_record_is_nobodys(agent, database, postgres, mode):
    database.query("""
        CREATE TABLE t (id int PRIMARY KEY);
        CREATE FUNCTION check_it() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM array_in('{1}', 0, -1); RETURN NULL; END $$;
        CREATE TRIGGER check_it BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION check_it()""")
    configure(agent, database, lines(agent, {"id": 1}, {"id": 2}), **options_of(mode))
    before = postgres.log.count(INTERNAL_ERROR)
    agent.start()
    agent.wait_for(lambda: postgres.log.count(INTERNAL_ERROR) > before + 20,
                   what="more attempts than it takes to blame a record")
    database.query("DROP TRIGGER check_it ON t")
    assert agent.wait() == 0
    assert database.count("t") == 2 and not agent.dead_letters()


@pytest.mark.parametrize("mode", MODES)
def test_a_trigger_that_is_broken_for_every_row_does_not_bury_them_all(agent, database, mode):
    database.query("""
        CREATE TABLE t (id int PRIMARY KEY);
        CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO nowhere VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER broken BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION broken()""")
    configure(agent, database, lines(agent, *({"id": n} for n in range(200))), **options_of(mode))
    assert agent.run() == 1
    assert 'relation "nowhere" does not exist' in agent.log
    assert len(agent.dead_letters()) <= 20  # those of the end may not be written yet


@pytest.mark.parametrize("mode", ["insert", "upsert"])
def test_a_row_that_a_policy_refuses_is_rejected(agent, database, mode):
    """42501, as of a right that is missing. It was tried again for ever."""
    database.query("CREATE TABLE t (id int PRIMARY KEY, site text); ALTER TABLE t ENABLE ROW LEVEL "
                   "SECURITY; CREATE POLICY north ON t USING (true) WITH CHECK (site = 'north'); "
                   "GRANT SELECT, INSERT, UPDATE ON t TO trusted")
    deliver(agent, database, {"id": 1, "site": "north"}, {"id": 2, "site": "south"},
            {"id": 3, "site": "north"}, url=database.url_of("trusted"), **options_of(mode))
    assert database.query("SELECT id FROM t ORDER BY id") == [("1",), ("3",)]
    assert len(reasons(agent)) == 1 and "row-level security policy" in reasons(agent)[0]


def test_an_upsert_leaves_an_identity_column_that_is_always_generated_alone(agent, database):
    """It ended the pipeline (428C9)."""
    database.query("CREATE TABLE t (n bigint GENERATED ALWAYS AS IDENTITY, id int PRIMARY KEY, v int)")
    for run, v in enumerate((1, 2)):
        agent.data_dir = agent.folder / str(run)
        deliver(agent, database, {"id": 1, "n": 7 + run, "v": v}, writeMode="upsert", key=["id"])
    assert database.query("SELECT n, id, v FROM t") == [("7", "1", "2")]
    assert agent.dead_letters() == []


def test_a_unique_key_that_is_deferrable_is_called_so(agent, database):
    database.query("CREATE TABLE t (id int UNIQUE DEFERRABLE)")
    log = fails(agent, database, {"id": 1}, writeMode="upsert", key=["id"])
    assert "is DEFERRABLE, which ON CONFLICT cannot use" in log


@pytest.mark.parametrize("mode", ["copy", "upsert"])
def test_scattered_bad_rows_do_not_cost_the_delivery_each(agent, database, mode):
    database.query("CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v % 50 <> 0), s text)")
    deliver(agent, database, *({"id": n, "v": n, "s": "x" * 200} for n in range(5000)), records=5000,
            **options_of(mode))
    assert database.count("t") == 4900
    assert len(agent.dead_letters()) == 100
