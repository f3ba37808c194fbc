"""The format avro against a foreign reader and writer, Debian's python3-avro."""

import datetime
import decimal
import json
import random

import pytest

from faults.kill_loop import KillLoop
from harness.avro_peer import (
    CANONICAL, EVERYTHING, READING, copy, datum, fingerprint, mqtt_source, run_subscribed, send, some_record, write)
from harness.pipelines import file_source, http_sink, pipeline
from harness.telemetry import seqs_of


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_file_is_read_as_json_has_it(agent, codec):
    chance = random.Random(2)
    records = [some_record(chance, seq) for seq in range(200)]
    write(agent.folder / "in.avro", records, EVERYTHING, codec)
    copy(agent, file_source(agent.folder / "in.avro", format="avro"),
         {"type": "file", "path": str(agent.folder / "out")})
    for record, line in zip(records, (agent.folder / "out").read_text().splitlines(), strict=True):
        got = json.loads(line, parse_float=decimal.Decimal)
        assert got["price"] == record["price"]
        assert datetime.datetime.fromisoformat(got["at"].replace("Z", "+00:00")) == record["at"]
        assert got["day"] == record["day"].isoformat()
        assert datetime.time.fromisoformat(got["clock"]) == record["clock"]
        for name in ("seq", "ok", "i", "s", "state", "tags", "map", "tree"):
            assert got[name] == record[name]
        assert float(got["d"]) == record["d"]


def test_a_file_is_read_by_the_readers_schema(agent):
    write(agent.folder / "in.avro", [{"id": 7, "name": "a"}, {"id": 8, "name": "b"}],
          {"type": "record", "name": "R", "fields": [{"name": "id", "type": "int"}, {"name": "name", "type": "string"}]})
    reader = agent.folder / "reader.avsc"
    reader.write_text(json.dumps({"type": "record", "name": "R", "fields": [
        {"name": "label", "aliases": ["name"], "type": "string"}, {"name": "id", "type": "double"},
        {"name": "unit", "type": "string", "default": "C"}]}))
    copy(agent, file_source(agent.folder / "in.avro", format="avro", avro={"schema": str(reader)}),
         {"type": "file", "path": str(agent.folder / "out")})
    assert [json.loads(line) for line in (agent.folder / "out").read_text().splitlines()] == [
        {"label": "a", "id": 7, "unit": "C"}, {"label": "b", "id": 8, "unit": "C"}]


def test_a_damaged_block_costs_no_other(agent):
    records = [{"seq": seq, "pad": "x" * 200} for seq in range(6000)]
    schema = {"type": "record", "name": "R",
              "fields": [{"name": "seq", "type": "long"}, {"name": "pad", "type": "string"}]}
    write(agent.folder / "in.avro", records, schema, "deflate")
    damaged = bytearray((agent.folder / "in.avro").read_bytes())
    marker = bytes(damaged[-16:])
    blocks = [i for i in range(len(damaged)) if damaged.startswith(marker, i)]
    assert len(blocks) > 10
    damaged[blocks[4] + 30] ^= 0xFF  # within the data
    damaged[blocks[7] + 3] ^= 0x40   # its length
    (agent.folder / "in.avro").write_bytes(damaged)
    agent.configure(pipeline(file_source(agent.folder / "in.avro", format="avro"),
                             {"type": "file", "path": str(agent.folder / "out")}))
    agent.run()
    got = list(seqs_of((agent.folder / "out").read_bytes()))
    a_block = 64000 // 200 + 2
    assert len(records) - 2 * a_block <= len(set(got)) == len(got)
    assert 1 <= len(agent.dead_letters()) <= 2


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_block_that_was_being_written_is_read_by_the_next_run(agent, codec):
    schema = {"type": "record", "name": "R",
              "fields": [{"name": "seq", "type": "long"}, {"name": "pad", "type": "string"}]}
    whole = agent.folder / "whole.avro"
    write(whole, [{"seq": seq, "pad": "x" * 200} for seq in range(600)], schema, codec)
    content = whole.read_bytes()
    growing = agent.folder / "in.avro"
    agent.configure(pipeline(file_source(growing, format="avro"),
                             {"type": "file", "path": str(agent.folder / "out"), "rotate": {"bytes": "1GiB"}}))
    for size in (50, len(content) - 7, len(content)):  # within the header, within a block, all
        growing.write_bytes(content[:size])
        agent.run()
    parts = sorted(agent.folder.glob("out*"))
    assert [json.loads(line)["seq"] for part in parts for line in part.read_text().splitlines()] == list(range(600))
    assert [letter["reason"] for letter in agent.dead_letters()] == ["the input ends within a block"] * 2


