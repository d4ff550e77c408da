"""Rules follow their files; a broken file changes nothing but is told, once."""

import os
from pathlib import Path

import pytest

from outwarden.errors import RulesError
from outwarden.rules import RulesFile

BUDGET = "budgets:\n  - {name: day, scope: all, limit_usd: %s, window: day}\n"


@pytest.fixture
def watched(folder: Path) -> RulesFile:
    (folder / "budgets.yml").write_text(BUDGET % 1)
    return RulesFile(folder)


def limit(watched: RulesFile) -> int:
    return watched.current.budgets.budgets[0].limit // 1_000_000_000


def test_nothing_changed(watched: RulesFile) -> None:
    """The same object stays in force."""
    before = watched.current

    assert watched.reload_if_changed() is False
    assert watched.current is before


def test_a_changed_file_is_read(watched: RulesFile, folder: Path) -> None:
    """Once; the next look finds nothing new."""
    (folder / "budgets.yml").write_text(BUDGET % 20)

    assert watched.reload_if_changed() is True
    assert limit(watched) == 20
    assert watched.reload_if_changed() is False


def test_a_change_of_the_same_length_is_seen(watched: RulesFile, folder: Path) -> None:
    """By its time, and by its inode where an editor writes a new file."""
    (folder / "draft").write_text(BUDGET % 2)
    os.utime(folder / "draft", ns=(0, (folder / "budgets.yml").stat().st_mtime_ns))
    (folder / "draft").replace(folder / "budgets.yml")

    assert watched.reload_if_changed() is True
    assert limit(watched) == 2


def test_a_file_that_came_or_went_is_a_change(watched: RulesFile, folder: Path) -> None:
    """Without the file, the shipped one is in force."""
    (folder / "prices.yml").write_text("prices: [{provider: x, model: y, input_mtok: 1, output_mtok: 2}]\n")
    assert watched.reload_if_changed() is True
    assert len(watched.current.prices) == 1

    (folder / "budgets.yml").unlink()
    assert watched.reload_if_changed() is True
    assert watched.current.budgets.budgets == ()


def test_a_broken_file_leaves_the_old_rules(watched: RulesFile, folder: Path) -> None:
    """Told once per change; whole again, it is read."""
    (folder / "budgets.yml").write_text("budgets:\n  - {name: day, sco")

    told = watched.reload_if_changed()

    assert isinstance(told, RulesError)
    assert told.problems[0].file == str(folder / "budgets.yml")
    assert limit(watched) == 1
    assert watched.reload_if_changed() is False
    (folder / "budgets.yml").write_text(BUDGET % 3)
    assert watched.reload_if_changed() is True
    assert limit(watched) == 3


def test_a_folder_that_went_away_leaves_the_old_rules(watched: RulesFile, folder: Path) -> None:
    """A mount that is gone for a moment does not open the proxy."""
    (folder / "budgets.yml").unlink()
    folder.rmdir()

    assert isinstance(watched.reload_if_changed(), RulesError)
    assert limit(watched) == 1


def test_the_first_rules_must_be_good(folder: Path) -> None:
    """There are no old ones to fall back on."""
    (folder / "budgets.yml").write_text("budget: []\n")

    with pytest.raises(RulesError, match="did you mean 'budgets'"):
        RulesFile(folder)
