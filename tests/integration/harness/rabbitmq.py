"""A real RabbitMQ in a temporary folder."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

from .ports import free_port
from .waiting import wait_for

try:
    import pika
except ImportError:
    pika = None

BIN = Path("/usr/lib/rabbitmq/bin")  # and not /usr/sbin, where a wrapper goes over to the user rabbitmq
MISSING = (None if pika is not None and (BIN / "rabbitmq-server").exists() else
           "there is no rabbitmq-server, or no python3-pika: scripts/setup --brokers installs them")


class RabbitMq:
    """A node on free ports of 127.0.0.1. Anybody is let in as guest/guest.

        broker = RabbitMq()
        broker = RabbitMq(ssl=(certs.server, certs.server_key), client_ca=certs.ca)
        broker.url, broker.tls_url
        broker.stop(); broker.start(); broker.kill()
        broker.ctl("add_user", "gw", "secret")
        queue = broker.queue("readings")         # made anew
        queue.publish("a", "b"); queue.bodies()  # all that came so far
    """

    def __init__(self, ssl=None, client_ca=None, epmd_port=None, start=True, **settings):
        self.folder = Path(tempfile.mkdtemp(prefix="leat-mq-"))
        self.process = None
        self.port, self.tls_port, self.dist_port = (free_port() for _ in range(3))
        self.epmd_port = epmd_port or free_port()
        self.node = f"leat{self.port}@localhost"
        self.connections = []
        self._ssl = ssl, client_ca
        self._started = 0
        self.configure(**settings)
        try:
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self):
        return f"amqp://127.0.0.1:{self.port}"

    @property
    def tls_url(self):
        return f"amqps://localhost:{self.tls_port}"

    @property
    def log(self):
        path = self.folder / "out"
        return path.read_text(errors="replace") if path.exists() else ""

    def configure(self, **settings):
        """Settings of rabbitmq.conf; "__" stands for a dot."""
        ssl, client_ca = self._ssl
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text("leat")
            cookie.chmod(0o400)
        (self.folder / "plugins").write_text("[rabbitmq_auth_mechanism_ssl].\n" if ssl else "[].\n")
        lines = [f"listeners.tcp.1 = 127.0.0.1:{self.port}", "log.console = true", "log.file = false"]
        if ssl:
            lines += [f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}", f"ssl_options.certfile = {ssl[0]}",
                      f"ssl_options.keyfile = {ssl[1]}", f"ssl_options.cacertfile = {client_ca}",
                      "ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = false",
                      "auth_mechanisms.1 = PLAIN", "auth_mechanisms.2 = EXTERNAL",
                      "ssl_cert_login_from = common_name"]
        lines += [f"{name.replace('__', '.')} = {value}" for name, value in settings.items()]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")

    @property
    def _environment(self):
        at = self.folder
        return {
            **os.environ, "HOME": str(at), "RABBITMQ_NODENAME": self.node, "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(at / "mnesia"), "RABBITMQ_LOG_BASE": str(at / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(at / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(at / "rabbitmq.conf"), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_GENERATED_CONFIG_DIR": str(at / "generated"), "RABBITMQ_PID_FILE": str(at / "pid"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(at / "advanced.config"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(at / "feature_flags"),
            # It does not wait for work by turning in circles.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"}

    # --- the process ------------------------------------------------------------------------------

    def start(self):
        self.begin()
        return self.wait()

    def begin(self):
        self._started = self.log.count("Server startup complete")
        with open(self.folder / "out", "ab") as log:
            # A shell, and the node as its child: a group of their own.
            self.process = subprocess.Popen([BIN / "rabbitmq-server"], env=self._environment, cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def wait(self):
        """Until it runs."""
        wait_for(lambda: self.process.poll() is not None or
                 self.log.count("Server startup complete") > self._started, 120,
                 what=lambda: f"RabbitMQ to run; its log ends:\n{self.log[-3000:]}")
        assert self.process.poll() is None, self.log[-3000:]
        return self

    def stop(self, how=signal.SIGTERM):
        self._forget_connections()
        if self.process is not None:
            try:
                os.killpg(self.process.pid, how)
            except ProcessLookupError:
                pass
            self.process.wait(60)
            wait_for(lambda: not self._group_lives(), 60, "the node to end")
        self.process = None

    def _group_lives(self):
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self):
        self.stop(signal.SIGKILL)

    def close(self):
        self.kill()
        # The port mapper is started by the node, and stays.
        subprocess.run(["epmd", "-kill"], env=self._environment, capture_output=True, timeout=30, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ctl(self, *arguments):
        """rabbitmqctl, which takes a second or two."""
        done = subprocess.run([BIN / "rabbitmqctl", "-q", "--node", self.node, *map(str, arguments)],
                              env=self._environment, cwd=self.folder, capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # --- use --------------------------------------------------------------------------------------

    def channel(self, **how):
        """A channel of a connection of its own; what is published on it is confirmed."""
        connection = pika.BlockingConnection(pika.ConnectionParameters(
            "127.0.0.1", self.port, heartbeat=0, **how))
        self.connections.append(connection)
        channel = connection.channel()
        channel.confirm_delivery()
        return channel

    def queue(self, name, **how):
        return Queue(self, name, **how)

    def _forget_connections(self):
        for connection in self.connections:
            try:
                connection.close()
            except Exception:  # whatever it is: the broker may be gone already
                pass
        self.connections.clear()


class Cluster:
    """Nodes that find each other: `nodes`, all of them, in any order."""

    def __init__(self, size=3):
        epmd_port = free_port()
        self.nodes = [RabbitMq(epmd_port=epmd_port, start=False) for _ in range(size)]
        try:
            names = {f"cluster_formation__classic_config__nodes__{n}": node.node for n, node in enumerate(self.nodes, 1)}
            for node in self.nodes:
                node.configure(cluster_formation__peer_discovery_backend="classic_config", **names)
                node.begin()
            for node in self.nodes:
                node.wait()
            wait_for(lambda: len(self.members()) == size, 60, "the nodes to find each other", 1)
        except BaseException:
            self.close()
            raise

    def members(self):
        return json.loads(self.nodes[0].ctl("cluster_status", "--formatter", "json"))["running_nodes"]

    @property
    def urls(self):
        return [node.url for node in self.nodes]

    def close(self):
        for node in self.nodes:
            node.close()


class Queue:
    """One queue of a broker, made anew, and bound to `exchange` (made, too) by `key` when that is given."""

    def __init__(self, broker, name, kind="classic", exchange=None, exchange_type="topic", key="#", **arguments):
        self.broker = broker
        self.name = name
        self.exchange = exchange
        self._channel = self._consuming = None
        self.messages = []  # as pika has them: (method, properties, body)
        self.channel.queue_delete(name)
        self.channel.queue_declare(name, durable=True, arguments={"x-queue-type": kind, **arguments})
        if exchange:
            self.channel.exchange_delete(exchange)
            self.channel.exchange_declare(exchange, exchange_type, durable=True)
            self.channel.queue_bind(name, exchange, key)

    @property
    def channel(self):
        if self._channel is None or not self._channel.is_open:
            self._channel = self.broker.channel()
        return self._channel

    def publish(self, *bodies, key=None, exchange="", **properties):
        for body in bodies:
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
            self.channel.basic_publish(exchange, key or self.name, body,
                                       pika.BasicProperties(delivery_mode=2, **properties), mandatory=True)

    def take(self):
        """All that came so far: what there is is taken out, from the first call on."""
        channel = self.channel
        if self._consuming is not channel:
            channel.basic_consume(self.name, lambda _, *message: self.messages.append(message), auto_ack=True)
            self._consuming = channel
        channel.connection.process_data_events(time_limit=0)
        return self.messages

    def bodies(self):
        """Of all that was there when it was asked. What the broker has sent may be on its way still, so one
        more message goes in behind it, and is waited for."""
        self.take()
        wait_for(lambda: self.ready()[0] == 0, 60, f"the queue {self.name} to be empty")
        last = str(uuid.uuid4())

        def is_last(message):
            return message[1].message_id == last

        self.publish("", message_id=last)
        wait_for(lambda: any(map(is_last, self.take())), 60, lambda: f"the last of {len(self.messages)} messages of {self.name}")
        self.messages[:] = [one for one in self.messages if not is_last(one)]
        return [json.loads(body) for _, _, body in self.messages]

    def ready(self):
        """How many messages wait, and how many consume it; none when there is no such queue."""
        try:
            method = self.channel.queue_declare(self.name, passive=True).method
            return method.message_count, method.consumer_count
        except pika.exceptions.ChannelClosedByBroker:
            return None
