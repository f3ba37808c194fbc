"""What leat writes as avro, read by a foreign reader, Debian's python3-avro."""

import datetime
import decimal
import gzip
import io
import json
import random

import avro.datafile
import avro.io
import avro.schema
import pytest

from faults.kill_loop import KillLoop
from harness.pipelines import file_source, http_sink, pipeline, quick_retry

UTC = datetime.timezone.utc

EVERYTHING = {
    "type": "record", "name": "Everything", "namespace": "com.example", "fields": [
        {"name": "seq", "type": "long"},
        {"name": "ok", "type": "boolean"},
        {"name": "i", "type": "int"},
        {"name": "d", "type": "double"},
        {"name": "s", "type": "string"},
        {"name": "maybe", "type": ["null", "string", "double"]},
        {"name": "raw", "type": "bytes"},
        {"name": "four", "type": {"type": "fixed", "name": "Four", "size": 4}},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["IDLE", "RUN"]}},
        {"name": "tags", "type": {"type": "array", "items": ["null", "string"]}},
        {"name": "map", "type": {"type": "map", "values": "long"}},
        {"name": "tree", "type": ["null", {"type": "record", "name": "Tree", "fields": [
            {"name": "name", "type": "string"},
            {"name": "children", "type": {"type": "array", "items": "Tree"}}]}]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
    ]}


def some_tree(chance, depth=0):
    return {"name": chance.choice("abc"),
            "children": [some_tree(chance, depth + 1) for _ in range(chance.randrange(3) if depth < 3 else 0)]}


def some_record(chance, seq):
    return {
        "seq": seq,
        "ok": chance.random() < 0.5,
        "i": chance.randrange(-2**31, 2**31),
        "d": chance.uniform(-1e6, 1e6),
        "s": "".join(chance.choice("ab\"\\\näö€𝄞") for _ in range(chance.randrange(8))),
        "maybe": chance.choice([None, "text", 1.5]),
        "raw": bytes(chance.randrange(256) for _ in range(chance.randrange(6))),
        "four": bytes(chance.randrange(256) for _ in range(4)),
        "state": chance.choice(["IDLE", "RUN"]),
        "tags": [chance.choice([None, "x", "y"]) for _ in range(chance.randrange(4))],
        "map": {chance.choice("klm"): chance.randrange(2**40) for _ in range(chance.randrange(3))},
        "tree": chance.choice([None, some_tree(chance)]),
        "at": datetime.datetime(2026, 1, 2, tzinfo=UTC) + datetime.timedelta(microseconds=chance.randrange(10**12)),
        "day": datetime.date(2026, 1, 1) + datetime.timedelta(days=chance.randrange(-20000, 20000)),
        "clock": datetime.time(chance.randrange(24), chance.randrange(60), chance.randrange(60), chance.randrange(1000) * 1000),
        "price": decimal.Decimal(chance.randrange(-10**10, 10**10)).scaleb(-2),
    }


def mqtt_source(broker, **options):
    return {"type": "mqtt", "url": broker.url, "topics": ["plant/#"], "qos": 1, "clientId": "avro", **options}


def run_subscribed(agent, broker, *pipelines):
    """Starts the agent and waits until the broker has its subscriptions."""
    before = broker.log.count("Sending SUBACK")
    agent.configure(*pipelines)
    agent.start()
    broker.wait_log("Sending SUBACK", before + 1)


def write(path, records, schema, codec="null"):
    writer = avro.datafile.DataFileWriter(open(path, "wb"), avro.io.DatumWriter(), avro.schema.parse(json.dumps(schema)),
                                          codec=codec)
    for record in records:
        writer.append(record)
    writer.close()


def read(stored):
    content = io.BytesIO(stored) if isinstance(stored, bytes) else open(stored, "rb")
    with avro.datafile.DataFileReader(content, avro.io.DatumReader()) as reader:
        return list(reader)


def written_in(folder, pattern="out*.avro"):
    return [record for path in sorted(folder.glob(pattern)) for record in read(path)]


