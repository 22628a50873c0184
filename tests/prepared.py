"""An empty database is migrated once, and what came of it is kept: later ones are filled from that.

Migrating takes a quarter of a minute, filling half a second. What is kept lies in the development directory, under a
name made from every migration and library, so that it is made anew when one of them changes, and only then. The guards
follow the models and not the migrations: they are installed each time.
"""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg
from django.apps import apps

from dsar.embedded import CHECKOUT, EmbeddedError, default_data_directory, find_postgres, own_directory

PARTS = ("requirements/dev.txt", "*/migrations/*.py", "dsar/*/migrations/*.py")
KEPT = 4  # branches that somebody goes to and fro between


def fill(address: str, app_role: str, migrate: Callable[[], object]) -> None:
    """Bring an empty database to where all migrations lead. The address is its superuser's, who uses the owner's role.

    ``migrate`` is called where nothing is kept yet, by one process at a time: the others wait for what it keeps.
    """
    with _locked() as folder:
        kept = folder / f"{_name(address)}.sql"
        if not kept.exists():
            migrate()
            _keep(address, kept)
            return
        kept.touch()
        script = kept.read_bytes()
    with psycopg.connect(address, autocommit=True) as database:
        database.execute(script)
        database.execute("RESET ALL")  # What was kept ends with an empty search path.
        database.execute("SET ROLE dsar_owner")
        for statement in _guards(app_role):
            database.execute(statement.encode())


def _guards(app_role: str) -> Iterator[str]:
    """They are read off the models, for which Django has to be there; a bench comes without."""
    if not apps.ready:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsar.settings")
        django.setup()
    from dsar.guards import statements

    return statements(app_role)


@contextmanager
def _locked() -> Iterator[Path]:
    folder = own_directory(own_directory(default_data_directory(), 0o700) / "migrated", 0o700)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _name(address: str) -> str:
    """What tells this result of migrating from every other."""
    files = sorted(path for part in PARTS for path in CHECKOUT.glob(part))
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(CHECKOUT)).encode() + b"\0" + file.read_bytes())
    with psycopg.connect(address) as database:
        return f"{database.info.server_version}-{digest.hexdigest()[:16]}"


def _keep(address: str, place: Path) -> None:
    """Write the database down, if a program is there that does so for this server; the oldest are left behind."""
    draft = place.with_suffix(".draft")
    try:
        # The password goes by the environment, as arguments can be seen by every user of a machine.
        program = [str(find_postgres() / "pg_dump"), "--inserts", "--file", str(draft)]
        subprocess.run(program, env=_client(address), check=True, capture_output=True, cwd="/")
    except (EmbeddedError, subprocess.CalledProcessError):
        return
    lines = draft.read_text().splitlines(keepends=True)
    draft.write_text("".join(line for line in lines if not line.startswith("\\")))  # those are for psql alone
    draft.rename(place)
    for old in sorted(place.parent.glob("*.sql"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink()


def _client(address: str) -> dict[str, str]:
    known = psycopg.conninfo.conninfo_to_dict(address)
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    return {names[name]: str(value) for name, value in known.items() if name in names}
