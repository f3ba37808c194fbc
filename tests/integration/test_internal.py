"""The source `internal`: how the agent does, as records."""

import pytest

from harness.pipelines import file_source, http_sink, pipeline
from harness.waiting import wait_for


def test_it_tells_of_every_pipeline_whatever_loop_that_is_on(agent, make_collector, telemetry):
    health, data = make_collector(), make_collector()
    agent.configure(pipeline(file_source(telemetry(100), follow=True), http_sink(data)),
                    {"name": "health", **pipeline({"type": "internal", "every": "100ms"},
                                                  http_sink(health, linger="5ms"))}, workers=2)
    if "internal" in agent.command("check", "-c", str(agent.config_path)).stderr:
        pytest.skip("left out of this build")
    agent.start()

    def last(name):
        told = [record for record in health.records() if record["pipeline"] == name]
        return told[-1] if told else {"read": 0, "delivered": 0}
    wait_for(lambda: last("p")["delivered"] == 100)
    one = last("p")
    assert (one["agent"], one["state"], one["reason"]) == ("test", "running", None)
    assert one["read"] == 100 and one["waiting"] == 0
    wait_for(lambda: last("health")["delivered"] > 0)
    agent.terminate()
    assert agent.wait() == 0
