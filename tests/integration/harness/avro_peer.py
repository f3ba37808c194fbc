"""Debian's python3-avro as the foreign writer and reader, what is written and read, and the pipelines for it."""

import datetime
import decimal
import io
import json

import avro.datafile
import avro.io
import avro.schema

from harness.pipelines import pipeline

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


def mqtt_source(broker, **options):
    return {"type": "mqtt", "url": broker.url, "topics": ["plant/#"], "qos": 1, "clientId": "avro", **options}


def run_subscribed(agent, broker, *pipelines):
    """Starts the agent and waits until the broker has its subscriptions."""
    before = broker.log.count("Sending SUBACK")
    agent.configure(*pipelines)
    agent.start()
    broker.wait_log("Sending SUBACK", before + 1)


def send(broker, *payloads):
    for payload in payloads:
        broker.publish("plant/1", payload)


def copy(agent, source, sink, *transforms):
    agent.configure(pipeline(source, sink, *transforms))
    assert agent.run() == 0, agent.log
