"""Agents of one group: what is exclusive runs on one of them, and goes on elsewhere when that one is gone."""

import re
import shutil
import signal
import threading
import time
from datetime import datetime

import pytest

from harness.group import LEASE, ORDERS, Group, exclusive
from harness.pipelines import file_source
from harness.plug import Plug
from harness.unix_http import UnixHttp
from harness.waiting import wait_for

NAMES = ("a", "b", "c")


@pytest.fixture
def work(postgres):
    """Where the data is: another database than the group's."""
    made = postgres.database("work")
    made.query(ORDERS)
    return made


@pytest.fixture
def group(make_agent, database):
    made = Group(make_agent, database)
    yield made
    for agent in made.agents.values():
        if agent.running():
            agent.send(signal.SIGCONT)


@pytest.fixture
def plug(postgres):
    made = Plug(postgres.port)
    yield made
    made.close()


class Writer:
    """Inserts rows into `orders` until stop()."""

    def __init__(self, work):
        self.work = work
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopped.wait(0.05):
            self.work.query("INSERT INTO orders (note) SELECT 'n' || i FROM generate_series(1, 20) i")

    def stop(self):
        self.stopped.set()
        self.thread.join()


@pytest.fixture
def writer(work):
    made = Writer(work)
    yield made
    made.stop()


def in_step(work):
    return work.query("SELECT id, note FROM orders ORDER BY id") == work.query(
        "SELECT id, note FROM copies ORDER BY id")


def grows(work):
    """Rows are delivered from now on."""
    before = work.count("copies")
    wait_for(lambda: work.count("copies") > before, 20, "more rows")


def start_three(group, work, **how):
    for name in NAMES:
        group.start(name, exclusive(work, **how))
    return wait_for(lambda: group.runs_on(), what="one that runs")[0]


def others(name):
    return [one for one in NAMES if one != name]


def moment(agent, pattern):
    line = agent.log_lines(pattern)[-1]
    return datetime.fromisoformat(line.split(" ", 1)[0].replace("Z", "+00:00"))


def test_one_agent_runs_it_and_the_others_stand_by_and_say_whose_it_is(group, work, writer):
    runs = start_three(group, work)
    wait_for(lambda: [group.state(one) for one in others(runs)] == ["standby"] * 2)
    wait_for(lambda: group.status(runs)["cluster"]["members"] == list(NAMES))
    grows(work)
    shown = wait_for(lambda: [group.status(one) for one in others(runs)
                              if group.status(one)["pipelines"][0].get("reason") == f"runs on {runs}"])[0]
    assert shown["cluster"]["group"] == "etl" and shown["cluster"]["joined"]
    assert shown["pipelines"][0]["exclusive"] and not shown["pipelines"][0]["trouble"]
    assert group.status(runs)["cluster"]["holds"] == ["p"]
    one = group[others(runs)[0]]
    connection = UnixHttp(one.data_dir / "leat.sock")
    connection.request("GET", "/metrics")
    metrics = connection.getresponse().read().decode()
    assert 'leat_pipeline_standby{pipeline="p"} 1' in metrics and "leat_cluster_members 3" in metrics
    writer.stop()
    wait_for(lambda: in_step(work))
    assert len(group.runs_on()) == 1


def test_killed_it_goes_on_elsewhere_after_the_lease_and_every_row_is_there_once(group, work, writer):
    runs = start_three(group, work)
    for _ in range(3):
        grows(work)
        group[runs].kill()
        before = runs
        runs = wait_for(lambda: group.runs_on(), LEASE * 5, "another")[0]
        assert runs != before
        group[before].start()
    grows(work)
    writer.stop()
    wait_for(lambda: in_step(work), what=lambda: work.query("SELECT count(*), max(id) FROM copies"))


def test_one_that_begins_again_after_a_kill_need_not_wait_for_its_own_lease(group, work, writer):
    group.lease = "60s"
    group.start("a", exclusive(work))
    group["a"].wait_log("has its lease")
    grows(work)
    group["a"].kill()
    group["a"].start()
    group["a"].wait_log("has its lease", 10)
    writer.stop()
    wait_for(lambda: in_step(work))


