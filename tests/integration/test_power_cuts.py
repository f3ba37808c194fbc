"""Power cuts of the disk under one agent: the cases that say most in a second, one round each. The rest:
scripts/power-cut-test --rounds 30."""

import random

import pytest

from faults import journal_cases, restart_cases
from faults.bench import Bench
from harness.pipelines import pipeline

ALL_IS_LOST = 3  # with this seed nothing survives that was not synced


@pytest.mark.usefixtures("dynamic_binary")
@pytest.mark.parametrize("case", [journal_cases.failing_sync, restart_cases.rotated_files,
                                  restart_cases.reloads], ids=lambda case: case.__name__)
def test_nothing_is_lost_when_the_power_is_cut(leat, tmp_path, case):
    bench = Bench(leat, tmp_path / "bench", seed=1, power_cuts=True)
    try:
        outcome = case(bench)
    finally:
        bench.close()
    assert outcome.accepted > 0
    assert outcome.lost == 0
    assert bench.agent.cuts > 0


@pytest.mark.usefixtures("dynamic_binary")
@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_power_cut_takes_what_was_not_synced_and_that_alone(leat, tmp_path, durability):
    bench = Bench(leat, tmp_path / "bench", seed=1, power_cuts=True)
    bench.agent.dice = random.Random(ALL_IS_LOST)
    try:
        agent, broker, collector = bench.agent, bench.broker(), bench.collector()
        collector.down()
        agent.configure(pipeline(bench.mqtt_source(broker), bench.sink(collector),
                                 delivery=bench.delivery(spool="always", durability=durability)))
        publisher = bench.publisher(broker, 200)
        bench.start_and_publish(publisher, broker)
        publisher.wait()
        agent.wait_for(lambda: broker.log.count("Received PUBACK from leat") >= 200, what="PUBACKs")
        agent.kill()
        collector.up()
        agent.start()
        broker.publish("plant/1", '{"seq":0}')
        agent.wait_for(lambda: 0 in bench.seqs(collector), what="the last record")
        bench.wait_empty_spool()
        missing = set(publisher.accepted) - set(bench.seqs(collector))
    finally:
        bench.close()
    assert len(missing) == (0 if durability == "power" else 200)
