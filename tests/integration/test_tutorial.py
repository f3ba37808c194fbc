"""The tutorial of tables: its commands run as they are written, and print what it says."""

import os
import re
import signal
import subprocess
from pathlib import Path

TUTORIAL = Path(__file__).parents[2] / "connectors/postgres/TUTORIAL.md"
DEADLINE = 120  # seconds


def steps():
    """Each block of commands, and what the block behind it says that they print; None where none does."""
    blocks = re.findall(r"```(sh|text)\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    return [(text, blocks[i + 1][1] if blocks[i + 1:] and blocks[i + 1][0] == "text" else None)
            for i, (kind, text) in enumerate(blocks) if kind == "sh"]


def pattern_of(text):
    """Where the page has "…", anything may stand within the line."""
    return re.escape(text).replace("…", "[^\n]*")


def test_the_commands_of_the_tutorial_do_what_it_says(agent, make_postgres, spawn, tmp_path):
    first, *rest = steps()
    assert first[0].startswith("export PGHOST=") and len(rest) > 5
    # What a reader puts in its place.
    own = f"export PGHOST=127.0.0.1 PGPORT={make_postgres().port} PGUSER=postgres PGPASSWORD=none\n"
    script = "set -euo pipefail\n" + own + "".join(
        f"echo '--- {i}'\n{commands}" for i, (commands, _) in enumerate(rest))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/leat").symlink_to(agent.binary)
    try:
        bash = spawn(["bash", "-c", script], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True, start_new_session=True,
                     env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
        said, complained = bash.communicate(timeout=DEADLINE)
    finally:
        try:
            os.killpg(bash.pid, signal.SIGKILL)  # the agents that it has started
        except ProcessLookupError:
            pass
    assert bash.returncode == 0, said + complained
    printed = re.split(r"^--- \d+\n", said, flags=re.MULTILINE)[1:]
    for (commands, expected), output in zip(rest, printed, strict=True):
        if expected is not None:
            assert re.fullmatch(pattern_of(expected), output), f"{commands}\nprints\n{output}"