def test_told_to_end_it_gives_its_lease_back_at_once(group, work, writer):
    group.lease = "6s"
    runs = start_three(group, work)
    grows(work)
    group[runs].terminate()
    assert group[runs].wait() == 0, group[runs].log
    ended = time.monotonic()
    wait_for(lambda: group.runs_on(among=others(runs)), what="another")
    assert time.monotonic() - ended < 5, "a renewal later, not a lease later"
    writer.stop()
    wait_for(lambda: in_step(work))


def test_stopped_for_longer_than_its_lease_it_comes_back_and_changes_nothing(group, work, writer):
    runs = start_three(group, work)
    for _ in range(2):
        grows(work)
        group[runs].send(signal.SIGSTOP)
        other = wait_for(lambda: group.runs_on(among=others(runs)), LEASE * 5, "another")[0]
        grows(work)
        group[runs].send(signal.SIGCONT)
        group[runs].wait_log("ended since its lease was lost")
        wait_for(lambda: group.state(runs) == "standby")
        assert group.runs_on() == [other]
        runs = other
    writer.stop()
    wait_for(lambda: in_step(work))


@pytest.mark.parametrize("guarantee", ["exactlyOnce", "atLeastOnce"])
def test_cut_from_the_database_it_ends_before_its_lease_and_another_goes_on(group, work, writer, plug, guarantee):
    group.start("a", exclusive(work, guarantee=guarantee), url=plug.url(group.database))
    group["a"].wait_log("has its lease")
    group.start("b", exclusive(work, guarantee=guarantee))
    grows(work)
    plug.hold()
    group["b"].wait_log("has its lease", LEASE * 5)
    assert group.state("a") == "standby"
    assert moment(group["a"], "ended since its lease was lost") < moment(group["b"], "has its lease")
    shown = group.status("a")
    assert shown["pipelines"][0]["trouble"] and not shown["cluster"]["joined"]
    grows(work)
    plug.let_go()
    group["a"].wait_log("answers again")
    wait_for(lambda: group.status("a")["cluster"]["joined"])
    group["b"].kill()
    wait_for(lambda: group.runs_on(among=["a"]), LEASE * 5)
    writer.stop()
    if guarantee == "exactlyOnce":
        wait_for(lambda: in_step(work))
    else:
        wait_for(lambda: work.query("SELECT id FROM orders ORDER BY id") ==
                 work.query("SELECT DISTINCT id FROM copies ORDER BY id"))
        repeated = int(work.value("SELECT count(*) - count(DISTINCT id) FROM copies"))
        assert repeated < 1000, "only what was on its way, and not saved yet"


def test_a_database_that_begins_anew_costs_nobody_a_lease(group, work, postgres):
    runs = start_three(group, work)
    postgres.restart()
    work.query("INSERT INTO orders (note) SELECT 'n' || i FROM generate_series(1, 500) i")
    wait_for(lambda: in_step(work), 30)
    assert len(wait_for(lambda: group.runs_on())) == 1
    assert "another" not in group[runs].log_of_run


def test_two_agents_of_one_id_are_refused(group, work):
    group.start("a", exclusive(work))
    group["a"].wait_log("has its lease")
    group.start("b", exclusive(work), agent_id="a")
    group["b"].wait_log(r'not let into the group: another agent with the id "a" is in the group "etl": '
                        r'give each its own agent\.id')
    wait_for(lambda: group.state("b") == "standby")
    shown = group.status("b")["pipelines"][0]
    assert shown["trouble"] and "give each its own agent.id" in shown["reason"]
    assert group["b"].command("status", "--data-dir", str(group["b"].data_dir)).returncode == 1
    group["a"].terminate()
    assert group["a"].wait() == 0
    group["b"].wait_log("has its lease")


def test_paused_on_the_agent_that_runs_it_another_goes_on(group, work, writer):
    runs = start_three(group, work)
    assert group[runs].command("pause", "p", "--data-dir", str(group[runs].data_dir)).returncode == 0
    other = wait_for(lambda: group.runs_on(among=others(runs)))[0]
    assert group.state(runs) == "paused"
    group[runs].command("resume", "p", "--data-dir", str(group[runs].data_dir))
    wait_for(lambda: group.state(runs) == "standby")
    assert group.runs_on() == [other]
    writer.stop()
    wait_for(lambda: in_step(work))


