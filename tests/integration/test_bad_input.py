"""What is wrong in the input is named, kept aside, and hurts nothing around it."""

import bz2
import json
import lzma
import random

import pytest

from harness.agent import DROP_READ_ALL
from harness.pipelines import file_source, http_sink, pipeline, quick_retry, where

TOUCH_NOTHING = where("1")  # makes the planner decode and encode


def deliver(agent, collector, content, *transforms, format="json", name="input", **source):
    """Writes `content` to a file and runs it into the collector; returns the exit code."""
    path = agent.folder / name
    path.write_bytes(content)
    agent.configure(pipeline(file_source(path, format=format, **source),
                             http_sink(collector, inFlight=1),
                             *transforms, delivery=quick_retry()))
    return agent.run()


def places(agent):
    """Where the dead letters came from: "file:line"."""
    return [letter["source"] for letter in agent.dead_letters()]


@pytest.mark.parametrize("transforms", [(), (TOUCH_NOTHING,)], ids=["passes through", "decoded"])
@pytest.mark.parametrize("bad", [
    b'{"seq":3}{"seq":4}', b'{"seq":1', b'{"seq":1,}', b'{"seq" 1}', b'{"seq":01}', b'{"seq":1}}', b'[1,2]', b'"text"',
    b"{'seq':1}", b'{"seq":nul}', b'{"seq":1e}', b'{"a":"\\x"}', b'{"a":"\\ud80"}', b'not json',
    b'{"a":"tab\there"}', b'{"a":"nul\x00here"}', b'\x00\x00\x00', b'{"a":"\xff\xfe"}',
    b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
], ids=lambda bad: repr(bad[:20]))
def test_a_bad_json_line_becomes_a_dead_letter_and_its_neighbours_arrive(agent, collector, bad, transforms):
    content = b'{"seq":0}\n' + bad + b'\n{"seq":2}\n'
    assert deliver(agent, collector, content, *transforms) == 0
    assert collector.records() == [{"seq": 0}, {"seq": 2}]
    assert places(agent) == [f"{agent.folder}/input:2"]
    letter, = agent.dead_letters()
    assert letter["pipeline"] == "p"
    assert letter["reason"]
    assert "raw" in letter or "rawBase64" in letter


def test_a_truncated_last_line_becomes_a_dead_letter(agent, collector):
    assert deliver(agent, collector, b'{"seq":0}\n{"seq":1,"te', TOUCH_NOTHING) == 0
    assert collector.records() == [{"seq": 0}]
    assert places(agent) == [f"{agent.folder}/input:2"]


def test_a_last_line_without_a_newline_is_delivered(agent, collector):
    assert deliver(agent, collector, b'{"seq":0}\n{"seq":1}', TOUCH_NOTHING) == 0
    assert collector.records() == [{"seq": 0}, {"seq": 1}]


def test_bytes_that_pass_through_end_with_a_newline_too(agent, collector):
    assert deliver(agent, collector, b'{"seq":0}\n{"seq":1}') == 0
    assert collector.records() == [{"seq": 0}, {"seq": 1}]
    assert collector.requests[-1].body.endswith(b"\n")


@pytest.mark.parametrize("transforms", [(), (TOUCH_NOTHING,)], ids=["passes through", "decoded"])
def test_json_lines_mean_the_same_with_and_without_a_transform(agent, collector, transforms):
    content = b'{"seq":0}\n[{"seq":1},{"seq":2}]\n[\n{"seq":3},\n{"seq":4}\n]\n'
    assert deliver(agent, collector, content, *transforms) == 0
    assert collector.records() == [{"seq": n} for n in (0, 1, 2, 4)]
    assert places(agent) == [f"{agent.folder}/input:{line}" for line in (3, 4, 6)]
    assert '"document": "array"' in agent.dead_letters()[0]["reason"]


def test_an_array_over_several_lines_is_read_element_by_element(agent, collector):
    records = [{"seq": n, "text": "]},{[" * 20} for n in range(2000)]
    content = json.dumps(records, indent=2).encode()
    assert deliver(agent, collector, content, json={"document": "array"}) == 0
    assert sorted(collector.records(), key=lambda record: record["seq"]) == records
    assert not agent.dead_letters()


def test_windows_line_ends_and_blank_lines_are_no_records(agent, collector):
    content = b'\r\n{"seq":0}\r\n\r\n\n{"seq":1}\r\n\n'
    assert deliver(agent, collector, content, TOUCH_NOTHING) == 0
    assert collector.records() == [{"seq": 0}, {"seq": 1}]
    assert agent.dead_letters() == []


