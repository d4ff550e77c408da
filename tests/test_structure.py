"""The house keeps its form: imports point upwards, foreign libraries stay in their rooms, tests mirror the tree."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "addons" / "outwarden"
SCRIPTS = ROOT / "scripts"
TESTS = ROOT / "tests"

# From the top of the house to its bottom: each may import itself and what stands before it, nothing after it.
ROOMS = [
    "errors",
    "wire",
    "pii",
    "pricing",
    "budget",
    "routing",
    "content",
    "audit",
    "rules",
    "observe",
    "web",
    "flow",
    "addons",  # the files directly in the package, one addon each
    "chain",
    "cli",
    "__main__",
]
# Knows nothing of the house and is known by its last rooms only: an invented provider to try the proxy against.
ALONE = {"simulate": {"cli", "__main__"}}

# Who may import a library that would otherwise spread through the house.
GUARDED = {
    "mitmproxy": {"flow", "addons", "chain"},
    "sqlalchemy": {"budget"},
    "psycopg": {"budget"},
    "pymysql": {"budget"},
    "redis": {"budget"},
    "botocore": {"routing"},
}

# Tests that try a room as a whole, not one file of it: with real SDKs, with recorded traffic, with generated input,
# with names that a model finds.
WHOLE_ROOM = {"sdks", "corpus", "properties", "names"}

SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = [path.relative_to(PACKAGE) for path in SOURCES]


def room_of(module: Path) -> str:
    """Name the room of a file, given relative to the package."""
    if len(module.parts) > 1:
        return module.parts[0]
    return module.stem if module.stem in (*ROOMS, "__init__") else "addons"


def room_named(dotted: str) -> str:
    """Name the room of what is imported, given as `outwarden.room.file`."""
    first = dotted.split(".")[1] if "." in dotted else "__init__"
    known = first in ROOMS or first in ALONE or first == "__init__"
    return first if known else "addons"


def imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Yield line and full dotted name of everything imported, inside functions and TYPE_CHECKING too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: -node.level + 1 or None]) if node.level else ""
            origin = ".".join(filter(None, [base, node.module]))
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def may_import(importer: str, imported: str) -> bool:
    """Tell whether one room may import another."""
    if importer == imported or imported == "__init__":
        return True
    if imported in ALONE:
        return importer in ALONE[imported]
    if importer in ALONE or importer == "__init__":
        return False
    return ROOMS.index(imported) < ROOMS.index(importer)


def wrong_imports(module: Path, source: str) -> list[str]:
    """List the imports of a file (relative to the package) that its room may not have, as `file:line: message`."""
    package = ".".join(["outwarden", *module.parts[:-1]])
    room = room_of(module)
    wrong = []
    for line, name in imports(ast.parse(source), package):
        top = name.split(".")[0]
        if top == "outwarden" and not may_import(room, room_named(name)):
            wrong.append(f"{module}:{line}: {room} may not import {name}")
        if top in GUARDED and room not in GUARDED[top]:
            wrong.append(f"{module}:{line}: only {', '.join(sorted(GUARDED[top]))} may import {top}")
    return wrong


def tracked_files() -> list[Path]:
    """List the files in git, or every file outside caches where this is no git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in path.parts)]
    return [path for path in found if path.is_file()]


