"""The postgres sink proves who it is, and finds out who the server is."""

import pytest

from harness.pipelines import file_source, pipeline, quick_retry
from harness.postgres import PASSWORD
from harness.postgres_pipelines import sink

LINES = 20


@pytest.fixture(scope="module")
def tls_server(_postgres_template, certs):
    from harness.postgres import Postgres
    server = Postgres(ssl=(certs.server, certs.server_key), client_ca=certs.ca)
    yield server
    server.close()


@pytest.fixture
def tls_database(tls_server):
    return with_table(tls_server.database("test"))


@pytest.fixture
def plain_database(database):
    return with_table(database)


def with_table(database):
    database.query("CREATE TABLE t (id int); GRANT ALL ON t TO PUBLIC")
    return database


def configure(agent, url, **options):
    path = agent.folder / "in.jsonl"
    path.write_text("".join(f'{{"id": {n}}}\n' for n in range(LINES)))
    agent.configure(pipeline(file_source(path), sink(None, url=url, **options),
                             delivery=quick_retry(initial="50ms", maximum="100ms")))
    return agent


def arrives(agent, database, url, **options):
    assert configure(agent, url, **options).run() == 0, agent.log
    assert database.count("t") == LINES
    assert "p@ss" not in agent.log


def is_refused(agent, database, url, words, **options):
    """It does not get through, says why, gives nothing up, and goes on trying."""
    configure(agent, url, **options).start()
    agent.wait_log(f" warn .*{words}")
    assert agent.running()
    agent.kill()
    assert agent.dead_letters() == []
    assert database.count("t") == 0
    assert "p@ss" not in agent.log


# --- methods -------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["trusted", "md5_user", "scram_user"])
def test_without_tls(agent, plain_database, user):
    password = None if user == "trusted" else PASSWORD
    arrives(agent, plain_database, plain_database.url_of(user, password=password))


@pytest.mark.parametrize("user", ["trusted", "md5_user", "scram_user", "clear_user"])
def test_with_tls(agent, tls_database, certs, user):
    password = None if user == "trusted" else PASSWORD
    arrives(agent, tls_database, tls_database.url_of(user, password=password),
            tls={"ca": str(certs.ca)})


@pytest.mark.parametrize("user", ["md5_user", "scram_user"])
def test_a_wrong_password_is_said_and_tried_again(agent, plain_database, user):
    is_refused(agent, plain_database, plain_database.url_of(user, password="wrong"),
               "password authentication failed.*28P01.*check the user and the password")


def test_a_missing_password_is_said(agent, plain_database):
    is_refused(agent, plain_database, plain_database.url_of("scram_user"),
               'the server wants a password, and "url" has none')


def test_a_password_goes_in_clear_only_where_nobody_can_read_it(agent, plain_database):
    is_refused(agent, plain_database, plain_database.url_of("clear_user", password=PASSWORD),
               "wants the password in clear, and the connection is not encrypted")
    assert "clear_user" not in plain_database.server.log


def test_an_unknown_user_and_database_are_said(agent, make_agent, plain_database):
    is_refused(agent, plain_database, plain_database.url_of("nobody"),
               "no pg_hba.conf entry .*28000.*pg_hba.conf")
    is_refused(make_agent("other"), plain_database, plain_database.server.url("nowhere"),
               'database "nowhere" does not exist.*3D000')


def test_a_password_that_is_mended_ends_the_trouble(agent, make_postgres):
    server = make_postgres()
    database = with_table(server.database("test"))
    server.query("ALTER ROLE scram_user PASSWORD 'other'")
    configure(agent, database.url_of("scram_user", password=PASSWORD)).start()
    agent.wait_log("password authentication failed")
    server.query(f"ALTER ROLE scram_user PASSWORD '{PASSWORD}'")
    assert agent.wait() == 0
    assert database.count("t") == LINES