def test_lines_that_end_with_a_carriage_return_alone_are_named(agent, collector):
    """Nothing was read, and nothing said."""
    deliver(agent, collector, b"id,name\r1,a\r2,b\r", format="csv")
    agent.wait_log(" warn .*/input: its lines end with a carriage return alone")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_read_and_gone_on_with(agent, collector, encoding):
    mark = "\ufeff".encode(encoding)
    first = "id,name\r\n1,\u00e9\r\n".encode(encoding)
    assert deliver(agent, collector, mark + first, format="csv", csv={"encoding": "utf-16"}) == 0
    with open(agent.folder / "input", "ab") as file:
        file.write("2,\U0001f600\r\n3,\u20ac\r\n".encode(encoding))
    assert agent.run() == 0
    assert collector.records() == [{"id": 1, "name": "\u00e9"}, {"id": 2, "name": "\U0001f600"},
                                   {"id": 3, "name": "\u20ac"}]
    assert agent.dead_letters() == []


PACKED = {"bzip2": bz2.compress, "xz": lzma.compress,
          "zstd": lambda content: b"\x28\xb5\x2f\xfd" + content,
          "zip": lambda content: b"PK\x03\x04\n\x00\x00" + content}


@pytest.mark.parametrize("format", ["json", "csv", "lines"])
@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_file_is_named_and_gives_no_records(agent, collector, kind, format):
    """Its bytes were lines: dead letters, and where one looked like text a record, exit code 0."""
    content = b'{"seq":0}\n1\n'
    (agent.folder / "other").write_bytes(b'{"seq":0}\n1\n')
    path = agent.folder / "input"
    path.write_bytes(PACKED[kind](content * 20))
    agent.configure(pipeline(file_source(path, agent.folder / "other", format=format),
                             http_sink(collector), TOUCH_NOTHING))
    for _ in range(2):  # the second time, too
        assert agent.run() == 1
        error, = [line for line in agent.log_of_run.splitlines() if " error " in line and "unpack" in line and
                  "failed" not in line]
        assert f"{path} is a" in error and kind in error
    assert not any(letter["source"].startswith(f"{path}:") for letter in agent.dead_letters())
    assert collector.records()  # of the other file, once
    path.write_bytes(content)
    collector.requests.clear()
    agent.run()
    assert collector.records()


def test_a_packed_file_beside_those_that_are_followed_is_passed_over(agent, collector):
    (agent.folder / "a.log").write_bytes(b'{"seq":0}\n')
    (agent.folder / "a.log.1").write_bytes(bz2.compress(b'{"seq":9}\n'))
    agent.configure(pipeline(file_source(agent.folder / "a.log*", follow=True, rotateWait="0ms"),
                             http_sink(collector), TOUCH_NOTHING))
    agent.start()
    collector.wait_records(1)
    agent.wait_log("a.log.1 is a bzip2 file, .*; it is not read")
    (agent.folder / "a.log.1").rename(agent.folder / "old")
    with open(agent.folder / "a.log", "ab") as log:
        log.write(b'{"seq":1}\n')
    collector.wait_records(2)
    agent.terminate()
    assert agent.wait() == 0
    assert collector.records() == [{"seq": 0}, {"seq": 1}]
    assert agent.dead_letters() == [] and len(agent.log_lines("bzip2")) == 1


def test_a_packed_file_is_taken_as_it_is_where_that_is_asked_for(agent, collector):
    content = bz2.compress(b'{"seq":0}\n' * 20)
    deliver(agent, collector, content, TOUCH_NOTHING, compression="none")
    assert "it begins like a bzip2 file" in agent.dead_letters()[0]["reason"]
    agent.configure(pipeline(file_source(agent.folder / "input", format="raw"),
                             {"type": "file", "path": str(agent.folder / "out"), "format": "raw"}, name="raw"))
    assert agent.run() == 0
    assert (agent.folder / "out").read_bytes() == content


@pytest.mark.parametrize("transforms", [[], [TOUCH_NOTHING]], ids=["pass_through", "decoded"])
def test_a_line_over_the_limit_becomes_a_dead_letter(agent, collector, transforms):
    long_line = b'{"seq":1,"text":"' + b"x" * 300_000 + b'"}'
    content = b'{"seq":0}\n' + long_line + b'\n{"seq":2}\n' + long_line
    assert deliver(agent, collector, content, *transforms, maxRecord="64KiB") == 0
    assert collector.records() == [{"seq": 0}, {"seq": 2}]
    assert places(agent) == [f"{agent.folder}/input:2", f"{agent.folder}/input:4"]
    assert "64" in agent.dead_letters()[0]["reason"]


