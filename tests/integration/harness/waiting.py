"""Waiting on a condition with a deadline: tests never sleep and hope."""

import time

DEADLINE = 30.0  # seconds; generous, since a condition that holds costs nothing


def wait_for(condition, deadline=DEADLINE, what="the condition", interval=0.01):
    """Returns the first true value of condition(); fails after `deadline` seconds.

    `what` is text, or a function that makes it (to show the state at the time of failure).
    """
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g} s for {what() if callable(what) else what}")
        time.sleep(interval)
