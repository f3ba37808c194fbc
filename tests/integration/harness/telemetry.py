"""Telemetry files for tests, made by scripts/make-telemetry, and what to expect of them."""

import json
import subprocess
from collections import Counter
from pathlib import Path

MAKER = Path(__file__).resolve().parents[3] / "scripts" / "make-telemetry"


def write_telemetry(path, records, seed=1):
    """Writes `records` lines; line n has "seq": n."""
    with open(path, "wb") as file:
        subprocess.run([MAKER, "--records", str(records), "--seed", str(seed)], stdout=file,
                       check=True)
    return path


def expect_each_once(seqs, count):
    """Every number below `count` exactly once."""
    assert missing(seqs, count) == [], "lost"
    assert duplicates(seqs) == {}, "came twice"


def missing(seqs, count):
    """The first numbers below `count` that are not among `seqs`."""
    return sorted(set(range(count)) - set(seqs))[:10]


def duplicates(seqs):
    """{seq: times} of those that came more than once."""
    return {seq: times for seq, times in Counter(seqs).items() if times > 1}


def seqs_of(lines):
    """The "seq" of each JSON line of a bytes object."""
    return [json.loads(line)["seq"] for line in lines.splitlines()]
