"""One double of each connector's peer, for the behaviour that all of them share
(test_behaviour.py). A sink's double takes records of the form {"seq": n, "text": …}; a source's gives
them. What a peer cannot do says why, in CANNOT."""

import json
import os
import signal
import sqlite3
import subprocess

from .collector import Answer
from .mosquitto import Mosquitto
from .plug import Plug
from .serial_line import SerialLine

BATCH = {"records": 50, "linger": "20ms"}


def record(seq):
    return {"seq": seq, "text": f"some text that makes the line longer {seq}"}


def line(seq):
    return json.dumps(record(seq)) + "\n"


class SinkPeer:
    """Takes what a sink delivers."""

    CANNOT = {}  # behaviour → why it means nothing here
    READERS = []  # pipelines of the same agent, where these are the peer

    def end(self, agent):
        """Waits until all has been given, and the agent has ended by itself."""
        assert agent.wait() == 0, agent.log

    def up(self):
        raise NotImplementedError

    def down(self):
        """Nobody is there."""
        raise NotImplementedError

    def hold(self):
        """Takes nothing for now, without a word."""
        raise NotImplementedError

    def let_go(self):
        raise NotImplementedError

    def seqs(self):
        raise NotImplementedError

    def close(self):
        pass


class Http(SinkPeer):
    def __init__(self, make):
        self.collector = make.collector()
        self.sink = {"type": "http", "url": self.collector.url, "format": "ndjson", "batch": BATCH,
                     "timeout": "60s"}
        self.collector.decide = self._decide
        self.held = False

    def _decide(self, request):
        return Answer(400) if b'"bad"' in request.body else Answer(delay=0.5 if self.held else 0)

    def up(self):
        self.collector.up()

    def down(self):
        self.collector.down()

    def hold(self):
        self.held = True

    def let_go(self):
        self.held = False

    def seqs(self):
        return [one["seq"] for one in self.collector.records()]

    BAD = {"seq": "bad"}


class Mqtt(SinkPeer):
    def __init__(self, make):
        self.broker = Mosquitto(make.folder / "broker")
        self.subscriber = self.broker.subscriber("to/#", form="%p")
        self.sink = {"type": "mqtt", "url": self.broker.url, "topic": "to/{seq}", "qos": 1, "batch": BATCH}

    def up(self):
        if self.broker.process is None:
            self.broker.start()

    def down(self):
        self.broker.stop()

    def hold(self):
        self.broker.process.send_signal(signal.SIGSTOP)

    def let_go(self):
        self.broker.process.send_signal(signal.SIGCONT)

    def seqs(self):
        return [json.loads(text)["seq"] for text in self.subscriber.lines]

    def close(self):
        if self.broker.process is not None:
            self.let_go()
        self.subscriber.stop()
        self.broker.stop()

    BAD = {"seq": "no/+/topic"}


class Amqp(SinkPeer):
    """The session's broker, behind a plug: a start of its own takes seconds."""

    def __init__(self, make):
        broker = make.rabbitmq()
        self.plug = Plug(broker.port)
        self.queue = broker.queue("behaviour", exchange="behaviour", key="to.*")
        self.sink = {"type": "amqp", "urls": [f"amqp://127.0.0.1:{self.plug.port}"], "exchange": "behaviour",
                     "routingKey": "to.{seq}", "batch": BATCH}

    def up(self):
        self.plug.push_in()

    def down(self):
        self.plug.pull()

    def hold(self):
        self.plug.hold()

    def let_go(self):
        self.plug.let_go()

    def seqs(self):
        return [one["seq"] for one in self.queue.bodies()]

    def close(self):
        self.plug.close()

    BAD = {"seq": "no.queue"}


