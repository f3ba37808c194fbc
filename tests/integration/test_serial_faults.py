"""The serial source when things go wrong: unplugging, garbage, floods, a sink that is away."""

import os
import random
import threading

import pytest

from harness.agent import DROP_READ_ALL
from harness.collector import Answer
from harness.pipelines import http_sink, pipeline, quick_retry
from harness.serial_line import SerialLine, SocatPair, nmea


def serial_source(path, format="lines", **options):
    return {"type": "serial", "port": str(path), "format": format, **options}


@pytest.fixture
def make_line(tmp_path):
    lines = []

    def make(name="port"):
        lines.append(SerialLine(tmp_path / name))
        return lines[-1]

    yield make
    for line in lines:
        line.unplug()


@pytest.fixture
def line(make_line):
    return make_line()


def lines_of(collector):
    return [record["line"] for record in collector.records()]


def stop(agent):
    agent.terminate()
    assert agent.wait() == 0


# --- ports that come and go ----------------------------------------------------------------------


def test_device_that_is_unplugged_is_read_again_when_it_is_back(agent, collector, line):
    agent.configure(pipeline(serial_source(line.path), http_sink(collector)))
    agent.start()
    for n in range(3):
        line.write(b"line %d\nha" % n)  # one write, which is read as one
        collector.wait_records(n + 1)
        line.unplug()
        agent.wait_for(lambda n=n: len(agent.log_lines("is gone")) == n + 1)
        line.plug_in()
        agent.wait_for(lambda n=n: len(agent.log_lines("is there and open")) == n + 1)
    stop(agent)
    assert lines_of(collector) == ["line 0", "line 1", "line 2"]
    assert agent.log_lines(r"half a frame was dropped when the line closed \(1 time so far\)")
    assert agent.log_lines(r"half a frame was dropped when the line closed \(3 times so far\)")
    assert agent.dead_letters() == []


def test_socat_pair_that_is_restarted_is_read_again(agent, collector, tmp_path):
    pair = SocatPair(tmp_path)
    try:
        agent.configure(pipeline(serial_source(pair.near), http_sink(collector)))
        agent.start()
        pair.write(b"one\n")
        collector.wait_records(1)
        pair.down()
        agent.wait_log("is gone")
        pair.up()
        agent.wait_log("is there and open")
        pair.write(b"two\n")
        collector.wait_records(2)
        assert lines_of(collector) == ["one", "two"]
    finally:
        pair.down()


def test_port_that_is_missing_at_the_start_is_awaited_and_said_once(agent, collector, tmp_path):
    path = tmp_path / "by-id" / "usb-scale"
    agent.configure(pipeline(serial_source(path), http_sink(collector)))
    agent.start()
    agent.wait_log(f"{path} is not there: waiting for it")
    path.parent.mkdir()
    line = SerialLine(path)
    line.write(b"one\n")
    collector.wait_records(1)
    line.unplug()
    stop(agent)
    assert len(agent.log_lines("is not there")) == 1


def test_port_without_permission_says_what_to_do_and_opens_when_it_is_done(agent, collector, line):
    os.chmod(line.device, 0)
    agent.configure(pipeline(serial_source(line.path), http_sink(collector)))
    agent.start(wrap=DROP_READ_ALL)
    agent.wait_log(r"permission denied: .*usermod -aG dialout USER")
    os.chmod(line.device, 0o600)
    line.write(b"one\n")
    collector.wait_records(1)
    assert len(agent.log_lines("permission denied")) == 1


def test_what_is_no_port_is_said_and_replaced(agent, collector, tmp_path):
    path = tmp_path / "port"
    path.write_text("written there while the device was away")
    agent.configure(pipeline(serial_source(path), http_sink(collector)))
    agent.start()
    agent.wait_log(f"{path} is not a serial port")
    path.unlink()
    line = SerialLine(path)
    line.write(b"one\n")
    collector.wait_records(1)
    line.unplug()


def test_port_of_another_program_is_taken_when_it_is_free(make_agent, collector, line):
    first, second = make_agent("first"), make_agent("second")
    for agent in (first, second):
        agent.configure(pipeline(serial_source(line.path), http_sink(collector)))
    first.start()
    line.write(b"one\n")
    collector.wait_records(1)
    second.start()
    second.wait_log("another program has it open")
    stop(first)
    second.wait_log("is there and open")
    line.write(b"two\n")
    collector.wait_records(2)
    assert lines_of(collector) == ["one", "two"]


def test_stopping_while_the_port_is_away_ends_at_once(agent, tmp_path):
    agent.configure(pipeline(serial_source(tmp_path / "never"), {"type": "stdout"}))
    agent.start()
    agent.wait_log("is not there")
    stop(agent)


