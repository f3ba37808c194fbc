#!/usr/bin/python3
"""What it costs an agent to be looked at, in CPU time, as one JSON line.

    tests/bench/looking.py BINARY [--pipelines 200] [--page SECONDS]

So many pipelines that follow a file each. Printed are `idle`, in seconds of CPU over ten seconds in which
nobody looks; for each path of the API the milliseconds of CPU of one answer, and its bytes; and with
--page `page`, the share of a core, in percent, that the page of agent.admin takes that long, open in
Debian's Chromium (scripts/setup --page).
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "page"), str(ROOT / "tests" / "integration")]

from harness.ports import free_port  # noqa: E402

TOKEN = "0123456789abcdef"
PATHS = ("/api/v1/status", "/api/v1/pipelines", "/api/v1/stats", "/api/v1/config", "/metrics")


def configuration(folder, pipelines, port):
    for i in range(pipelines):
        (folder / f"{i}.jsonl").write_text('{"seq":1,"temp":41.5}\n' * 50)
    return {"agent": {"id": "bench", "dataDir": str(folder / "data"), "memory": f"{pipelines + 8}MiB",
                      "admin": {"listen": f"127.0.0.1:{port}", "tokens": [TOKEN]}},
            "pipelines": [{"name": f"pipeline-{i:03}",
                           "source": {"type": "file", "path": [str(folder / f"{i}.jsonl")], "format": "json",
                                      "follow": True},
                           "transforms": [{"type": "filter", "where": "temp > 40"},
                                          {"type": "map", "set": {"t": "temp * 2"}}],
                           "sink": {"type": "file", "path": str(folder / f"{i}.csv"), "format": "csv"}}
                          for i in range(pipelines)]}


def cpu_seconds(pid):
    return sum(int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
               for task in os.listdir(f"/proc/{pid}/task")) / 1e9


def spent(pid, what):
    before = cpu_seconds(pid)
    what()
    return cpu_seconds(pid) - before


def page_share(pid, port, seconds):
    from browser import Browser
    browser = Browser()
    try:
        browser.open(port, TOKEN)
        time.sleep(4)  # it has been loaded and drawn
        return round(spent(pid, lambda: time.sleep(seconds)) / seconds * 100, 3)
    finally:
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=lambda text: str(Path(text).resolve()))
    parser.add_argument("--pipelines", type=int, default=200)
    parser.add_argument("--page", type=float, default=0, metavar="SECONDS")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "leat.json").write_text(json.dumps(configuration(folder, args.pipelines, port)))
        with open(folder / "log", "w", encoding="utf8") as log, subprocess.Popen(
                [args.binary, "run", "-c", str(folder / "leat.json")], stderr=log) as agent:
            try:
                time.sleep(6)  # all is delivered, and positions are saved
                out = {"pipelines": args.pipelines, "idle": round(spent(agent.pid, lambda: time.sleep(10)), 4)}
                connection = http.client.HTTPConnection("127.0.0.1", port)

                def ask(path):
                    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
                    return len(connection.getresponse().read())

                for path in PATHS:
                    size = ask(path)
                    took = spent(agent.pid, lambda: [ask(path) for _ in range(30)]) / 30
                    out[path] = {"ms": round(took * 1000, 2), "bytes": size}
                if args.page:
                    out["page"] = page_share(agent.pid, port, args.page)
                print(json.dumps(out))
            finally:
                agent.terminate()


if __name__ == "__main__":
    main()
