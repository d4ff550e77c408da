"""CI accepts no silent skip: a test that did not run is a failed test, unless its reason is listed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = {
    "mark": "@pytest.mark.skip(reason='no such machine')\ndef test_it(): pass",
    "within": "def test_it(): pytest.skip('no such machine')",
    "file": "pytest.skip('no such machine', allow_module_level=True)",
    "listed": "def test_it(): pytest.skip('only on the moon')",
    "expected": "@pytest.mark.xfail\ndef test_it(): assert False",
    "passes": "def test_it(): pass",
}


def outcomes(folder: Path, *options: str, ci: str) -> tuple[int, set[str]]:
    """Run the tests above beside the project's conftest.py; give the exit code and which of them failed."""
    shutil.copy(Path(__file__).with_name("conftest.py"), folder / "conftest.py")
    (folder / "pytest.ini").write_text("[pytest]\nci_may_skip =\n  only on the moon$\n", "utf-8")
    for name, test in TESTS.items():
        (folder / f"test_{name}.py").write_text(f"import pytest\n\n{test}\n", "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return ended.returncode, {line.split("test_")[1].split(".py")[0] for line in lines}


@pytest.mark.parametrize("options", [(), ("-p", "xdist.plugin", "-n", "2", "--dist", "loadfile")], ids=["one", "two"])
def test_a_skip_fails_in_ci(tmp_path: Path, options: tuple[str, ...]) -> None:
    """By mark, from within, or a whole file: each fails; a listed reason and an expected failure do not.

    In one process and in two.
    """

    assert outcomes(tmp_path, *options, ci="true") == (1, {"mark", "within", "file"})


def test_a_skip_is_no_failure_elsewhere(tmp_path: Path) -> None:
    """On a developer's machine a skip stays a skip."""

    assert outcomes(tmp_path, ci="") == (0, set())