def test_another_configuration_is_taken_over_under_the_same_lease(group, work, writer):
    group.start("a", exclusive(work))
    group["a"].wait_log("has its lease")
    grows(work)
    changed = exclusive(work, sink={"batch": {"records": 10, "linger": "20ms"}})
    group["a"].configure(changed, id="a", cluster={"url": group.database.url, "group": "etl", "lease": "2s"})
    group["a"].send(signal.SIGHUP)
    group["a"].wait_log("configuration taken over: 1 pipeline")
    grows(work)
    assert len(group["a"].log_lines("has its lease")) == 1
    writer.stop()
    wait_for(lambda: in_step(work))


def test_a_schedule_comes_once_in_the_group(group, work):
    once = exclusive(work, source={"once": True, "every": None}, schedule={"every": "1s"})
    del once["source"]["every"]
    for name in NAMES:
        group.start(name, once)
    for i in range(12):
        work.query("INSERT INTO orders (note) SELECT 'n' || i FROM generate_series(1, 20) i")
        time.sleep(0.5)  # so that there are runs; nothing is waited for
        if i in (4, 8):
            victim = NAMES[i // 4 - 1]
            group[victim].kill()
            group[victim].start()
    wait_for(lambda: in_step(work), 20)
    done = sorted((run["started"], run["state"], name) for name in NAMES for run in group.runs(name)
                  if run["state"] == "succeeded")
    assert len(done) >= 4, done
    times = [datetime.fromisoformat(started.replace("Z", "+00:00")) for started, _, _ in done]
    gaps = [(b - a).total_seconds() for a, b in zip(times, times[1:])]
    assert min(gaps) > 0.8, done
    assert any(group.state(name) == "scheduled" for name in NAMES)


@pytest.mark.parametrize("change, says", [
    ({"cluster": None}, r'pipelines\[0\]\.exclusive: needs "agent\.cluster"'),
    ({"source": file_source("/tmp/x.jsonl")}, r'exclusive: is for a source that every agent of the group can reach, '
                                              r'and what "file" reads is on one machine'),
    ({"spool": "onTrouble"}, r'delivery\.spool: must be "never" with "exclusive"'),
    ({"sink": {"type": "sqlite", "path": "/tmp/x.db", "table": "t"}}, r'cannot be "exactlyOnce" into "sqlite"'),
    ({"group": "two words"}, r"agent\.cluster\.group: must be 1 to 64"),
    ({"once": True}, r'exclusive: is for a source that does not end, with a "schedule"'),
])
def test_what_no_other_agent_could_go_on_with_is_refused(agent, change, says):
    made = exclusive(type("Url", (), {"url": "postgresql://u@127.0.0.1/x"}))
    made["source"] = change.get("source", made["source"])
    made["sink"] = change.get("sink", made["sink"])
    if "spool" in change:
        made["delivery"]["spool"] = change["spool"]
    if change.get("once"):
        made["source"].update(once=True)
        del made["source"]["every"]
    cluster = {"url": "postgresql://u@127.0.0.1/x", "group": change.get("group", "etl")}
    options = {} if "cluster" in change else {"cluster": cluster}
    agent.configure(made, **options)
    answer = agent.command("check", "-c", str(agent.config_path))
    assert answer.returncode == 2, answer.stdout
    assert re.search(says, answer.stdout + answer.stderr), answer.stdout + answer.stderr


def test_two_agents_that_were_made_from_one_disk_image_are_told_apart(group, work):
    group.start("a", exclusive(work))
    group["a"].wait_log("has its lease")
    group["a"].terminate()
    group["a"].wait()
    group.add("b", exclusive(work), agent_id="a")
    shutil.copytree(group["a"].data_dir, group["b"].data_dir, ignore=shutil.ignore_patterns("*.sock"))
    group["a"].start()
    group["a"].wait_log("has its lease")
    group["b"].start()
    wait_for(lambda: any("took this one's place: give each its own agent.id" in group[one].log for one in "ab"))
