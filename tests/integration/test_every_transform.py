"""What every transform and every format does, whatever comes: each behaviour once, run over all that this build
has. A new transform is among them by itself, with the example of `leat new`."""

import functools
import json
import os
import random
import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness.pipelines import file_source, http_sink, pipeline, quick_retry

BEGIN = 1_760_000_000_000
TIME = {"field": "ts", "format": "unixMs"}
MEMORY = "8MiB"
# What a host's binary has beside its budget, and what a busy machine adds; of 200,000 bytes a key a record or two
# are in flight in several forms.
LIMIT_KIB = (8 * 1024 * 1024 + 10_000_000) // 1024


def reading(n, device="d-good", **more):
    """With each field that the example of a transform names."""
    return {"ts": BEGIN + 1000 * n, "seq": n, "device": device, "meter": device, "temp": 35 + n % 11, "energy": 3 * n,
            "readings": [{"t": n, "v": n + 0.5}], **more}


# Of the same time, so that they move no watermark.
ODD = [
    {"device": None, "meter": None}, {"device": {"a": [1]}}, {"device": ""}, {"device": True}, {"device": 1e300},
    {"temp": "warm"}, {"temp": None}, {"temp": [1, 2]}, {"temp": 10 ** 400}, {"temp": "\0"}, {"temp": -0.0},
    {"energy": "much"}, {"energy": -5}, {"energy": 2 ** 64}, {"energy": None},
    {"readings": 5}, {"readings": None}, {"readings": []}, {"readings": [None, [], {}, "x"]},
    {"seq": "x" * 10_000}, {"seq": None}, {"ü\n\"": 1}, {"_time": "x"}, {f"f{i}": i for i in range(500)},
]
OF_BATCHES = {"sql"}
NO_JSON = ["", "x", "{", '{"seq":1', "[1,2]", "null", '{"device":"d-good","temp":1e}', '{"a":1}}', "\x01\x02"]


ROOT = Path(__file__).resolve().parents[2]


@functools.lru_cache
def schema():
    binary = os.environ.get("LEAT_BIN", ROOT / "build" / "host" / "leat")
    said = subprocess.run([binary, "help", "--schema"], capture_output=True, text=True, check=True).stdout
    return json.loads(said)["$defs"]


def options_of(what, name):
    return next(one["then"]["properties"] for one in schema()[what]["allOf"]
                if one["if"]["properties"]["type"]["const"] == name)


def choices(option):
    return option["anyOf"][0]["enum"]


def pytest_generate_tests(metafunc):
    """One test for each transform, and each format, of the binary."""
    if "transform" in metafunc.fixturenames:
        metafunc.parametrize("transform", schema()["transform"]["properties"]["type"]["enum"], indirect=True)
    if "remembering" in metafunc.fixturenames:
        metafunc.parametrize("remembering", [name for name in schema()["transform"]["properties"]["type"]["enum"]
                                             if "maxKeys" in options_of("transform", name)])
    if "read_format" in metafunc.fixturenames:
        metafunc.parametrize("read_format", choices(options_of("source", "file")["format"]))
    if "write_format" in metafunc.fixturenames:
        metafunc.parametrize("write_format", choices(options_of("sink", "file")["format"]))


def example(agent, name):
    """What `leat new` shows, without what is said about it."""
    made = agent.command("new", f"file/{name}/file")
    assert made.returncode == 0, made.stderr
    text = re.sub(r"^\s*//.*$", "", made.stdout, flags=re.M)
    transform = json.loads(text)["pipelines"][0]["transforms"][0]
    if "path" in transform:
        path = agent.folder / "table.csv"
        path.write_text("device,site\nd-good,North\n")
        transform["path"] = str(path)
    return transform


@pytest.fixture
def transform(agent, request):
    return example(agent, request.param)


@pytest.fixture
def measures(sanitized):
    if sanitized:
        pytest.skip("a sanitizer, and an emulator, need memory of their own")


