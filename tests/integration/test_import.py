"""leat import, and leat run --datax: job files of DataX and go-etl, run against real databases and files."""

import json
import shutil
import sqlite3
from datetime import date, timedelta

import pytest

# The example of go-etl's developer guide, as it stands there, but for the server's address.
GUIDE = r"""
{
    "core" : {
        "container": {
            "job":{
                "id": 1,
                "sleepInterval":100
            },
            "taskGroup":{
                "id": 1,
                "failover":{
                    "retryIntervalInMsec":0
                }
            }
        },
        "transport":{
            "channel":{
                "speed":{
                    "byte": 100,
                    "record":100
                }
            }
        }
    },
    "job":{
        "content":[
            {
                "reader":{
                    "name": "csvreader",
                    "parameter": {
                        "path":["d:\\a.txt"],
                        "column":[
                            {
                                "index":"1",
                                "type":"time",
                                "format":"yyyy-MM-dd"
                            }
                        ],
                        "encoding":"utf-8",
                        "delimiter":","
                    }
                },
                "writer":{
                    "name": "postgreswriter",
                    "parameter": {
                        "username": "postgres",
                        "password": "123456",
                        "writeMode": "copyIn",
                        "column": ["*"],
                        "preSql": [],
                        "connection":  {
                                "url": "postgres://192.168.15.130:5432/postgres?sslmode=disable&connect_timeout=2",
                                "table": {
                                    "db":"postgres",
                                    "schema":"public",
                                    "name":"cvs"
                                }
                         },
                        "batchTimeout": "1s",
                        "batchSize":1000
                    }
                },
               "transformer":[]
            }
        ],
        "setting":{
            "speed":{
                "byte":3000,
                "record":400,
                "channel":4
            }
        }
    }
}
"""
GUIDE_TABLE = "CREATE TABLE cvs (create_ date, flag boolean, num bigint, dou numeric, str text)"


@pytest.fixture(autouse=True)
def can_import(agent):
    if "leat import" not in agent.command("help").stdout:
        pytest.skip("this build has no leat import")


def job(reader, writer, **setting):
    return json.dumps({"job": {"content": [{"reader": reader, "writer": writer}], "setting": setting}})


def reader(name, **parameter):
    return {"name": name, "parameter": parameter}


writer = reader


def go_database(database, table):
    return {"username": "trusted", "password": "x",
            "connection": {"url": f"postgres://127.0.0.1:{database.server.port}/{database.name}?sslmode=disable",
                           "table": {"schema": "public", "name": table}}}


def java_database(database, *tables, **more):
    return {"username": "trusted", "password": "x", "connection": [
        {"jdbcUrl": [f"jdbc:postgresql://127.0.0.1:{database.server.port}/{database.name}"],
         **({"table": list(tables)} if tables else {}), **more}]}


def sqlite_file(path, table):
    return {"connection": {"url": str(path), "table": {"name": table}}}


def give_all(database):
    database.query("GRANT ALL ON ALL TABLES IN SCHEMA public TO trusted")


class Importer:
    """Imports a job's text, checks what comes of it, and runs that."""

    def __init__(self, agent):
        self.agent = agent

    def imported(self, text):
        self.agent.folder.joinpath("job.json").write_text(text)
        return self.agent.command("import", "job.json", "--data-dir", self.agent.data_dir)

    def run(self, text):
        """What was said of it; all was delivered."""
        done = self.imported(text)
        assert done.returncode == 0, done.stderr
        self.agent.write_config(done.stdout)
        checked = self.agent.command("check", "-c", self.agent.config_path)
        assert checked.returncode == 0, checked.stderr
        assert self.agent.run() == 0, self.agent.log
        letters = self.agent.data_dir / "dead-letters"
        assert not letters.exists() or list(letters.iterdir()) == []
        return done.stderr


@pytest.fixture
def importer(agent):
    return Importer(agent)


def guide_job(database):
    return GUIDE.replace("192.168.15.130:5432/postgres", f"127.0.0.1:{database.server.port}/{database.name}")


def write_guide_rows(folder, count):
    first = date(2024, 2, 1)
    lines = [f"{first + timedelta(days=i)},{'true' if i % 2 else 'false'},{i},{i}.50,\"text, {i}\"\n"
             for i in range(count)]
    (folder / r"d:\a.txt").write_text("".join(lines))


