"""What every connector does, whatever its peer: each behaviour once, run over all of the registry.

A connector that is not in harness/behaviour.py fails test_every_connector_takes_part."""

import json
from types import SimpleNamespace

import pytest

from harness.behaviour import SINKS, SOURCES, line, record
from harness.pipelines import file_source, http_sink, pipeline, quick_retry, where
from harness.telemetry import expect_each_once
from harness.waiting import wait_for

RECORDS = 2000


def known(agent, what):
    schema = json.loads(agent.command("help", "--schema").stdout)
    return set(schema["$defs"][what]["properties"]["type"]["enum"])


def taking(behaviour, table):
    """Those for which this behaviour means something."""
    return [name for name, peer in table.items() if behaviour not in peer.CANNOT]


@pytest.fixture
def make(agent, tmp_path, make_collector, make_postgres, request):
    """What doubles are made of."""
    folder = tmp_path / "peer"
    folder.mkdir()
    return SimpleNamespace(agent=agent, folder=folder, collector=make_collector,
                           postgres=make_postgres,
                           rabbitmq=lambda: request.getfixturevalue("rabbitmq_broker"),
                           mariadb=lambda: request.getfixturevalue("make_mariadb")())


@pytest.fixture
def sink(make, agent, request):
    if request.param not in known(agent, "sink"):
        pytest.skip("left out of this build")
    peer = SINKS[request.param](make)
    yield peer
    peer.close()


@pytest.fixture
def source(make, agent, request):
    if request.param not in known(agent, "source"):
        pytest.skip("left out of this build")
    peer = SOURCES[request.param](make)
    yield peer
    peer.close()


def sinks(behaviour):
    return pytest.mark.parametrize("sink", taking(behaviour, SINKS), indirect=True)


def sources(behaviour):
    return pytest.mark.parametrize("source", taking(behaviour, SOURCES), indirect=True)


def test_every_connector_takes_part(agent):
    assert known(agent, "sink") <= set(SINKS), "harness/behaviour.py lacks a double for it"
    assert known(agent, "source") <= set(SOURCES), "harness/behaviour.py lacks a double for it"


# --- sinks ---------------------------------------------------------------------------------------

def deliver(agent, sink, count, *more):
    """Starts a bounded run of `count` records, and `more`, into the sink."""
    path = agent.folder / "in.jsonl"
    path.write_text("".join(map(line, range(count))) + "".join(json.dumps(one) + "\n" for one in more))
    agent.configure(pipeline(file_source(path), sink.sink, delivery=quick_retry()), *sink.READERS)
    agent.start()


def all_of(sink, count):
    wait_for(lambda: len(set(sink.seqs())) >= count, 60, lambda: f"{count}, got {len(sink.seqs())}")
    return sink.seqs()


def wait_idle(agent):
    """Until the agent computes nothing for a while: it neither reads on nor asks all the time."""
    seen = []

    def still():
        with open(f"/proc/{agent.process.pid}/stat", encoding="utf8") as stat:
            seen.append(stat.read().rsplit(")", 1)[1].split()[11:13])
        return len(seen) > 20 and all(one == seen[-1] for one in seen[-20:])

    wait_for(still, what="the agent to wait")


@sinks("batch")
def test_a_sink_delivers_every_record_once(agent, sink):
    deliver(agent, sink, RECORDS)
    sink.end(agent)
    expect_each_once(all_of(sink, RECORDS), RECORDS)


@sinks("gone")
def test_a_sink_waits_for_a_peer_that_is_not_there(agent, sink):
    sink.down()
    deliver(agent, sink, RECORDS)
    agent.wait_log("retry|circuit|again")
    sink.up()
    sink.end(agent)
    expect_each_once(all_of(sink, RECORDS), RECORDS)


@sinks("gone")
def test_a_sink_loses_nothing_when_its_peer_goes_and_comes_back(agent, sink):
    count = 20 * RECORDS
    deliver(agent, sink, count)
    wait_for(lambda: len(sink.seqs()) > 0)
    sink.down()
    sink.up()
    sink.end(agent)
    assert set(all_of(sink, count)) == set(range(count))


@sinks("slow")
def test_a_sink_waits_for_a_peer_that_is_slow(agent, sink):
    sink.hold()
    deliver(agent, sink, RECORDS)
    wait_idle(agent)
    sink.let_go()
    sink.end(agent)
    expect_each_once(all_of(sink, RECORDS), RECORDS)


@sinks("killed")
def test_a_sink_goes_on_after_a_kill(agent, sink):
    count = 20 * RECORDS
    deliver(agent, sink, count)
    wait_for(lambda: len(sink.seqs()) > 0 or not agent.running())
    agent.kill()
    agent.start()
    sink.end(agent)
    seqs = all_of(sink, count)
    assert set(seqs) == set(range(count))


@sinks("bad")
def test_a_sink_gives_what_is_refused_to_the_dead_letters_and_delivers_the_rest(agent, sink):
    deliver(agent, sink, RECORDS, {**sink.BAD, "text": "x"}, record(RECORDS))
    sink.end(agent)
    expect_each_once(all_of(sink, RECORDS + 1), RECORDS + 1)
    letters = agent.dead_letters()
    assert len(letters) == 1 and letters[0]["reason"], letters


# --- sources -------------------------------------------------------------------------------------

def read(agent, source, collector, *transforms):
    agent.configure(pipeline(source.source, http_sink(collector), *transforms,
                             delivery=quick_retry()))
    agent.start()
    if "streams" not in source.CANNOT:
        wait_for(lambda: source.ready(agent), what="the source")


def seqs(collector):
    return [one["seq"] for one in collector.records()]


def end(agent):
    agent.terminate()
    assert agent.wait() == 0, agent.log


@sources("all")
def test_a_source_gives_every_record_once(agent, source, collector):
    read(agent, source, collector)
    if "streams" in source.CANNOT:
        assert agent.wait() == 0
    else:
        source.give(*range(RECORDS))
        collector.wait_records(RECORDS)
        end(agent)
    expect_each_once(seqs(collector), RECORDS)


@sources("killed")
def test_a_source_loses_nothing_in_a_kill(agent, source, collector):
    read(agent, source, collector)
    if "streams" not in source.CANNOT:
        source.give(*range(RECORDS // 2))
    wait_for(lambda: len(collector.requests) > 0)
    agent.kill()
    if "streams" not in source.CANNOT:
        source.give(*range(RECORDS // 2, RECORDS))
    agent.start()
    wait_for(lambda: set(seqs(collector)) == set(range(RECORDS)), 60, "all records")


@sources("gone")
def test_a_source_finds_its_peer_again(agent, source, collector):
    read(agent, source, collector)
    source.give(*range(100))
    collector.wait_records(100)
    source.down()
    source.up()
    wait_for(lambda: source.ready(agent), 60, "the source")
    source.give(*range(100, 200))
    wait_for(lambda: set(seqs(collector)) == set(range(200)), 60, "all records")
    end(agent)


@sources("bad")
def test_a_source_gives_what_cannot_be_read_to_the_dead_letters_and_goes_on(agent, source, collector):
    read(agent, source, collector, where("seq >= 0"))  # else it passes through unread
    source.give(0)
    source.give_bad()
    source.give(1)
    collector.wait_records(2)
    wait_for(lambda: len(agent.dead_letters()) == 1)
    end(agent)
    expect_each_once(seqs(collector), 2)
