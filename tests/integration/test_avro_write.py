"""What leat writes as avro, read by a foreign reader, Debian's python3-avro."""

import gzip
import json
import random

import pytest

from faults.kill_loop import KillLoop
from harness.avro_peer import (
    CANONICAL, EVERYTHING, READING, copy, datum, fingerprint, mqtt_source, read, run_subscribed, send, some_record, write)
from harness.pipelines import file_source, http_sink, pipeline, quick_retry


def written_in(folder, pattern="out*.avro"):
    return [record for path in sorted(folder.glob(pattern)) for record in read(path)]


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


def test_a_file_is_not_gone_on_with_under_another_schema(agent):
    """A kill leaves a file without its end; the next run makes its schema of other records."""
    out = agent.folder / "out"
    out.mkdir()
    sink = {"type": "file", "path": str(out / "out.avro"), "format": "avro", "rotate": {"bytes": "1MiB"},
            "batch": {"linger": "1ms"}}
    (agent.folder / "one.jsonl").write_text(json.dumps({"a": 1}) + "\n")
    agent.configure(pipeline(file_source(agent.folder / "one.jsonl", follow=True), sink))
    agent.start()
    agent.wait_for(lambda: [read(path) for path in out.glob("*.part") if path.stat().st_size > 0] == [[{"a": 1}]],
                   what="the first record")
    agent.kill()
    assert not list(out.glob("*.avro")), "what has no end yet has not its name"
    (agent.folder / "other.jsonl").write_text(json.dumps({"b": "two"}) + "\n")
    copy(agent, file_source(agent.folder / "other.jsonl"), sink)
    assert written_in(out) == [{"a": 1}, {"b": "two"}]


def test_a_schema_that_cannot_be_read_ends_the_pipeline_with_its_name(agent, collector):
    (agent.folder / "in.jsonl").write_text('{"seq": 1}\n')
    agent.configure(pipeline(file_source(agent.folder / "in.jsonl"),
                             http_sink(collector, format="avro", avro={"schema": str(agent.folder / "gone.avsc")})))
    assert agent.run() == 2
    assert "pipelines[0].sink.avro.schema: open" in agent.log and "gone.avsc: no such file" in agent.log


def test_files_rotated_and_packed_are_whole_each(agent):
    rows = [{"seq": seq, "text": f"reading {seq}"} for seq in range(20_000)]
    (agent.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = agent.folder / "out"
    out.mkdir()
    copy(agent, file_source(agent.folder / "in.jsonl"),
         {"type": "file", "path": str(out / "out.avro.gz"), "format": "avro", "compression": "gzip",
          "rotate": {"bytes": "20KiB"}, "batch": {"records": 1000}})
    files = sorted(out.glob("out*.avro.gz"))
    assert len(files) > 2
    assert [record for path in files for record in read(gzip.decompress(path.read_bytes()))] == rows


def test_an_archive_has_a_container_for_each_value(agent):
    rows = [{"site": f"s{seq % 3}", "seq": seq} for seq in range(300)]
    (agent.folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (agent.folder / "store").mkdir()
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


