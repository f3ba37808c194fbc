"""What the fully static builds promise: scripts/build static, armhf, arm64, full, tiny."""

import json
import math
import os
import re
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from harness.name_server import NameServer
from harness.pipelines import file_source, http_sink, pipeline

ROOT = Path(__file__).resolve().parents[2]
HOST = "elsewhere.example"  # that of certs.elsewhere


def parts_of(leat):
    """The binary, and the emulator that a script of scripts/test --target runs it with, if any."""
    content = leat.read_bytes()
    if content[:2] != b"#!":
        return leat, None
    emulator, binary = re.search(rb'^exec (\S+) "(.*)" "\$@"$', content, re.M).groups()
    return Path(binary.decode()), Path(shutil.which(emulator.decode()))


@pytest.fixture
def static(leat):
    """parts_of() a binary that needs no shared libraries."""
    binary, emulator = parts_of(leat)
    headers = subprocess.run(["readelf", "--program-headers", binary], capture_output=True, text=True,
                             check=True).stdout
    if "INTERP" in headers:
        pytest.skip("this binary needs shared libraries")
    return binary, emulator


@pytest.fixture
def empty_root(static, tmp_path):
    """A root with the binary in it, and the command that runs it there."""
    binary, emulator = static
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    root = tmp_path / "root"
    for folder in ("etc/ssl/certs", "data"):
        (root / folder).mkdir(parents=True)
    shutil.copy(binary, root / "leat")
    command = [shutil.which("chroot"), root, "/leat"]
    if emulator is not None:
        shutil.copy(emulator, root / "emulator")
        command.insert(2, "/emulator")
    return root, command


@pytest.mark.parametrize("known_by", ["hosts", "dns"])
def test_in_an_empty_root_records_go_over_https_to_a_host_name(
        empty_root, make_nginx, certs, telemetry, known_by):
    root, command = empty_root
    nginx = make_nginx(cert=certs.elsewhere, key=certs.elsewhere_key)
    shutil.copy(certs.ca, root / "etc/ssl/certs/ca-certificates.crt")
    shutil.copy(telemetry(500), root / "data/in.jsonl")
    sink = {"type": "http", "url": f"https://{HOST}:{nginx.port}/ingest", "format": "ndjson",
            "batch": {"records": 100}}
    (root / "leat.json").write_text(json.dumps({
        "agent": {"id": "gw", "dataDir": "/data"},
        "pipelines": [{"name": "p", **pipeline(file_source("/data/in.jsonl"), sink)}]}))
    server = None
    if known_by == "hosts":
        (root / "etc/hosts").write_text(f"127.0.0.1 {HOST}\n")
    else:
        server = NameServer(HOST)
        (root / "etc/resolv.conf").write_text(f"nameserver {server.address}\n")
    try:
        done = subprocess.run([*command, "run", "-c", "/leat.json"], capture_output=True, text=True,
                              timeout=60, env={}, check=False)
    finally:
        if server is not None:
            server.close()
    assert done.returncode == 0, done.stderr
    assert sum(int(request["length"]) for request in nginx.requests) == telemetry(500).stat().st_size
    assert server is None or HOST in server.questions


def test_without_a_list_of_authorities_it_says_where_it_looked(empty_root):
    root, command = empty_root
    (root / "leat.json").write_text(json.dumps({
        "agent": {"id": "gw", "dataDir": "/data"},
        "pipelines": [{"name": "p", **pipeline(
            file_source("/data/in.jsonl"),
            {"type": "http", "url": f"https://{HOST}/ingest", "format": "ndjson"})}]}))
    done = subprocess.run([*command, "run", "-c", "/leat.json"], capture_output=True, text=True,
                          timeout=60, env={}, check=False)
    assert done.returncode == 2
    assert "/etc/ssl/certs/ca-certificates.crt" in done.stderr


def test_the_log_is_in_utc_whatever_the_time_zone(agent, tmp_path, collector):
    (tmp_path / "in.jsonl").write_text('{"a": 1}\n')
    agent.configure(pipeline(file_source(tmp_path / "in.jsonl"), http_sink(collector)))
    assert agent.run(env={**os.environ, "TZ": "XYZ5"}) == 0  # five hours behind
    stamp = datetime.fromisoformat(agent.log.split()[0].replace("Z", "+00:00"))
    assert abs(datetime.now(timezone.utc) - stamp) < timedelta(hours=1)


def test_version_lists_what_the_sbom_lists(agent, leat):
    done = agent.command("version", "--verbose")
    first, *lines = done.stdout.splitlines()
    assert done.returncode == 0 and re.fullmatch(r"leat \d+\.\d+\.\d+", first)
    libraries = {}
    for line in lines:
        name, version, license_ = re.fullmatch(r"  (\S+(?: \S+)*?)  +(\d[\d.]+)  +(\S.*)", line).groups()
        libraries[name] = (version, license_)
    assert {"SQLite", "Mbed TLS", "libuv", "zlib", "cJSON", "glibc"} <= set(libraries)
    sbom = parts_of(leat)[0].parent / "leat.spdx.json"
    if not sbom.exists():
        return  # a dynamic build has none
    packages = {package["name"]: package for package in json.loads(sbom.read_text())["packages"]}
    assert packages.pop("leat")["versionInfo"] == first.split()[1]
    assert set(packages) == set(libraries)
    for name, (version, license_) in libraries.items():
        assert version in packages[name]["versionInfo"]
        assert license_ == packages[name]["licenseDeclared"]


# What scripts/check-reproducible does takes two builds. This is what would most likely break it; the
# debug information counts, since the build ID is made of that, too.
@pytest.mark.parametrize("name", ["leat", "leat.debug", "leat.spdx.json"])
def test_nothing_tells_where_it_was_built(static, name):
    assert str(ROOT).encode() not in (static[0].parent / name).read_bytes()


def test_what_sql_takes_from_another_library_than_the_rest_is_right_to_the_last_digits(leat):
    numbers = [-1.0, -0.75, -0.1, -1e-9, 0.0, 1e-300, 0.3, 0.5, 0.9999999, 1.0]
    pairs = [(1.0, -0.0), (-0.0, -1.0), (0.0, 1.0), (-3.5, 2.25), (1e300, 1e-300), (2.0, -7.0)]
    sample = "".join(json.dumps({"x": x, "y": pairs[n % 6][0], "z": pairs[n % 6][1]}) + "\n"
                     for n, x in enumerate(numbers))
    # From the first octant to arguments of a thousand turns, and beyond what plain reduction can do.
    turned = "sin({0}), cos({0}), tan({0})"
    query = ("SELECT x, asin(x), acos(x), atan(x * 100), atan2(y, z), " +
             ", ".join(turned.format(f"x * {by}") for by in ("1", "7", "1e4", "1e9", "1e22")) +
             " FROM input")
    done = subprocess.run([leat, "sql", query], input=sample, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len(numbers)
    for n, row in enumerate(rows):
        x, (y, z) = numbers[n], pairs[n % 6]
        wanted = [x, math.asin(x), math.acos(x), math.atan(x * 100), math.atan2(y, z)]
        for by in (1, 7, 1e4, 1e9, 1e22):
            wanted += [math.sin(x * by), math.cos(x * by), math.tan(x * by)]
        assert len(row) == len(wanted)
        for got, exact in zip(row.values(), wanted):
            assert got == pytest.approx(exact, rel=4e-16, abs=0), (row, wanted)
