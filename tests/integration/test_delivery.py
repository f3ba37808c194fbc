"""A sink in trouble: nothing is lost, order and limits hold, the log says it once."""

import gzip
import re

import pytest

from harness.collector import Answer
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.telemetry import expect_each_once, missing

RECORDS = 2000


def seqs(collector):
    return [record["seq"] for record in collector.records()]


def start(agent, collector, path, delivery=None, **sink):
    agent.configure(pipeline(file_source(path), http_sink(collector, **sink),
                             delivery=delivery or quick_retry()))
    return agent.start()


@pytest.mark.parametrize("trouble", [
    [Answer(500)] * 30,
    [Answer(503), Answer(429), Answer(408), Answer(502), Answer(504)] * 4,
    [Answer.close()] * 10,
    [Answer.cut(200)] * 10,
    [Answer.cut(500)] * 10,
    [Answer(how="garbage")] * 10,
    [Answer(500), Answer.close(), Answer(), Answer.cut(), Answer(), Answer(500)] * 5,
], ids=["500", "retryable_statuses", "closes", "cut_200", "cut_500", "garbage", "mixed"])
def test_nothing_is_lost_when_the_sink_misbehaves(agent, collector, telemetry, trouble):
    collector.script(*trouble)
    start(agent, collector, telemetry(RECORDS))
    assert agent.wait() == 0
    assert missing(seqs(collector), RECORDS) == []
    assert agent.dead_letters() == []
    # One line when it begins, one when it is over; more only if that happened several times.
    assert 1 <= len(agent.log_lines(" (warn|error) ")) <= 12


def test_requests_that_are_never_answered_time_out_and_are_sent_again(agent, collector, telemetry):
    collector.script(*[Answer.hang()] * 4)
    start(agent, collector, telemetry(RECORDS), timeout="200ms")
    assert agent.wait() == 0
    expect_each_once(seqs(collector), RECORDS)
    assert agent.log_lines("warn .*no (complete )?answer")


def test_a_sink_that_is_down_for_a_while_gets_everything_when_it_is_back(agent, collector, telemetry):
    collector.down()
    start(agent, collector, telemetry(RECORDS))
    agent.wait_log(r" warn .*connection refused")
    collector.up()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), RECORDS)


def test_a_sink_that_goes_away_in_the_middle_gets_the_rest_later(agent, collector, telemetry):
    collector.default = Answer(delay=0.01)
    start(agent, collector, telemetry(RECORDS))
    collector.wait_requests(5)
    collector.down()
    agent.wait_log(r" warn ")
    collector.up()
    assert agent.wait() == 0
    assert missing(seqs(collector), RECORDS) == []


def test_trouble_is_logged_when_it_begins_and_ends_and_not_a_thousand_times(
        agent, collector, telemetry):
    collector.default = Answer(500, body=b"database is on fire")
    start(agent, collector, telemetry(RECORDS), inFlight=4)
    collector.wait_requests(200)
    lines = agent.log_lines(" (warn|error) ")
    assert 1 <= len(lines) <= 3
    assert "500" in lines[0] and "database is on fire" in lines[0]
    collector.default = Answer()
    assert agent.wait() == 0
    assert len(agent.log_lines("500")) <= 3
    assert missing(seqs(collector), RECORDS) == []


def test_retry_after_is_waited_for(agent, collector, telemetry):
    collector.script(Answer(429, {"Retry-After": "1"}))
    start(agent, collector, telemetry(RECORDS), inFlight=1)
    assert agent.wait() == 0
    first, second = collector.requests[:2]
    assert second.time - first.time >= 0.99
    assert first.body == second.body
    expect_each_once(seqs(collector), RECORDS)


def test_the_circuit_breaker_stops_hammering(agent, collector, telemetry):
    collector.default = Answer(503)
    start(agent, collector, telemetry(RECORDS), inFlight=1,
          delivery=quick_retry(threshold=3, cooldown="500ms", initial="1ms", maximum="2ms"))
    collector.wait_requests(6)
    times = [request.time for request in collector.requests[:6]]
    # Three quick attempts, then one per cooldown.
    assert times[3] - times[2] >= 0.49
    assert times[4] - times[3] >= 0.49
    assert times[5] - times[4] >= 0.49
    collector.default = Answer()
    assert agent.wait() == 0
    expect_each_once(seqs(collector), RECORDS)


