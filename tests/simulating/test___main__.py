"""What `scripts/simulate` says, and with which status it ends."""

from functools import partial

import pytest

from outwarden.budget import Ledger
from simulating import __main__ as command
from simulating.playing import play, shrink


class NeverRecovers(Ledger):
    def recover(self) -> int:
        return 0


def test_what_holds_ends_well(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One seed, its steps, and how fast they went."""
    monkeypatch.setattr("sys.argv", ["simulate", "--seed", "4", "--steps", "60"])

    assert command.main() == 0
    assert capsys.readouterr().out.startswith("seed 4: 120 steps, half of them with leases, in ")


def test_what_does_not_hold_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, the seed, and its shortest history."""
    monkeypatch.setattr("sys.argv", ["simulate", "--seed", "4", "--seconds", "30"])
    monkeypatch.setattr(command, "play", partial(play, make=NeverRecovers))
    monkeypatch.setattr(command, "shrink", partial(shrink, make=NeverRecovers))

    assert command.main() == 1
    told = capsys.readouterr().out
    assert "fails after" in told
    assert "its shortest history: " in told
