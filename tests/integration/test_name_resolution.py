"""Names of peers that the system's resolver must look up."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.name_server import NameServer, asking
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.waiting import wait_for

HERE, AWAY = "collector.example", "away.example"


@pytest.fixture
def asking_a_half_silent_server(tmp_path):
    """The server, and the command for processes that ask it: each waits minutes for AWAY."""
    if os.geteuid() != 0 or not Path("/etc/resolv.conf").exists():
        pytest.skip("a name server of one's own needs root")
    if subprocess.run(["unshare", "--mount", "true"], check=False, timeout=30).returncode != 0:
        pytest.skip("a name server of one's own needs mounts of one's own: a chroot has none")
    server = NameServer(HERE, address="127.53.53.54", silent=[AWAY])
    yield server, asking(server, tmp_path, "options timeout:30 attempts:5")
    server.close()


def test_a_name_that_is_never_answered_holds_up_neither_another_pipeline_nor_the_end(
        agent, collector, telemetry, tmp_path, asking_a_half_silent_server):
    server, command = asking_a_half_silent_server
    later = tmp_path / "later.jsonl"
    later.touch()
    away = {**http_sink(collector), "url": f"http://{AWAY}:9/"}
    here = {**http_sink(collector), "url": collector.url.replace("127.0.0.1", HERE)}
    retry = {"delivery": quick_retry()}
    agent.configure(pipeline(file_source(telemetry(10), follow=True), away, **retry),
                    pipeline(file_source(later, follow=True), here, **retry), drainTimeout="1s")
    agent.start(wrap=command)
    wait_for(lambda: AWAY in server.questions, what="the name that is never answered to be asked for")
    later.write_text(telemetry(200).read_text())
    collector.wait_records(200)
    assert HERE in server.questions
    assert HERE not in "".join(line for line in agent.log.splitlines() if "resolved" in line)
    agent.terminate()
    agent.wait(30)