def test_configuration_is_read_anew_with_the_port_open(agent, collector, line):
    agent.configure(pipeline(serial_source(line.path), http_sink(collector)))
    agent.start()
    line.write(b"one\n")
    collector.wait_records(1)
    agent.configure(pipeline(serial_source(line.path, baudRate=31250), http_sink(collector)))
    agent.send(1)
    agent.wait_for(lambda: line.baud_rate == 31250)
    line.write(b"two\n")
    collector.wait_records(2)
    stop(agent)
    assert lines_of(collector) == ["one", "two"]


# --- bad input -----------------------------------------------------------------------------------


def test_good_frames_among_garbage_are_all_delivered(agent, collector, line):
    noise = random.Random(7)
    agent.configure(pipeline(
        serial_source(line.path, checksum="nmea", framing={"type": "startEnd", "start": "$",
                                                           "end": "\\r\\n", "maxLength": "1KiB"}),
        http_sink(collector, inFlight=1)))
    agent.start()
    for n in range(200):
        garbage = noise.randbytes(noise.randrange(300)).replace(b"*", b"")
        line.write(garbage + b"\r\n$" + nmea(b"good,%d" % n) + b"\r\n")
    collector.wait_records(200)
    stop(agent)
    assert lines_of(collector) == [f"good,{n}" for n in range(200)]


def test_garbage_without_any_frame_is_told(agent, line, tmp_path):
    agent.configure(pipeline(
        serial_source(line.path, framing={"type": "startEnd", "start": "\\x02", "end": "\\x03",
                                          "maxLength": "1KiB"}), {"type": "stdout"}))
    agent.start()
    line.write(b"wrong baud rate " * 400)
    agent.wait_log(r"no start marker in maxLength bytes")
    agent.wait_log(r"a byte outside frames was skipped")
    stop(agent)


def test_flooded_line_does_not_keep_another_from_the_loop(agent, collector, make_line, sanitized):
    flooded, calm = make_line("flooded"), make_line("calm")
    agent.configure(
        pipeline(serial_source(flooded.path, checksum="nmea"),
                 http_sink(collector), name="flooded", deadLetters={"maxBytes": "1MiB"}),
        pipeline(serial_source(calm.path), http_sink(collector), name="calm"),
        memory="4MiB")
    agent.start()
    done = threading.Event()
    blocks = [b"x" * 4096, b"\n" * 4096, b"ab\n" * 1365, bytes(range(256)) * 16]

    def flood():
        turn = 0
        while not done.is_set():
            turn += flooded.write_some(blocks[turn // 65536 % len(blocks)])

    def arrived(n):
        return any(b'"calm %d"' % n in request.body for request in collector.accepted)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        for n in range(50):
            calm.write(b"calm %d\n" % n)
            agent.wait_for(lambda n=n: arrived(n), what=f"line {n} of the calm pipeline")
    finally:
        done.set()
        thread.join()
    stop(agent)
    if not sanitized:
        assert agent.peak_rss_kib < 40 * 1024


# --- back-pressure -------------------------------------------------------------------------------


def test_nothing_is_lost_while_the_sink_is_slow(agent, collector, line):
    """A pseudo-terminal holds its writer when its buffer is full, as flow control does."""
    count = 3000
    collector.script(*[Answer(503)] * 20)
    agent.configure(pipeline(serial_source(line.path, flowControl="rtscts"),
                             http_sink(collector, records=50, inFlight=1), delivery=quick_retry()),
                    memory="1MiB")
    agent.start()
    line.write(b"".join(b"%d\n" % n for n in range(count)), deadline=60)
    collector.wait_records(count)
    stop(agent)
    assert lines_of(collector) == [str(n) for n in range(count)]


def test_what_was_read_while_the_sink_was_away_is_delivered_after_a_restart(agent, collector, line):
    collector.down()
    def answer(_):
        return b"%d\n" % len(line.requests) if len(line.requests) <= 100 else b""

    line.answer(answer, end=b"?")
    agent.configure(pipeline(serial_source(line.path, poll={"request": "?", "every": "1ms",
                                                            "timeout": "1m"}),
                             http_sink(collector, inFlight=1), delivery=quick_retry()))
    agent.start()
    # That it asks once more tells that it has all answers.
    agent.wait_for(lambda: len(line.requests) == 101)
    stop(agent)
    assert collector.records() == []
    collector.up()
    agent.start()
    collector.wait_records(100)
    stop(agent)
    assert lines_of(collector) == [str(n) for n in range(1, 101)]
