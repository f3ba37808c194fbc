"""The life of a pipeline: what is told by name, and how long it holds."""

import json

from harness.collector import Answer
from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.waiting import wait_for


def tell(agent, command, name, *more):
    return agent.command(command, name, "--data-dir", str(agent.data_dir), *more)


def states(agent):
    shown = agent.command("status", "--json", "--data-dir", str(agent.data_dir))
    if shown.returncode == 3:
        return {}
    return {one["name"]: one["state"] for one in conforming(shown.stdout, "status")["pipelines"]}


def runs(agent, *pipeline):
    shown = agent.command("runs", *pipeline, "--json", "--data-dir", str(agent.data_dir))
    assert shown.returncode == 0, shown.stderr
    return conforming(shown.stdout, "runs")["runs"]


def append(log, seq):
    with open(log, "a", encoding="utf8") as file:
        file.write(json.dumps({"seq": seq}) + "\n")


def test_what_operators_said_of_pipelines_holds_over_a_kill_and_another_configuration(agent, make_collector):
    collector = make_collector()
    logs = {name: agent.folder / f"{name}.jsonl" for name in ("paused", "stopped", "unmounted", "new", "goes")}
    for log in logs.values():
        append(log, 1)

    def configure(linger):
        agent.configure(*({"name": name, **pipeline(file_source(log, follow=True),
                                                    http_sink(collector, linger=linger)),
                           "mounted": name != "new"} for name, log in logs.items()))

    configure("10ms")
    agent.start()
    collector.wait_records(4)
    assert states(agent)["new"] == "registered"
    for name, command in (("paused", "pause"), ("stopped", "stop"), ("unmounted", "unmount")):
        assert tell(agent, command, name).returncode == 0
    agent.kill()
    configure("20ms")  # another one, so each pipeline has changed
    agent.start()
    wait_for(lambda: states(agent) == {"paused": "paused", "stopped": "stopped", "unmounted": "unmounted",
                                       "new": "registered", "goes": "running"})
    for log in logs.values():
        append(log, 2)
    refused = tell(agent, "start", "unmounted")
    assert (refused.returncode, refused.stderr) == (2, "leat: unmounted: is not mounted\n")
    collector.wait_records(5)  # what came first, and the 2 of the one that goes
    before = len(collector.records())
    for name, command in (("paused", "resume"), ("stopped", "start"), ("unmounted", "mount"), ("new", "mount")):
        assert tell(agent, command, name).returncode == 0
    wait_for(lambda: set(states(agent).values()) == {"running"})
    wait_for(lambda: sum(one["seq"] == 2 for one in collector.records()) >= 5)
    assert before <= 6, "only the one that goes read anything"
    agent.terminate()
    assert agent.wait() == 0


def test_a_run_that_was_killed_is_interrupted_and_those_that_ended_are_known_with_their_numbers(agent, make_collector):
    collector = make_collector()
    log = agent.folder / "in.jsonl"
    append(log, 1)
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector)), journal={"commitEvery": "0ms"})
    agent.start()
    collector.wait_records(1)
    positions = lambda: agent.command("positions", "--json", "--data-dir", str(agent.data_dir)).stdout
    wait_for(lambda: '"byte' in positions() or "offset" in positions())
    assert [(run["run"], run["state"]) for run in runs(agent)] == [(1, "running")]
    agent.kill()
    assert [(run["run"], run["state"]) for run in runs(agent)] == [(1, "interrupted")], "the journal is read"
    agent.start()
    append(log, 2)
    collector.wait_records(2)
    wait_for(lambda: runs(agent, "p")[0].get("records", {}).get("delivered") == 1)
    assert tell(agent, "pause", "p").returncode == 0
    wait_for(lambda: states(agent)["p"] == "paused")
    latest, first = runs(agent, "p")
    assert (latest["state"], latest["reason"], latest["records"]["delivered"]) == ("stopped", "paused", 1)
    assert first["state"] == "interrupted"
    assert "PIPELINE" in agent.command("runs", "--data-dir", str(agent.data_dir)).stdout
    agent.terminate()
    assert agent.wait() == 0
    assert len(runs(agent)) == 2, "nothing ran any more"


def test_runs_are_asked_for_with_parameters_several_at_once(agent, make_collector):
    collector = make_collector()
    for day in ("monday", "tuesday"):
        append(agent.folder / f"{day}.jsonl", day)
    job = {"name": "job", "maxRuns": 2,
           **pipeline({"type": "file", "path": str(agent.folder) + "/${param:day}.jsonl"}, http_sink(collector),
                      delivery=quick_retry())}
    agent.configure(job)
    agent.start()
    wait_for(lambda: states(agent) == {"job": "mounted"})

    def provision(*parameters):
        options = [word for one in parameters for word in ("--param", one)]
        return tell(agent, "provision", "job", *options, "--json")

    for wrong, why in ((("date=monday",), 'leat: job: has no parameter "date"\n'),
                       ((), 'leat: job: the parameter "day" is missing\n')):
        refused = provision(*wrong)
        assert (refused.returncode, refused.stderr) == (2, why)
    collector.default = Answer(503)
    for number, day in enumerate(("monday", "tuesday"), 1):
        begun = provision(f"day={day}")
        assert begun.returncode == 0, begun.stderr
        assert conforming(begun.stdout, "provision") == {"pipeline": "job", "run": number}
    wait_for(lambda: states(agent).keys() == {"job", "job~1", "job~2"})
    third = provision("day=monday")
    assert (third.returncode, third.stderr) == (2, "leat: job: as many runs as maxRuns allows go on (2)\n")
    collector.default = Answer()
    collector.wait_records(2)
    wait_for(lambda: states(agent) == {"job": "mounted"})
    assert sorted(one["seq"] for one in collector.records()) == ["monday", "tuesday"]
    assert [(run["run"], run["state"], run["parameters"]) for run in runs(agent, "job")] == [
        (2, "succeeded", {"day": "tuesday"}), (1, "succeeded", {"day": "monday"})]
    missing = provision("day=sunday")
    assert missing.returncode == 0
    wait_for(lambda: runs(agent, "job")[0]["state"] == "failed")
    assert "sunday.jsonl" in runs(agent, "job")[0]["reason"]
    agent.terminate()
    assert agent.wait() == 1, "a run has failed"
