"""scripts/: setting up works in any POSIX shell, says clearly what is missing, and costs nothing when all is there."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHELLS = [name for name in ("sh", "bash", "dash") if shutil.which(name)]
SUPPORTED = pytest.mark.skipif(sys.version_info >= (3, 15), reason="the scripts accept Python 3.12 to 3.14 only")


def shell(name: str, script: str, path: Path, root: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script after sourcing environment.sh, with this PATH before the system's own tools and no home."""
    return subprocess.run(
        [str(shutil.which(name)), "-c", f"set -eu; . '{root}/scripts/environment.sh'; {script}"],
        env={"PATH": f"{path}:{tools(path)}", "HOME": str(path), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def tools(folder: Path) -> Path:
    """Link the few tools the scripts call into a folder of its own, so that no Python of this machine is on PATH."""
    links = folder / "tools"
    links.mkdir(exist_ok=True)
    for name in ("cat", "cksum", "dirname", "rm", "sed"):
        if not (links / name).exists():
            (links / name).symlink_to(str(shutil.which(name)))
    return links


def executable(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    path.chmod(0o755)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the real scripts and an environment that looks ready."""
    root = tmp_path / "a repository"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, root / name)
    executable(root / ".venv" / "bin" / "python", "#!/bin/sh\nexit 0\n")
    executable(root / ".venv" / "bin" / "outwarden", "#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    script = f"root='{root}'; environment_inputs | cksum >\"$root/.venv/outwarden-inputs\""
    assert shell("sh", script, tmp_path, root).returncode == 0
    return root


@pytest.mark.parametrize("name", SHELLS)
def test_without_a_python_one_sentence_says_so(name: str, tmp_path: Path, root: Path) -> None:
    """No usable Python and no uv: exit 1, one line, no traceback, and nothing is left behind."""

    shutil.rmtree(root / ".venv")
    executable(tmp_path / "python3", "#!/bin/sh\necho 'not selected' >&2; exit 127\n")  # as a pyenv shim

    ended = shell(name, f"set_up_environment '{root}'", tmp_path, root)

    assert ended.returncode == 1
    assert ended.stderr.startswith("outwarden: no working CPython 3.12, 3.13 or 3.14")
    assert len(ended.stderr.splitlines()) == 1
    assert not (root / ".venv").exists()


@SUPPORTED
@pytest.mark.parametrize("name", SHELLS)
def test_a_name_that_does_not_run_is_passed_over(name: str, tmp_path: Path) -> None:
    """A shim of a version that is not selected, an old Python: the next candidate is tried."""

    executable(tmp_path / "python3", "#!/bin/sh\nexit 127\n")
    executable(tmp_path / "python3.14", "#!/bin/sh\nexit 1\n")
    executable(tmp_path / "python3.13", f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")

    ended = shell(name, "uv=; find_python", tmp_path, ROOT)

    assert ended.stdout.strip() == sys.executable
    assert ended.stderr == ""


@SUPPORTED
@pytest.mark.parametrize("name", SHELLS)
def test_pyenv_versions_are_found_without_pyenv(name: str, tmp_path: Path) -> None:
    """A Python that pyenv has but did not select is used, the newest first."""

    versions = tmp_path / "py env" / "versions"
    executable(versions / "3.12.9" / "bin" / "python3", "#!/bin/sh\nexit 1\n")
    executable(versions / "3.13.1" / "bin" / "python3", f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")

    ended = shell(name, "uv=; find_python", tmp_path, ROOT, PYENV_ROOT=str(versions.parent))

    assert ended.stdout.strip() == sys.executable


@SUPPORTED
def test_the_chosen_python_is_used_or_refused(tmp_path: Path) -> None:
    """OUTWARDEN_PYTHON alone decides: it is used when it works, and nothing else is tried when it does not."""

    executable(tmp_path / "python3", f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    executable(tmp_path / "broken", "#!/bin/sh\nexit 1\n")

    used = shell("sh", "uv=; find_python", tmp_path, ROOT, OUTWARDEN_PYTHON=sys.executable)
    refused = shell("sh", "uv=; find_python", tmp_path, ROOT, OUTWARDEN_PYTHON="broken")

    assert used.stdout.strip() == sys.executable
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "OUTWARDEN_PYTHON (broken)" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ([], "<run>"),
        (["--listen", "127.0.0.1:0"], "<run><--listen><127.0.0.1:0>"),
        (["demo", "--fast"], "<demo><--fast>"),
        (["check", "my rules"], "<check><my rules>"),
    ],
)
def test_run_passes_its_arguments_on(arguments: list[str], passed: str, tmp_path: Path, root: Path) -> None:
    """No argument or an option first means `outwarden run`; anything else is a command of outwarden."""

    ended = subprocess.run(
        [root / "scripts" / "run", *arguments],
        env={"PATH": str(tools(tmp_path))},
        capture_output=True,
        text=True,
        timeout=10,
    )

    assert (ended.stdout, ended.stderr) == (passed, "")


def test_a_ready_environment_costs_no_time(tmp_path: Path, root: Path) -> None:
    """The second start adds less than 0.3 s (the best of five: the machine may be busy)."""

    taken_s = []
    for _ in range(5):
        started = time.perf_counter()
        ended = shell("sh", f"set_up_environment '{root}'", tmp_path, root)
        taken_s.append(time.perf_counter() - started)
        assert (ended.returncode, ended.stderr) == (0, "")

    assert min(taken_s) < 0.3


@pytest.mark.parametrize(
    "changed", ["requirements.lock", "pyproject.toml", "scripts/environment.sh", "OUTWARDEN_PYTHON"]
)
def test_an_environment_is_made_anew_when_what_made_it_changed(changed: str, tmp_path: Path, root: Path) -> None:
    """A new lock, project, set-up or choice of Python is never met by an old environment."""

    variables = {}
    if changed == "OUTWARDEN_PYTHON":
        variables[changed] = sys.executable
    else:
        with (root / changed).open("a") as file:
            file.write("# changed\n")

    ended = shell("sh", f"root='{root}'; environment_is_ready || echo anew", tmp_path, root, **variables)

    assert ended.stdout == "anew\n"


def test_an_interrupted_set_up_is_not_taken_for_a_ready_one(tmp_path: Path, root: Path) -> None:
    """An environment without its last file is begun anew."""

    (root / ".venv" / "outwarden-inputs").unlink()

    ended = shell("sh", f"root='{root}'; environment_is_ready || echo anew", tmp_path, root)

    assert ended.stdout == "anew\n"


def test_two_set_ups_take_turns(tmp_path: Path, root: Path) -> None:
    """The second waits, says so, and goes on when the first has ended."""

    take_turn = f"python='{sys.executable}'; exec 9>'{root}/.venv.lock'; wait_for_turn;"
    first = subprocess.Popen(
        ["sh", "-c", f". '{root}/scripts/environment.sh'; {take_turn} echo mine; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "mine\n"

    second = subprocess.Popen(
        ["sh", "-c", f". '{root}/scripts/environment.sh'; {take_turn} echo mine"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stderr is not None
    waiting = second.stderr.readline()
    assert second.poll() is None
    first.communicate("done\n", timeout=10)
    out, _ = second.communicate(timeout=10)

    assert "waiting" in waiting
    assert out == "mine\n"


@pytest.mark.parametrize("script", ["run", "test", "lock", "replay"])
def test_scripts_may_be_started(script: str) -> None:
    """Each script is executable and names its interpreter."""

    path = ROOT / "scripts" / script

    assert os.access(path, os.X_OK)
    assert path.read_text("utf-8").startswith("#!/bin/sh\n")


def test_the_layer_is_measured_alone() -> None:
    """Its calls are answered whole, so that what is measured is a call: the layer may come to ask for more."""
    command = [sys.executable, str(ROOT / "scripts" / "benchmarks" / "layer_alone.py"), "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0
    assert done.stderr == ""


def agents(root: Path, path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/clients in a repository of its own, with only this PATH and the tools it calls."""
    for name in ("cmp", "cp", "mkdir", "sh", "env"):
        if not (link := tools(path) / name).exists():
            link.symlink_to(str(shutil.which(name)))
    shutil.copytree(ROOT / "tests" / "e2e" / "clients", root / "tests" / "e2e" / "clients", dirs_exist_ok=True)
    return subprocess.run(
        [str(shutil.which("sh")), str(root / "scripts" / "clients")],
        env={"PATH": f"{path}:{tools(path)}", **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_coding_agents_are_installed_once(root: Path, tmp_path: Path) -> None:
    """As the lock says and without running their scripts; then again only when the lock changes, or when it failed."""

    npm = f"""#!/bin/sh
[ "$1" = --version ] && exit
echo "$*" >>'{tmp_path}/calls'
exit "$FAIL"
"""
    executable(tmp_path / "npm", npm)
    ended = [agents(root, tmp_path, FAIL=code).returncode != 0 for code in ("1", "0", "0")]

    assert ended == [True, False, False]
    install = "ci --ignore-scripts --no-audit --no-fund --loglevel=error"
    assert (tmp_path / "calls").read_text().splitlines() == [install, install]
    assert (root / ".clients" / "installed").read_bytes() == (root / ".clients" / "package-lock.json").read_bytes()


def test_without_npm_one_sentence_says_so(root: Path, tmp_path: Path) -> None:
    """Whoever may not install it is told what is missing."""

    executable(tmp_path / "id", "#!/bin/sh\necho 1000\n")
    ended = agents(root, tmp_path)

    assert ended.returncode == 1
    assert ended.stderr == "outwarden: npm is missing; install Node.js 20 or later\n"


def test_the_agents_lock_names_no_address() -> None:
    """Whoever installs from it uses their own registry, and the hashes say what is right."""

    lock = (ROOT / "tests" / "e2e" / "clients" / "package-lock.json").read_text()

    assert "://" not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')
