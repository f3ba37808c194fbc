"""Every type a server brings, in every write mode: what leat stores is what psql stores for the same
text, or the record is a dead letter with a reason.

The table of it in connectors/postgres/README.md is made here: LEAT_WRITE_TYPES=1 writes it, and
otherwise it is checked, by a server of the version it was made with.
"""

import json
import os
import re
from decimal import Decimal
from pathlib import Path

import pytest

from harness.postgres_pipelines import configure, lines

README = Path(__file__).resolve().parents[2] / "connectors/postgres/README.md"
BEGIN, END = "<!-- types:begin -->", "<!-- types:end -->"

WHOLE = ["42", " +007 ", "-1", "44.0", "1e3", "32767", "32768", "2147483648", "9223372036854775807",
         "9223372036854775808"]
REAL = ["42", ".5", "5.", "007", "+Infinity", "-inf", "NaN", "3.4028235e38", "3.5e38", "1e-400", "1e400",
        "1,5", "0.1"]
TIMES = ["2026-01-02 03:04", "2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.9999995+02:00",
         "20260102T030405", "Jan 2 2026", "2026-01-02T24:00:00", "2026-02-30", "0044-03-15 12:00:00 BC",
         "12026-01-02 00:00:00", "infinity", "epoch", "5874898-01-01", "1760000000"]
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
# By pg_type.typname; what is not here gets the texts of ANY alone.
TEXTS = {
    "bool": ["t", "FALSE", "yes", " of ", "1", "2", "maybe"],
    "int2": WHOLE, "int4": WHOLE, "int8": WHOLE, "oid": ["42", "-1", "4294967295", "4294967296"],
    "float4": REAL, "float8": REAL + ["1.7976931348623157e308", "5e-324"],
    "numeric": REAL + ["00.10", "12345678901234567890.123456789", "1e20", "1e131072"],
    "money": ["12.50", "$1,000.00", "x"],
    "text": ["a\tb\nc\\d", "\\N", "\\.", "it's äö😀"], "varchar": ["\\N", "''"], "bpchar": ["ab ", "\\N"],
    "name": ["n", "n" * 70], "char": ["a", "ab"], "bytea": ["\\x00ff", "\\xabc", "ab", "a\\\\b", "a\\001", "a\\b"],
    "date": TIMES, "timestamp": TIMES, "timestamptz": TIMES,
    "time": ["03:04", "24:00:00", "24:00:01", "23:59:59.9999999", "3:04 PM", "allballs", "030405"],
    "timetz": ["03:04+02", "24:00:00Z"], "interval": ["1 day 2 hours", "P1DT2H", "1:02", "1 lightyear"],
    "uuid": [UUID, UUID.upper(), "{" + UUID + "}", UUID.replace("-", ""), UUID[:-1]],
    "json": ['{"a": [1,  2]}', "[1,]", "plain", "12", "true", '"q"'],
    "jsonb": ['{"a": [1,  2]}', "[1,]", "plain", "12", "true", '"q"', '{"a": 1e400, "b": 1.50}', '["\\u0000"]'],
    "jsonpath": ["$.a[*]", "$["], "xml": ["<a/>"],
    "inet": ["10.0.0.1/8", "::1", "10.0.0.256"], "cidr": ["10.0.0.0/8", "10.0.0.1/8"],
    "macaddr": ["08:00:2b:01:02:03", "08002b010203", "x"], "macaddr8": ["08:00:2b:01:02:03:04:05"],
    "bit": ["1", "10", "x"], "varbit": ["101", "12"],
    "point": ["(1,2)", "1,2", "(1,2"], "line": ["{1,2,3}", "(1,2),(3,4)"], "lseg": ["[(1,2),(3,4)]"],
    "box": ["(2,2),(1,1)"], "path": ["[(1,2),(3,4)]", "((1,2),(3,4))"], "polygon": ["((1,2),(3,4))"],
    "circle": ["<(1,2),3>"], "tsvector": ["a:1 b", "'"], "tsquery": ["a & b", "a &"],
    "int4range": ["[1,5)", "(1,5]", "empty", "[5,1]"], "numrange": ["[1.5,)"], "int8range": ["[1,1]"],
    "daterange": ["[2026-01-02,2026-02-30]", "[2026-01-02,)"], "tsrange": ["[2026-01-02 03:04,]"],
    "tstzrange": ["(,2026-01-02T00:00:00+02:00)"], "int4multirange": ["{[1,2),[5,7)}"],
    "int8multirange": ["{}"], "nummultirange": ["{[1.5,2]}"], "datemultirange": ["{[2026-01-02,2026-01-03]}"],
    "tsmultirange": ["{[2026-01-02,)}"], "tstzmultirange": ["{(,2026-01-02)}"], "gtsvector": [],
    "pg_lsn": ["16/B374D848"], "pg_snapshot": ["10:20:10,14"], "txid_snapshot": ["10:20:10,14"],
    "xid": ["42"], "xid8": ["42"], "cid": ["42"], "tid": ["(1,2)"], "refcursor": ["c"],
    "int2vector": ["1 2 3"], "oidvector": ["1 2 3"], "regclass": ["pg_class", "nowhere"], "regtype": ["int4"],
    "regproc": ["now"], "regprocedure": ["abs(int4)"], "regoper": ["||/"], "regoperator": ["+(int4,int4)"],
    "regrole": ["postgres"], "regnamespace": ["public"], "regcollation": ['"C"'], "regconfig": ["english"],
    "regdictionary": ["simple"], "aclitem": ["postgres=r/postgres"],
    "varchar(3)": ["abc", "abc  ", "abcd", "äöü"], "char(3)": ["ab", "ab     ", "abcd"],
    "numeric(5,2)": ["123.455", "999.995", "1234"], "bit(3)": ["101", "10"],
    "timestamptz(0)": ["2026-01-02T03:04:05.6Z"], "interval hour": ["1 day 2:30"],
    "mood": ["sad", "Sad"], "percent": ["55", "101", "55.0"], "pair": ["(1,b)", "(1)"],
    "int4[]": ["{1,NULL,3}", "{{1,2},{3,4}}", "{1,2", "[0:1]={1,2}"], "text[]": ['{a,"b\\"c",NULL,"NULL"}'],
    "jsonb[]": ['{"{\\"a\\": 1}","12"}'], "box[]": ["{(2,2),(1,1);(4,4),(3,3)}"], "box": ["(2,2),(1,1)"],
}
ANY = ["", "abc", "7"]
NUMBERS = ["42", "44.0", "1e3", "9007199254740993.0", "1.0000000000000000000001", "1e-400", "1e400", "0.1", "70000"]
MORE = ["varchar(3)", "char(3)", "numeric(5,2)", "bit(3)", "timestamptz(0)", "interval hour", "mood", "percent",
        "pair", "int4[]", "text[]", "jsonb[]", "box[]"]