def test_the_example_of_the_guide_runs_as_it_is_written(agent, database):
    database.query(GUIDE_TABLE)
    write_guide_rows(agent.folder, 300)
    agent.folder.joinpath("job.json").write_text(guide_job(database))
    done = agent.command("run", "--datax", "job.json", deadline=60)
    assert done.returncode == 0, done.stderr
    assert database.query("SELECT count(*), min(create_), max(num), sum(dou), max(str) FROM cvs") == [
        ("300", "2024-02-01", "299", "45000.00", "text, 99")]
    assert "job.core" not in done.stderr
    assert "core.container.taskGroup.failover" in done.stderr
    assert "a path of Windows" in done.stderr


def test_a_job_that_runs_straight_from_its_file_begins_anew_when_it_has_succeeded(agent, database):
    database.query(GUIDE_TABLE)
    write_guide_rows(agent.folder, 5)
    agent.folder.joinpath("job.json").write_text(guide_job(database))
    for run in (1, 2):
        assert agent.command("run", "--datax", "job.json").returncode == 0
        assert database.count("cvs") == 5 * run
        assert not agent.folder.joinpath("job.json.leat").exists()
    for _ in range(2):  # with a folder of its own, what was read is remembered
        assert agent.command("run", "--datax", "job.json", "--data-dir", agent.data_dir).returncode == 0
    assert database.count("cvs") == 15


def test_a_job_that_has_failed_goes_on_where_it_was(agent, database):
    database.query("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 10); "
                   "CREATE TABLE copy (id int)")
    give_all(database)
    agent.folder.joinpath("job.json").write_text(
        job(reader("postgresqlreader", column=["id"], **java_database(database, "a", "late")),
            writer("postgresqlwriter", column=["id"], **java_database(database, "copy"))))
    assert agent.command("run", "--datax", "job.json", deadline=60).returncode == 1
    assert agent.folder.joinpath("job.json.leat").exists()
    database.query("CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late SELECT generate_series(11, 30)")
    give_all(database)
    assert agent.command("run", "--datax", "job.json", deadline=60).returncode == 0
    assert database.query("SELECT count(*), count(DISTINCT id) FROM copy") == [("30", "30")]
    assert not agent.folder.joinpath("job.json.leat").exists()


def test_a_job_that_cannot_be_imported_does_not_run(agent):
    agent.folder.joinpath("job.json").write_text(job(reader("hbasereader"), writer("oraclewriter")))
    done = agent.command("run", "--datax", "job.json")
    assert done.returncode == 2
    assert 'job.content[0].reader.name: leat reads nothing as "hbasereader" does' in done.stderr
    assert 'job.content[0].writer.name: leat writes nothing as "oraclewriter" does' in done.stderr
    assert not agent.folder.joinpath("job.json.leat").exists()
    both = agent.command("run", "--datax", "job.json", "-c", "other.json")
    assert both.returncode == 2 and "is given, and another in its place" in both.stderr


def test_what_has_no_counterpart_is_said_with_its_place_and_nothing_else_is_printed(importer, database):
    done = importer.imported(guide_job(database))
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert lines[-1] == "leat: job.json: 3 warnings"
    failover, = [line for line in lines if line.startswith("warning: core.container.taskGroup.failover: ")]
    assert failover.endswith("(job.json:11:28)")
    assert json.loads(done.stdout)["pipelines"][0]["limits"] == {
        "recordsPerSecond": 400, "bytesPerSecond": "3000"}


def test_what_only_a_stage_can_judge_is_refused(importer, database):
    done = importer.imported(guide_job(database).replace('"batchSize":1000', '"batchSize":2000000'))
    assert (done.returncode, done.stdout) == (2, "")
    assert "pipelines[0].sink.batch.records: must be between 1 and 1000000" in done.stderr


def test_a_file_that_is_missing_or_no_job(importer, agent):
    assert agent.command("import", "none.json").returncode == 2
    done = importer.imported('{"pipelines": []}')
    assert done.returncode == 2 and "this is no job file of DataX or go-etl" in done.stderr
    done = importer.imported('{"job": ')
    assert done.returncode == 2 and "job.json" in done.stderr


# --- files ------------------------------------------------------------------------------------------


def test_times_in_another_form_become_times(importer, agent, database):
    database.query("CREATE TABLE t (id int, day date, at timestamp)")
    give_all(database)
    agent.folder.joinpath("a.csv").write_text("1;24.12.2025;2025-12-24 13:14:15\n2;;\n")
    importer.run(job(reader("csvreader", path=["a.csv"], delimiter=";", column=[
                         {"index": "2", "type": "time", "format": "dd.MM.yyyy"},
                         {"index": "3", "type": "time", "format": "yyyy-MM-dd HH:mm:ss"}]),
                     writer("postgreswriter", column=["*"], **go_database(database, "t"))))
    assert database.query("SELECT * FROM t ORDER BY id") == [
        ("1", "2025-12-24", "2025-12-24 13:14:15"), ("2", "NULL", "NULL")]


