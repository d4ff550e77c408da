"""A rules folder that a test fills with the files it is about."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from outwarden.errors import RulesError
from outwarden.rules import Rules, load_rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "rules"
    place.mkdir()
    return place


@pytest.fixture
def load(folder: Path) -> Callable[..., Rules]:
    """Write the files (``budgets="…"`` is ``budgets.yml``) and load the folder."""

    def write_and_load(**files: str) -> Rules:
        for name, content in files.items():
            (folder / f"{name}.yml").write_text(dedent(content), encoding="utf-8")
        return load_rules(folder)

    return write_and_load


@pytest.fixture
def problems(folder: Path, load: Callable[..., Rules]) -> Callable[..., list[str]]:
    """Write the files, load the folder, and return the problems as ``budgets.yml:3: …``."""

    def write_and_fail(**files: str) -> list[str]:
        with pytest.raises(RulesError) as caught:
            load(**files)
        return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]

    return write_and_fail
