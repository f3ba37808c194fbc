"""Jobs whose tasks the agents of a group share."""

import json
import random
import re
import signal

import pytest

from harness import group_chaos
from harness.group import LEASE, Group
from harness.group_chaos import NAMES, copied_once, make_tables, shared_job
from harness.output import conforming
from harness.waiting import wait_for


@pytest.fixture
def work(postgres):
    return postgres.database("work")


@pytest.fixture
def group(make_agent, database):
    made = Group(make_agent, database)
    yield made
    for agent in made.agents.values():
        if agent.running():
            agent.send(signal.SIGCONT)


def tasks(agent):
    answer = agent.command("tasks", "job", "--json", "--data-dir", str(agent.data_dir))
    shown = conforming(answer.stdout, "tasks")["pipelines"] if answer.returncode == 0 else []
    return shown[0] if shown else {"tasks": []}


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
def test_all_agents_take_part_and_pre_and_post_sql_run_once(group, work, guarantee):
    make_tables(work, 12, 300)
    job = shared_job(work, 12, guarantee, limits={"recordsPerSecond": 150})
    for name in NAMES:
        group.start(name, job)
    shown = wait_for(lambda: [one for one in [tasks(group["a"])] if len({task.get("agent") for task in one["tasks"]
                     if task["state"] == "running"}) == 3], what="three that run tasks")[0]
    assert shown["running"] >= 3 and sum(shown[key] for key in ("waiting", "running", "done", "reassigning")) == 13
    assert [group[name].wait() for name in NAMES] == [0, 0, 0]
    assert copied_once(work, 12, 300) == ""
    assert sorted(work.query("SELECT what FROM log")) == [("post 3600",), ("pre",)]


def test_one_that_joins_takes_tasks_that_wait(group, work):
    make_tables(work, 12, 300)
    job = shared_job(work, 12, limits={"recordsPerSecond": 600})
    group.start("a", job)
    wait_for(lambda: work.count("copies") > 100)
    group.start("b", job)
    group["b"].wait_log("begins with the table")
    assert [group[name].wait() for name in "ab"] == [0, 0]
    assert copied_once(work, 12, 300) == ""


def test_tasks_of_a_dead_agent_are_reassigned_and_run_elsewhere(group, work):
    make_tables(work, 6, 600)
    job = shared_job(work, 6, limits={"recordsPerSecond": 300})
    for name in "ab":
        group.start(name, job)
    wait_for(lambda: {task.get("agent") for task in tasks(group["b"])["tasks"] if task["state"] == "running"} >= {"a"})
    group["a"].kill()
    was = wait_for(lambda: [task["name"] for task in tasks(group["b"])["tasks"]
                            if task["state"] == "reassigning" and task["agent"] == "a"], LEASE * 4, "reassigning")
    wait_for(lambda: [task for task in tasks(group["b"])["tasks"] if task["name"] in was and
                      task["state"] in ("running", "done") and task["agent"] == "b"], 60)
    assert group["b"].wait() == 0, group["b"].log
    assert copied_once(work, 6, 600) == ""
    assert group["a"].run() == 0, "it is over"
    assert copied_once(work, 6, 600) == ""


def test_a_task_that_fails_is_said_by_all_and_the_others_are_done(group, work):
    make_tables(work, 3, 50)
    job = shared_job(work, 3)
    job["source"]["tables"].append("nowhere")
    for name in "ab":
        group.start(name, job)
    assert [group[name].wait() for name in "ab"] == [1, 1]
    for name in "ab":
        assert re.search(r"1 of 4 tasks failed: nowhere: ", group[name].log), group[name].log
    assert copied_once(work, 3, 50) == ""
    assert work.query("SELECT what FROM log") == [("pre",)], "postSql is left out"

    work.query("CREATE TABLE nowhere (LIKE t001 INCLUDING ALL); INSERT INTO nowhere TABLE t001")
    assert group["a"].run() == 0, group["a"].log_of_run
    assert work.count("copies") == 4 * 50 and work.query("SELECT what FROM log") == [("pre",), ("post 200",)]


def test_tables_whose_names_differ_only_in_letters_of_other_scripts_are_all_copied(group, work, database):
    make_tables(work, 1, 50)
    names = ["客户", "订单", "a b", "a_b", "a=20b"]
    for name in names:
        work.query(f'CREATE TABLE "{name}" (LIKE t001 INCLUDING ALL); INSERT INTO "{name}" TABLE t001')
    job = shared_job(work, 0)
    job["source"]["tables"] = [f'"{name}"' for name in names]
    group.start("a", job)
    assert group["a"].wait() == 0, group["a"].log
    assert work.count("copies") == 5 * 50
    assert database.count("leat_cluster_tasks") == 5 + 2, "preSql and postSql, too"


def test_killed_and_stopped_at_random_every_row_is_there_once(make_agent, database, work):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    print(group_chaos.run(make_agent, database, work, count=30, rows=200, blows=8, seed=seed,
                          limits={"recordsPerSecond": 800}))


@pytest.mark.parametrize("change, says", [
    ({"table": "a"}, 'exclusive: is for a source that does not end, with a "schedule", or for several "tables" or "split"'),
])
def test_what_cannot_be_shared_is_refused(agent, change, says):
    job = shared_job(type("Url", (), {"url": "postgresql://u@127.0.0.1/x"}), 2)
    del job["source"]["tables"]
    if "table" in change:
        del job["source"]["concurrency"]
    job["source"].update(change)
    agent.configure(job, cluster={"url": "postgresql://u@127.0.0.1/x", "group": "etl"})
    answer = agent.command("check", "-c", str(agent.config_path))
    assert answer.returncode == 2 and says in answer.stdout + answer.stderr, json.dumps(job) + answer.stderr
