"""What is known of a job's tasks when no agent runs any more: they are in the journal."""

import contextlib
import json
import re
import sqlite3

import pytest

from harness.output import conforming
from harness.table_jobs import JOB, TABLES, job, make_tables
from harness.terminal import Terminal
from harness.waiting import wait_for


def shown(agent, *words):
    answer = agent.command("tasks", *words, "--json", "--data-dir", str(agent.data_dir))
    assert answer.returncode == 0, answer.stderr
    return conforming(answer.stdout, "tasks")["pipelines"]


def live(agent):
    """Of an agent that has just been started."""
    answer = agent.command("tasks", "--json", "--data-dir", str(agent.data_dir))
    found = conforming(answer.stdout, "tasks")["pipelines"] if answer.returncode == 0 else []
    return found[0] if found else {"done": 0, "running": 0}


def in_journal(agent):
    """How many rows there are, how long the longest is, and one of them."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{agent.data_dir}/journal.db?mode=ro", uri=True)) as journal:
            return journal.execute("SELECT count(*), max(length(value)), max(value) FROM positions"
                                   " WHERE pipeline = ':tasks'").fetchone()
    except sqlite3.OperationalError:  # it is not made yet, or not all of it
        return (0, 0, "")


def test_the_tasks_of_a_job_are_shown_when_its_agent_has_ended(agent, database):
    make_tables(database, 200)
    database.query("ALTER TABLE orders_2 RENAME TO elsewhere")
    agent.configure(job(database, sink=JOB))
    assert agent.run() == 1
    [kept] = shown(agent)
    assert (kept["name"], kept["run"], kept["done"], kept["failed"], kept["running"]) == ("p", 1, 5, 1, 0)
    tasks = {task["name"]: task for task in kept["tasks"]}
    assert {name: task["state"] for name, task in tasks.items()} == \
        {table: "failed" if table == "orders_2" else "done" for table in TABLES}
    assert tasks["orders_1"]["records"] == 200 and tasks["orders_1"]["bytes"] > 0
    assert tasks["orders_1"]["started"] <= tasks["orders_1"]["ended"]
    assert "orders_2" in tasks["orders_2"]["reason"]
    table = agent.command("tasks", "p", "--data-dir", str(agent.data_dir)).stdout
    assert "p: 1 failed, 0 running, 5 done, 0 waiting" in table
    database.query("ALTER TABLE elsewhere RENAME TO orders_2")
    assert agent.run() == 0
    [kept] = shown(agent, "p")
    assert kept["run"] == 2 and kept["done"] == 6, "it is that of the last run"
    assert in_journal(agent)[0] == 1
    listed = agent.command("positions", "--json", "--data-dir", str(agent.data_dir)).stdout
    assert {one["pipeline"] for one in json.loads(listed)["positions"]} <= {"p"}, "they are no positions of a source"


@pytest.mark.parametrize("guarantee", ["atLeastOnce", "exactlyOnce"])
def test_what_ran_when_the_agent_was_killed_was_interrupted(agent, database, guarantee):
    make_tables(database, 2000)
    agent.configure(job(database, {"concurrency": 2}, sink=JOB, guarantee=guarantee, limits={"recordsPerSecond": 800}),
                    journal={"commitEvery": "0ms"})
    agent.start()
    # Where the sink keeps the positions nothing else writes to the journal: then it takes 10 s. What is in it
    # can be seen when the agent is gone.
    wait_for(lambda: live(agent)["done"] >= 2, what="that two are done")
    wait_for(lambda: database.count("copies") > (9200 if guarantee == "exactlyOnce" else 4500))
    agent.kill()
    [kept] = shown(agent)
    states = [task["state"] for task in kept["tasks"]]
    assert (kept["running"], kept["interrupted"]) == (0, 2) and states.count("interrupted") == 2
    assert kept["done"] == states.count("done") >= 2 and kept["waiting"] == 4 - kept["done"]
    assert "2 interrupted" in agent.command("tasks", "--data-dir", str(agent.data_dir)).stdout
    agent.start()
    wait_for(lambda: live(agent).get("run") == 2 and live(agent)["running"] > 0, what="that it goes on")
    assert "interrupted" not in json.dumps(shown(agent))
    agent.kill()


def test_of_many_tasks_those_that_failed_are_kept(agent, database):
    names = [f"t_{number:03}" for number in range(260)]
    database.query("CREATE TABLE copies (id bigint, note text); CREATE TABLE log (what text);" +
                   "".join(f"CREATE TABLE {name} (id bigint PRIMARY KEY, note text);" for name in names[:-2]))
    agent.configure(job(database, {"tables": names, "concurrency": 8}))
    assert agent.run() == 1
    [kept] = shown(agent, "p")
    assert (kept["done"], kept["failed"], len(kept["tasks"])) == (258, 2, 200)
    assert [task["name"] for task in kept["tasks"][:2]] == names[-2:]
    assert in_journal(agent)[1] < 64 * 1024


def test_a_pipeline_that_is_not_known_has_none(agent, database):
    make_tables(database, 10)
    agent.configure(job(database))
    assert agent.run() == 0
    answer = agent.command("tasks", "q", "--data-dir", str(agent.data_dir))
    assert answer.returncode == 2 and 'the journal knows no pipeline "q"' in answer.stderr


def test_a_terminal_shows_how_far_the_job_is_and_what_is_slow(agent, database):
    make_tables(database, 3000)
    database.query("ANALYZE")
    agent.configure(job(database, {"concurrency": 2}, limits={"recordsPerSecond": 4000}))
    with Terminal([agent.binary, "run", "-c", agent.config_path, "--data-dir", str(agent.data_dir)],
                  columns=240) as terminal:
        wait_for(lambda: re.search(r"p: [1-5] of 6 tasks done, \d+% of about [\d,]+ records; slowest: orders_\d \(",
                                   terminal.look()), what=lambda: terminal.seen[-3000:])
