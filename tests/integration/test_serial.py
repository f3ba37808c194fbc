"""The serial source, over pseudo-terminals: framing, checksums, polling, line settings."""

import base64
import json
import re
import subprocess

import pytest

from conftest import ROOT
from harness.collector import Answer
from harness.pipelines import http_sink, pipeline, quick_retry
from harness.serial_line import SerialLine, crc16_modbus, nmea, xor_sum


def serial_source(line, format="lines", **options):
    return {"type": "serial", "port": str(line.path), "format": format, **options}


@pytest.fixture
def line(tmp_path):
    serial = SerialLine(tmp_path / "port")
    yield serial
    serial.unplug()


@pytest.fixture
def read(agent, collector, line):
    """read(framing=…, …): starts an agent that reads the line and posts what it reads."""
    def start(**source):
        agent.configure(pipeline(serial_source(line, **source), http_sink(collector, inFlight=1)))
        agent.start()
        # What is sent before the line is set is no fair test of bytes such as 0xFF.
        agent.wait_for(lambda: line.baud_rate == source.get("baudRate", 9600), what="the line")

    return start


def lines_of(collector):
    return [record["line"] for record in collector.records()]


def bytes_of(collector):
    return [base64.b64decode(record["data"]) for record in collector.records()]


def stop(agent):
    agent.terminate()
    assert agent.wait() == 0


# --- framing -------------------------------------------------------------------------------------

FRAMINGS = [
    ({"type": "line"}, b"one\r\ntwo\n\nthree\n"),
    ({"type": "delimiter", "delimiter": ";"}, b"one;two;;three;"),
    ({"type": "delimiter", "delimiter": "0x0D0A"}, b"one\r\ntwo\r\nthree\r\n"),
    ({"type": "delimiter", "delimiter": "\\x03\\0"}, b"one\x03\0two\x03\0three\x03\0"),
    ({"type": "startEnd", "start": "\\x02", "end": "\\x03"}, b"x\x02one\x03\r\n\x02two\x03\x02three\x03"),
    ({"type": "startEnd", "start": "<<", "end": ">>"}, b"<<one>><<two>>noise<<three>>"),
]


@pytest.mark.parametrize("framing, sent", FRAMINGS)
def test_frames_become_records(agent, collector, line, read, framing, sent):
    read(framing=framing)
    line.write(sent)
    collector.wait_records(3)
    stop(agent)
    assert lines_of(collector) == ["one", "two", "three"]
    assert agent.dead_letters() == []


def test_frames_of_fixed_length(agent, collector, line, read):
    read(format="raw", framing={"type": "length", "length": 4})
    frames = [bytes([0, 255, 10, n]) for n in range(256)]
    line.write(b"".join(frames))
    collector.wait_records(256)
    stop(agent)
    assert bytes_of(collector) == frames


def test_frames_that_end_with_silence(agent, collector, line, read):
    read(format="raw", framing={"type": "gap", "gap": "30ms"})
    for n in range(3):
        line.write(b"\x01\x03\n" + bytes([n]))
        collector.wait_records(n + 1)
    stop(agent)
    assert bytes_of(collector) == [b"\x01\x03\n" + bytes([n]) for n in range(3)]


@pytest.mark.parametrize("style, sent, data", [
    ("literal", b"a\xdb\xc0b\xdb\xdb\xc0", b"a\xc0b\xdb"),
    ("slip", b"\xc0a\xdb\xdcb\xdb\xdd\xc0", b"a\xc0b\xdb"),
    ("hdlc", b"\xc0a\xdb\xe0b\xdb\xfb\xc0", b"a\xc0b\xdb"),
])
def test_escapes_are_undone(agent, collector, line, read, style, sent, data):
    read(format="raw", framing={"type": "delimiter", "delimiter": "0xC0", "escape": "0xDB",
                                "escapeStyle": style})
    line.write(sent)
    collector.wait_records(1)
    assert bytes_of(collector) == [data]


