"""What a service manager is told (sd_notify), and an agent that has no pipelines yet."""

import signal

import pytest

from harness.collector import Answer
from harness.pipelines import file_source, http_sink, pipeline, quick_retry, where
from harness.service_manager import ServiceManager
from harness.stopped_thread import stopped_thread, threads

ENDLESS = {"type": "generator", "rate": 100}
STDOUT = {"type": "stdout"}


@pytest.fixture
def manager(tmp_path):
    """A ServiceManager (harness/service_manager.py) at a path."""
    manager = ServiceManager(str(tmp_path / "notify"))
    yield manager
    manager.close()


# --- ready and stopping --------------------------------------------------------------------------


def test_ready_is_said_when_the_pipelines_run_and_a_signal_drains(agent, manager):
    agent.configure(pipeline(ENDLESS, STDOUT), drainTimeout="20s")
    agent.start(env=manager.env())
    assert manager.wait("READY=1")["STATUS"] == "1 pipeline runs"
    agent.terminate()
    stopping = manager.wait("STOPPING=1")
    assert stopping["STATUS"] == "draining, for at most 20.0s"
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) > 20_000_000
    assert agent.wait() == 0
    assert manager.states() == ["READY", "STOPPING"]
    assert manager.status == "drained"
    assert manager.pings() == 0


def test_a_signal_right_after_ready_drains(agent, manager, telemetry, collector):
    """The pipelines have not heard yet from the journal where to begin."""
    agent.configure(*[pipeline(file_source(telemetry(100), follow=True), http_sink(collector))
                      for _ in range(3)], workers=2)
    for number in range(1, 11):
        agent.start(env=manager.env())
        manager.wait("READY=1", number)
        agent.terminate()
        assert agent.wait() == 0


def test_an_abstract_socket_will_do(agent, tmp_path):
    manager = ServiceManager(f"@{tmp_path}/notify")
    agent.configure(pipeline(ENDLESS, STDOUT))
    agent.start(env=manager.env())
    manager.wait("READY=1")
    agent.terminate()
    assert agent.wait() == 0
    assert manager.states() == ["READY", "STOPPING"]
    manager.close()


def test_the_end_of_all_pipelines_is_said(agent, manager, telemetry):
    agent.configure(*[pipeline(file_source(telemetry(10)), STDOUT) for _ in range(3)], workers=2)
    assert agent.run(env=manager.env()) == 0
    assert manager.states() == ["READY", "STOPPING"]
    assert manager.status == "all pipelines have ended"


def test_the_pipelines_of_several_loops_are_counted(agent, manager):
    agent.configure(*[pipeline(ENDLESS, STDOUT) for _ in range(3)], workers=2)
    agent.start(env=manager.env())
    assert manager.wait("READY=1")["STATUS"] == "3 pipelines run"
    agent.terminate()
    assert agent.wait() == 0


@pytest.mark.parametrize("address,said", [
    ("vsock:2:1234", 'NOTIFY_SOCKET is "vsock:2:1234", known here: '),
    ("/nowhere/notify", "the service manager cannot be told how it goes: send to NOTIFY_SOCKET: "
                        "no such file or directory"),
    ("/" + 200 * "x", "NOTIFY_SOCKET is longer than the 107 bytes"),
])
def test_a_socket_that_cannot_be_used_is_one_warning(agent, manager, telemetry, address, said):
    agent.configure(pipeline(file_source(telemetry(10)), STDOUT))
    assert agent.run(env=manager.env(NOTIFY_SOCKET=address, WATCHDOG_USEC="20000")) == 0
    assert len(agent.log_lines("NOTIFY_SOCKET")) == 1
    assert said in agent.log


# --- reload --------------------------------------------------------------------------------------


def test_a_reload_says_what_came_of_it(agent, manager):
    agent.configure(pipeline(ENDLESS, STDOUT))
    agent.start(env=manager.env())
    manager.wait("READY=1")
    agent.configure(pipeline(ENDLESS, STDOUT), pipeline(ENDLESS, STDOUT))
    agent.send(signal.SIGHUP)
    reloading = manager.wait("RELOADING=1")
    assert int(reloading["MONOTONIC_USEC"]) > 0
    done = manager.wait("READY=1", number=2)
    assert done["STATUS"].startswith("configuration taken over: ")
    manager.wait_status("2 pipelines run")
    assert manager.states() == ["READY", "RELOADING", "READY"]
    agent.terminate()
    assert agent.wait() == 0


