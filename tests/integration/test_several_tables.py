"""Several tables in one source: the tasks of one job, over kills too."""

import json
import sqlite3

import pytest

from harness.output import conforming
from harness.pipelines import pipeline, quick_retry
from harness.table_jobs import JOB, TABLES, job, make_tables
from harness.waiting import wait_for


def tasks(agent):
    answer = agent.command("tasks", "p", "--json", "--data-dir", str(agent.data_dir))
    jobs = conforming(answer.stdout, "tasks")["pipelines"] if answer.returncode == 0 else []
    return {task["name"]: task for job in jobs for task in job["tasks"]}


def states(agent):
    return {name: task["state"] for name, task in tasks(agent).items()}


def test_several_tables_become_one_in_one_job(agent, database):
    make_tables(database, 500)
    agent.configure(job(database, sink=JOB))
    assert agent.run() == 0, agent.log
    assert database.count("copies") == 3000
    assert database.query("SELECT * FROM log") == [("pre",), ("post 3000",)]
    assert "begins with the table orders_2, 2 of 6" in agent.log


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
@pytest.mark.parametrize("at_once", [1, 4])
def test_a_job_that_is_killed_goes_on_in_the_tables_where_it_was(agent, database, guarantee, at_once):
    make_tables(database, 3000)
    agent.configure(job(database, {"concurrency": at_once}, sink=JOB, guarantee=guarantee),
                    journal={"commitEvery": "0ms"})
    for share in (2000, 7000, 12000):
        agent.start()
        agent.wait_for(lambda: database.count("copies") > share)
        agent.kill()
    assert agent.run() == 0, agent.log
    assert database.value("SELECT count(DISTINCT id) FROM copies") == "18000"
    if guarantee == "exactlyOnce":
        assert database.count("copies") == 18000
    assert database.value("SELECT count(*) FROM log WHERE what = 'pre'") == "1", "it is one job"
    runs = json.loads(agent.command("runs", "p", "--json", "--data-dir", str(agent.data_dir)).stdout)["runs"]
    assert runs[0]["records"]["read"] < 18000 - 10000, "what was done is not read again"


def test_a_table_that_cannot_be_read_does_not_keep_the_others_from_it(agent, database):
    make_tables(database, 200)
    database.query("ALTER TABLE orders_2 RENAME TO elsewhere")
    agent.configure(job(database, sink=JOB, schedule={"every": "1h"}))
    agent.start()
    wait_for(lambda: agent.command("status", "p", "--data-dir", str(agent.data_dir)).returncode == 1)
    assert states(agent) == {table: "failed" if table == "orders_2" else "done" for table in TABLES}
    assert tasks(agent)["orders_1"]["records"] == 200 and "orders_2" in tasks(agent)["orders_2"]["reason"]
    assert "1 of 6 tables failed: orders_2: " in agent.log
    assert database.count("copies") == 1000
    assert database.query("SELECT * FROM log") == [("pre",)], "the job has not ended"
    shown = agent.command("tasks", "p", "--data-dir", str(agent.data_dir)).stdout
    assert "p: 1 failed, 0 running, 5 done, 0 waiting" in shown
    assert shown.splitlines()[0].split() == ["PIPELINE", "TASK", "STATE", "READ", "BYTES", "STARTED", "TOOK", "RATE"]
    done = tasks(agent)["orders_1"]
    assert done["started"] < done["ended"] and "/s" in shown
    database.query("ALTER TABLE elsewhere RENAME TO orders_2")
    assert agent.command("start", "p", "--data-dir", str(agent.data_dir)).returncode == 0
    wait_for(lambda: database.count("log") == 2)
    assert database.query("SELECT * FROM log") == [("pre",), ("post 1200",)]
    assert set(states(agent).values()) == {"done"}
    agent.terminate()
    assert agent.wait() == 0


def test_a_task_that_failed_is_tried_again_while_the_others_go_on(agent, database):
    make_tables(database, 200)
    database.query("ALTER TABLE orders_2 RENAME TO elsewhere")
    agent.configure(job(database, {"concurrency": 1, "failover": {"attempts": 1000, "interval": "200ms"}}, sink=JOB))
    agent.start()
    agent.wait_for(lambda: database.count("copies") == 1000)
    agent.wait_for(lambda: "waiting" in states(agent).values() and list(states(agent).values()).count("done") == 5)
    agent.wait_for(lambda: "orders_2" in tasks(agent)["orders_2"].get("reason", ""))
    database.query("ALTER TABLE elsewhere RENAME TO orders_2")
    assert agent.wait() == 0, agent.log
    assert database.count("copies") == 1200
    assert database.query("SELECT * FROM log") == [("pre",), ("post 1200",)], "it is one job"
    assert "; tried again in 2" in agent.log and "begins with the table orders_2, once more" in agent.log


