"""The embedded servers, driven for real: kills, restarts, roles and what is left behind."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from dsar import embedded
from dsar.embedded import CHECKOUT, EmbeddedError, EmbeddedServers

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")


@pytest.fixture(autouse=True)
def no_servers_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "DSAR_MASTER_KEYS",
        "DSAR_DATA_DIR",
        "DSAR_DEV_DIR",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """Servers that many tests look at and none changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        servers = EmbeddedServers(tmp_path_factory.mktemp("running") / "dev", throw_away=True)
    servers.start()
    yield servers
    servers.stop()
    servers.destroy()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[EmbeddedServers]:
    servers = EmbeddedServers(tmp_path / "dev", throw_away=True)
    servers.start()
    yield servers
    servers.stop()
    servers.destroy()


@pytest.fixture
def durable_servers(tmp_path: Path) -> Iterator[EmbeddedServers]:
    servers = EmbeddedServers(tmp_path / "dev")
    servers.start()
    yield servers
    servers.stop()
    servers.destroy()


def ask(servers: EmbeddedServers, query: str, role: str = "DATABASE_ADMIN_URL") -> list[tuple[object, ...]]:
    with psycopg.connect(servers.environment()[role], autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def run_in_background(*arguments: str, code: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "dsar.embedded", "run", *arguments, "--", sys.executable, "-c", code]
    return subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_roles_hold_no_more_than_they_need(running: EmbeddedServers) -> None:
    found = ask(
        running,
        "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole"
        " FROM pg_roles WHERE rolname LIKE 'dsar%' ORDER BY rolname",
    )

    assert found == [
        ("dsar_admin", True, True, True, True, True),
        ("dsar_app", True, False, False, False, False),
        ("dsar_owner", True, False, False, False, False),
    ]


def test_owner_owns_database_and_schema(running: EmbeddedServers) -> None:
    found = ask(
        running,
        "SELECT pg_get_userbyid(datdba), (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public')"
        " FROM pg_database WHERE datname = 'dsar'",
    )

    assert found == [("dsar_owner", "dsar_owner")]


def test_application_cannot_create_a_table(running: EmbeddedServers) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(running, "CREATE TABLE intruder (id int)", "DATABASE_URL")

    assert ask(running, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_password_is_asked_on_the_socket(running: EmbeddedServers) -> None:
    url = running.environment()["DATABASE_URL"].replace("dsar_app:", "dsar_app:not-")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_database_listens_on_no_network(running: EmbeddedServers) -> None:
    assert ask(running, "SHOW listen_addresses") == [("",)]


def test_text_sorts_alike_on_every_machine(running: EmbeddedServers) -> None:
    found = ask(
        running, "SELECT x FROM (VALUES ('Éa'), ('ab'), ('Zb')) AS t (x) ORDER BY x COLLATE \"default\""
    )

    assert found == [("Zb",), ("ab",), ("Éa",)]


def test_secrets_are_private_files(running: EmbeddedServers) -> None:
    running.environment()

    files = sorted((running.data / "secrets").iterdir())

    assert [(path.name, mode(path)) for path in files] == [
        ("admin_password", 0o600),
        ("app_password", 0o600),
        ("master_keys", 0o600),
        ("owner_password", 0o600),
        ("secret_key", 0o600),
    ]
    assert mode(running.data) == 0o700


def test_environment_is_the_same_after_a_restart(servers: EmbeddedServers) -> None:
    before = servers.environment()
    servers.stop()

    servers.start()

    assert servers.environment() == before
    assert ask(servers, "SELECT 1", "DATABASE_URL") == [(1,)]


def test_password_file_of_initdb_is_gone(running: EmbeddedServers) -> None:
    assert [path.name for path in running.run.glob("pg/password*")] == []


def test_committed_row_survives_a_killed_database(durable_servers: EmbeddedServers) -> None:
    ask(durable_servers, "CREATE TABLE kept (id int)")
    ask(durable_servers, "INSERT INTO kept VALUES (7)")
    durable_servers.processes["postgres"].kill()
    durable_servers.processes["postgres"].wait()

    started = durable_servers.revive()

    assert started == ["postgres"]
    assert ask(durable_servers, "SELECT id FROM kept") == [(7,)]


def test_queued_message_survives_a_killed_broker(durable_servers: EmbeddedServers) -> None:
    url = durable_servers.environment()["REDIS_URL"]
    redis.Redis.from_url(url).rpush("queue", "job-1")
    durable_servers.processes["valkey"].kill()
    durable_servers.processes["valkey"].wait()

    started = durable_servers.revive()

    assert started == ["valkey"]
    assert redis.Redis.from_url(url).lrange("queue", 0, -1) == [b"job-1"]


def test_broker_never_evicts(running: EmbeddedServers) -> None:
    client = redis.Redis.from_url(running.environment()["REDIS_URL"])

    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_database_is_durable_unless_thrown_away(durable_servers: EmbeddedServers) -> None:
    found = ask(durable_servers, "SELECT current_setting('fsync'), current_setting('full_page_writes')")

    assert found == [("on", "on")]


def test_revive_starts_nothing_when_all_run(running: EmbeddedServers) -> None:
    before = running.pids()

    assert running.revive() == []
    assert running.pids() == before


def test_second_owner_attaches_and_leaves_the_servers_alone(running: EmbeddedServers) -> None:
    guest = EmbeddedServers(running.data)

    guest.start()
    guest.stop()

    assert guest.environment() == running.environment()
    assert ask(running, "SELECT 1") == [(1,)]


def test_exclusive_start_refuses_a_running_directory(running: EmbeddedServers) -> None:
    with pytest.raises(EmbeddedError, match=f"already run under process {os.getpid()}"):
        EmbeddedServers(running.data).start(exclusive=True)

    assert ask(running, "SELECT 1") == [(1,)]


def test_destroy_refuses_while_the_servers_run(running: EmbeddedServers) -> None:
    with pytest.raises(EmbeddedError, match="are running"):
        EmbeddedServers(running.data).destroy()

    assert ask(running, "SELECT 1") == [(1,)]


def test_destroy_removes_every_directory(tmp_path: Path) -> None:
    servers = EmbeddedServers(tmp_path / "dev", throw_away=True)
    servers.start()
    servers.stop()

    servers.destroy()

    assert [path for path in (servers.data, servers.home, servers.run) if path.exists()] == []


def test_half_made_cluster_is_made_again(servers: EmbeddedServers) -> None:
    ask(servers, "CREATE TABLE of_the_past (id int)")
    servers.stop()
    servers._initialised_stamp().unlink()

    servers.start()

    assert ask(servers, "SELECT to_regclass('of_the_past')") == [(None,)]


def test_cluster_of_another_version_is_refused(servers: EmbeddedServers) -> None:
    servers.stop()
    (servers._cluster / "PG_VERSION").write_text("16\n")

    with pytest.raises(EmbeddedError, match="made by PostgreSQL 16"):
        servers.start()

    assert servers.processes == {}


def test_failed_start_stops_what_was_started_and_shows_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "POSTGRES_SETTINGS", ("shared_buffers=nonsense",))
    servers = EmbeddedServers(tmp_path / "dev", throw_away=True)

    with pytest.raises(EmbeddedError, match="invalid value for parameter"):
        servers.start()

    assert servers.processes == {}
    servers.destroy()


@pytest.mark.parametrize(
    ("given", "started", "missing"),
    [
        ("DATABASE_URL", {"valkey"}, {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL"}),
        ("DATABASE_URL_FILE", {"valkey"}, {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL"}),
        ("REDIS_URL", {"postgres"}, {"REDIS_URL"}),
    ],
)
def test_given_server_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, started: set[str], missing: set[str]
) -> None:
    monkeypatch.setenv(given, "somewhere-else")
    servers = EmbeddedServers(tmp_path / "dev", throw_away=True)

    servers.start()

    names = {"DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL", "REDIS_URL"}
    assert set(servers.processes) == started
    assert names - set(servers.environment()) == missing
    servers.stop()
    servers.destroy()


def test_given_secret_is_left_to_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secrets/key")
    (tmp_path / "dev").mkdir(mode=0o700)

    assert "SECRET_KEY" not in EmbeddedServers(tmp_path / "dev").environment()


def test_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(EmbeddedError, match="belongs to somebody else"):
        embedded.own_directory(tmp_path / "link", 0o700)


def test_kept_secret_is_made_once(tmp_path: Path) -> None:
    first = embedded.kept_secret(tmp_path / "secret", lambda: "one")
    second = embedded.kept_secret(tmp_path / "secret", lambda: "two")

    assert (first, second, [path.name for path in tmp_path.iterdir()]) == ("one", "one", ["secret"])


def test_copied_programs_are_open_to_all_and_keep_their_places(tmp_path: Path) -> None:
    program = tmp_path / "wheel" / "install" / "bin" / "server"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (program.parent / "settings").write_text("")
    (program.parent / "settings").chmod(0o600)

    embedded.copy_for_all([program.parent, tmp_path / "absent"], tmp_path / "wheel", tmp_path / "copy")

    copy = tmp_path / "copy" / "install" / "bin"
    assert [mode(path) for path in (copy, copy / "server", copy / "settings")] == [0o755, 0o755, 0o644]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "wheel"]


@pytest.mark.parametrize("option", ["--fast", "--temporary"])
def test_run_returns_the_exit_code_and_leaves_no_directory(option: str) -> None:
    code = "import os; print(os.environ['DSAR_DATA_DIR'], flush=True); raise SystemExit(3)"

    with run_in_background(option, code=code) as process:
        files = Path(first_line(process))

    assert (process.returncode, files.parent.exists()) == (3, False)


def test_run_passes_termination_on_and_stops_the_servers(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    with run_in_background("--data", str(tmp_path / "dev"), code=code) as process:
        assert first_line(process) == "up"

        process.terminate()

    servers = EmbeddedServers(tmp_path / "dev")
    assert process.returncode == 9
    assert embedded.processes_in(servers._cluster) + embedded.processes_in(servers.data / "valkey") == []
    servers.destroy()


@on_linux
def test_killed_runner_leaves_nothing_and_the_next_start_has_the_data(tmp_path: Path) -> None:
    code = (
        "import os, psycopg, time\n"
        "with psycopg.connect(os.environ['DATABASE_OWNER_URL']) as c: c.execute('CREATE TABLE kept (id int)')\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    servers = EmbeddedServers(tmp_path / "dev")
    homes = (servers._cluster, servers.data / "valkey")
    with run_in_background("--data", str(tmp_path / "dev"), code=code) as process:
        assert first_line(process) == "up"

        process.kill()

    gone = embedded.wait_until(lambda: not any(embedded.processes_in(home) for home in homes), 20.0)
    servers.start()
    found = ask(servers, "SELECT to_regclass('kept')::text")
    servers.stop()
    servers.destroy()
    assert (gone, found) == (True, [("kept",)])


def test_directories_of_killed_runs_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = embedded.throw_away_directory()
    (left / "rubbish").write_text("")

    fresh = embedded.throw_away_directory()

    assert [path.name for path in tmp_path.iterdir()] == [fresh.name]


def test_unknown_server_is_reported_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "postgres_candidates", lambda: iter(()))

    with pytest.raises(EmbeddedError, match="No PostgreSQL 17 or newer found"):
        embedded.find_postgres()