def run(agent, transform, records, **sink):
    """What comes out, as text; the agent ends by itself. `records`: dicts, or lines as they are."""
    path, out = agent.folder / "in.jsonl", agent.folder / "out"
    out.unlink(missing_ok=True)
    with open(path, "w", encoding="utf8") as file:
        file.writelines((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    name = f"p{random.getrandbits(48):x}"  # which has read nothing
    agent.configure({**pipeline(file_source(path, time=TIME), {"type": "file", "path": str(out), **sink},
                                *([transform] if transform else [])), "name": name}, memory=MEMORY)
    assert agent.run() == 0, agent.log_of_run[-3000:]
    expect_all_accounted(agent)
    return out.read_text(errors="replace") if out.exists() else ""


def expect_all_accounted(agent):
    """Of each record it is known what became of it."""
    done = re.search(r"done: (.*)", agent.log_of_run)[1]
    count = {what: int(number.replace(",", "")) for number, what in re.findall(
        r"([\d,]+) (records? read|more made|delivered|filtered|dead letter|dropped)", done)}
    came = count.get("records read", 0) + count.get("record read", 0) + count.get("more made", 0)
    went = sum(count.get(what, 0) for what in ("delivered", "filtered", "dead letter", "dropped"))
    assert came == went, done


def of_the_good(transform, out):
    """What is made of a batch depends on where it ends: there only that there is something."""
    found = [line for line in out.splitlines() if '"d-good"' in line]
    return found if transform["type"] not in OF_BATCHES else bool(found)


def good(count):
    return [reading(n) for n in range(count)]


# --- transforms ----------------------------------------------------------------------------------

def test_lines_that_are_no_records_change_nothing_of_what_comes_out(agent, transform):
    clean = run(agent, transform, good(200))
    assert clean
    mixed = [one for n, record in enumerate(good(200)) for one in (record, NO_JSON[n % len(NO_JSON)])]
    assert run(agent, transform, mixed) == clean


def test_odd_values_cost_no_other_record_anything(agent, transform):
    clean = of_the_good(transform, run(agent, transform, good(200)))
    assert clean
    odd = [one for n, record in enumerate(good(200))
           for one in (record, {"device": "odd", "meter": "odd", "ts": record["ts"], **ODD[n % len(ODD)]})]
    assert of_the_good(transform, run(agent, transform, odd)) == clean


def test_records_without_a_key_are_taken_for_what_they_are(agent, transform):
    """Null, or not there: each is accounted for, and those with a key are not touched."""
    clean = of_the_good(transform, run(agent, transform, good(100)))
    nulls = [{**reading(n), "device": None, "meter": None} for n in range(100)]
    none = [{"ts": BEGIN + 1000 * n} for n in range(100)]
    mixed = [one for three in zip(nulls, good(100), none) for one in three]
    assert of_the_good(transform, run(agent, transform, mixed)) == clean


def test_keys_of_200_kb_stay_within_the_memory(agent, measures, transform):
    records = (reading(n, device=f"{n % 60:03}" * 70_000) for n in range(300))
    run(agent, transform, records)
    assert agent.peak_rss_kib <= LIMIT_KIB


def test_a_million_keys_stay_within_the_memory(agent, measures, transform):
    records = (f'{{"ts":{BEGIN + n // 100},"seq":{n},"device":"d{n}","meter":"d{n}","temp":{n % 90},"energy":{n}}}'
               for n in range(1_000_000))
    run(agent, transform, records)
    assert agent.peak_rss_kib <= LIMIT_KIB


class Followed:
    """A pipeline that goes on with what is written to its file."""

    def __init__(self, agent, collector, transform):
        self.agent, self.collector = agent, collector
        self.path = agent.folder / "in.jsonl"
        self.path.touch()
        self.configure(transform)
        agent.start()

    def configure(self, transform):
        self.agent.configure(pipeline(file_source(self.path, time=TIME, follow=True),
                                      http_sink(self.collector), transform, delivery=quick_retry()), memory=MEMORY)

    def change(self, transform):
        self.configure(transform)
        self.agent.send(signal.SIGHUP)
        self.agent.wait_log(r"configuration taken over")

    def write(self, records):
        with open(self.path, "a", encoding="utf8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)

    def read(self):
        return sum(one["records"]["read"] for one in self.agent.status()["pipelines"])

    def end(self):
        self.agent.terminate()
        assert self.agent.wait() == 0, self.agent.log_of_run[-3000:]
        return sorted(map(json.dumps, self.collector.records()))  # several requests are under way


def of_two_devices(begin, end):
    return [reading(n, device=f"d{n % 2}") for n in range(begin, end)]


def test_what_is_remembered_goes_on_over_a_reload_with_other_bounds(
        make_agent, make_collector, remembering):
    """What comes out is what would have come out without it."""
    one, other = make_agent("one"), make_agent("other")
    transform = example(one, remembering)
    first, second = of_two_devices(0, 100), of_two_devices(90, 300)
    alone = Followed(one, make_collector(), transform)
    alone.write(first + second)
    one.wait_for(lambda: alone.read() == 310, what="all to be read")
    expected = alone.end()
    assert expected
    changed = Followed(other, make_collector(), transform)
    changed.write(first)
    other.wait_for(lambda: changed.read() == 100, what="the first to be read")
    changed.change({**transform, "maxKeys": 5000})
    changed.write(second)
    other.wait_for(lambda: changed.collector.line_count() >= len(expected), what=f"{len(expected)} records")
    assert changed.end() == expected
    assert "nothing has the state of" not in other.log


def test_a_reload_that_forgets_what_was_remembered_says_so(agent, collector, remembering):
    transform = example(agent, remembering)
    pipe = Followed(agent, collector, transform)
    pipe.write(of_two_devices(0, 100))
    agent.wait_for(lambda: pipe.read() == 100, what="all to be read")
    pipe.change({**transform, "key": ["device", "meter", "energy"]})
    agent.wait_log(f'nothing has the state of "{remembering} ')
    pipe.write(of_two_devices(100, 200))
    agent.wait_for(lambda: pipe.read() == 100, what="the others to be read")
    pipe.end()


# --- formats -------------------------------------------------------------------------------------

PIECES = [b'{"seq":', b"1", b",", b'"', b"}", b"\n", b"\r\n", b"[", b"]", b"\\u00", b"\xff", b"\x00", b"null", b"-1.5e9",
          b'{"seq":1,"temp":2.5}\n', b"a,b,c\n", b"\xef\xbb\xbf", b"<orders>", b"<order id='1'>", b"</order>", b"<!--",
          b"<![CDATA[", b"&amp;", b"&x;", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"Obj\x01", b"avro.schema", b"\x02\x04",
          b'{"type":"record","name":"r","fields":[{"name":"a","type":"long"}]}', b"avro.codec", b"\xc3\x01", b"deflate"]


@pytest.mark.parametrize("seed", range(2))
def test_noise_ends_in_a_word_and_not_in_a_signal(agent, read_format, seed):
    rng = random.Random(seed)
    (agent.folder / "in").write_bytes(b"".join(
        rng.choice(PIECES) if rng.random() < 0.9 else rng.randbytes(rng.randrange(50)) for _ in range(20_000)))
    agent.configure(pipeline(file_source(agent.folder / "in", format=read_format, maxRecord="4KiB", **must(read_format)),
                             {"type": "file", "path": str(agent.folder / "out")}, {"type": "filter", "where": "1"}))
    assert agent.run() in (0, 1), agent.log_of_run[-2000:]


@pytest.mark.parametrize("piece", [b"x", b'"', b"{", b"[", b"<a>", b"\x80"])
def test_a_record_without_end_stays_within_the_memory(agent, measures, read_format, piece):
    (agent.folder / "in").write_bytes(piece * (32 * 1024 * 1024 // len(piece)))
    agent.configure(pipeline(file_source(agent.folder / "in", format=read_format, maxRecord="64KiB", **must(read_format)),
                             {"type": "file", "path": str(agent.folder / "out")}, {"type": "filter", "where": "1"}),
                    memory=MEMORY)
    assert agent.run() in (0, 1), agent.log_of_run[-2000:]
    assert agent.peak_rss_kib <= LIMIT_KIB


def must(read_format):
    """What a format cannot do without."""
    return {"xml": {"xml": {"record": "/orders/order"}}}.get(read_format, {})


def test_each_format_writes_odd_values_or_says_which_it_cannot(agent, write_format):
    records = [one for n, record in enumerate(good(100)) for one in (record, {**record, **ODD[n % len(ODD)]})]
    rename = {"lines": {"device": "line"}, "raw": {"device": "data"}}.get(write_format, {})
    out = run(agent, {"type": "map", "rename": rename, "set": {"one": "1"}}, records, format=write_format)
    assert out.count("d-good") >= 100
