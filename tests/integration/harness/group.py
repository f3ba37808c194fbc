"""Agents of one group (agent.cluster), and what they do together."""

import json

from .output import conforming
from .pipelines import pipeline, quick_retry

ORDERS = ("CREATE TABLE orders (id bigserial PRIMARY KEY, note text); "
          "CREATE TABLE copies (id bigint, note text)")
LEASE = 2.0  # seconds


def exclusive(work, name="p", source=None, sink=None, guarantee="exactlyOnce", **rest):
    """Rows of `orders` as they come, to `copies`; both in the database `work`."""
    return pipeline({"type": "postgres", "url": work.url, "table": "orders", "mode": "incremental", "from": "0",
                     "cursor": ["id"], "every": "100ms", "pageSize": 50, **(source or {})},
                    {"type": "postgres", "url": work.url, "table": "copies",
                     "batch": {"records": 20, "linger": "10ms"}, **(sink or {})},
                    name=name, exclusive=True, delivery=quick_retry(guarantee=guarantee, spool="never"), **rest)


class Group:
    """group = Group(make_agent, cluster_database); group.start("a", pipeline); group["a"].kill()"""

    def __init__(self, make_agent, database, lease="2s"):
        self.make_agent = make_agent
        self.database = database
        self.lease = lease
        self.agents = {}

    def __getitem__(self, name):
        return self.agents[name]

    def add(self, name, *pipelines, url=None, agent_id=None, **options):
        """An agent that is not started."""
        agent = self.agents[name] = self.make_agent(name)
        agent.configure(*pipelines, id=agent_id or name, journal={"commitEvery": "100ms"},
                        cluster={"url": url or self.database.url, "group": "etl", "lease": self.lease},
                        **options)
        return agent

    def start(self, name, *pipelines, **how):
        return self.add(name, *pipelines, **how).start()

    def status(self, name):
        agent = self.agents[name]
        if not agent.running():
            return {}
        answer = agent.command("status", "--json", "--data-dir", str(agent.data_dir))
        return conforming(answer.stdout, "status") if answer.stdout else {}

    def state(self, name, of="p"):
        return next((one["state"] for one in self.status(name).get("pipelines", []) if one["name"] == of), None)

    def runs_on(self, of="p", among=None):
        """Names of the agents on which it runs."""
        return [name for name in among or self.agents if self.state(name, of) == "running"]

    def runs(self, name, of="p"):
        agent = self.agents[name]
        answer = agent.command("runs", of, "--json", "--data-dir", str(agent.data_dir))
        return json.loads(answer.stdout)["runs"] if answer.returncode == 0 else []