@pytest.mark.parametrize("format,options,content", [
    ("json", {}, '{"seq":0}\n%s\n{"seq":2}\n'),
    ("json", {"json": {"document": "array"}}, '[{"seq":0},%s,{"seq":2}]'),
    ("json", {"json": {"document": "concatenated"}}, '{"seq":0}%s{"seq":2}'),
    ("csv", {"csv": {"columns": [{"name": "seq", "type": "integer"}]}}, "seq\n0\n%s\n2\n"),
], ids=["lines", "array", "concatenated", "csv"])
def test_the_limit_of_a_record_is_the_one_that_was_set(agent, collector, format, options, content):
    """What came in one read passed, however long; of an array on one line, all behind it was lost."""
    long = {"json": '{"seq":1,"more":[%s]}' % ",".join(['{"seq":9}'] * 200), "csv": "1" * 2000}[format]
    content = (content % long).encode()
    assert deliver(agent, collector, content, TOUCH_NOTHING, format=format, maxRecord="1KiB", **options) == 0
    assert collector.records() == [{"seq": 0}, {"seq": 2}]
    letter, = agent.dead_letters()
    assert letter["reason"].startswith("the record is longer than maxRecord (1.0 KiB)")


def test_a_hole_longer_than_the_limit_costs_no_record(agent, collector):
    content = b'{"seq":0}\n' + bytes(300_000) + b'{"seq":1}\n{"seq":2}\n'
    assert deliver(agent, collector, content, maxRecord="64KiB") == 0
    assert collector.records() == [{"seq": 0}, {"seq": 1}, {"seq": 2}]
    assert agent.dead_letters() == []
    assert len(agent.log_lines("300000 NUL bytes before byte 300010 are skipped")) == 1


def test_a_file_that_cannot_be_read_is_said_once_and_in_the_last_word(agent, collector):
    agent.configure(pipeline(file_source(agent.folder / "missing"), http_sink(collector)))
    assert agent.run() == 1
    first, last = agent.log_lines("no such file or directory")
    assert "failed: " not in first
    assert "failed: " in last


def test_the_reason_of_a_dead_letter_shows_json_as_it_is(agent, collector):
    # What SQLite makes of an infinite number: no JSON, or one that is beyond any (1e999 in its spelling).
    made = {"type": "map", "set": {"doc": "json_object('v', 1e999 + seq)"}}
    assert deliver(agent, collector, b'{"seq":0}\n', made) == 1
    letter, = agent.dead_letters()
    assert letter["reason"].endswith((': {"v":Inf}', ': {"v":9.0e+999}'))


def test_numbers_nobody_touches_stay_exactly_as_they_were(agent, collector):
    line = (b'{"big":123456789012345678901234567890,"dec":3.14159265358979323846264338327950288,'
            b'"tail":44.50,"exp":1E400,"neg":-0.0,"max":9223372036854775807,"one":1}\n')
    set_two = {"type": "map", "set": {"two": "one + 1"}}
    assert deliver(agent, collector, line, set_two) == 0
    assert collector.requests[0].body == line.replace(b'"one":1}', b'"one":1,"two":2}')
    assert agent.dead_letters() == []


def test_absent_and_null_are_not_the_same(agent, collector):
    content = b'{"seq":0,"a":null}\n{"seq":1}\n{"seq":2,"a":1}\n'
    assert deliver(agent, collector, content, TOUCH_NOTHING) == 0
    assert collector.requests[0].body == content


@pytest.mark.parametrize("follow", [False])
def test_an_empty_file_is_no_error(agent, collector, follow):
    assert deliver(agent, collector, b"", TOUCH_NOTHING) == 0
    assert collector.requests == []
    assert agent.log_lines(" (warn|error) ") == []


def configure_path(agent, collector, path):
    agent.configure(pipeline(file_source(path), http_sink(collector)))


def test_a_missing_file_is_named(agent, collector):
    configure_path(agent, collector, agent.folder / "nowhere.jsonl")
    assert agent.run() == 1
    assert f"{agent.folder}/nowhere.jsonl: no such file" in agent.log


def test_a_directory_is_named(agent, collector):
    configure_path(agent, collector, agent.folder)
    assert agent.run() == 1
    assert agent.log_lines(rf"{agent.folder}: .*directory")


def test_a_file_without_read_permission_is_named(agent, collector):
    path = agent.folder / "secret.jsonl"
    path.write_text('{"seq":0}\n')
    path.chmod(0)
    configure_path(agent, collector, path)
    agent.start(wrap=DROP_READ_ALL)
    assert agent.wait() == 1
    assert agent.log_lines(rf"{path}: permission denied")


