"""The .deb where init is SysV's: the init script starts the agent, keeps it running, reloads it."""

import pytest

from fixtures.machine import wait_for
from fixtures.service import CONFIG, Agent

SCRIPT = "/etc/init.d/leat"


@pytest.fixture
def machine(make_machine):
    """A Debian in which systemd does not run, and a syslog daemon that writes to /run/syslog."""
    machine = make_machine(boot=False)
    # Debian's other inits divert it; here there is none to ask for the run level.
    machine.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 104\n")
    machine.path("/usr/sbin/policy-rc.d").chmod(0o755)
    machine.run("sh", "-c", "socat -u unix-recv:/dev/log,mode=666 open:/run/syslog,creat,append "
                ">/dev/null 2>&1 </dev/null &")
    wait_for(lambda: machine.exists("/dev/log"), "the syslog daemon")
    return machine


@pytest.fixture
def agent(machine, made):
    agent = Agent(machine)
    agent.configure()  # before the package is there: its postinst must leave it alone
    machine.path("/etc/leat").chmod(0o755)
    machine.path(CONFIG).chmod(0o644)
    agent.feed(1)
    agent.install(made["static"])
    return agent


def test_installing_starts_it_and_its_log_goes_to_syslog(agent, machine):
    agent.wait_delivered(1)
    assert machine.run(SCRIPT, "status").strip() == "leat is running"
    pid, = agent.pids()
    status = machine.path(f"/proc/{pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status and f"CapBnd:\t{'0' * 16}" in status
    assert machine.run("sh", "-c", "ls /etc/rc2.d /etc/rc0.d").count("leat") == 2
    machine.run(SCRIPT, "stop")
    wait_for(lambda: "SIGTERM: draining" in machine.path("/run/syslog").read_text(), "a line in syslog")


def test_an_agent_that_dies_is_started_again(agent, machine):
    agent.wait_delivered(1)
    machine.write("/etc/default/leat", "RESTART=0\n")
    machine.run(SCRIPT, "restart")
    for _ in range(3):
        pid, = wait_for(agent.pids, "the agent")
        machine.run("sh", "-c", f"kill -KILL {pid}")
        wait_for(lambda: agent.pids() not in ([], [pid]), "another process")
    agent.feed(2)
    agent.wait_delivered(1, 2)


def test_a_reload_takes_a_new_configuration_and_refuses_a_bad_one(agent, machine):
    agent.wait_delivered(1)
    before = agent.pids()
    agent.configure(transforms=[{"type": "filter", "where": "n <> 2"}])
    machine.run(SCRIPT, "reload")
    wait_for(lambda: "configuration taken over" in machine.path("/run/syslog").read_text(), "the reload")
    agent.feed(2, 3)
    agent.wait_delivered(1, 3)
    agent.configure(transforms=[{"type": "flter"}])
    refused = machine.try_run(SCRIPT, "reload")
    assert refused.returncode != 0 and "pipelines[0].transforms[0].type" in refused.stdout
    agent.feed(4)
    agent.wait_delivered(1, 3, 4)
    assert agent.pids() == before


def test_stopping_removing_and_purging(agent, machine, newer):
    agent.wait_delivered(1)
    machine.run(SCRIPT, "stop")
    assert agent.pids() == []
    assert machine.try_run(SCRIPT, "status").returncode == 3
    machine.run(SCRIPT, "start")
    agent.feed(2)
    agent.wait_delivered(1, 2)

    before = agent.pids()
    agent.install(newer)
    agent.feed(3)
    agent.wait_delivered(1, 2, 3)
    assert agent.pids() not in ([], before)

    machine.run("dpkg", "--remove", "leat")
    assert agent.pids() == [] and machine.exists(CONFIG) and machine.exists("/var/lib/leat/journal.db")
    machine.run("dpkg", "--purge", "leat")
    assert not machine.exists(CONFIG) and not machine.exists("/var/lib/leat") and not machine.exists(SCRIPT)
    assert machine.run("sh", "-c", "ls /etc/rc?.d").count("leat") == 0
