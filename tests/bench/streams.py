"""Pipelines that meet in a channel or a cache, and look-ups in a table, for scripts/bench.

Of CPU time alone: how fast several pipelines are together depends on how many cores are free.
"""

import json
import os
import shutil
import statistics
import threading
import time

FILTER = {"type": "filter", "where": "temp > 40"}
MAP = {"type": "map", "set": {"site": "'north'"}, "drop": ["vib"]}
ROWS = 100_000


class Streams:
    """`bench` is that of scripts/bench; `measure` runs a command, and says what it has cost."""

    def __init__(self, bench, measure, path, records):
        self.bench, self.measure, self.path, self.records = bench, measure, path, records

    def run(self, *pipelines, stdin=None, **agent_options):
        """CPU seconds of a run of (name, source, transforms, sink). `stdin`: a file that is given to it, once
        the first of these has ended."""
        agent = self.bench.config("streams", "", "", [])
        agent.configure(*({"name": name, "source": source, "transforms": transforms, "sink": sink}
                          for name, source, transforms, sink in pipelines), **agent_options)
        command = (self.bench.binary, "run", "-c", agent.config_path)
        if stdin is None:
            return self.measure(*command)["cpu"]
        end, pipe = os.pipe()
        given = threading.Thread(target=self.give, args=(agent, stdin, pipe))
        given.start()
        with open(end, "rb") as end:
            cost = self.measure(*command, stdin=end)["cpu"]
        given.join()
        return cost

    @staticmethod
    def give(agent, path, pipe):
        deadline = time.monotonic() + 60
        with open(pipe, "wb") as pipe, open(path, "rb") as lines:
            while '"state":"ended"' not in agent.command("status", "--json", "-c", agent.config_path).stdout:
                if time.monotonic() > deadline:
                    return  # the figures say so
                time.sleep(0.05)
            shutil.copyfileobj(lines, pipe)

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

    def rows(self):
        """A table of 100,000 rows, records that have one of its keys at random, and no records."""
        folder = self.path.parent
        table, path, nothing = folder / "lookup.csv", folder / f"lookup-{self.records}.jsonl", folder / "nothing.jsonl"
        nothing.touch()
        with open(table, "w", encoding="utf8") as rows:
            rows.write("device,site,floor\n")
            rows.writelines(f"gw-{n:06},site {n % 977},{n % 12}\n" for n in range(ROWS))
        with open(path, "w", encoding="utf8") as lines:
            lines.writelines(json.dumps({"device": f"gw-{n * 7919 * 31 % ROWS:06}", "seq": n, "temp": n % 900 / 10})
                             + "\n" for n in range(self.records))
        return table, path, nothing

    def lookup(self):
        """Records that have one of 100,000 keys at random; beside the same without the look-up."""
        table, path, nothing = self.rows()
        lookup = {"type": "lookup", "path": str(table), "key": "device", "maxBytes": "16MiB"}
        self.looked_up(f"lookup in {ROWS:,} rows", "the table is read in", lookup, path, nothing,
                       lambda of, transforms: self.run(("p", self.from_file(of), transforms, self.to_file("p")),
                                                       memory="64MiB"))

    def cache(self):
        """The same in a cache that another pipeline of the agent has filled; the records come by stdin."""
        table, path, nothing = self.rows()
        cache = {"type": "cache", "name": "c", "key": "device", "ttl": "1h", "maxRecords": ROWS, "maxBytes": "32MiB"}
        lookup = {"type": "lookup", "cache": "c", "key": "device", "fields": {"site": "site", "floor": "floor"},
                  "onMissing": "deadLetter"}
        rows = {"type": "file", "path": [str(table)], "format": "csv"}
        self.looked_up(f"lookup in a cache of {ROWS:,} records", "the cache is filled in", lookup, path, nothing,
                       lambda of, transforms: self.run(
                           ("rows", rows, [], cache),
                           ("p", {"type": "stdin", "format": "json"}, transforms, self.to_file("p")),
                           stdin=of, memory="128MiB"))

    def deadband(self):
        """Readings of 10,000 devices that drift; beside the same with a filter in the place of deadband."""
        path, devices = self.path.parent / f"drift-{self.records}.jsonl", 10_000
        with open(path, "w", encoding="utf8") as lines:
            lines.writelines(json.dumps({"device": f"gw-{n * 7919 % devices:06}", "seq": n, "temp": 20 + n % 977 / 1000})
                             + "\n" for n in range(self.records))
        of = {"type": "deadband", "field": "temp", "key": "device"}
        none = {"type": "filter", "where": "seq < 0"}
        transforms = {"filter": {"type": "filter", "where": "seq >= 0"}, "absolute": {**of, "absolute": "0.5"},
                      "tolerance": {**of, "tolerance": "0.5"}}
        costs = {name: [] for name in transforms}
        for _ in range(self.bench.runs):
            for name, transform in transforms.items():
                costs[name].append(self.run(("p", self.from_file(path), [transform, none], self.to_file("p")),
                                            memory="64MiB"))
        rate = {name: self.records / statistics.median(cost) / 1e6 for name, cost in costs.items()}
        for name, target in (("absolute", "≥ 5 M records/s"), ("tolerance", "")):
            self.bench.row(f"deadband by {name} over {devices:,} keys",
                           f"{rate[name]:.1f} M records per CPU-second, read, decoded, thinned; a filter in its place "
                           f"{rate['filter']:.1f} M", target)

    def looked_up(self, figure, before, lookup, path, nothing, run):
        every = {"type": "filter", "where": "seq >= 0"}
        none = {"type": "filter", "where": "seq < 0"}
        costs = {"with": [], "without": [], "before": []}
        for _ in range(self.bench.runs):
            for name, of, transforms in (("with", path, [lookup, none]), ("without", path, [every, none]),
                                         ("before", nothing, [lookup, none])):
                costs[name].append(run(of, transforms))
        cost = {name: statistics.median(of) for name, of in costs.items()}
        filled = cost["before"] if "cache" in lookup else 0  # of the one without, too
        rate = f"{self.records / (cost['with'] - cost['before']) / 1e6:.1f} M records per CPU-second, read, decoded, looked up"
        self.bench.row(figure, f"{rate}; a filter in its place {self.records / (cost['without'] - filled) / 1e6:.1f} M; "
                       f"{before} {cost['before'] * 1000:.0f} ms", "≥ 3 M records/s")