def test_a_refused_reload_says_the_first_problem_and_all_goes_on(agent, manager):
    agent.configure(pipeline(ENDLESS, STDOUT))
    agent.start(env=manager.env(watchdog_usec=100_000))
    manager.wait("READY=1")
    agent.configure(pipeline(ENDLESS, {"type": "http", "ulr": "http://127.0.0.1:1/"}))
    agent.send(signal.SIGHUP)
    refused = manager.wait("READY=1", number=2)["STATUS"]
    assert refused.startswith("configuration refused, the old one goes on: pipelines[0].sink.ulr: "
                              'unknown key, did you mean "url"?'), refused
    pings = manager.pings()
    agent.wait_for(lambda: manager.pings() > pings + 1, what="more signs of life")
    assert manager.status == refused + "; 1 pipeline runs"
    agent.configure(pipeline(ENDLESS, STDOUT))
    agent.send(signal.SIGHUP)
    manager.wait("READY=1", number=3)
    agent.wait_for(lambda: manager.status == "1 pipeline runs", what="a status without a refusal")
    agent.terminate()
    assert agent.wait() == 0


# --- watchdog and status -------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_signs_of_life_come_through_running_reload_and_drain(agent, manager, collector, workers):
    """The sink answers nothing, so the drain lasts until it is given up."""
    collector.default = Answer.hang()
    agent.configure(pipeline(ENDLESS, http_sink(collector)), pipeline(ENDLESS, http_sink(collector)),
                    workers=workers, drainTimeout="3s")
    agent.start(env=manager.env(watchdog_usec=50_000))

    def two_more():
        before = manager.pings()
        agent.wait_for(lambda: manager.pings() >= before + 2, what="two more signs of life")

    two_more()
    agent.configure(pipeline(ENDLESS, http_sink(collector)), workers=workers, drainTimeout="3s")
    agent.send(signal.SIGHUP)
    manager.wait("READY=1", number=2)
    two_more()
    agent.terminate()
    manager.wait("STOPPING=1")
    two_more()
    agent.terminate()
    agent.wait()


def test_the_status_is_kept_current_without_a_watchdog(agent, manager, collector, telemetry):
    """And names a pipeline that has failed."""
    collector.down()
    agent.configure(pipeline(ENDLESS, http_sink(collector), name="press-line",
                             delivery=quick_retry()),
                    pipeline(file_source(telemetry(10)), STDOUT,
                             where("json_extract(device, '$') = 1", onError="fail"), name="bad"))
    agent.start(env=manager.env())
    manager.wait_status("1 pipeline runs; press-line: ")
    manager.wait_status("; bad failed: ")
    collector.up()
    manager.wait_status("1 pipeline runs; bad failed: ")
    agent.terminate()
    assert agent.wait() == 1


def test_the_status_names_a_pipeline_in_trouble_until_it_is_over(agent, manager, collector):
    collector.down()
    agent.configure(pipeline(ENDLESS, http_sink(collector), name="press-line",
                             delivery=quick_retry(spool="always")),
                    pipeline(ENDLESS, STDOUT, name="fine"))
    agent.start(env=manager.env(watchdog_usec=50_000))
    status = manager.wait_status("; press-line: ")
    assert status.startswith("2 pipelines run; press-line: "), status
    assert "connection refused" in status
    assert "fine" not in status
    manager.wait_status(" spooled")
    collector.up()
    agent.wait_for(lambda: manager.status == "2 pipelines run", what="no more trouble")
    agent.terminate()
    assert agent.wait() == 0


