"""The production files, read as a container platform reads them; no container is run."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsar.embedded import CHECKOUT, ROLES_SQL

DOCKER = CHECKOUT / "docker"
OURS = ("web", "worker", "upkeep", "scheduler", "migrate")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return loaded


def duties() -> set[str]:
    return set(re.findall(r"^    ([a-z]+)\)$", (DOCKER / "entrypoint").read_text(), re.MULTILINE))


def test_compose_knows_its_top_level_words(compose: dict[str, Any]) -> None:
    words = {key for key in compose if not key.startswith("x-")}

    assert words == {"name", "services", "networks", "volumes", "secrets"}


def test_compose_runs_every_duty_of_the_entrypoint(compose: dict[str, Any]) -> None:
    commands = {name: compose["services"][name]["command"] for name in OURS}

    assert commands == {name: [name] for name in OURS}
    assert duties() == set(OURS)


def test_compose_declares_whatever_it_names(compose: dict[str, Any]) -> None:
    services = compose["services"].values()
    named = {
        kind: {x for service in services for x in service.get(kind, ())} for kind in ("networks", "secrets")
    }
    volumes = {volume.partition(":")[0] for service in services for volume in service.get("volumes", ())}

    assert named == {"networks": set(compose["networks"]), "secrets": set(compose["secrets"])}
    assert {name for name in volumes if not name.startswith(".")} == set(compose["volumes"])
    assert {x for service in services for x in service.get("depends_on", ())} <= set(compose["services"])


def test_every_lasting_service_tells_its_health(compose: dict[str, Any]) -> None:
    without = [name for name, service in compose["services"].items() if "healthcheck" not in service]

    assert without == ["migrate"]


def test_only_migrations_sign_in_as_the_owner(compose: dict[str, Any]) -> None:
    holders = [
        name for name, s in compose["services"].items() if "database_owner_url" in s.get("secrets", ())
    ]
    administrators = [
        name for name, s in compose["services"].items() if "admin_password" in s.get("secrets", ())
    ]

    assert (holders, administrators) == (["migrate"], ["database"])


def test_secrets_come_as_files_that_are_handed_over(compose: dict[str, Any]) -> None:
    for name in OURS:
        service = compose["services"][name]
        paths = [value for key, value in service["environment"].items() if key.endswith("_FILE")]
        assert sorted(paths) == sorted(f"/run/secrets/{secret}" for secret in service["secrets"])


def test_database_and_broker_are_reached_from_inside_alone(compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"] == {"internal": True}
    for name in ("database", "broker"):
        assert compose["services"][name]["networks"] == ["inside"]
        assert "ports" not in compose["services"][name]


def test_web_is_published_on_this_machine_alone(compose: dict[str, Any]) -> None:
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }

    assert published == {"web": ["127.0.0.1:${DSAR_PORT:-8000}:8000"]}


def test_our_containers_are_confined(compose: dict[str, Any]) -> None:
    for name in OURS:
        service = compose["services"][name]
        found = [service[key] for key in ("read_only", "cap_drop", "security_opt")]
        assert found == [True, ["ALL"], ["no-new-privileges:true"]]


def test_roles_are_those_of_the_development_servers() -> None:
    sql = (DOCKER / "init" / "10-roles.sql").read_text()

    assert sql.partition("app_password`\n")[2].strip() == ROLES_SQL.strip()


def test_image_installs_with_hashes_and_does_not_run_as_root() -> None:
    lines = (DOCKER / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]

    assert [line for line in last_stage if line.startswith("USER")] == ["USER dsar"]
    assert [line for line in lines if "pip install" in line] == [
        "RUN pip install --require-hashes --only-binary :all: -r /build/app.txt"
    ]


def test_image_copies_only_what_exists() -> None:
    copied = re.findall(
        r"^COPY (?:--chmod=\d+ )?(?!--from)(\S+) ", (DOCKER / "Dockerfile").read_text(), re.MULTILINE
    )
    ignore = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()

    assert [path for path in copied if not (CHECKOUT / path).exists()] == []
    assert [path for path in copied if f"!{path}" not in ignore] == []


@pytest.mark.parametrize("script", ["entrypoint", "make-secrets"])
def test_shell_scripts_parse(script: str) -> None:
    done = subprocess.run(["/bin/sh", "-n", DOCKER / script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_entrypoint_runs_other_commands_as_they_are() -> None:
    done = subprocess.run(
        [DOCKER / "entrypoint", "echo", "two words"], capture_output=True, text=True, check=True
    )

    assert done.stdout == "two words\n"


def make_secrets(directory: Path) -> dict[str, str]:
    script = directory / "make-secrets"
    script.write_text((DOCKER / "make-secrets").read_text())
    subprocess.run(["/bin/sh", script], check=True, capture_output=True)
    return {path.name: path.read_text() for path in (directory / "secrets").iterdir()}


def test_secrets_are_made_for_all_that_compose_names(tmp_path: Path, compose: dict[str, Any]) -> None:
    made = make_secrets(tmp_path)

    assert {f"secrets/{name}" for name in made} == {secret["file"] for secret in compose["secrets"].values()}
    assert len(set(made.values())) == len(made)
    assert made["database_url"] == f"postgresql://dsar_app:{made['app_password']}@database:5432/dsar"
    assert re.fullmatch(r"1:[A-Za-z0-9+/]{43}=", made["master_keys"])


def test_secrets_are_kept_when_made_again(tmp_path: Path) -> None:
    first = make_secrets(tmp_path)

    second = make_secrets(tmp_path)

    assert second == first


def test_program_lines_of_the_entrypoint_match_the_development_queues() -> None:
    text = (DOCKER / "entrypoint").read_text().replace("\\\n", " ")
    celery = [
        shlex.split(line)
        for line in text.splitlines()
        if line.strip().startswith("exec celery -A dsar worker")
    ]

    assert sorted(words[words.index("--queues") + 1] for words in celery) == ["jobs", "upkeep"]
