"""Jobs of a group whose tasks are found out when a run begins: patterns, ranges of one table; and schedules."""

import pytest

from harness.group import LEASE
from harness.group_chaos import NAMES, copied_once, make_tables, shared_job
from harness.output import conforming
from harness.waiting import wait_for
from test_shared_jobs import group, tasks, work  # noqa: F401  (fixtures)


def of_ranges(work, ranges, **rest):
    """One table, in ranges."""
    job = shared_job(work, 1, **rest)
    del job["source"]["tables"]
    job["source"].update(table="t001", split={"tasks": ranges})
    return job


def of_pattern(work, **rest):
    job = shared_job(work, 1, **rest)
    job["source"]["tables"] = ["t%"]
    return job


def by_name(agent):
    return {task["name"]: task for task in tasks(agent)["tasks"]}


def running_agents(agent):
    return {task.get("agent") for task in tasks(agent)["tasks"] if task["state"] == "running"}


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
def test_the_ranges_of_one_table_are_shared_and_one_agent_is_killed_in_the_middle(group, work, guarantee):
    make_tables(work, 1, 6000)
    job = of_ranges(work, 12, guarantee=guarantee, limits={"recordsPerSecond": 300})
    for name in NAMES:
        group.start(name, job)
    wait_for(lambda: len(running_agents(group["a"])) == 3, what="that three take part")
    group["b"].kill()
    wait_for(lambda: "b" not in running_agents(group["a"]), LEASE * 4, "that it is seen")
    shown = by_name(group["a"])
    assert set(shown) >= {f"t001.{number}" for number in range(1, 13)} | {"(tasks)", "(preSql)"}
    assert [group[name].wait(120) for name in "ac"] == [0, 0], group["a"].log
    assert work.value("SELECT count(DISTINCT note) FROM copies") == "6000"
    if guarantee == "exactlyOnce":
        assert copied_once(work, 1, 6000) == ""
    assert sorted(one for (one,) in work.query("SELECT what FROM log"))[-1] == "pre"
    assert work.value("SELECT count(*) FROM log WHERE what = 'pre'") == "1"
    [kept] = conforming(group["a"].command("tasks", "job", "--json", "--data-dir", str(group["a"].data_dir)).stdout,
                        "tasks")["pipelines"]
    assert kept["done"] == 15 and {task["state"] for task in kept["tasks"]} == {"done"}, "also when none runs"


def test_ranges_are_found_out_once_and_are_the_same_for_one_that_joins(group, work, database):
    make_tables(work, 1, 3000)
    job = of_ranges(work, 6, limits={"recordsPerSecond": 300})
    group.start("a", job)
    wait_for(lambda: work.count("copies") > 200)
    # What is written meanwhile would divide it otherwise.
    work.query("INSERT INTO t001 SELECT i, 't001 ' || i FROM generate_series(3001, 9000) i")
    group.start("b", job)
    group["b"].wait_log("begins with the table t001")
    group["a"].kill()
    assert group["b"].wait(180) == 0, group["b"].log
    assert copied_once(work, 1, 9000) == ""
    assert database.value("SELECT count(*) FROM leat_cluster_tasks WHERE pipeline LIKE 'job~t001.%'") == "6"


def test_what_a_pattern_means_is_shared(group, work):
    make_tables(work, 9, 300)
    work.query('CREATE TABLE "t odd" (LIKE t001 INCLUDING ALL); INSERT INTO "t odd" SELECT id, \'odd \' || id FROM t001;'
               'CREATE TABLE t_odd (LIKE t001 INCLUDING ALL); INSERT INTO t_odd SELECT id, \'und \' || id FROM t001')
    job = of_pattern(work, limits={"recordsPerSecond": 300})
    for name in NAMES:
        group.start(name, job)
    wait_for(lambda: len(running_agents(group["c"])) == 3, what="that three take part")
    group["c"].kill()
    assert [group[name].wait(120) for name in "ab"] == [0, 0], group["a"].log
    assert copied_once(work, 11, 300) == ""


def test_a_pattern_that_means_nothing_is_said_by_all(group, work):
    make_tables(work, 1, 10)
    job = of_pattern(work)
    job["source"]["tables"] = ["nothing_%"]
    for name in "ab":
        group.start(name, job)
    assert [group[name].wait(60) for name in "ab"] == [1, 1]
    for name in "ab":
        assert "(tasks): " in group[name].log and "there is no table of the name nothing_%" in group[name].log
    assert work.query("SELECT what FROM log") == [], "nothing was begun"


def runs_of(database):
    return int(database.value("SELECT coalesce(max(records), 0) FROM leat_cluster_tasks WHERE pipeline = 'job~(run)'"))


def log_of(work):
    return [what for (what,) in work.query("SELECT what FROM log ORDER BY what")]


@pytest.mark.parametrize("kind", ["tables", "ranges", "pattern"])
def test_a_schedule_starts_a_shared_job_anew_once_for_all(group, work, database, kind):
    make_tables(work, 3 if kind != "ranges" else 1, 300)
    make = {"tables": lambda **rest: shared_job(work, 3, **rest), "ranges": lambda **rest: of_ranges(work, 3, **rest),
            "pattern": lambda **rest: of_pattern(work, **rest)}[kind]
    job = make(schedule={"every": "8s"})
    job["sink"]["preSql"] = ["INSERT INTO log VALUES ('pre')", "TRUNCATE copies"]
    for name in NAMES:
        group.start(name, job)
    rows = 900 if kind != "ranges" else 300
    wait_for(lambda: log_of(work) == [f"post {rows}", "pre"], 60, "the first run")
    work.query("INSERT INTO t001 SELECT i, 't001 ' || i FROM generate_series(1001, 1100) i")
    leader = wait_for(lambda: [name for name in NAMES if "its runs are started by this agent" in group[name].log])[0]
    group[leader].kill()
    wait_for(lambda: f"post {rows + 100}" in log_of(work), 60, "the second, by another")
    assert runs_of(database) >= 2
    assert work.value("SELECT count(DISTINCT note) FROM copies") == str(rows + 100)
    posts, pres = (sum(what.startswith(word) for what in log_of(work)) for word in ("post", "pre"))
    assert pres - posts in (0, 1) and runs_of(database) == pres, "each run came once"


def test_a_run_that_goes_on_when_its_leader_is_killed_is_no_other(group, work, database):
    make_tables(work, 6, 400)
    job = shared_job(work, 6, limits={"recordsPerSecond": 300}, schedule={"every": "1h"})
    for name in NAMES:
        group.start(name, job)
    leader = wait_for(lambda: [name for name in NAMES if "its runs are started by this agent" in group[name].log])[0]
    wait_for(lambda: work.count("copies") > 300)
    group[leader].kill()
    wait_for(lambda: "post 2400" in log_of(work), 120, "its end")
    assert copied_once(work, 6, 400) == "" and log_of(work) == ["post 2400", "pre"]
    others = [name for name in NAMES if name != leader]
    wait_for(lambda: any(group.state(name, "job") == "scheduled" for name in others), what="that it waits")
    group[leader].start()
    wait_for(lambda: group.state(leader, "job") == "standby", what="that it stands by")
    assert runs_of(database) == 1 and log_of(work) == ["post 2400", "pre"]
