"""The budget holds: with a sink in trouble, whatever the input looks like."""

import random

import pytest

from harness.collector import Answer
from harness.pipelines import file_source, http_sink, pipeline, quick_retry, where

LIMIT_KIB = 12_000_000 // 1024  # 12 MB with an 8 MiB budget
# For lines that are wrong by the hundred thousand, or 200 kB long: bounded, too, though not by that
# figure (on a busy machine up to 15.3 MB were seen).
ODD_LIMIT_KIB = LIMIT_KIB + 4 * 1024


@pytest.fixture(autouse=True)
def plain_binary(sanitized):
    if sanitized:
        pytest.skip("a sanitizer needs memory of its own")


DECODED = [where("state <> 'idle'")]


@pytest.mark.parametrize("transforms", [[], DECODED], ids=["pass_through", "filter"])
def test_a_slow_sink_does_not_make_the_agent_grow(agent, collector, telemetry, transforms):
    path = telemetry(300_000)  # 32 MB
    collector.default = Answer(delay=0.3)
    agent.configure(pipeline(file_source(path, follow=True), http_sink(collector, records=1000),
                             *transforms))
    agent.start()
    collector.wait_requests(12)
    peak = agent.peak_rss_kib
    agent.kill()
    assert peak <= LIMIT_KIB


@pytest.mark.parametrize("transforms", [[], DECODED], ids=["pass_through", "filter"])
def test_a_dead_sink_does_not_make_the_agent_grow(agent, collector, telemetry, transforms):
    path = telemetry(300_000)
    collector.default = Answer(503)
    agent.configure(pipeline(file_source(path), http_sink(collector, records=1000, inFlight=4),
                             *transforms, delivery=quick_retry()))
    agent.start()
    collector.wait_requests(300)
    assert agent.peak_rss_kib <= LIMIT_KIB
    agent.kill()


@pytest.mark.parametrize("transforms", [[], DECODED], ids=["pass_through", "filter"])
def test_a_whole_run_stays_within_the_limit(agent, nginx, telemetry, transforms):
    agent.configure(pipeline(file_source(telemetry(300_000)), http_sink(nginx, records=1000),
                             *transforms))
    assert agent.run() == 0
    assert agent.peak_rss_kib <= LIMIT_KIB


def test_gzip_bodies_stay_within_the_limit(agent, nginx, telemetry):
    agent.configure(pipeline(file_source(telemetry(300_000)),
                             http_sink(nginx, records=5000, inFlight=4, compression="gzip")))
    assert agent.run() == 0
    assert agent.peak_rss_kib <= LIMIT_KIB


def test_bad_lines_by_the_hundred_thousand_do_not_make_the_agent_grow(agent, nginx):
    path = agent.folder / "bad.jsonl"
    path.write_bytes(b'{"seq":0,"broken\n' * 200_000)
    agent.configure(pipeline(file_source(path), http_sink(nginx), where("seq = 0")))
    assert agent.run(deadline=300) == 0
    assert len(agent.dead_letters()) == 200_000
    assert agent.peak_rss_kib <= ODD_LIMIT_KIB


def test_ever_new_field_names_do_not_make_the_agent_grow(agent, nginx):
    path = agent.folder / "names.jsonl"
    rng = random.Random(1)
    with open(path, "w", encoding="utf8") as file:
        for n in range(100_000):
            file.write(f'{{"seq":{n},"k{rng.getrandbits(60)}":1,"k{rng.getrandbits(60)}":2}}\n')
    agent.configure(pipeline(file_source(path), http_sink(nginx, records=1000), where("seq >= 0")))
    assert agent.run(deadline=300) == 0
    assert agent.peak_rss_kib <= ODD_LIMIT_KIB


def test_long_lines_stay_within_the_limit(agent, nginx):
    path = agent.folder / "long.jsonl"
    with open(path, "w", encoding="utf8") as file:
        for n in range(200):
            file.write(f'{{"seq":{n},"text":"{"x" * 200_000}"}}\n')
    agent.configure(pipeline(file_source(path), http_sink(nginx, records=1000), where("seq >= 0")))
    assert agent.run() == 0
    assert agent.peak_rss_kib <= ODD_LIMIT_KIB


def test_a_small_budget_is_enough(agent, nginx, telemetry):
    agent.configure(pipeline(file_source(telemetry(50_000)), http_sink(nginx, records=1000), *DECODED),
                    memory="1MiB")
    assert agent.run() == 0
    assert sum(int(request["length"]) for request in nginx.requests) > 3_000_000