def test_null_comments_and_the_first_row(importer, agent, database):
    database.query("CREATE TABLE t (id int, note text)")
    give_all(database)
    agent.folder.joinpath("a.csv").write_text("id,note\n#1,no\n2,NIL\n3,\n")
    importer.run(job(reader("csvreader", path=["a.csv"], startRow=2, comment="#", nullFormat="NIL"),
                     writer("postgreswriter", column=["id", "note"], **go_database(database, "t"))))
    assert database.query("SELECT id, coalesce(note, 'null') FROM t ORDER BY id") == [("2", "null"), ("3", "")]


def test_columns_of_txtfilereader_are_counted_from_zero(importer, agent, database):
    database.query("CREATE TABLE t (name text, id bigint)")
    give_all(database)
    agent.folder.joinpath("a.txt").write_text("id\tx\tname\n1\ty\tone\n2\ty\t\\N\n")
    importer.run(job(reader("txtfilereader", path=["a.txt"], encoding="UTF-8", fieldDelimiter="\t", skipHeader=True,
                            column=[{"index": 2, "type": "string"}, {"index": 0, "type": "long"}]),
                     writer("postgresqlwriter", column=["name", "id"], **java_database(database, "t"))))
    assert database.query("SELECT id, coalesce(name, 'null') FROM t ORDER BY id") == [("1", "one"), ("2", "null")]


def test_from_file_to_file(importer, agent):
    agent.folder.joinpath("a.csv").write_text('1,"x,y"\n2,z\n')
    agent.folder.joinpath("b.csv").write_text("3,w\n")
    said = importer.run(job(reader("csvreader", path=["a.csv", "b.csv"], delimiter=","),
                            writer("csvwriter", path=["out.csv"], delimiter=";", hasHeader=True,
                                   header=["id", "text"]), speed={"channel": 4}))
    assert agent.folder.joinpath("out.csv").read_text() == "id;text\n1;x,y\n2;z\n3;w\n"
    assert "one after the other" in said
    assert "a file of this name that is there is kept" in said


def test_a_file_of_gbk_stays_one(importer, agent):
    if "gbk" not in agent.command("help", "csv").stdout:
        pytest.skip("this build writes utf-8 only")
    text = "1,温度\n2,\"乗,x\"\n"
    agent.folder.joinpath("a.csv").write_text(text, encoding="gbk")
    importer.run(job(reader("csvreader", path=["a.csv"], encoding="gbk"),
                     writer("csvwriter", path=["out.csv"], encoding="GBK")))
    assert agent.folder.joinpath("out.csv").read_bytes() == text.encode("gbk")


def test_a_table_to_a_file_of_datax(importer, agent, database):
    database.query("CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t VALUES (1, 'a'), (2, NULL)")
    give_all(database)
    agent.folder.joinpath("out").mkdir()
    importer.run(job(reader("postgresqlreader", column=["id", "note"], **java_database(database, "t")),
                     writer("txtfilewriter", path="out", fileName="t", writeMode="append", fieldDelimiter="|")))
    assert agent.folder.joinpath("out/t").read_text() == "1|a\n2|\\N\n"


# --- tables -----------------------------------------------------------------------------------------


def two_tables(database, rows=50):
    database.query(f"CREATE TABLE a (id int PRIMARY KEY, note text, at timestamptz DEFAULT now()); "
                   f"INSERT INTO a (id, note) SELECT i, 'n' || i FROM generate_series(1, {rows}) i; "
                   "CREATE TABLE b (key int PRIMARY KEY, text text, written timestamptz)")
    give_all(database)


def test_columns_go_by_their_places(importer, database):
    two_tables(database)
    importer.run(job(reader("postgresreader", column=["*"], **go_database(database, "a")),
                     writer("postgreswriter", column=["*"], **go_database(database, "b"))))
    assert database.query("SELECT id, note, at FROM a EXCEPT SELECT key, text, written FROM b") == []
    assert database.count("b") == 50


def test_where_expressions_and_pre_and_post_sql(importer, database):
    two_tables(database)
    database.query("INSERT INTO b VALUES (1000, 'old', now())")
    importer.run(job(reader("postgresreader", column=["id", "upper(note)"], where="id <= 10",
                            **go_database(database, "a")),
                     writer("postgreswriter", column=["key", "text"], preSql=["DELETE FROM b"],
                            postSql=["UPDATE b SET written = '2026-01-01'"], writeMode="copyIn",
                            **go_database(database, "b"))))
    assert database.query("SELECT count(*), max(key), min(text), min(written)::date FROM b") == [
        ("10", "10", "N1", "2026-01-01")]