def test_a_task_goes_on_behind_the_last_row_before_it_failed(agent, database):
    make_tables(database, 3000)
    agent.configure(job(database, {"where": "1 / (id - 20001) IS NOT NULL", "pageSize": 500,
                                   "failover": {"attempts": 1000, "interval": "200ms"}}))
    agent.start()  # of orders_2 the row 2000 cannot be read
    agent.wait_for(lambda: database.count("copies") >= 5 * 3000 + 1500 and "once more" in agent.log)
    database.query("DELETE FROM orders_2 WHERE id = 20001")
    assert agent.wait() == 0, agent.log
    assert "failed with the table orders_2: " in agent.log and "division by zero" in agent.log
    assert database.value("SELECT count(*) || ' ' || count(DISTINCT id) FROM copies") == "17999 17999"


def test_what_is_done_is_not_repeated_after_a_kill_while_a_failed_task_waits(agent, database):
    make_tables(database, 200)
    database.query("ALTER TABLE orders_2 RENAME TO elsewhere")
    agent.configure(job(database, {"failover": {"attempts": 1, "interval": "1h"}}, sink=JOB))
    for _ in range(2):  # attempts are counted by the run
        agent.start()
        agent.wait_for(lambda: database.count("copies") == 1000)
        agent.wait_for(lambda: sorted(states(agent).values()) == ["done"] * 5 + ["waiting"])
        agent.kill()
    database.query("ALTER TABLE elsewhere RENAME TO orders_2")
    assert agent.run() == 0, agent.log
    assert database.count("copies") == 1200
    assert database.query("SELECT * FROM log") == [("pre",), ("post 1200",)]
    runs = json.loads(agent.command("runs", "p", "--json", "--data-dir", str(agent.data_dir)).stdout)["runs"]
    assert runs[0]["records"]["read"] == 200


def test_a_job_fails_with_a_line_for_each_task_that_is_given_up(agent, database):
    make_tables(database, 200)
    database.query("DROP TABLE orders_2; DROP TABLE orders_5")
    agent.configure(job(database, {"failover": {"attempts": 2, "interval": "100ms"}}, sink=JOB))
    assert agent.run() == 1
    failures = [line for line in agent.log.splitlines() if "failed with the table" in line]
    given_up = [line for line in failures if "tried again" not in line]
    assert len(failures) == 6 and len(given_up) == 2, agent.log
    assert {"orders_2" in line for line in given_up} == {True, False}
    assert "2 of 6 tables failed: " in agent.log
    assert database.count("copies") == 800
    assert database.query("SELECT * FROM log") == [("pre",)]


def test_rows_of_tables_whose_columns_are_in_another_order_go_where_they_belong(agent, database):
    database.query("""CREATE TABLE copies (id int, a int, b int);
        CREATE TABLE orders_1 (id int PRIMARY KEY, a int, b int); CREATE TABLE orders_2 (id int PRIMARY KEY, b int, a int);
        INSERT INTO orders_1 SELECT i, 1, 2 FROM generate_series(1, 300) i;
        INSERT INTO orders_2 SELECT i, 2, 1 FROM generate_series(1, 300) i""")
    agent.configure(job(database, {"tables": ["orders_%"], "pageSize": 50}))
    assert agent.run() == 0, agent.log
    assert database.query("SELECT a, b, count(*) FROM copies GROUP BY 1, 2") == [("1", "2", "600")]


def test_a_pattern_means_the_tables_that_there_are_when_a_run_begins(agent, database):
    make_tables(database, 10)
    database.query("""CREATE TABLE "ordersX1" (id bigint PRIMARY KEY, note text); CREATE VIEW orders_v AS TABLE orders_1;
        CREATE TABLE orders_p (id bigint PRIMARY KEY, note text) PARTITION BY RANGE (id);
        CREATE TABLE orders_p1 PARTITION OF orders_p FOR VALUES FROM (1000) TO (2000);
        CREATE SCHEMA old; CREATE TABLE old."orders_Q" (id bigint PRIMARY KEY, note text);
        INSERT INTO "ordersX1" VALUES (500, ''); INSERT INTO orders_p VALUES (1001, '');
        INSERT INTO old."orders_Q" VALUES (2001, '')""")
    agent.configure(job(database, {"tables": [
        "orders_1", "public.orders_1", "PUBLIC.Orders_2", "orders_%", "orders_p1%", "public.orders_%", "old.orders_%"]}))
    checked = agent.command("check", "-c", agent.config_path, "--connect")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert agent.run() == 0, agent.log
    assert database.count("copies") == 62, "each of the seven once, and the one of the other schema"
    database.query("CREATE TABLE orders_7 (id bigint PRIMARY KEY, note text); INSERT INTO orders_7 VALUES (7, '')")
    assert agent.run() == 0, agent.log
    assert database.count("copies") == 63
    agent.configure(job(database, {"tables": ["nothing_%"]}))
    assert agent.run() == 1
    assert "there is no table of the name nothing_%" in agent.log
    checked = agent.command("check", "-c", agent.config_path, "--connect")
    assert checked.returncode != 0 and "nothing_%" in checked.stdout + checked.stderr