def test_json_and_csv_are_decoded(make_agent, collector, tmp_path):
    lines = [SerialLine(tmp_path / "json"), SerialLine(tmp_path / "csv")]
    columns = [{"index": 0, "name": "a", "type": "integer"},
               {"index": 1, "name": "b", "type": "string"}]
    agent = make_agent()
    agent.configure(
        pipeline(serial_source(lines[0], "json"), http_sink(collector)),
        pipeline(serial_source(lines[1], "csv", csv={"header": False, "columns": columns}),
                 http_sink(collector)))
    agent.start()
    lines[0].write(b'{"a":1,"b":"x"}\nnot json\n{"a":2,"b":"y"}\n')
    lines[1].write(b"3,z\r\n4,w\r\n")
    collector.wait_records(4)
    stop(agent)
    assert sorted(collector.records(), key=lambda r: r["a"]) == [
        {"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}, {"a": 4, "b": "w"}]
    (letter,) = agent.dead_letters("p")
    assert letter["source"] == f"{lines[0].path}: frame 2"
    assert letter["raw"] == "not json"
    for serial in lines:
        serial.unplug()


def test_frame_that_is_too_long_is_a_dead_letter_and_the_next_is_not(agent, collector, line, read):
    read(framing={"type": "line", "maxLength": "2KiB"})
    line.write(b"good\n" + b"x" * 100_000 + b"\nalso good\n")
    collector.wait_records(2)
    stop(agent)
    assert lines_of(collector) == ["good", "also good"]
    (letter,) = agent.dead_letters()
    assert letter["reason"] == ("the frame is longer than maxLength (2.0 KiB); "
                                "only the start is kept here")
    assert letter["raw"] == "x" * 1024
    assert letter["source"] == f"{line.path}: frame 2"


# --- checksums -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name, framing, before, after, add, bad", [
    ("crc16modbus", {"type": "length", "length": 8}, b"", b"", crc16_modbus, b"\1\3\0\0\0\1\x0a\x84"),
    ("crc16modbus", {"type": "delimiter", "delimiter": "0xC0", "escape": "0xDB",
                     "escapeStyle": "slip"}, b"", b"\xc0", crc16_modbus, b"abc000"),
    ("xor", {"type": "startEnd", "start": "<", "end": ">"}, b"<", b">",
     lambda data: data + bytes([xor_sum(data)]), b"abc000~"),
    ("nmea", {"type": "line"}, b"", b"\r\n", nmea, b"GPGLL*00"),
])
def test_checksums_are_checked_and_taken_off(agent, collector, line, read, name, framing, before,
                                             after, add, bad):
    read(format="raw", framing=framing, checksum=name)
    good = [b"abc%03d" % n for n in range(3)]
    for frame in (add(good[0]), bad, add(good[1]), add(good[2])):
        line.write(before + frame + after)
    collector.wait_records(3)
    stop(agent)
    assert bytes_of(collector) == good
    (letter,) = agent.dead_letters()
    assert letter["reason"].startswith(f"{name}: the frame says 0x")
    assert letter["source"] == f"{line.path}: frame 2"
    raw = base64.b64decode(letter["rawBase64"]) if "rawBase64" in letter else letter["raw"].encode()
    assert raw == bad


def test_bad_frames_are_said_once_with_their_number_and_each_is_kept(agent, collector, line, read):
    read(checksum="nmea")
    line.write(b"garbage\n" * 50 + b"$a*61\n")
    collector.wait_records(1)
    stop(agent)
    assert len(agent.dead_letters()) == 50
    assert len(agent.log_lines("nmea: the frame does not end in")) == 1


# --- polling -------------------------------------------------------------------------------------


def test_device_is_asked_and_its_answers_are_records(agent, collector, line, read):
    count = iter(range(1000))
    line.answer(lambda request: b"%s %d\r\n" % (request.strip(), next(count)), end=b"?")
    read(poll={"request": "R?", "every": "5ms"})
    collector.wait_records(5)
    stop(agent)
    answers = lines_of(collector)
    assert answers == [f"R? {n}" for n in range(len(answers))]
    (read_in_all,) = re.findall(r"(\d+) records read", agent.log)
    assert 0 <= len(line.requests) - int(read_in_all) <= 1, "one request for each answer"


def test_modbus_answers_end_with_silence(agent, collector, line, read):
    request = crc16_modbus(b"\x11\x03\x00\x6b\x00\x03")
    line.answer(lambda _: crc16_modbus(b"\x11\x03\x06\xae\x41\x56\x52\x43\x40"), end=request)
    read(format="raw", framing={"type": "gap", "gap": "30ms"}, checksum="crc16modbus",
         poll={"request": "0x" + request.hex(), "every": "50ms", "timeout": "10s"})
    collector.wait_records(2)
    stop(agent)
    assert set(bytes_of(collector)) == {b"\x11\x03\x06\xae\x41\x56\x52\x43\x40"}
    assert set(line.requests) == {request}


def test_device_that_does_not_answer_is_asked_again_and_it_is_said_once(agent, collector, line, read):
    def answer(_):
        return b"at last\r\n" if len(line.requests) > 5 else b""

    line.answer(answer, end=b"?")
    read(poll={"request": "?", "every": "5ms", "timeout": "30ms"})
    collector.wait_records(1)
    stop(agent)
    assert lines_of(collector)[0] == "at last"
    first = agent.log_lines("no complete answer within poll.timeout")[0]
    assert first.endswith("(1 time so far)")
    assert len(agent.log_lines("no complete answer within poll.timeout")) <= 2  # and at the end


def test_half_an_answer_is_a_dead_letter_and_not_the_start_of_the_next(agent, collector, line, read):
    line.answer(lambda _: b"half" if len(line.requests) == 1 else b"whole\r\n", end=b"?")
    read(poll={"request": "?", "every": "5ms", "timeout": "100ms"})
    collector.wait_records(2)
    stop(agent)
    assert set(lines_of(collector)) == {"whole"}
    (letter,) = agent.dead_letters()
    assert (letter["raw"], letter["reason"]) == (
        "half", "the answer was not complete within poll.timeout")


# --- the line ------------------------------------------------------------------------------------


