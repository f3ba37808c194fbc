"""A real mosquitto broker in a temporary folder."""

import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path

from .ports import free_port
from .waiting import DEADLINE, wait_for

_numbers = itertools.count()  # of subscribers, of this process; as each broker is


class Mosquitto:
    """mosquitto on a free port of 127.0.0.1, which keeps its sessions over a stop() and start().

        broker = Mosquitto(folder)                                       # mqtt://, anybody
        broker = Mosquitto(folder, cert=…, key=…, client_ca=…)           # mqtts://
        broker = Mosquitto(folder, users={"gw": "secret"}, acl="user gw\\ntopic read plant/#\\n")
        broker = Mosquitto(folder, max_inflight_messages=1000)           # any setting by name
        broker.stop(); broker.start(); broker.kill()
        broker.publish("plant/1", "hello", qos=1, retain=True)
        with broker.subscriber("plant/#") as subscriber: subscriber.wait_lines(3)
    """

    def __init__(self, folder, cert=None, key=None, client_ca=None, users=None, acl=None, **settings):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.tls = cert is not None
        self.users = users or {}
        self.process = None
        self._configure(cert, key, client_ca, acl, settings)
        self.start()

    @property
    def url(self):
        return f"{'mqtts' if self.tls else 'mqtt'}://localhost:{self.port}"

    @property
    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- the process -----------------------------------------------------------------------------

    def start(self):
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        before = self.log.count(" running")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([binary, "-c", str(self.folder / "conf")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: self.process.poll() is not None or self.log.count(" running") > before,
                 what=lambda: f"mosquitto to run; its log ends:\n{self.log[-2000:]}")
        assert self.process.poll() is None, self.log[-2000:]
        return self

    def stop(self, how=signal.SIGTERM):
        """Ends it in order: it writes its sessions down."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)
        self.process = None

    def kill(self):
        """SIGKILL: what it had not written down is lost."""
        self.stop(signal.SIGKILL)

    def restart(self):
        self.stop()
        self.start()

    # --- what goes through it --------------------------------------------------------------------

    def publish(self, topic, payload, qos=1, retain=False, **properties):
        """One message (str or bytes); `properties` are those of mosquitto_pub -D publish."""
        command = ["mosquitto_pub", *self._to_me(), "-t", topic, "-q", str(qos), "-s"]
        command += ["-r"] if retain else []
        for name, value in properties.items():
            values = value.items() if isinstance(value, dict) else [(value,)]
            for one in values:
                command += ["-D", "publish", name.replace("_", "-"), *map(str, one)]
        command += ["-V", "5"]
        payload = payload.encode() if isinstance(payload, str) else payload
        subprocess.run(command, input=payload, check=True, timeout=DEADLINE)

    def publish_lines(self, topic, lines, qos=1):
        """A message a line, over one connection; returns when the broker has them all."""
        subprocess.run(["mosquitto_pub", *self._to_me(), "-t", topic, "-q", str(qos), "-l"],
                       input="".join(line + "\n" for line in lines).encode(), check=True,
                       timeout=120)

    def subscriber(self, topic, qos=1, form="%t %p"):
        return Subscriber(self, topic, qos, form)

    def wait_log(self, words, count=1):
        wait_for(lambda: self.log.count(words) >= count,
                 what=lambda: f"{words!r} in mosquitto's log, which ends:\n{self.log[-2000:]}")

    def _to_me(self):
        command = ["-h", "127.0.0.1", "-p", str(self.port)]
        for user, password in list(self.users.items())[:1]:
            command += ["-u", user, "-P", password]
        return command

    # --- inside ----------------------------------------------------------------------------------

    def _configure(self, cert, key, client_ca, acl, settings):
        lines = [f"listener {self.port} 127.0.0.1", "persistence true",
                 f"persistence_location {self.folder}/", "log_dest stderr",
                 f"allow_anonymous {'false' if self.users else 'true'}"]
        if os.geteuid() == 0:
            lines.append("user root")  # it must write where the test may
        # By default it drops what exceeds 1000 messages.
        settings = {"log_type": "all", "max_queued_messages": 0, **settings}
        if cert:
            lines += [f"certfile {cert}", f"keyfile {key}"]
        if client_ca:
            lines += [f"cafile {client_ca}", "require_certificate true"]
        if self.users:
            path = self.folder / "users"
            path.write_text("".join(f"{name}:{word}\n" for name, word in self.users.items()))
            subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, timeout=DEADLINE)
            lines.append(f"password_file {path}")
        if acl:
            (self.folder / "acl").write_text(acl)
            lines.append(f"acl_file {self.folder / 'acl'}")
        lines += [f"{name} {value}" for name, value in settings.items()]
        (self.folder / "conf").write_text("\n".join(lines) + "\n")


class Subscriber:
    """A mosquitto_sub that collects what it gets, a line a message."""

    def __init__(self, broker, topic, qos, form):
        # Of its own: under the name of an earlier one the broker would give it what that had missed.
        name = f"sub-{next(_numbers)}"
        self.path = broker.folder / name
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                ["mosquitto_sub", *broker._to_me(), "-t", topic, "-q", str(qos), "-F", form,
                 "-V", "5", "-i", name, "-c", "-x", "3600"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        broker.wait_log(f"Sending SUBACK to {name}\n")

    @property
    def lines(self):
        whole = self.path.read_bytes()
        return whole[:whole.rfind(b"\n") + 1].decode(errors="replace").splitlines()

    def wait_lines(self, count, deadline=60.0):
        return wait_for(lambda: len(self.lines) >= count and self.lines, deadline,
                        lambda: f"{count} messages, got {len(self.lines)}")

    def stop(self):
        self.process.kill()
        self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