def test_a_split_table_is_read_by_several_tasks(importer, agent, database):
    two_tables(database, 1000)
    importer.run(job(reader("postgresreader", column=["*"], split={"key": "id"}, **go_database(database, "a")),
                     writer("postgreswriter", column=["*"], **go_database(database, "b")), speed={"channel": 4}))
    assert database.count("b") == 1000
    source = json.loads(agent.config_path.read_text())["pipelines"][0]["source"]
    assert (source["split"], source["concurrency"]) == ({"by": "id", "tasks": 4}, 4)


def test_several_tables_of_datax_become_one(importer, database):
    two_tables(database, 10)
    database.query("CREATE TABLE a2 (LIKE a INCLUDING ALL); "
                   "INSERT INTO a2 (id, note) SELECT i, 'm' || i FROM generate_series(11, 30) i")
    give_all(database)
    importer.run(job(reader("postgresqlreader", column=["id", "note"], splitPk="", fetchSize=100,
                            **java_database(database, "a", "a2")),
                     writer("postgresqlwriter", column=["key", "text"], preSql=["delete from @table"],
                            batchSize=512, **java_database(database, "b"))))
    assert database.query("SELECT count(*), sum(key) FROM b") == [("30", "465")]


def test_a_query_of_ones_own(importer, database):
    two_tables(database)
    importer.run(job(reader("postgresqlreader",
                            **java_database(database, querySql=["select id + 100, note from a where id < 4;"])),
                     writer("postgresqlwriter", column=["key", "text"], **java_database(database, "b"))))
    assert database.query("SELECT key, text FROM b ORDER BY 1") == [("101", "n1"), ("102", "n2"), ("103", "n3")]


def test_an_upsert(importer, database):
    two_tables(database, 3)
    database.query("INSERT INTO b VALUES (2, 'old', '2020-01-01')")
    importer.run(job(reader("postgresreader", column=["*"], **go_database(database, "a")),
                     writer("postgreswriter", column=["*"], writeMode="upsert",
                            upsertSql="on conflict (key) do update set text = excluded.text",
                            **go_database(database, "b"))))
    assert database.query("SELECT key, text, written < '2021-01-01' FROM b ORDER BY 1") == [
        ("1", "n1", "f"), ("2", "n2", "t"), ("3", "n3", "f")]


def test_sqlite_to_sqlite(importer, agent):
    path = agent.folder / "plant.db"
    with sqlite3.connect(path) as plant:
        plant.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, temp REAL, note TEXT)")
        plant.execute("INSERT INTO a VALUES (1, 1.5, 'x'), (2, NULL, 'y')")
    copy = agent.folder / "copy.db"
    with sqlite3.connect(copy) as other:
        other.execute("CREATE TABLE b (id INTEGER, temp REAL, note TEXT)")
    shutil.copy(copy, agent.folder / "named.db")
    said = importer.run(job(reader("sqlite3reader", column=["*"], where="", **sqlite_file(path, "a")),
                            writer("sqlite3writer", column=["*"], writeMode="insert", **sqlite_file(copy, "b"))))
    assert "fields go into the columns of their names" in said
    with sqlite3.connect(copy) as other:
        assert other.execute("SELECT * FROM b").fetchall() == [(1, 1.5, "x"), (2, None, "y")]


def test_sqlite_to_postgres_and_a_file_to_sqlite(importer, agent, make_agent, database):
    path = agent.folder / "plant.db"
    with sqlite3.connect(path) as plant:
        plant.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, note TEXT)")
    agent.folder.joinpath("a.csv").write_text("1,x\n2,y\n")
    importer.run(job(reader("csvreader", path=["a.csv"]),
                     writer("sqlite3writer", column=["id", "note"], **sqlite_file(path, "a"))))
    database.query("CREATE TABLE t (k int, v text)")
    give_all(database)
    Importer(make_agent("second")).run(
        job(reader("sqlite3reader", column=["note", "id"], **sqlite_file(path, "a")),
            writer("postgreswriter", column=["v", "k"], **go_database(database, "t"))))
    assert database.query("SELECT k, v FROM t ORDER BY 1") == [("1", "x"), ("2", "y")]