def text_of(path: Path) -> str:
    """Read a file, or nothing of it when it is not text."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", "replace")


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_point_upwards(module: Path) -> None:
    """A file imports only its own room and the rooms above it, and guarded libraries only where they belong."""

    assert wrong_imports(module, (PACKAGE / module).read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("wire/body.py", "from outwarden.pii import Detector"),
        ("wire/body.py", "from outwarden import pii"),
        ("wire/body.py", "from ..pii import policy"),
        ("pii/policy.py", "def late():\n    import outwarden.budget.limits"),
        ("rules/load.py", "from outwarden.flow import state"),
        ("flow/state.py", "from outwarden.chain import build"),
        ("redact_pii.py", "from outwarden.cli import main"),
        ("errors.py", "from outwarden.redact_pii import RedactPii"),
        ("simulate/server.py", "from outwarden.wire import sse"),
        ("flow/state.py", "from outwarden.simulate import server"),
        ("wire/body.py", "from mitmproxy import http"),
        ("cli/run.py", "import mitmproxy.http"),
        ("rules/load.py", "import sqlalchemy"),
    ],
)
def test_a_wrong_import_is_seen(module: str, source: str) -> None:
    """The check itself catches each way to import downwards, absolute, relative, late or by name."""

    assert len(wrong_imports(Path(module), source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("wire/formats/openai.py", "from ..edits import Edit\nfrom outwarden.errors import BodyError"),
        ("redact_pii.py", "from mitmproxy import http\nfrom outwarden.flow.guard import fail_closed"),
        ("budget/store.py", "import sqlalchemy\nimport outwarden.pricing"),
        ("cli/demo.py", "from outwarden.simulate import server\nfrom outwarden.chain import build"),
    ],
)
def test_a_right_import_is_left_alone(module: str, source: str) -> None:
    """The check lets a room use itself, what stands above it and its own libraries."""

    assert wrong_imports(Path(module), source) == []


def test_every_room_is_listed() -> None:
    """A new folder of the package must find its place in the order of the house."""

    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert folders <= {*ROOMS, *ALONE}


@pytest.mark.parametrize("folder", sorted({path.parent for path in SOURCES}), ids=lambda path: path.name)
def test_every_package_folder_says_what_it_knows(folder: Path) -> None:
    """Each folder has an `__init__.py` that opens with a docstring."""

    init = folder / "__init__.py"

    assert init.is_file()
    assert ast.get_docstring(ast.parse(init.read_text("utf-8")))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_file_opens_with_a_docstring(module: Path) -> None:
    """Whoever opens a file reads first what it is for."""

    assert ast.get_docstring(ast.parse((PACKAGE / module).read_text("utf-8")))


def mirrors(test: Path) -> bool:
    """Tell whether tests/<room>/test_<name>.py, given relative to tests/, has its source file or folder.

    A file may have several test files, `test_<name>_<aspect>.py`; a room as a whole is tested by `test_<room>.py` and
    by what WHOLE_ROOM names, the house as a whole by the files directly in tests/ and in tests/whole/.
    """
    if len(test.parts) == 1 or test.parts[0] in ("e2e", "whole"):
        return True
    scripts = ("replaying", "evaluating", "simulating", "training", "weathering")
    folder = SCRIPTS / test.parent if test.parts[0] in scripts else PACKAGE / test.parent
    if test.parts[0] == "addons":
        folder = PACKAGE
    if not folder.is_dir():
        return False
    names = test.stem.removeprefix("test_").split("_")
    if names[0] in WHOLE_ROOM:
        return True
    prefixes = ["_".join(names[:length]) for length in range(len(names), 0, -1)]
    return any(
        (folder / f"{name}.py").is_file() or (folder / name).is_dir() or name == folder.name for name in prefixes
    )


@pytest.mark.parametrize("test", sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")), ids=str)
def test_tests_mirror_the_tree(test: Path) -> None:
    """A test stands where its source stands, so that each is found from the other."""

    assert mirrors(test)


def test_no_file_names_a_package_index_or_this_machine() -> None:
    """What is committed installs from anywhere: no address of a package index, no path of whoever wrote it."""

    # Put together here, so that this file does not name them itself.
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"))]
    options = ["--" + name for name in ("index-url", "extra-index-url", "find-links", "trusted-host")]
    machine = [str(path) + "/" for path in (ROOT, Path.home(), Path(sys.prefix)) if len(path.parts) > 1]
    unwanted = re.compile("|".join(rf"(?<![\w-]){re.escape(text)}" for text in (*hosts, *options, *machine)))

    named = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if unwanted.search(line)
    ]

    assert named == []


def test_the_lock_pins_everything_with_hashes_and_no_address() -> None:
    """Each line of requirements.lock is a pin, a hash or a comment: nothing can come from elsewhere or be swapped."""

    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pin = r"[a-z0-9.-]+(\[[a-z0-9,-]+\])?==[^\s;]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+"

    rest = re.sub(rf"^(#.*|{pin})$", "", lock, flags=re.MULTILINE)

    assert rest.strip() == ""
    assert len(re.findall(rf"^{pin}$", lock, flags=re.MULTILINE)) > 50