def test_no_record_is_missing_after_kills(agent):
    count = 60_000
    schema = {"type": "record", "name": "R",
              "fields": [{"name": "seq", "type": "long"}, {"name": "pad", "type": "string"}]}
    schema["doc"] = "x" * 100_000  # the header is longer than what is read at once
    write(agent.folder / "in.avro", ({"seq": seq, "pad": f"p{seq}" * 5} for seq in range(count)), schema, "deflate")
    out = agent.folder / "out"
    agent.configure(pipeline(
        file_source(agent.folder / "in.avro", format="avro"),
        {"type": "file", "path": str(out), "sync": False, "batch": {"records": 500, "linger": "1ms"}}),
        journal={"commitEvery": "0s"})

    def written():
        path = out if out.exists() else agent.folder / "out.part"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    loop = KillLoop(agent, written, total=count)
    assert loop.run(kills=6) == 0
    assert loop.killed > 0
    got = seqs_of(out.read_bytes())
    assert set(got) == set(range(count))
    assert len(got) < 2 * count, "it went on where it was"
    assert agent.dead_letters() == []


def test_a_schema_that_is_none_is_said_at_the_start(agent):
    (agent.folder / "bad.avsc").write_text('{"type": "record", "name": "R", "fields": [{"name": "a", "type": "Unit"}]}')
    agent.configure(pipeline(file_source(agent.folder / "in.avro", format="avro", avro={"schema": "bad.avsc"}),
                             {"type": "stdout"}))
    checked = agent.command("check", "-c", agent.config_path)
    assert checked.returncode == 2
    assert 'source.avro.schema: bad.avsc: the schema: fields[0].type: no type "Unit" is known there' in checked.stderr


def test_single_messages_of_a_broker_are_read(agent, mosquitto, collector):
    schema = agent.folder / "reading.avsc"
    schema.write_text(json.dumps(READING))
    rows = [{"seq": 1, "temp": 21.5}, {"seq": 2, "temp": None}]
    run_subscribed(agent, mosquitto, pipeline(
        mqtt_source(mosquitto, format="avro", avro={"encoding": "singleObject", "schema": str(schema)}),
        http_sink(collector, records=1, inFlight=1)))
    head = b"\xc3\x01" + fingerprint(CANONICAL)
    send(mosquitto, head + datum(READING, rows[0]), b"\xc3\x01" + bytes(8) + datum(READING, rows[0]),
         head + datum(READING, rows[1]))
    agent.wait_for(lambda: len(collector.requests) == 2, what="both records")
    agent.terminate()
    agent.wait()
    assert collector.records() == rows
    assert [letter["reason"] for letter in agent.dead_letters()] == [
        "its schema, whose fingerprint is 0000000000000000, is neither avro.schema nor one of avro.writerSchemas"]


def test_a_message_may_be_a_container(agent, mosquitto, collector):
    write(agent.folder / "m.avro", [{"seq": 1, "temp": 1.5}, {"seq": 2, "temp": None}], READING, "deflate")
    run_subscribed(agent, mosquitto, pipeline(mqtt_source(mosquitto, format="avro"), http_sink(collector)))
    send(mosquitto, (agent.folder / "m.avro").read_bytes(), b"no container")
    agent.wait_for(lambda: len(collector.records()) == 2, what="both records")
    agent.terminate()
    agent.wait()
    assert collector.records() == [{"seq": 1, "temp": 1.5}, {"seq": 2, "temp": None}]
    assert [letter["reason"] for letter in agent.dead_letters()] == [
        'no Avro container file: it does not begin with "Obj", 1']