def test_a_table_goes_on_where_it_was_under_another_of_its_names(agent, database):
    make_tables(database, 10)
    agent.configure(job(database, {"tables": ["public.orders_%"]}))
    assert agent.run() == 0, agent.log
    database.query("INSERT INTO orders_1 VALUES (1000, '')")
    agent.configure(job(database, {"tables": ["orders_1", "orders_%", "public.orders_%"]}))
    assert agent.run() == 0, agent.log
    assert database.count("copies") == 61, "and no table is read anew"
    assert ", 6 of 6" in agent.log


def test_each_run_of_a_schedule_reads_all_of_them_anew(agent, database):
    make_tables(database, 50)
    agent.configure(job(database, sink=JOB, schedule={"every": "1s"}))
    agent.start()
    agent.wait_for(lambda: database.count("copies") == 300)
    database.query("DELETE FROM orders_2")
    agent.wait_for(lambda: database.count("copies") == 250)
    agent.terminate()
    assert agent.wait() == 0


def test_tables_of_sqlite_are_read_so_too(agent, database):
    database.query("CREATE TABLE copies (id bigint, note text)")
    path = agent.folder / "plant.db"
    with sqlite3.connect(path) as plant:
        for table in TABLES:
            plant.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, note TEXT)")
            plant.executemany(f"INSERT INTO {table} (note) VALUES (?)", [(f"n{i}",) for i in range(2000)])
        plant.execute("CREATE VIEW orders_v AS SELECT * FROM orders_1")
    plant.close()
    agent.configure(pipeline({"type": "sqlite", "path": str(path), "tables": ["orders_1", "ORDERS_2", "orders_%"],
                              "pageSize": 100},
                             {"type": "postgres", "url": database.url, "table": "copies",
                              "batch": {"records": 100, "linger": "10ms"}},
                             delivery=quick_retry(guarantee="exactlyOnce")))
    checked = agent.command("check", "-c", agent.config_path, "--connect")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for share in (1000, 5000):
        agent.start()
        agent.wait_for(lambda: database.count("copies") > share)
        agent.kill()
    assert agent.run() == 0, agent.log
    assert database.count("copies") == 12000
    assert database.value("SELECT count(*) FROM (SELECT id FROM copies GROUP BY id HAVING count(*) = 6) i") == "2000"


def test_explain_shows_the_tables_that_a_pattern_means_before_anything_runs(agent, database):
    make_tables(database, 1)
    agent.configure(job(database, {"tables": ["orders_1", "orders_%"], "concurrency": 3}))
    told = "orders_1, orders_%, 3 at once"
    assert f"  tasks     {told}; --connect asks which they are\n" in \
        agent.command("explain", "-c", agent.config_path).stdout
    done = agent.command("explain", "-c", agent.config_path, "--connect")
    assert done.returncode == 0
    listed = "".join(f"    {table}\n" for table in TABLES)
    assert f"  tasks     {told}\n{listed}" in done.stdout.replace("public.", ""), done.stdout
    agent.configure(job(database, {"tables": ["none_%"]}))
    done = agent.command("explain", "-c", agent.config_path, "--connect")
    assert done.returncode == 1
    assert "4 at once; which they are is not known: there is no table of the name none_%" in done.stdout


def test_each_record_says_which_table_it_is_of(agent, database):
    make_tables(database, 300)
    database.query("ALTER TABLE copies ADD COLUMN source text")
    agent.configure(job(database, {"tableField": "source"}))
    assert agent.run() == 0, agent.log
    assert database.query("SELECT source, count(*) FROM copies GROUP BY 1 ORDER BY 1") == [
        (table, "300") for table in sorted(TABLES)]


def test_tables_go_into_folders_of_their_names(agent):
    path = agent.folder / "shop.db"
    with sqlite3.connect(path) as shop:
        for table, rows in (("orders_1", 20), ("orders_2", 30)):
            shop.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
            shop.executemany(f"INSERT INTO {table} VALUES (?)", [(n,) for n in range(rows)])
    archive = agent.folder / "archive"
    archive.mkdir()
    agent.configure(pipeline({"type": "sqlite", "path": str(path), "tables": ["orders_%"], "tableField": "table"},
                             {"type": "file", "path": f"{archive}/{{table}}/part.csv", "format": "csv"},
                             delivery=quick_retry()))
    assert agent.run() == 0, agent.log
    for table, rows in (("orders_1", 20), ("orders_2", 30)):
        lines = (archive / table / "part.csv").read_text().splitlines()
        assert lines == ["id,table"] + [f"{n},{table}" for n in range(rows)]
