#!/usr/bin/python3
"""MQTT QoS 1 to HTTP by default settings: how long a message takes, and what it costs at full rate.

    tests/bench/latency.py BINARY... [--rates 1,100,1000] [--seconds 20] [--burst 100000] [--runs 3]

Publisher (paho), mosquitto, leat and the server that takes the requests are on this machine. Several
binaries are measured in turn, so that they meet the same machine. One line for each: of each rate the
median and the 99th percentile of the milliseconds from the publishing of a message to the arrival of
the request that has it, requests a second; then the microseconds of CPU (user + system, of leat) for a
message of a session's backlog of --burst messages, with mosquitto's windows of 20 and 1,000, the median
of --runs.
"""

import argparse
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from harness.agent import Agent  # noqa: E402
from harness.mosquitto import Mosquitto  # noqa: E402
from harness.nginx import Nginx  # noqa: E402
from harness.waiting import wait_for  # noqa: E402

SIZE = 147  # of a message, with its newline
SENT = re.compile(rb'"t":(\d+)')


class Server:
    """Answers 204 to every request; when each message came, in nanoseconds after it was sent."""

    def __init__(self):
        self.latencies = []
        self.messages = 0
        self.requests = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/ingest"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        data = b""
        while True:
            end = data.find(b"\r\n\r\n")
            if end >= 0:
                length = int(re.search(rb"(?i)content-length: *(\d+)", data[:end])[1])
                if len(data) >= end + 4 + length:
                    self._take(data[end + 4:end + 4 + length])
                    data = data[end + 4 + length:]
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                    continue
            try:
                more = connection.recv(1 << 20)
            except ConnectionResetError:
                return
            if not more:
                return
            data += more

    def _take(self, body):
        now = time.monotonic_ns()
        self.requests += 1
        self.latencies += [now - int(sent) for sent in SENT.findall(body)]
        self.messages += body.count(b"\n")

    def close(self):
        self.socket.close()


class QuickServer(Nginx):
    """Answers 204 to every request; how many messages came."""

    def __init__(self, folder):
        super().__init__(folder, extra="keepalive_requests 1000000;")

    @property
    def messages(self):
        return sum(int(request["length"]) for request in self.requests) // SIZE

    def close(self):
        self.stop()


class Setup:
    """A broker, a server, and leat between them."""

    def __init__(self, binary, quick, **broker):
        self.folder = Path(tempfile.mkdtemp(prefix="leat-latency-"))
        self.broker = Mosquitto(self.folder / "broker", max_queued_messages=0, **broker)
        self.server = QuickServer(self.folder / "nginx") if quick else Server()
        self.agent = Agent(binary, self.folder / "agent")
        self.agent.configure({"source": {"type": "mqtt", "url": self.broker.url, "topics": ["plant/#"],
                                         "version": "3.1.1"},
                              "sink": {"type": "http", "url": self.server.url}})
        self.agent.start()
        self.agent.wait_log("connected to")
        time.sleep(0.5)  # the subscription

    def publish(self, rate, count):
        subprocess.run([publisher(), f"tcp://127.0.0.1:{self.broker.port}", "plant/1", str(rate),
                        str(count)], check=True)

    def close(self):
        self.agent.kill()
        self.broker.stop()
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def publisher():
    work = ROOT / "build" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    source, target = ROOT / "tests" / "bench" / "paho_publisher.c", work / "paho_publisher"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-o", target, source, "-lpaho-mqtt3a"], check=True)
    return str(target)


def latency(binary, rate, seconds):
    setup = Setup(binary, quick=False)
    try:
        count = max(int(rate * seconds), 10)
        setup.publish(rate, count)
        wait_for(lambda: setup.server.messages >= count, what="all messages")
        ms = sorted(one / 1e6 for one in setup.server.latencies)
        return (f"{rate}/s: p50 {ms[len(ms) // 2]:.1f} ms, p99 {ms[min(len(ms) * 99 // 100, len(ms) - 1)]:.1f} ms, "
                f"{setup.server.requests / count * rate:.0f} requests/s")
    finally:
        setup.close()


def cpu_seconds(pid):
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def burst(binary, count, window):
    """Microseconds of CPU for a message, messages a second, and messages of a request."""
    setup = Setup(binary, quick=True, max_inflight_messages=window)
    try:
        setup.agent.terminate()
        setup.agent.wait()
        setup.publish(0, count)
        began = time.monotonic()
        setup.agent.start()
        wait_for(lambda: setup.server.messages >= count, what="all messages", deadline=120, interval=0.05)
        seconds = time.monotonic() - began
        return cpu_seconds(setup.agent.process.pid) / count * 1e6, count / seconds, count / len(setup.server.requests)
    finally:
        setup.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", nargs="+", type=Path, metavar="BINARY")
    parser.add_argument("--rates", default="1,100,1000")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--burst", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    binaries = [binary.resolve() for binary in arguments.binaries]
    for rate in filter(None, arguments.rates.split(",")):
        for binary in binaries:
            print(f"{binary}: {latency(binary, int(rate), arguments.seconds)}", flush=True)
    for window in (20, 1000):
        costs = {binary: [] for binary in binaries}
        for _ in range(arguments.runs):
            for binary in binaries:
                costs[binary].append(burst(binary, arguments.burst, window))
        for binary, runs in costs.items():
            cpu, rate, size = (statistics.median(run[i] for run in runs) for i in range(3))
            print(f"{binary}: window {window}: {cpu:.2f} us of CPU a message, {rate:,.0f} messages/s, "
                  f"{size:.0f} messages a request", flush=True)


if __name__ == "__main__":
    main()
