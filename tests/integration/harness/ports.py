"""Ports for servers that must be told theirs before they listen."""

import os
import random
import re
import socket

# Below the kernel's range for the near end of connections (ip_local_port_range, from 32768): one of
# those could take the port between this look and the server's bind. Each of several test processes
# (pytest-xdist calls them gw0, gw1, …) has a share of its own.
_SHARE = 2500
_first = 10_000 + _SHARE * (int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % 8)
_next = random.randrange(_SHARE)


def free_port():
    """A port of 127.0.0.1 that nobody listens on; not the same twice."""
    global _next
    for _ in range(_SHARE):
        _next = (_next + 1) % _SHARE
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", _first + _next))
            except OSError:
                continue
            return _first + _next
    raise AssertionError("no free port")
