"""The life of a pipeline: what is told by name, and how long it holds."""

import json

from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline
from harness.waiting import wait_for


def tell(agent, command, name, *more):
    return agent.command(command, name, "--data-dir", str(agent.data_dir), *more)


def states(agent):
    shown = agent.command("status", "--json", "--data-dir", str(agent.data_dir))
    if shown.returncode == 3:
        return {}
    return {one["name"]: one["state"] for one in conforming(shown.stdout, "status")["pipelines"]}


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
    before = len(collector.records())
    for name, command in (("paused", "resume"), ("stopped", "start"), ("unmounted", "mount"), ("new", "mount")):
        assert tell(agent, command, name).returncode == 0
    wait_for(lambda: set(states(agent).values()) == {"running"})
    wait_for(lambda: sum(one["seq"] == 2 for one in collector.records()) >= 5)
    assert before <= 6, "only the one that goes read anything"
    agent.terminate()
    assert agent.wait() == 0
