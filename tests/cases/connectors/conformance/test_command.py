from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
WORLD = "tests/cases/connectors/demo/test_demo_connector.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "DATABASE"))
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def kit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "cases.connectors.conformance", *arguments)


def test_command_reports_on_a_file_and_ends_with_nothing() -> None:
    done = kit(WORLD, "--point", "1")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "demo: 0 of 15 points shown, 1 in part, 0 failed"
    assert "       Not claimed: The records know no archive." in done.stdout.splitlines()


def test_command_says_what_failed_and_ends_with_one() -> None:
    done = kit(WORLD, "--connector", "tests.contracts.test_conformance_kit:CountsPage", "--point", "2")

    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("tests.contracts.test_conformance_kit:CountsPage: 0 of 15")
    assert "       test_02_counts_what_it_will_return: " in done.stdout


def test_command_says_why_a_connector_cannot_be_tried() -> None:
    done = kit(WORLD, "--connector", "no_such_module:Connector")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Nothing was tried: “no_such_module:Connector” cannot be imported."


def test_command_says_where_it_found_no_world(tmp_path: Path) -> None:
    empty = tmp_path / "empty.py"
    empty.write_text("")

    done = kit(str(empty))

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Nothing was tried: no test of the kit was found in ")


def test_kit_needs_no_django() -> None:
    forbidden = "import sys; sys.modules.update(django=None, celery=None, psycopg=None)"

    done = run("-W", "error", "-c", f"{forbidden}; import cases.connectors.conformance.plugin")

    assert (done.returncode, done.stderr) == (0, "")


def test_command_without_pytest_says_so() -> None:
    main = "from cases.connectors.conformance.__main__ import main; sys.exit(main(['world.py']))"

    done = run("-c", f"import sys; sys.modules['pytest'] = None; {main}")

    assert (done.returncode, done.stderr) == (2, "The kit needs pytest: install it beside the connector.\n")