def test_one_request_at_a_time_keeps_the_order_in_trouble(agent, collector, telemetry):
    collector.script(*[Answer(500), Answer(), Answer.close()] * 5)
    start(agent, collector, telemetry(RECORDS), inFlight=1)
    assert agent.wait() == 0
    # A request whose answer was lost may come twice; what is accepted never goes back.
    accepted = list(dict.fromkeys(seqs(collector)))
    assert accepted == list(range(RECORDS))


def test_at_most_in_flight_requests_are_open(agent, collector, telemetry):
    collector.default = Answer.hang()
    start(agent, collector, telemetry(RECORDS), inFlight=3, timeout="30s")
    collector.wait_requests(3)
    assert len({request.connection for request in collector.requests}) == 3
    agent.kill()
    collector.down()
    assert len(collector.requests) == 3


def test_connections_are_kept_alive(agent, collector, telemetry):
    start(agent, collector, telemetry(RECORDS), inFlight=2, records=50, linger="30s")
    assert agent.wait() == 0
    assert len(collector.requests) == RECORDS // 50
    assert len({request.connection for request in collector.requests}) <= 2


def test_a_413_splits_the_batch_until_it_fits(agent, collector, telemetry):
    collector.decide = lambda request: Answer(413 if len(request.raw) > 3000 else 204)
    start(agent, collector, telemetry(RECORDS), records=500)
    assert agent.wait() == 0
    expect_each_once(seqs(collector), RECORDS)
    assert agent.dead_letters() == []


@pytest.mark.parametrize("status", [400, 415, 404])
def test_a_server_that_refuses_everything_costs_no_record(agent, collector, telemetry, status):
    collector.script(Answer())  # that it took something before proves nothing
    collector.default = Answer(status, body=b"no such tenant")
    start(agent, collector, telemetry(RECORDS), records=100, inFlight=1)
    collector.wait_requests(60)
    agent.wait_log("no such tenant")
    assert agent.dead_letters() == []
    collector.default = Answer()
    assert agent.wait() == 0
    assert missing(seqs(collector), RECORDS) == []
    assert agent.dead_letters() == []


def test_batches_end_at_records_bytes_and_linger(agent, collector, telemetry):
    start(agent, collector, telemetry(RECORDS), records=300, linger="30s")
    assert agent.wait() == 0
    assert sorted(request.lines for request in collector.requests) == [200] + [300] * 6
    collector.requests.clear()

    agent.configure({"name": "small", **pipeline(
        file_source(telemetry(RECORDS)),
        http_sink(collector) | {"batch": {"records": 100000, "bytes": "10KiB"}})})
    assert agent.run() == 0
    assert all(len(request.raw) <= 10240 for request in collector.requests)
    assert missing(seqs(collector), RECORDS) == []


def test_what_lingers_is_sent_when_its_time_has_come(agent, collector):
    path = agent.folder / "growing.jsonl"
    path.write_text('{"seq":0}\n')
    agent.configure(pipeline(file_source(path, follow=True),
                             http_sink(collector, records=1000, linger="50ms")))
    agent.start()
    collector.wait_records(1)
    with open(path, "a", encoding="utf8") as file:
        file.write('{"seq":1}\n')
    collector.wait_records(2)
    assert seqs(collector) == [0, 1]


def test_bodies_are_compressed_when_asked(agent, collector, telemetry):
    start(agent, collector, telemetry(RECORDS), compression="gzip", records=500)
    assert agent.wait() == 0
    assert {request.headers["content-encoding"] for request in collector.requests} == {"gzip"}
    assert gzip.decompress(collector.requests[0].raw).count(b"\n") == 500
    expect_each_once(seqs(collector), RECORDS)


@pytest.mark.parametrize("format,kind", [("ndjson", "application/x-ndjson"),
                                         ("json", "application/json"), ("csv", "text/csv")])
def test_each_format_arrives_as_a_whole_document(agent, collector, telemetry, format, kind):
    start(agent, collector, telemetry(RECORDS), format=format)
    assert agent.wait() == 0
    assert {request.headers["content-type"].split(";")[0] for request in collector.requests} == {kind}
    expect_each_once([int(seq) for seq in seqs(collector)], RECORDS)


def test_a_summary_stands_at_the_end(agent, collector, telemetry):
    start(agent, collector, telemetry(RECORDS))
    assert agent.wait() == 0
    *_, pipeline, journal = agent.log.splitlines()
    assert re.search(r"2,?000 delivered", pipeline)
    assert re.search(r"B written to the journal .* in \d+ commits?, \d+ fsyncs?", journal)