def test_bad_csv_rows_become_dead_letters_and_their_neighbours_arrive(agent, collector):
    content = (b"seq,temp,name\n"
               b"0,1.5,good\n"
               b"1,1.5,too,many\n"
               b"2,1.5,\"quoted, \"\"good\"\"\nover two lines\"\n"
               b"3,warm,not a number\n"
               b"4,2.5,good\n"
               b"5,3.5\n")
    columns = [{"name": "seq", "type": "integer"}, {"name": "temp", "type": "float"}]
    assert deliver(agent, collector, content, TOUCH_NOTHING, format="csv",
                   csv={"columns": columns}) == 0
    assert collector.records() == [
        {"seq": 0, "temp": 1.5, "name": "good"},
        {"seq": 2, "temp": 1.5, "name": 'quoted, "good"\nover two lines'},
        {"seq": 4, "temp": 2.5, "name": "good"}]
    assert places(agent) == [f"{agent.folder}/input:{line}" for line in (3, 6, 8)]
    assert "temp" in agent.dead_letters()[1]["reason"]


def test_a_quote_that_is_never_closed_loses_at_most_up_to_the_limit(agent, collector):
    rows = b"".join(b"%d,row\n" % n for n in range(20000))
    content = b'seq,text\n7,"never closed\n' + rows
    assert deliver(agent, collector, content, TOUCH_NOTHING, format="csv", maxRecord="16KiB") == 0
    assert len(agent.dead_letters()) >= 1
    seqs = [record["seq"] for record in collector.records()]
    assert max(seqs) == 19999  # two deliveries in flight may arrive out of order
    assert len(seqs) > 15000


def test_a_quoted_field_is_whole_up_to_the_limit_that_was_set(agent, collector):
    text = "a line of a text, with a comma\n" * 30000
    content = f'seq,text\n7,"{text}"\n8,short\n'.encode()
    assert deliver(agent, collector, content, TOUCH_NOTHING, format="csv", maxRecord="16MiB") == 0
    assert collector.records() == [{"seq": 7, "text": text}, {"seq": 8, "text": "short"}]
    assert agent.dead_letters() == []


def test_a_torn_csv_row_at_the_end_becomes_a_dead_letter_and_its_rest_no_record(agent, collector):
    assert deliver(agent, collector, b"id,a,b\n1,x,y\n2,x", TOUCH_NOTHING, format="csv") == 0
    assert collector.records() == [{"id": 1, "a": "x", "b": "y"}]
    assert agent.log_lines("info p: file: .*input: the last line has no end")
    with (agent.folder / "input").open("ab") as file:
        file.write(b"xx,y\n3,x,y\n")
    assert agent.run() == 0
    assert collector.records()[1:] == [{"id": 3, "a": "x", "b": "y"}]
    assert [letter["raw"] for letter in agent.dead_letters()] == ["2,x", "xx,y"]


EXPRESSION = "json_extract(doc, '$.a') = 1"
FAILING = (b'{"seq":0,"doc":"{\\"a\\":1}"}\n{"seq":1,"doc":"{broken"}\n{"seq":2,"doc":"{\\"a\\":1}"}\n')


def test_a_mistyped_reading_does_not_pass_as_a_large_number(agent, collector):
    content = b'{"temp":50}\n{"temp":"hot"}\n{"temp":"60.5"}\n{"temp":20}\n'
    assert deliver(agent, collector, content, where("temp > 40"), fieldTypes={"temp": "float"}) == 0
    assert collector.records() == [{"temp": 50}, {"temp": 60.5}]
    letter, = agent.dead_letters()
    assert letter["reason"] == "temp: 'hot' is no float"
    assert letter["record"] == {"temp": "hot"}


def test_a_record_without_its_time_is_a_dead_letter_when_told_so(agent, collector):
    content = b'{"ts":"2026-01-02T03:04:05Z"}\n{"ts":"soon"}\n{"t":1}\n'
    assert deliver(agent, collector, content, time={"field": "ts", "onError": "deadLetter"}) == 0
    assert collector.records() == [{"ts": "2026-01-02T03:04:05Z"}]
    assert places(agent) == [f"{agent.folder}/input:2", f"{agent.folder}/input:3"]


def test_a_failing_expression_sends_the_record_to_the_dead_letters(agent, collector):
    assert deliver(agent, collector, FAILING, where(EXPRESSION)) == 0
    assert [record["seq"] for record in collector.records()] == [0, 2]
    letter, = agent.dead_letters()
    assert letter["record"]["seq"] == 1
    assert letter["stage"] == "filter"
    assert "JSON" in letter["reason"]
    assert letter["source"] == f"{agent.folder}/input:2"