def test_a_unix_socket_with_scram(agent, plain_database):
    server = plain_database.server
    url = (f"postgres:///{plain_database.name}?host={server.folder}&port={server.port}"
           f"&user=scram_user&password=p%40ss%20w%2Frd%3A%C3%A4&sslmode=verify-full")
    arrives(agent, plain_database, url)


def test_the_application_name_and_options_of_the_url_reach_the_server(agent, plain_database):
    plain_database.query("CREATE SCHEMA other; CREATE TABLE other.t (id int, app text DEFAULT "
                         "current_setting('application_name')); GRANT ALL ON SCHEMA other TO PUBLIC;"
                         "GRANT ALL ON other.t TO PUBLIC")
    url = plain_database.url_of("trusted", application_name="press line",
                                options="-c search_path=other").replace("+", "%20")
    assert configure(agent, url).run() == 0, agent.log
    assert plain_database.query("SELECT DISTINCT app FROM other.t") == [("press line",)]


# --- channel binding -----------------------------------------------------------------------------


def test_channel_binding_is_used_when_it_is_required(agent, tls_database, certs):
    arrives(agent, tls_database,
            tls_database.url_of("scram_user", password=PASSWORD, channel_binding="require"),
            tls={"ca": str(certs.ca)})


def test_required_channel_binding_needs_tls_and_scram(agent, make_agent, tls_database, certs):
    url = tls_database.url_of("scram_user", password=PASSWORD, channel_binding="require",
                              sslmode="disable")
    is_refused(agent, tls_database, url, "channel binding is not possible here")
    url = tls_database.url_of("md5_user", password=PASSWORD, channel_binding="require")
    is_refused(make_agent("md5"), tls_database, url, "MD5 password, and channel_binding is require",
               tls={"ca": str(certs.ca)})


def test_without_channel_binding_scram_works_over_tls(agent, tls_database, certs):
    arrives(agent, tls_database,
            tls_database.url_of("scram_user", password=PASSWORD, channel_binding="disable"),
            tls={"ca": str(certs.ca)})


# --- sslmode -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode,encrypted", [
    ("disable", "f"), ("allow", "f"), ("prefer", "t"), ("require", "t"), ("verify-ca", "t"),
    ("verify-full", "t"), (None, "t")])
def test_sslmode_decides_about_encryption(agent, tls_database, certs, mode, encrypted):
    tls_database.query("ALTER TABLE t ADD tls bool DEFAULT "
                       "(SELECT NULL::bool); CREATE FUNCTION now_tls() RETURNS bool LANGUAGE sql "
                       "SECURITY DEFINER AS 'SELECT ssl FROM pg_stat_ssl WHERE pid = "
                       "pg_backend_pid()'; ALTER TABLE t ALTER tls SET DEFAULT now_tls()"
                       .replace("ADD tls bool DEFAULT (SELECT NULL::bool)", "ADD tls bool"))
    options = {"sslmode": mode} if mode else {}
    tls = {"tls": {"ca": str(certs.ca)}} if mode and mode.startswith("verify") else {}
    arrives(agent, tls_database, tls_database.url_of("trusted", **options), **tls)
    assert tls_database.query("SELECT DISTINCT tls FROM t") == [(encrypted,)]


def test_prefer_goes_on_in_clear_where_there_is_no_tls(agent, plain_database):
    arrives(agent, plain_database, plain_database.url_of("trusted", sslmode="prefer"))


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_tls_that_is_demanded_and_not_offered_is_said(agent, plain_database, certs, mode):
    is_refused(agent, plain_database, plain_database.url_of("trusted", sslmode=mode),
               "the server does not offer TLS", tls={"ca": str(certs.ca)})


def test_prefer_and_allow_try_the_other_way(agent, make_agent, make_postgres, certs):
    hba = ("local all postgres trust\nhostnossl all md5_user 127.0.0.1/32 md5\n"
           "hostssl all scram_user 127.0.0.1/32 scram-sha-256\n")
    server = make_postgres(ssl=(certs.server, certs.server_key), hba=hba)
    database = with_table(server.database("test"))
    arrives(agent, database, database.url_of("md5_user", password=PASSWORD, sslmode="prefer"))
    database.query("TRUNCATE t")
    arrives(make_agent("allow"), database,
            database.url_of("scram_user", password=PASSWORD, sslmode="allow"))