def test_a_row_of_another_length_than_the_table_is_a_dead_letter(importer, agent, database):
    database.query("CREATE TABLE t (a int, b int)")
    give_all(database)
    agent.folder.joinpath("a.csv").write_text("1,2\n3\n4,5,6\n7,8\n")
    text = job(reader("csvreader", path=["a.csv"]),
               writer("postgresqlwriter", column=["*"], **java_database(database, "t")))
    agent.write_config(importer.imported(text).stdout)
    agent.run()
    assert database.query("SELECT * FROM t ORDER BY 1") == [("1", "2"), ("7", "8")]
    letters = agent.dead_letters("file-to-postgres")
    assert len(letters) == 2
    assert all("more or fewer fields than there are columns" in letter["reason"] for letter in letters)


def test_go_etl_ends_at_the_first_bad_row(importer, agent, database):
    database.query("CREATE TABLE t (a int, b int)")
    give_all(database)
    agent.folder.joinpath("a.csv").write_text("1,2\n3\n")
    text = job(reader("csvreader", path=["a.csv"]), writer("postgreswriter", column=["*"], **go_database(database, "t")))
    agent.write_config(importer.imported(text).stdout)
    assert agent.run() == 1
    assert "maxDeadLetters" in agent.log


def mysql_java(database, *tables):
    return {"username": "leat", "password": "", "connection": [
        {"jdbcUrl": [f"jdbc:mysql://127.0.0.1:{database.server.port}/{database.name}?useSSL=false"],
         "table": list(tables)}]}


def mysql_go(database, table):
    return {"username": "leat", "password": "",
            "connection": {"url": f"tcp(127.0.0.1:{database.server.port})/{database.name}",
                           "table": {"db": database.name, "name": table}}}


@pytest.mark.usefixtures("can_mysql")
def test_from_mysql_to_mysql_in_ranges(importer, mysql_database):
    mysql_database.query("CREATE TABLE a (id int PRIMARY KEY, `when` datetime, note varchar(20));"
                         "CREATE TABLE b (no int PRIMARY KEY, at datetime, note varchar(20) DEFAULT 'kept');"
                         "INSERT INTO a SELECT seq, '2026-11-27 01:02:03', concat('n', seq) FROM seq_1_to_1000;"
                         "INSERT INTO b VALUES (7, NULL, 'old')")
    importer.run(job(reader("mysqlreader", column=["id", "`when`"], splitPk="id", where="id <= 900",
                            **mysql_java(mysql_database, "a")),
                     writer("mysqlwriter", column=["no", "`at`"], writeMode="update", batchSize=100,
                            **mysql_java(mysql_database, "b")), speed={"channel": 3}))
    assert mysql_database.query("SELECT count(*), sum(no), min(at), sum(note = 'kept') FROM b") == [
        ("900", "405450", "2026-11-27 01:02:03", "899")]
    assert mysql_database.query("SELECT note FROM b WHERE no = 7") == [("old",)]


@pytest.mark.usefixtures("can_mysql")
def test_from_mysql_to_postgres_and_a_file_of_go_etl(importer, agent, database, mysql_database):
    mysql_database.query("CREATE TABLE a (id int PRIMARY KEY, note text); INSERT INTO a VALUES (1, 'ä'), (2, NULL)")
    database.query("CREATE TABLE b (id int, note text)")
    give_all(database)
    importer.run(job(reader("mysqlreader", column=["*"], **mysql_go(mysql_database, "a")),
                     writer("postgreswriter", column=["*"], **go_database(database, "b"))))
    assert database.query("SELECT * FROM b ORDER BY 1") == [("1", "ä"), ("2", "NULL")]
    (agent.folder / "in.csv").write_text("3,x\n4,y\n")
    importer.run(job(reader("csvreader", path=["in.csv"]),
                     writer("mysqlwriter", column=["id", "note"], **mysql_go(mysql_database, "a"))))
    assert mysql_database.query("SELECT * FROM a ORDER BY id") == [("1", "ä"), ("2", "NULL"), ("3", "x"), ("4", "y")]


@pytest.mark.usefixtures("can_mysql")
def test_statements_go_to_mysql_too(importer, agent, mysql_database):
    mysql_database.query("CREATE TABLE a (id int); CREATE TABLE log (what varchar(20)); INSERT INTO a VALUES (99)")
    (agent.folder / "in.csv").write_text("1\n2\n")
    importer.run(job(reader("csvreader", path=["in.csv"]),
                     writer("mysqlwriter", column=["id"], preSql=["TRUNCATE @table"],
                            postSql=["INSERT INTO log SELECT count(*) FROM @table"], **mysql_java(mysql_database, "a"))))
    assert mysql_database.query("SELECT * FROM log") == [("2",)]
