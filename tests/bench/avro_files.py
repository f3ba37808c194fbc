"""Containers of Avro, for scripts/bench: telemetry as it is read, of CPU time alone."""

import itertools
import json
import statistics
import struct
import zlib

from streams import Streams

FIELDS = [("ts", "long"), ("device", "string"), ("seq", "long"), ("temp", "double"), ("vib", ["null", "double"]),
          ("state", "string"), ("ok", "boolean")]
MARKER = b"0123456789abcdef"
BLOCK = 1000  # records: some 50 KB


def number(n):
    n, out = n << 1 if n >= 0 else (-n << 1) - 1, bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return number(len(value)) + value


def datum(line):
    r = json.loads(line)
    return (number(r["ts"]) + text(r["device"]) + number(r["seq"]) + struct.pack("<d", r["temp"]) + b"\x02"
            + struct.pack("<d", r["vib"]) + text(r["state"]) + (b"\x01" if r["ok"] else b"\x00"))


def make(lines, container, codec):
    """By hand, so that it does not depend on what is measured."""
    schema = json.dumps({"type": "record", "name": "r", "fields": [{"name": n, "type": t} for n, t in FIELDS]})
    with open(lines, "rb") as source, open(container, "wb") as out:
        out.write(b"Obj\x01" + number(2) + text("avro.schema") + text(schema) + text("avro.codec") + text(codec)
                  + number(0) + MARKER)
        while records := [datum(line) for line in itertools.islice(source, BLOCK)]:
            data = b"".join(records)
            if codec == "deflate":
                data = zlib.compress(data)[2:-4]  # without what zlib has around it
            out.write(number(len(records)) + text(data) + MARKER)


def avro_files(bench, measure, path, records):
    streams = Streams(bench, measure, path, records)
    for codec in ("null", "deflate"):
        container = path.with_suffix(f".{codec}.avro")
        make(path, container, codec)
        source = {"type": "file", "path": [str(container)], "format": "avro"}
        none, every = ([{"type": "filter", "where": where}] for where in ("seq < 0", "seq >= 0"))
        written = {**streams.to_file("written"), "format": "avro", "avro": {"codec": codec}}

        def cost(transforms, sink):
            return statistics.median(streams.run(("p", source, transforms, sink)) for _ in range(bench.runs))

        read, both = cost(none, streams.to_file("none")), cost(every, written)
        bench.row(f"avro container ({codec}), read and dropped by a filter",
                  f"{records / read / 1e6:.1f} M records per CPU-second", "≥ 2 M records/s")
        bench.row(f"avro container ({codec}), read and written to another",
                  f"{records / both / 1e6:.1f} M records per CPU-second; what writing adds alone "
                  f"{records / (both - read) / 1e6:.1f} M", "≥ 2 M records/s")
