"""What is installed is what stands in the repository: the package with its data, the rules, the command."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def files_under(folder: str) -> set[str]:
    """List a folder's files relative to it, less what Python leaves behind."""
    base = ROOT / folder
    return {
        path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file() and path.suffix not in (".pyc",)
    }


def test_the_wheel_holds_the_package_its_data_and_the_rules(wheel: zipfile.ZipFile) -> None:
    """Everything under addons/outwarden and rules/ is in the wheel, and nothing from elsewhere."""

    package = {f"outwarden/{name}" for name in files_under("addons/outwarden")}
    rules = {f"outwarden/rules/shipped/{name}" for name in files_under("rules")}

    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == package | rules


def test_the_wheel_brings_the_command(wheel: zipfile.ZipFile) -> None:
    """Installing it gives `outwarden`."""

    points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))

    assert "outwarden = outwarden.cli:main" in wheel.read(points).decode().splitlines()


def test_the_wheel_brings_the_licence(wheel: zipfile.ZipFile) -> None:
    """The licence travels with every copy."""

    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
