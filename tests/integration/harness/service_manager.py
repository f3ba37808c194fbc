"""The service manager's end of sd_notify(3): a datagram socket that the agent writes to."""

import os
import socket

from .waiting import DEADLINE, wait_for


class ServiceManager:
    """Plays systemd for one agent.

        manager = ServiceManager(str(tmp_path / "notify"))    # or "@name", an abstract socket
        agent.start(env=manager.env(watchdog="200ms"))
        manager.wait("READY=1")
    """

    def __init__(self, address):
        self.address = address
        self.messages = []  # each a dict of its assignments, in the order they came
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    def close(self):
        self._socket.close()

    def env(self, watchdog_usec=None, **more):
        """The environment a service gets."""
        env = {**os.environ, "NOTIFY_SOCKET": self.address, **more}
        if watchdog_usec is not None:
            env["WATCHDOG_USEC"] = str(watchdog_usec)
        return env

    def receive(self):
        """Takes what has come; returns all messages so far."""
        while True:
            try:
                text = self._socket.recv(65536).decode()
            except BlockingIOError:
                return self.messages
            assert text.endswith("\n"), text
            self.messages.append(dict(line.split("=", 1) for line in text.splitlines()))

    def wait(self, assignment, number=1, deadline=DEADLINE):
        """Waits for the `number`-th message with this assignment ("READY=1"); returns it."""
        key, value = assignment.split("=", 1)

        def found():
            hits = [message for message in self.receive() if message.get(key) == value]
            return hits[number - 1] if len(hits) >= number else None

        return wait_for(found, deadline, lambda: f"{assignment} (number {number}) among "
                                                 f"{self.messages}")

    def wait_status(self, part, deadline=DEADLINE):
        """Waits until the last status contains `part`; returns it."""
        return wait_for(lambda: part in self.status and self.status, deadline,
                        lambda: f"{part!r} in the status, messages: {self.messages}")

    @property
    def status(self):
        """What `systemctl status` would show now."""
        said = [message["STATUS"] for message in self.receive() if "STATUS" in message]
        return said[-1] if said else ""

    def states(self):
        """The changes of state so far, such as ["READY", "STOPPING"]."""
        return [key for message in self.receive() for key in message
                if key in ("READY", "RELOADING", "STOPPING")]

    def pings(self):
        return sum("WATCHDOG" in message for message in self.receive())