def test_no_watchdog_for_another_process(agent, manager, telemetry):
    """The variables were meant for a parent, say, which has passed them on."""
    agent.configure(pipeline(ENDLESS, STDOUT))
    agent.start(env=manager.env(watchdog_usec=2000, WATCHDOG_PID="1"))
    manager.wait("READY=1")
    agent.wait_for(lambda: agent.stdout.count(b"\n") > 50, what="half a second of records")
    agent.terminate()
    assert agent.wait() == 0
    assert manager.pings() == 0


def test_a_loop_that_is_stuck_gets_no_more_signs_of_life(agent, manager):
    """One of two loops stands still. The other one goes on, but must not speak for both."""
    agent.configure(pipeline(ENDLESS, STDOUT), pipeline(ENDLESS, {"type": "file", "path": "out"}),
                    workers=2)
    agent.start(env=manager.env(watchdog_usec=20_000))
    agent.wait_for(lambda: manager.pings() > 2, what="signs of life")
    [worker] = threads(agent.process.pid, "leat-worker")
    try:
        with stopped_thread(worker):
            before, lines = manager.pings(), agent.stdout.count(b"\n")
            agent.wait_for(lambda: agent.stdout.count(b"\n") > lines + 100,
                           what="a second of records, and with it a hundred times the interval")
            # One answer may have been on its way.
            assert manager.pings() <= before + 1
    except PermissionError:
        pytest.skip("this system lets nobody stop a thread of another process (ptrace)")
    before = manager.pings()
    agent.wait_for(lambda: manager.pings() > before + 2, what="signs of life, once it turns again")
    agent.terminate()
    assert agent.wait() == 0


# --- no pipelines yet ----------------------------------------------------------------------------


def test_without_pipelines_the_agent_waits_and_takes_them_up_on_reload(agent, manager):
    agent.configure()
    agent.start(env=manager.env())
    agent.wait_log(r"no pipelines yet: edit \S*leat\.json and send SIGHUP")
    assert manager.wait("READY=1")["STATUS"] == "no pipelines run"
    agent.configure(pipeline(ENDLESS, STDOUT))
    agent.send(signal.SIGHUP)
    agent.wait_for(lambda: agent.stdout, what="records")
    manager.wait_status("1 pipeline runs")
    agent.terminate()
    assert agent.wait() == 0


def test_without_pipelines_a_signal_ends_it(agent):
    agent.configure()
    agent.start()
    agent.wait_log("no pipelines yet")
    agent.terminate()
    assert agent.wait() == 0


def test_a_reload_to_no_pipelines_leaves_it_waiting(agent, manager):
    agent.configure(pipeline(ENDLESS, STDOUT), pipeline(ENDLESS, STDOUT), workers=2)
    agent.start(env=manager.env())
    agent.wait_for(lambda: agent.stdout, what="records")
    agent.configure(workers=2)
    agent.send(signal.SIGHUP)
    agent.wait_log("no pipelines yet")
    manager.wait_status("no pipelines run")
    before = len(agent.stdout)
    agent.configure(pipeline(ENDLESS, STDOUT), workers=2)
    agent.send(signal.SIGHUP)
    agent.wait_for(lambda: len(agent.stdout) > before, what="records again")
    agent.terminate()
    assert agent.wait() == 0


def test_a_reload_from_nothing_to_what_ends_exits_with_0(agent, telemetry):
    agent.configure()
    agent.start()
    agent.wait_log("no pipelines yet")
    agent.configure(pipeline(file_source(telemetry(10)), STDOUT))
    agent.send(signal.SIGHUP)
    assert agent.wait() == 0
    assert agent.stdout.count(b"\n") == 10


def test_without_pipelines_a_configuration_from_standard_input_says_how_it_goes_on(agent):
    path = agent.configure()
    agent.config_path = "-"
    agent.start(wrap=("sh", "-c", 'exec "$@" <"$0"', path))
    agent.wait_log("no pipelines yet: the configuration came from standard input, so start anew")
    agent.terminate()
    assert agent.wait() == 0


def test_check_and_explain_like_no_pipelines(agent):
    agent.configure()
    done = agent.command("check", "-c", agent.config_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "ok: no pipelines, the agent waits for a configuration\n"
    done = agent.command("explain", "-c", agent.config_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "no pipelines: the agent waits for a configuration\n"