JSON = {"json", "jsonb"}

SET_UP = """
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
    CREATE TYPE pair AS (a int, b text);
    CREATE TABLE t (id int PRIMARY KEY);
    CREATE TABLE cases (id int PRIMARY KEY, col text, said text, whole boolean, shown text, stored text);
    DO $$ DECLARE type text; BEGIN
      FOR type IN SELECT quote_ident(typname) FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
                  AND typtype IN ('b', 'r', 'm') AND (typcategory <> 'A' OR typlen <> -1 OR typname IN ('int2vector', 'oidvector'))
      LOOP BEGIN
        EXECUTE format('ALTER TABLE t ADD %I pg_catalog.%s', trim(type, '"'), type);
      EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP;
    END $$;
"""
# What psql makes of each text, and what is in the table by now. Integers take numbers that are whole.
JUDGE = """
    SET timezone = 'UTC'; SET lc_monetary = 'C';
    CREATE TEMPORARY TABLE probe (LIKE t);
    DO $$ DECLARE one record; BEGIN
      FOR one IN SELECT * FROM cases LOOP
        BEGIN
          EXECUTE format('INSERT INTO probe (id, %1$I) VALUES (%2$s, %3$L)', one.col, one.id, one.said);
          EXECUTE format('UPDATE cases SET shown = (SELECT %1$I::text FROM probe WHERE id = %2$s) WHERE id = %2$s',
                         one.col, one.id);
        EXCEPTION WHEN OTHERS THEN NULL; END;
        EXECUTE format('UPDATE cases SET stored = (SELECT %1$I::text FROM t WHERE id = %2$s) WHERE id = %2$s',
                       one.col, one.id);
      END LOOP;
    END $$;
    SELECT id, shown, stored FROM cases ORDER BY id;
"""


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def as_json(type, text):
    """What psql is given for a string in a column of JSON: the string, unless it is more."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    return text if isinstance(value, (list, dict)) else json.dumps(text)


def whole(type, token):
    """A number for an integer column: digit by digit, without a fraction of zeros."""
    number = Decimal(token)
    if type not in ("int2", "int4", "int8", "percent") or number.adjusted() > 20 or number != number.to_integral():
        return token
    return str(int(number))


def values_of(type):
    """(JSON of a value, the text for psql) for a column of this type."""
    for text in TEXTS.get(type, []) + ANY:
        yield json.dumps(text), as_json(type, text) if type in JSON else text
    if type in ("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "text", "jsonb", "timestamptz",
                "percent"):
        for token in NUMBERS:
            yield token, whole(type, token)
        for token in ("true", "false"):
            yield token, token


def cases_of(columns):
    """(column, JSON of the field, the text for psql) of every type."""
    return [(type, field, said) for type in columns for field, said in values_of(type)]


def element(said):
    """A text as an element of an array literal."""
    return '"' + said.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array_cases(columns):
    """As cases_of(), of arrays: each value alone in one; then one that the type takes, by itself as text, among
    others, in two dimensions; and arrays of nothing."""
    for column, (type, delimiter) in columns.items():
        for field, said in values_of(type):
            yield column, f"[{field}]", "{" + element(said) + "}"
        texts = TEXTS.get(type)
        if texts:
            field, said = json.dumps(texts[0]), element(as_json(type, texts[0]) if type in JSON else texts[0])
            yield column, f"[{field},null,{field}]", "{" + delimiter.join([said, "NULL", said]) + "}"
            if type not in JSON:  # whose arrays are values, too
                yield column, f"[[{field},{field}],[{field},null]]", "{%s}" % delimiter.join(
                    "{" + said + delimiter + last + "}" for last in (said, "NULL"))
                yield column, f"[[{field}],[{field},{field}]]", "{{%s},{%s}}" % (said, said + delimiter + said)
            yield column, json.dumps("{" + said + "}"), "{" + said + "}"
            yield column, json.dumps("[2:3]={" + said + delimiter + said + "}"), "[2:3]={" + said + delimiter + said + "}"
        for text in ("{}", "{", "{}}", ""):
            yield column, json.dumps(text), text
        yield column, "[]", "{}"


MODES = {"copy": {}, "insert": {}, "upsert": {"key": ["id"]},
         "merge": {"mergeSql": "INSERT INTO t SELECT * FROM leat_staging"}}


def stored(agent, database, mode, cases):
    """What becomes of these cases: (column, field, as psql shows it, the letter's reason or None)."""
    cases = list(enumerate(cases))
    database.query("INSERT INTO cases (id, col, said) VALUES " + ", ".join(
        f"({id}, {quoted(type)}, {quoted(said)})" for id, (type, _, said) in cases))
    records = (f'{{"id": {id}, {json.dumps(type)}: {field}}}' for id, (type, field, _) in cases)
    configure(agent, database, lines(agent, *records), writeMode=mode, **MODES[mode])
    assert agent.run() == 0, agent.log
    letters = {letter["record"]["id"]: letter["reason"] for letter in agent.dead_letters()}

    wrong = []
    found = []
    for row in database.query(JUDGE):
        id, shown, stored = int(row[0]), row[1], row[2]
        type, field, said = cases[id][1]
        if id in letters:
            good = stored == "NULL" and letters[id] != ""
        else:
            good = stored == shown != "NULL"
        if not good:
            wrong.append((type, field, f"psql: {shown}", f"leat: {stored}", letters.get(id)))
        found.append((type, field, shown, letters.get(id)))
    assert wrong == []
    return found


def by_column(found):
    out = {}
    for column, field, shown, reason in found:
        out.setdefault(column, []).append((field, shown, reason is not None))
    return out


@pytest.mark.parametrize("mode", MODES)
def test_what_is_stored_is_what_psql_stores_for_the_same_text(agent, database, mode):
    database.query(SET_UP + "".join(f'ALTER TABLE t ADD "{type}" {type};' for type in MORE))
    columns = [name for (name,) in database.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 1 ORDER BY attnum")]
    assert len(columns) > 80
    check_table(database, by_column(stored(agent, database, mode, cases_of(columns))))


@pytest.mark.parametrize("mode", MODES)
def test_arrays_of_every_type_are_what_psql_makes_of_the_same_array(agent, database, mode):
    database.query(SET_UP)
    scalars = database.query("""
        SELECT t.typname, a.typname, t.typdelim FROM pg_type t JOIN pg_type a ON a.oid = t.typarray
        WHERE EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 1 AND atttypid = t.oid)
           OR t.typname IN ('mood', 'percent', 'pair')""")
    columns = {f"{type}[]": (type, delimiter) for type, _, delimiter in scalars}
    assert len(columns) > 75
    database.query("".join(f'ALTER TABLE t ADD "{type}[]" {array};' for type, array, _ in scalars))
    found = by_column(stored(agent, database, mode, array_cases(columns)))
    # As a scalar goes, so does an element.
    assert [(column, row) for column, rows in found.items() for row in rows if row[2] and row[1] != "NULL"] == []


# --- the table in the README ----------------------------------------------------------------------


def cell(fields):
    shown = []
    for field in fields:
        field = field if len(field) < 40 else field[:30] + '…"'
        if field.startswith('"'):
            field = json.dumps(json.loads(field), ensure_ascii=False)
        shown.append("`" + field.replace("|", "\\|") + "`")
    return " ".join(shown)


def table(version, found):
    rows = [f"By PostgreSQL {version}, in all four write modes. Fields as JSON, a string with its quotes:", "",
            "| type | stored as psql stores the same text | dead letter, as psql refuses it | dead letter all the same |",
            "|---|---|---|---|"]
    unread = []
    for type in sorted(found):
        own = [row for row in found[type] if json.loads(row[0]) not in ANY or type not in TEXTS]
        taken = [field for field, _, dead in own if not dead]
        refused = [field for field, shown, dead in own if dead and shown == "NULL" and type in TEXTS]
        ours = [field for field, shown, dead in own if dead and shown != "NULL"]
        if taken or refused:
            rows.append(f"| {type} | {cell(taken)} | {cell(refused)} | {cell(ours)} |")
        else:
            unread.append(type)
    rows.append(f"| {', '.join(unread)} | | whatever it is: the server reads no text as one | |")
    return "\n".join(rows)


def check_table(database, found):
    version = int(database.value("SHOW server_version_num")) // 10000
    text = README.read_text()
    before, rest = text.split(BEGIN)
    now, after = rest.split(END)
    wanted = f"\n\n{table(version, found)}\n\n"
    if os.environ.get("LEAT_WRITE_TYPES"):
        README.write_text(before + BEGIN + wanted + END + after)
    elif f"By PostgreSQL {version}," in now:
        assert now == wanted, "LEAT_WRITE_TYPES=1 writes the table anew"