class PostgresPeer(SinkPeer):
    def __init__(self, make):
        self.server = make.postgres()
        self.database = self.server.database("t")
        self.database.query("CREATE TABLE t (seq bigint, text text)")
        self.sink = {"type": "postgres", "url": self.database.url, "table": "t", "batch": BATCH}

    def up(self):
        if self.server.process is None:
            self.server.start()

    def down(self):
        self.server.stop()

    def hold(self):
        """Somebody else has locked the table; it can be read."""
        self.holder = subprocess.Popen(
            ["psql", "-X", "-q", "-d", self.database.url, "-c", "BEGIN",
             "-c", "LOCK TABLE t IN EXCLUSIVE MODE", "-c", "\\echo locked", "-f", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "locked\n"

    def let_go(self):
        self.holder.communicate("ROLLBACK;\n", timeout=30)

    def seqs(self):
        return [int(row[0]) for row in self.database.query("SELECT seq FROM t ORDER BY seq")]

    BAD = {"seq": "no number"}


class Mysql(SinkPeer):
    def __init__(self, make):
        self.server = make.mariadb()
        self.database = self.server.database("t")
        self.database.query("CREATE TABLE t (seq bigint, text text)")
        self.sink = {"type": "mysql", "url": self.database.url, "table": "t", "batch": BATCH}

    def up(self):
        if self.server.process is None:
            self.server.start()

    def down(self):
        self.server.stop()

    def hold(self):
        """Somebody else has locked the table."""
        self.holder = self.server.client("t", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.holder.stdin.write("LOCK TABLE t READ; SELECT 'locked';\n")
        self.holder.stdin.flush()
        assert self.holder.stdout.readline() == "locked\n"

    def let_go(self):
        self.holder.communicate("UNLOCK TABLES;\n", timeout=30)

    def seqs(self):
        return [int(row[0]) for row in self.database.query("SELECT seq FROM t ORDER BY seq")]

    BAD = {"seq": "no number"}


class Sqlite(SinkPeer):
    CANNOT = {"gone": "a file is there, or is made"}
    def __init__(self, make):
        self.path = make.folder / "out.db"
        self._open().execute("CREATE TABLE t (seq INTEGER CHECK (typeof(seq) = 'integer'), text TEXT)")
        self.sink = {"type": "sqlite", "path": str(self.path), "table": "t", "batch": BATCH}
        self.holder = None

    def _open(self):
        return sqlite3.connect(self.path, timeout=30, isolation_level=None)

    def hold(self):
        self.holder = self._open()
        self.holder.execute("BEGIN EXCLUSIVE")

    def let_go(self):
        self.holder.execute("ROLLBACK")
        self.holder.close()

    def seqs(self):
        return [row[0] for row in self._open().execute("SELECT seq FROM t ORDER BY rowid")]

    BAD = {"seq": "no number"}


class File(SinkPeer):
    CANNOT = {"gone": "a file is there, or is made",
              "slow": "a disk that is slow holds the whole machine",
              "bad": "JSON can hold every record"}
    def __init__(self, make):
        self.folder = make.folder / "out"
        self.folder.mkdir()
        self.sink = {"type": "file", "path": str(self.folder / "part-{n}.jsonl"), "format": "ndjson",
                     "batch": BATCH}

    def seqs(self):
        return [json.loads(text)["seq"] for part in sorted(self.folder.glob("*")) if part.is_file()
                for text in part.read_text().splitlines()]


class Stdout(SinkPeer):
    CANNOT = {"gone": "a closed pipe ends the pipeline (test_end_to_end.py)",
              "slow": "the test's own file takes what comes",
              "bad": "JSON can hold every record"}
    def __init__(self, make):
        self.agent = make.agent
        self.sink = {"type": "stdout", "format": "ndjson", "batch": BATCH}

    def seqs(self):
        whole = self.agent.stdout_path.read_text()
        return [json.loads(text)["seq"] for text in whole[:whole.rfind("\n") + 1].splitlines()]


class WithReader(SinkPeer):
    """Its peer is a pipeline of the same agent, which writes what it gets to a file."""

    def __init__(self, make, source, *transforms):
        self.out = make.folder / "out.jsonl"
        self.READERS = [{"source": source, "transforms": list(transforms),
                         "sink": {"type": "file", "path": str(self.out), "format": "ndjson", "batch": BATCH}}]

    def came(self):
        part = self.out.with_name(self.out.name + ".part")  # while it is written
        texts = [path.read_text() for path in (self.out, part) if path.exists()]
        return [json.loads(line) for text in texts for line in text[:text.rfind("\n") + 1].splitlines()]


class ToChannel(WithReader):
    CANNOT = {"gone": "it is in the same process", "slow": "it holds the reader alone (test_channels.py)",
              "bad": "every record can be handed on"}

    def __init__(self, make):
        super().__init__(make, {"type": "channel", "name": "c"})
        self.sink = {"type": "channel", "name": "c"}

    def seqs(self):
        return [one["seq"] for one in self.came()]


class ToCache(WithReader):
    """The reader looks up every number there may be, once all are in the cache."""

    CANNOT = {"gone": "it is in the same process", "slow": "memory takes what comes",
              "killed": "what is in it goes with the agent (test_caches.py)"}
    MOST = 2500

    def __init__(self, make):
        self.asked = make.folder / "asked.jsonl"
        self.asked.touch()
        super().__init__(make, {"type": "file", "path": [str(self.asked)], "format": "json", "follow": True},
                         {"type": "lookup", "cache": "c", "key": "asked", "fields": {"seq": "seq", "text": "text"}})
        self.sink = {"type": "cache", "name": "c", "key": "seq", "ttl": "1h", "maxRecords": self.MOST,
                     "batch": BATCH}

    def end(self, agent):
        agent.wait_for(lambda: "ended" in [one["state"] for one in agent.status()["pipelines"]], 60,
                       "all to be in the cache")
        self.asked.write_text("".join(json.dumps({"asked": seq}) + "\n" for seq in range(self.MOST)))
        agent.wait_for(lambda: len(self.came()) == self.MOST, 60, "all to be looked up")
        agent.terminate()
        super().end(agent)

    def seqs(self):
        found = [one for one in self.came() if one["seq"] is not None]
        assert all(one == {"asked": one["seq"], **record(one["seq"])} for one in found)
        return [one["seq"] for one in found]

    BAD = {"seq": None}


SINKS = {"amqp": Amqp, "cache": ToCache, "channel": ToChannel, "http": Http, "mqtt": Mqtt, "postgres": PostgresPeer, "mysql": Mysql,
         "sqlite": Sqlite, "file": File, "stdout": Stdout}


class SourcePeer:
    """Gives what a source reads."""

    CANNOT = {}

    def give(self, *seqs):
        raise NotImplementedError

    def give_bad(self):
        raise NotImplementedError

    def down(self):
        raise NotImplementedError

    def up(self):
        raise NotImplementedError

    def ready(self, agent):
        """True when what is given from now on is read."""
        return True

    def close(self):
        pass


class FromFile(SourcePeer):
    CANNOT = {"gone": "a file that goes is one that was rotated (test_follow.py)"}

    def __init__(self, make):
        self.path = make.folder / "in.jsonl"
        self.path.touch()
        self.source = {"type": "file", "path": [str(self.path)], "format": "json", "follow": True}

    def give(self, *seqs):
        with open(self.path, "a", encoding="utf8") as file:
            file.write("".join(map(line, seqs)))

    def give_bad(self):
        with open(self.path, "a", encoding="utf8") as file:
            file.write("{not json}\n")


class FromMqtt(SourcePeer):
    def __init__(self, make):
        self.broker = Mosquitto(make.folder / "broker")
        self.source = {"type": "mqtt", "url": self.broker.url, "topics": ["from/#"], "qos": 1,
                       "clientId": "behaviour", "format": "json"}

    def give(self, *seqs):
        self.broker.publish_lines("from/x", [line(seq).strip() for seq in seqs])

    def give_bad(self):
        self.broker.publish("from/x", "{not json}")

    def down(self):
        self.broker.stop()

    def up(self):
        self.broker.start()

    def ready(self, agent):
        return self.broker.log.count("Sending SUBACK to behaviour") > 0 and \
            " disconnected" not in self.broker.log.rpartition("as behaviour ")[2]

    def close(self):
        self.broker.stop()


class FromAmqp(SourcePeer):
    def __init__(self, make):
        broker = make.rabbitmq()
        self.plug = Plug(broker.port)
        self.queue = broker.queue("behaviour", kind="quorum")
        self.source = {"type": "amqp", "urls": [f"amqp://127.0.0.1:{self.plug.port}"], "queue": "behaviour",
                       "format": "json"}

    def give(self, *seqs):
        self.queue.publish(*map(record, seqs))

    def give_bad(self):
        self.queue.publish("{not json}")

    def down(self):
        self.plug.pull()

    def up(self):
        self.plug.push_in()

    def ready(self, agent):
        return self.queue.ready()[1] > 0

    def close(self):
        self.plug.close()


class FromSerial(SourcePeer):
    CANNOT = {"killed": "a line has no memory: what is sent while nobody reads is lost"}

    def __init__(self, make):
        self.line = SerialLine(make.folder / "port")
        self.source = {"type": "serial", "port": str(self.line.path), "format": "json",
                       "baudRate": 19200}

    def give(self, *seqs):
        self.line.write("".join(map(line, seqs)).encode())

    def give_bad(self):
        self.line.write(b"{not json}\n")

    def down(self):
        self.line.unplug()

    def up(self):
        self.line.plug_in()

    def ready(self, agent):
        return self.line.baud_rate == 19200

    def close(self):
        self.line.unplug()


class FromPostgres(SourcePeer):
    CANNOT = {"bad": "what a column holds is of its type"}

    def __init__(self, make):
        self.server = make.postgres()
        self.database = self.server.database("t")
        self.database.query("CREATE TABLE t (seq bigint PRIMARY KEY, text text)")
        self.source = {"type": "postgres", "url": self.database.url, "table": "t", "every": "100ms",
                       "mode": "incremental", "cursor": ["seq"], "from": "0"}

    def give(self, *seqs):
        self.database.query(f"INSERT INTO t SELECT i, 'some text that makes the line longer ' || i "
                            f"FROM generate_series({min(seqs)}, {max(seqs)}) i")

    def down(self):
        self.server.stop()

    def up(self):
        self.server.start()


class FromMysql(SourcePeer):
    CANNOT = {"bad": "what a column holds is of its type"}

    def __init__(self, make):
        self.server = make.mariadb()
        self.database = self.server.database("t")
        self.database.query("CREATE TABLE t (seq bigint PRIMARY KEY, text text)")
        self.source = {"type": "mysql", "url": self.database.url, "table": "t", "every": "100ms",
                       "mode": "incremental", "cursor": ["seq"], "from": "0", "consistencyDelay": "100ms"}

    def give(self, *seqs):
        rows = ", ".join("({seq}, '{text}')".format(**record(seq)) for seq in seqs)
        self.database.query(f"INSERT INTO t VALUES {rows}")

    def down(self):
        self.server.stop()

    def up(self):
        self.server.start()


class FromSqlite(SourcePeer):
    CANNOT = {"gone": "a file is there, or is made", "bad": "every value of a row can be read"}

    def __init__(self, make):
        path = make.folder / "in.db"
        self.database = sqlite3.connect(path, timeout=30, isolation_level=None)
        self.database.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, text TEXT)")
        self.source = {"type": "sqlite", "path": str(path), "table": "t", "every": "100ms",
                       "mode": "incremental", "cursor": ["seq"], "from": "0"}

    def give(self, *seqs):
        self.database.execute("BEGIN IMMEDIATE")
        self.database.executemany("INSERT INTO t VALUES (:seq, :text)", map(record, seqs))
        self.database.execute("COMMIT")

    def close(self):
        self.database.close()


class FromGenerator(SourcePeer):
    CANNOT = {"gone": "nothing outside gives the records", "bad": "what it makes is good",
              "streams": "it gives all at once, and ends"}

    def __init__(self, make):
        self.source = {"type": "generator", "count": 2000}


class FromStdin(SourcePeer):
    CANNOT = {"gone": "a pipe that is closed is the end", "killed": "what was read from a pipe cannot be read again"}

    def __init__(self, make):
        self.end, self.pipe = os.pipe()
        make.agent.stdin = self.end
        self.source = {"type": "stdin", "format": "json"}

    def give(self, *seqs):
        os.write(self.pipe, "".join(map(line, seqs)).encode())

    def give_bad(self):
        os.write(self.pipe, b"{not json}\n")

    def close(self):
        os.close(self.pipe)
        os.close(self.end)


class FromInternal(SourcePeer):
    CANNOT = dict.fromkeys(("all", "killed", "gone", "bad", "streams"),
                           "it tells what is, not what was (test_internal.py)")


class FromChannel(SourcePeer):
    CANNOT = dict.fromkeys(("all", "killed", "gone", "bad", "streams"),
                           "its peer is a pipeline of the same agent (test_channels.py)")


SOURCES = {"amqp": FromAmqp, "channel": FromChannel, "file": FromFile, "stdin": FromStdin, "mqtt": FromMqtt, "serial": FromSerial,
           "generator": FromGenerator, "internal": FromInternal, "postgres": FromPostgres,
           "mysql": FromMysql, "sqlite": FromSqlite}