def copy(agent, source, sink, *transforms):
    agent.configure(pipeline(source, sink, *transforms))
    assert agent.run() == 0, agent.log


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_each_type_goes_round_through_another_programs_file(agent, codec):
    chance = random.Random(1)
    records = [some_record(chance, seq) for seq in range(3000)]
    schema = agent.folder / "everything.avsc"
    schema.write_text(json.dumps(EVERYTHING))
    write(agent.folder / "in.avro", records, EVERYTHING, codec)
    copy(agent, file_source(agent.folder / "in.avro", format="avro"),
         {"type": "file", "path": str(agent.folder / "out.avro"), "format": "avro",
          "avro": {"schema": str(schema), "codec": codec}})
    assert read(agent.folder / "out.avro") == records


def test_without_a_schema_the_first_records_give_one(agent):
    rows = [{"n": i if i % 2 else i + 0.5, "s": f"ä{i}", "b": i % 3 == 0, "z": None} for i in range(5000)]
    (agent.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    copy(agent, file_source(agent.folder / "in.jsonl"),
         {"type": "file", "path": str(agent.folder / "out.avro"), "format": "avro"})
    assert read(agent.folder / "out.avro") == rows


def test_no_record_is_missing_after_kills_and_files_are_whole(agent):
    count = 60_000
    schema = {"type": "record", "name": "R",
              "fields": [{"name": "seq", "type": "long"}, {"name": "pad", "type": "string"}]}
    write(agent.folder / "in.avro", ({"seq": seq, "pad": f"p{seq}" * 5} for seq in range(count)), schema, "deflate")
    out = agent.folder / "out"
    out.mkdir()
    agent.configure(pipeline(
        file_source(agent.folder / "in.avro", format="avro"),
        {"type": "file", "path": str(out / "out.avro"), "format": "avro", "rotate": {"bytes": "256KiB"},
         "sync": False, "batch": {"records": 500, "linger": "1ms"}}), journal={"commitEvery": "0s"})

    def size():
        sizes = []
        for path in out.iterdir():
            try:
                sizes.append(path.stat().st_size)
            except FileNotFoundError:
                pass  # it has just got its name
        return sum(sizes)

    assert KillLoop(agent, size, total=3_000_000).run(kills=6) == 0
    got = [record["seq"] for record in written_in(out)]
    assert set(got) == set(range(count))
    assert len(got) - count < 8 * 5000, "no more comes again than what was in flight"


def test_files_rotated_and_packed_are_whole_each(agent):
    rows = [{"seq": seq, "text": f"reading {seq}"} for seq in range(20_000)]
    (agent.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = agent.folder / "out"
    out.mkdir()
    copy(agent, file_source(agent.folder / "in.jsonl"),
         {"type": "file", "path": str(out / "out.avro.gz"), "format": "avro", "compression": "gzip",
          "rotate": {"bytes": "50KiB"}, "batch": {"records": 3000}})
    files = sorted(out.glob("out*.avro.gz"))
    assert len(files) > 2
    assert [record for path in files for record in read(gzip.decompress(path.read_bytes()))] == rows


def test_an_archive_has_a_container_for_each_value(agent):
    rows = [{"site": f"s{seq % 3}", "seq": seq} for seq in range(300)]
    (agent.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    copy(agent, file_source(agent.folder / "in.jsonl"),
         {"type": "file", "path": str(agent.folder / "store/{site}.avro"), "format": "avro"})
    for site in range(3):
        assert read(agent.folder / f"store/s{site}.avro") == rows[site::3]


def test_a_request_is_a_container_and_a_bad_record_stands_alone(agent, collector):
    rows = [{"seq": seq, "v": seq if seq != 57 else "no number"} for seq in range(200)]
    (agent.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    schema = agent.folder / "s.avsc"
    schema.write_text(json.dumps({"type": "record", "name": "R", "fields": [
        {"name": "seq", "type": "long"}, {"name": "v", "type": "long"}]}))
    agent.configure(pipeline(file_source(agent.folder / "in.jsonl"),
                             http_sink(collector, format="avro", inFlight=1, avro={"schema": str(schema)})))
    agent.run()
    got = [record for request in collector.requests for record in read(request.body)]
    assert got == [row for row in rows if row["seq"] != 57]
    assert [letter["reason"] for letter in agent.dead_letters()] == [
        "v: string no number cannot be written as long"]


def test_standard_output_is_a_container(agent):
    rows = [{"seq": seq} for seq in range(5000)]
    (agent.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    copy(agent, file_source(agent.folder / "in.jsonl"), {"type": "stdout", "format": "avro"})
    assert read(agent.stdout_path) == rows


READING = {"type": "record", "name": "Reading", "namespace": "plant", "fields": [
    {"name": "seq", "type": "long"}, {"name": "temp", "type": ["null", "double"], "default": None}]}


def datum(schema, record):
    out = io.BytesIO()
    avro.io.DatumWriter(avro.schema.parse(json.dumps(schema))).write(record, avro.io.BinaryEncoder(out))
    return out.getvalue()


def fingerprint(canonical):
    """The specification's own code of CRC-64-AVRO, little endian."""
    empty = 0xC15D213AA4D7A795
    table = []
    for i in range(256):
        row = i
        for _ in range(8):
            row = (row >> 1) ^ (empty if row & 1 else 0)
        table.append(row)
    value = empty
    for byte in canonical.encode():
        value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
    return value.to_bytes(8, "little")


CANONICAL = ('{"name":"plant.Reading","type":"record","fields":[{"name":"seq","type":"long"},'
             '{"name":"temp","type":["null","double"]}]}')


def send(broker, *payloads):
    for payload in payloads:
        broker.publish("plant/1", payload)


def test_single_messages_of_a_broker_are_read_and_written_on(agent, mosquitto, collector):
    schema = agent.folder / "reading.avsc"
    schema.write_text(json.dumps(READING))
    rows = [{"seq": 1, "temp": 21.5}, {"seq": 2, "temp": None}]
    run_subscribed(agent, mosquitto, pipeline(
        mqtt_source(mosquitto, format="avro", avro={"encoding": "singleObject", "schema": str(schema)}),
        http_sink(collector, records=1, inFlight=1, format="avro", avro={"encoding": "bare", "schema": str(schema)})))
    head = b"\xc3\x01" + fingerprint(CANONICAL)
    send(mosquitto, head + datum(READING, rows[0]), b"\xc3\x01" + bytes(8) + datum(READING, rows[0]),
         head + datum(READING, rows[1]))
    agent.wait_for(lambda: len(collector.requests) == 2, what="both records")
    agent.terminate()
    agent.wait()
    assert [request.body for request in collector.requests] == [datum(READING, row) for row in rows]
    assert [letter["reason"] for letter in agent.dead_letters()] == [
        "its schema, whose fingerprint is 0000000000000000, is neither avro.schema nor one of avro.writerSchemas"]


def test_what_waits_for_a_server_is_spooled_as_records(agent, mosquitto, collector):
    rows = [{"seq": seq, "temp": seq / 2} for seq in range(50)]
    collector.down()
    sink = http_sink(collector, format="avro", inFlight=1)
    run_subscribed(agent, mosquitto, pipeline(mqtt_source(mosquitto), sink, delivery=quick_retry(spool="always")))
    send(mosquitto, *(json.dumps(row).encode() for row in rows[:25]))
    agent.kill()
    run_subscribed(agent, mosquitto, pipeline(mqtt_source(mosquitto), sink, delivery=quick_retry(spool="always")))
    send(mosquitto, *(json.dumps(row).encode() for row in rows[25:]))
    collector.up()

    def got():
        return [record for request in collector.requests for record in read(request.body)]

    agent.wait_for(lambda: len({record["seq"] for record in got()}) == 50, what="all records")
    agent.terminate()
    agent.wait()
    assert sorted({record["seq"]: record for record in got()}.values(), key=lambda record: record["seq"]) == rows


