"""What the README says is so: its hook table, its tree, its commands, its rule files, its example."""

import re
from pathlib import Path

import pytest
import typer

from outwarden import chain
from outwarden.cli.app import app
from outwarden.pii import PiiEngine, Vault
from outwarden.rules import load_rules
from outwarden.wire.edits import apply_edits

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
FENCED = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def rows(text: str, head: str) -> list[str]:
    """The lines of the table whose first line begins with ``head``."""
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(head))
    table = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        table.append(line)
    return table


def test_the_first_command_is_seen_at_once() -> None:
    """Install and run by line 20."""
    line = README.splitlines().index("./scripts/run                     # the interceptor, on 127.0.0.1:8080")

    assert line < 20


def test_the_hook_table_is_that_of_the_chain() -> None:
    """One truth: the README copies the docstring of chain.py."""
    assert rows(README, "| addon |") == rows(chain.__doc__ or "", "| addon |")


def test_the_tree_names_what_exists() -> None:
    """Every path of the tree is there, and every room of the package is in the tree."""
    (tree,) = (text for kind, text in FENCED if kind == "text" and text.startswith("addons/egress.py"))
    paths = []
    for line in tree.splitlines():
        name = line.split()[0]
        paths.append(ROOT / "addons" / "outwarden" / name if line.startswith("  ") else ROOT / name)
    rooms = {path for path in (ROOT / "addons" / "outwarden").iterdir() if (path / "__init__.py").is_file()}

    assert [path for path in paths if not path.exists()] == []
    assert rooms - set(paths) == set()


def test_the_commands_are_those_that_work() -> None:
    """Each command of the table exists and is not hidden, and no working command is missing."""
    commands = getattr(typer.main.get_command(app), "commands")  # noqa: B009  # typer's own class of a group
    named = set(re.findall(r"`outwarden ([a-z-]+)", "\n".join(rows(README, "| command |"))))

    assert named == {name for name, command in commands.items() if not command.hidden}


def test_every_script_named_exists() -> None:
    """A shell line that can be copied can be run."""
    assert {
        name for name in re.findall(r"\./scripts/(\w+)", README) if not (ROOT / "scripts" / name).is_file()
    } == set()


def test_the_rule_files_of_the_readme_can_be_used(tmp_path: Path) -> None:
    """Whoever copies the examples gets rules that load."""
    for kind, text in FENCED:
        if kind == "yaml":
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
    rules = load_rules(tmp_path)

    assert len(list(tmp_path.iterdir())) == 5
    assert [budget.name for budget in rules.budgets.budgets] == ["one-call", "key-day", "ten-minutes", "bursts"]


def test_the_example_is_what_happens() -> None:
    """The text before becomes the text after, but for the digits of the placeholders, which depend on the key."""
    before, after = (text for kind, text in FENCED if kind == "text" and text.startswith("Write"))
    rewriter = PiiEngine(load_rules(ROOT / "rules").pii, b"0" * 32).request(Vault())
    left = apply_edits(before, rewriter.edits([before])[0])

    assert re.sub(r"_[0-9a-f]{6}\]", "_]", left) == re.sub(r"_[0-9a-f]{6}\]", "_]", after)


@pytest.mark.parametrize("word", ["setup", "outwarden top"])
def test_what_is_not_built_is_not_advertised(word: str) -> None:
    """A refused command is no feature."""
    assert word not in README
