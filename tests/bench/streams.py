"""Pipelines that meet in a channel, and look-ups in a table, for scripts/bench.

Of CPU time alone: how fast several pipelines are together depends on how many cores are free.
"""

import json
import statistics

FILTER = {"type": "filter", "where": "temp > 40"}
MAP = {"type": "map", "set": {"site": "'north'"}, "drop": ["vib"]}
ROWS = 100_000


class Streams:
    """`bench` is that of scripts/bench; `measure` runs a command, and says what it has cost."""

    def __init__(self, bench, measure, path, records):
        self.bench, self.measure, self.path, self.records = bench, measure, path, records

    def run(self, *pipelines, **agent_options):
        """CPU seconds of a run of (name, source, transforms, sink)."""
        agent = self.bench.config("streams", "", "", [])
        agent.configure(*({"name": name, "source": source, "transforms": transforms, "sink": sink}
                          for name, source, transforms, sink in pipelines), **agent_options)
        return self.measure(self.bench.binary, "run", "-c", agent.config_path)["cpu"]

    def from_file(self, path=None):
        return {"type": "file", "path": [str(path or self.path)], "format": "json"}

    def to_file(self, name):
        folder = self.path.parent / "streams"  # of the run, made anew each time
        return {"type": "file", "path": f"{folder}/{name}.jsonl", "format": "ndjson", "batch": {"linger": "50ms"}}

    def channel(self):
        """What each of two pipelines costs alone, and both behind one producer."""
        channel = {"type": "channel", "name": "c"}
        costs = {"filter": [], "map": [], "both": []}
        for _ in range(self.bench.runs):
            costs["filter"].append(self.run(("a", self.from_file(), [FILTER], self.to_file("a"))))
            costs["map"].append(self.run(("b", self.from_file(), [MAP], self.to_file("b"))))
            for name, workers in (("both", 1),):
                costs[name].append(self.run(
                    ("in", self.from_file(), [], channel), ("a", channel, [FILTER], self.to_file("a")),
                    ("b", channel, [MAP], self.to_file("b")), memory="8MiB", workers=workers))
        cost = {name: statistics.median(of) for name, of in costs.items()}
        alone = cost["filter"] + cost["map"]
        for name, figure in (("both", "channel, one producer, two subscribers, CPU"),):
            self.bench.row(figure, f"{cost[name]:.2f} s; the two pipelines alone {cost['filter']:.2f} + "
                           f"{cost['map']:.2f} s: {alone / cost[name]:.2f} × their rate", "≥ 0.9 ×")

    def lookup(self):
        """Records that have one of 100,000 keys at random; beside the same without the look-up."""
        nothing = self.path.parent / "nothing.jsonl"
        nothing.touch()
        table, path = self.path.parent / "lookup.csv", self.path.parent / f"lookup-{self.records}.jsonl"
        with open(table, "w", encoding="utf8") as rows:
            rows.write("device,site,floor\n")
            rows.writelines(f"gw-{n:06},site {n % 977},{n % 12}\n" for n in range(ROWS))
        with open(path, "w", encoding="utf8") as lines:
            lines.writelines(json.dumps({"device": f"gw-{n * 7919 * 31 % ROWS:06}", "seq": n, "temp": n % 900 / 10})
                             + "\n" for n in range(self.records))
        lookup = {"type": "lookup", "path": str(table), "key": "device", "maxBytes": "16MiB"}
        every = {"type": "filter", "where": "seq >= 0"}
        none = {"type": "filter", "where": "seq < 0"}
        costs = {"with": [], "without": [], "reading": []}
        for _ in range(self.bench.runs):
            for name, of, transforms in (("with", path, [lookup, none]), ("without", path, [every, none]),
                                         ("reading", nothing, [lookup, none])):
                costs[name].append(self.run(("p", self.from_file(of), transforms, self.to_file("p")),
                                            memory="64MiB"))
        cost = {name: statistics.median(of) for name, of in costs.items()}
        took = cost["with"] - cost["reading"]
        rate = f"{self.records / took / 1e6:.1f} M records per CPU-second, read, decoded, looked up"
        self.bench.row(f"lookup in {ROWS:,} rows", f"{rate}; a filter in its place "
                       f"{self.records / cost['without'] / 1e6:.1f} M; the table is read in "
                       f"{cost['reading'] * 1000:.0f} ms", "≥ 3 M records/s")
