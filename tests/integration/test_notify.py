"""agent.notify: who is told what happens."""

import json

import pytest

from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.ports import free_port
from harness.waiting import wait_for


@pytest.fixture
def told(make_collector):
    return make_collector()


def notify(told, **options):
    return [{"to": http_sink(told, **quick_http()), "group": "5ms", "minInterval": "1s", **options}]


def quick_http():
    return {"timeout": "5s"}


def configure(agent, *pipelines, **options):
    agent.configure(*pipelines, **options)
    if "is not in this build" in agent.command("check", "-c", agent.config_path).stderr:
        pytest.skip("left out of this build")


def events(told):
    return [(one["event"], one["pipeline"]) for one in told.records()]


def test_who_is_told_hears_of_a_circuit_that_opens_and_closes(agent, told, telemetry):
    port = free_port()
    nobody = {"type": "http", "url": f"http://127.0.0.1:{port}/", "format": "ndjson"}
    configure(agent, pipeline(file_source(telemetry(10), follow=True), nobody,
                              delivery=quick_retry(threshold=2)), notify=notify(told))
    agent.start()
    agent.wait_for(lambda: ("circuitOpened", "p") in events(told))
    one = next(one for one in told.records() if one["event"] == "circuitOpened")
    assert one["agent"] == "test" and "connection refused" in one["text"] and one["count"] == 1

    def pipelines():
        status = agent.command("status", "--json", "--data-dir", agent.data_dir).stdout
        return conforming(status, "status")["pipelines"]
    assert [one["name"] for one in pipelines() if one.get("own")] == [".notify"]
    agent.wait_for(lambda: "circuit open" in [one["state"] for one in pipelines()])
    agent.terminate()
    assert agent.wait() == 0


def test_a_run_that_ends_is_not_kept_by_it_and_what_happened_is_told_first(
        agent, told, tmp_path, telemetry):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("no json\n" * 3)
    configure(agent, pipeline(file_source(broken), {"type": "file", "path": str(tmp_path / "out"),
                                                    "format": "ndjson"}), notify=notify(told))
    assert agent.run() == 1
    failed = [one for one in told.records() if one["event"] == "pipelineFailed"]
    assert len(failed) == 1 and failed[0]["pipeline"] == "p"
    assert "3 dead letters" in failed[0]["text"]


def test_what_could_not_be_told_is_told_by_the_next_run(agent, told, make_collector, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("no json\n")
    to_file = {"type": "file", "path": str(tmp_path / "out"), "format": "ndjson"}
    away = [{"to": {"type": "http", "url": f"http://127.0.0.1:{free_port()}/"}, "group": "5ms"}]
    configure(agent, pipeline(file_source(broken), to_file), notify=away)
    assert agent.run() == 1
    config = json.loads(agent.config_path.read_text())
    config["agent"]["notify"] = notify(told)
    agent.write_config(config)
    agent.start()
    agent.wait()
    wait_for(lambda: ("pipelineFailed", "p") in events(told))
    assert events(told).count(("pipelineFailed", "p")) == 1  # this run had nothing to fail of