@pytest.mark.parametrize("which,mode,words", [
    ("elsewhere", "verify-full", 'is for another host name than "127.0.0.1"'),
    ("elsewhere", "verify-ca", None),
    ("expired", "verify-ca", "has expired"),
    ("expired", "verify-full", "has expired"),
    ("expired", "require", None),
])
def test_a_server_certificate_that_does_not_fit(agent, make_postgres, certs, which, mode, words):
    server = make_postgres(ssl=(getattr(certs, which), getattr(certs, which + "_key")))
    database = with_table(server.database("test"))
    url = database.url_of("trusted", sslmode=mode)
    tls = {"ca": str(certs.ca)} if mode != "require" else {}
    if words is None:
        arrives(agent, database, url, tls=tls)
    else:
        is_refused(agent, database, url, words, tls=tls)


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full", "require"])
def test_a_server_of_an_unknown_authority_is_refused(agent, tls_database, certs, mode):
    """With a root certificate, require means verify-ca, as in libpq."""
    url = tls_database.url_of("trusted", sslmode=mode, sslrootcert=certs.other_ca)
    is_refused(agent, tls_database, url, "is from an unknown authority")


def test_the_name_to_expect_can_be_given(agent, make_postgres, certs):
    server = make_postgres(ssl=(certs.elsewhere, certs.elsewhere_key))
    database = with_table(server.database("test"))
    arrives(agent, database, database.url_of("trusted"),
            tls={"ca": str(certs.ca), "serverName": "elsewhere.example"})


def test_a_root_certificate_that_cannot_be_read_ends_the_pipeline(agent, tls_database):
    url = tls_database.url_of("trusted", sslmode="verify-full", sslrootcert="/nowhere/ca.pem")
    assert configure(agent, url).run() == 2
    assert "/nowhere/ca.pem: no such file" in agent.log


# --- client certificates -------------------------------------------------------------------------


def client_certificate(certs, name="client"):
    return {"ca": str(certs.ca), "cert": str(getattr(certs, name)),
            "key": str(getattr(certs, name + "_key"))}


def test_a_client_certificate_proves_who_we_are(agent, tls_database, certs):
    tls_database.server.query("DROP ROLE IF EXISTS client; CREATE ROLE client LOGIN")
    server = tls_database.server
    server.set_hba((server.data / "pg_hba.conf").read_text().replace(
        "hostssl all cert_user", "hostssl all client    127.0.0.1/32 cert\nhostssl all cert_user"))
    server.query("SELECT pg_reload_conf()")
    arrives(agent, tls_database, tls_database.url_of("client"), tls=client_certificate(certs))


def test_a_certificate_for_another_user_is_said(agent, tls_database, certs):
    is_refused(agent, tls_database, tls_database.url_of("cert_user"),
               'certificate authentication failed for user "cert_user"',
               tls=client_certificate(certs))


def test_a_missing_client_certificate_is_said(agent, tls_database, certs):
    is_refused(agent, tls_database, tls_database.url_of("cert_user"),
               "connection requires a valid client certificate", tls={"ca": str(certs.ca)})


@pytest.mark.parametrize("why", ["expired", "other_authority"])
def test_a_client_certificate_that_is_no_longer_accepted_is_said(agent, make_postgres, certs, why):
    """The server ends TLS itself: whose certificate it was must be told."""
    server = make_postgres(ssl=(certs.server, certs.server_key),
                           client_ca=certs.other_ca if why == "other_authority" else certs.ca)
    database = with_table(server.database("test"))
    name = "client" if why == "other_authority" else "expired"
    is_refused(agent, database, database.url_of("cert_user"),
               "the server refused the client certificate", tls=client_certificate(certs, name))