def test_a_failing_expression_drops_the_record_when_told_so(agent, collector):
    assert deliver(agent, collector, FAILING, where(EXPRESSION, onError="drop")) == 0
    assert [record["seq"] for record in collector.records()] == [0, 2]
    assert agent.dead_letters() == []


def test_a_failing_expression_stops_the_pipeline_when_told_so(agent, collector):
    assert deliver(agent, collector, FAILING, where(EXPRESSION, onError="fail")) == 1
    assert agent.log_lines("error .*JSON")


@pytest.mark.parametrize("format", ["json", "csv", "lines", "raw"])
@pytest.mark.parametrize("seed", range(3))
def test_noise_never_crashes(agent, collector, format, seed):
    """Random bytes, random pieces of what could be right: never a signal."""
    rng = random.Random(seed)
    pieces = [b'{"seq":', b"1", b",", b'"', b"}", b"\n", b"\r\n", b"[", b"]", b"\\u00", b"\xff",
              b"\x00", b"null", b"-1.5e9", b'{"seq":1,"temp":2.5}\n', b"a,b,c\n", b"\xef\xbb\xbf"]
    content = b"".join(rng.choice(pieces) if rng.random() < 0.9 else rng.randbytes(rng.randrange(50))
                       for _ in range(40000))
    collector.decide = None
    code = deliver(agent, collector, content, TOUCH_NOTHING, format=format, maxRecord="4KiB")
    assert code == (0 if collector.line_count() else 1)


def test_a_config_with_many_errors_reports_each_with_its_path(agent, collector):
    agent.write_config({
        "agent": {"dataDri": "x", "workers": 0, "memory": "lots", "drainTimeout": 30},
        "pipelines": [
            {"name": "bad name!", "source": {"type": "fil", "path": 5},
             "sink": {"type": "http", "ulr": "http://x/"}},
            {"name": "a", "source": {"type": "file", "path": ["x"], "format": "jsn", "folow": True,
                                     "time": {"format": "rfc3339"}},
             "transforms": [{"type": "filtr"}, {"type": "filter"}, {"where": "1"},
                            {"type": "filter", "where": "temp >"}],
             "sink": {"type": "sqlite", "path": 1, "table": "t", "batch": {"records": -5, "byts": 1}},
             "delivery": {"guarantee": "always", "retry": {"initial": "soon"}}},
            {"name": "a", "source": {"type": "file", "path": ["x"], "format": "json"}}]})
    result = agent.command("check", "-c", agent.config_path)
    assert result.returncode == 2
    for path in ("agent.dataDri", "agent.workers", "agent.memory", "agent.drainTimeout",
                 "pipelines[0].name", "pipelines[0].source.type", "pipelines[0].sink.ulr",
                 "pipelines[0].sink.url", "pipelines[1].source.format", "pipelines[1].source.folow",
                 "pipelines[1].source.time.field", "pipelines[1].transforms[0].type",
                 "pipelines[1].transforms[1].where", "pipelines[1].transforms[2].type",
                 "pipelines[1].transforms[3].where", "pipelines[1].sink.path",
                 "pipelines[1].sink.batch.records", "pipelines[1].sink.batch.byts",
                 "pipelines[1].delivery.guarantee", "pipelines[1].delivery.retry.initial",
                 "pipelines[2].sink"):
        assert path + ": " in result.stderr
    assert 'did you mean "url"?' in result.stderr


def test_a_record_the_collector_refuses_is_isolated(agent, collector):
    """400 for a request that holds one of the bad records; the rest of its batch is delivered."""
    from harness.collector import Answer
    bad = (b'"seq":137,', b'"seq":138,', b'"seq":700,')
    collector.decide = lambda request: (
        Answer(400, body=b"bad record") if any(b in request.body for b in bad) else Answer())
    content = b"".join(b'{"seq":%d,"x":1}\n' % n for n in range(1000))
    assert deliver(agent, collector, content) == 0
    delivered = [record["seq"] for record in collector.records()]
    assert sorted(delivered) == [n for n in range(1000) if n not in (137, 138, 700)]
    letters = agent.dead_letters()
    assert len(letters) == 3
    assert all("400" in letter["reason"] and letter["stage"] == "http" for letter in letters)
    assert sorted(places(agent)) == [f"{agent.folder}/input:{n}" for n in (138, 139, 701)]
    assert '"seq":137' in json.dumps(letters).replace(" ", "").replace("\\", "")