@pytest.mark.parametrize("baud_rate", [300, 9600, 31250, 115200, 250000, 3000000])
def test_any_baud_rate_is_set(agent, collector, line, read, baud_rate):
    read(baudRate=baud_rate)
    line.write(b"one\n")
    collector.wait_records(1)
    assert line.baud_rate == baud_rate


@pytest.mark.parametrize("options", [
    {"flowControl": "rtscts"}, {"flowControl": "xonxoff"}, {"flowControl": "dtrdsr"},
    {"parity": "odd", "dataBits": 7, "stopBits": 2}, {"parity": "mark"}, {"parity": "space"},
    {"dataBits": 5}])
def test_settings_a_port_does_not_have_do_not_stop_it(agent, collector, line, read, options):
    read(**options)
    line.write(b"one\n")
    collector.wait_records(1)
    assert lines_of(collector) == ["one"]


def test_what_the_driver_does_not_take_is_said(agent, collector, line, read):
    read(dataBits=7, parity="even")
    line.write(b"one\n")
    collector.wait_records(1)
    assert agent.log_lines(rf"{line.path}: the driver did not take .*parity")


# --- configuration -------------------------------------------------------------------------------


def test_example_reads_a_scale(agent, collector, line):
    config = json.loads((ROOT / "config/examples/serial-to-http.json").read_text())
    config["agent"]["dataDir"] = str(agent.data_dir)
    (scale,) = config["pipelines"]
    scale["source"]["port"] = str(line.path)
    scale["source"]["poll"]["every"] = "5ms"
    scale["source"]["poll"]["timeout"] = "10s"
    scale["sink"].update(url=collector.url, inFlight=1)
    weights = iter([b"0.000", b"12.340", b"0.001"])
    line.answer(lambda _: b"$" + nmea(b"S1,%s,kg" % next(weights, b"0.000")) + b"\r\n", end=b"W\r\n")
    agent.write_config(config)
    agent.start()
    collector.wait_records(2)
    stop(agent)
    assert collector.records() == [{"scale": "S1", "weight": 12.34, "unit": "kg"},
                                   {"scale": "S1", "weight": 0.001, "unit": "kg"}]


@pytest.mark.parametrize("options, error", [
    ({"port": "COM1"}, r"source.port: must be a path such as"),
    ({"baudRate": 0}, r"source.baudRate: must be between 50 and"),
    ({"dataBits": 9}, r"source.dataBits: must be between 5 and 8"),
    ({"parity": "evn"}, r'source.parity: must be one of .*did you mean "even"\?'),
    ({"framing": {"type": "gap"}}, r"source.framing.gap: missing, and required"),
    ({"framing": {"type": "delimiter", "delimiter": "0xZ"}},
     r"source.framing.delimiter: must have two hex digits"),
    ({"framing": {"type": "line", "length": 5}}, r"source.framing.length: does nothing"),
    ({"poll": {"every": "1s"}}, r"source.poll.request: missing, and required"),
])
def test_check_says_what_is_wrong(agent, line, options, error):
    agent.configure(pipeline({**serial_source(line), **options}, {"type": "stdout"}))
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert re.match(rf"pipelines\[0\]\.{error}", done.stderr), done.stderr


def test_exactly_once_needs_the_spool(agent, line):
    def check(spool):
        agent.configure(pipeline(serial_source(line),
                                 {"type": "sqlite", "path": "x.db", "table": "t"},
                                 delivery={"guarantee": "exactlyOnce", "spool": spool}))
        return agent.command("check", "-c", agent.config_path)

    assert check("always").returncode == 0
    done = check("never")
    assert done.returncode == 2
    assert 'the source "serial" cannot be read again' in done.stderr


def test_ports_lists_ports_or_says_that_there_are_none(agent):
    done = agent.command("ports")
    assert (done.returncode, done.stderr) == (0, "")
    if done.stdout != "no ports found\n":
        heading, *ports = done.stdout.splitlines()
        assert heading.startswith("PORT")
        assert ports and all(port.startswith("/dev/") for port in ports)


def test_ports_that_a_container_was_not_given_are_not_listed(agent):
    """libserialport 0.1.1 lists them, and 0.1.2 then lists no port at all."""
    alone = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev && exec "$@"', "sh"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True, timeout=30).returncode != 0:
        pytest.skip("a /dev of one's own needs root, and mounts of one's own")
    done = agent.command("ports", wrap=alone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "no ports found\n", "")


def test_what_a_drain_could_not_deliver_of_a_line_is_said_to_be_lost(agent, collector, line):
    collector.default = Answer(503)
    agent.configure(pipeline(serial_source(line), http_sink(collector, inFlight=1),
                             delivery=quick_retry(threshold=1, cooldown="1h", spool="never")),
                    drainTimeout="300ms")
    agent.start()
    line.write(b"one\n")
    agent.wait_log("trying again")
    agent.terminate()
    assert agent.wait() == 1
    assert agent.log_lines("not drained within 300ms: 1 record in flight is not confirmed; "
                           "if it has not arrived it is lost, since the source cannot give it again")
