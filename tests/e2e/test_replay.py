"""Recorded traffic of every known provider through the running interceptor: not a byte changed, usage as told.

Exchanges of every row (provider x endpoint x streaming) are played: fifteen as recorded, one in other ways and
with values planted. `scripts/replay` plays all of them in every way.
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from interceptor import Interceptor
from rich.console import Console

from replaying.comparing import CHECKS, MEANT, Outcome, Variant
from replaying.exchanges import Exchange, sample
from replaying.negatives import play_negatives
from replaying.playing import Stage, play, settle, stage
from replaying.reading import Recording, read
from replaying.reporting import line, show, unexplained
from replaying.sessions import Session

CORPUS = Path(__file__).parents[2].parent / "shared" / "wire"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded corpus is not beside the repository")

PER_ROW = 15


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Everything that was recorded."""
    return read(CORPUS)


@pytest.fixture(scope="module")
def exchanges(recording: Recording) -> list[Exchange]:
    """Every recorded HTTP exchange."""
    return recording.exchanges


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory, recording: Recording) -> Iterator[Stage]:
    """A replay upstream for every recorded host."""
    with stage(tmp_path_factory.mktemp("replay"), recording) as here:
        yield here


@pytest.fixture(scope="module")
def outwarden(replayed: Stage, start: Any) -> Interceptor:
    """An interceptor that looks for what is nowhere."""
    one: Interceptor = start(replayed.rules(planted=False))
    return one


@pytest.fixture(scope="module")
def searching(replayed: Stage, start: Any) -> Interceptor:
    """An interceptor that takes out whatever it finds."""
    one: Interceptor = start(replayed.rules(planted=True))
    return one


def played(records: Sequence[Exchange | Session], way: Variant, process: Interceptor, here: Stage) -> list[Outcome]:
    """Play records in one way, and compare with the audit; what had to be left out is no failure of the replay's."""

    async def run() -> list[Outcome]:
        found = await play(records, way, process, here.upstream)
        await settle(found.outcomes, process)
        assert [each for each in found.unplayed if "failed" in each.reason] == []
        return found.outcomes

    return asyncio.run(run())


@pytest.fixture(scope="module")
def outcomes(exchanges: list[Exchange], outwarden: Interceptor, replayed: Stage) -> list[Outcome]:
    """Play some of every row, as they were recorded; those in which we differ, too."""
    taken = sample(exchanges, PER_ROW)
    found = played(taken, Variant("1.1", "recorded"), outwarden, replayed)
    show(Console(width=160), found, [], [], "replay")
    return found


def unexpected(outcomes: list[Outcome]) -> list[str]:
    """What differs and nobody knows of."""
    return [line(each) for each in unexplained(outcomes)]


def test_everything_is_played(outcomes: list[Outcome]) -> None:
    """The corpus is there and hundreds of exchanges go through, each check on many of them."""
    counts = {check: sum(check in each.checks for each in outcomes) for check in CHECKS}

    assert len(outcomes) > 700
    assert counts["request"] == counts["reply"] == len(outcomes)
    assert counts["usage"] > 400


def test_what_is_let_through_is_as_it_was(outcomes: list[Outcome]) -> None:
    """Requests arrive and replies return with their very bytes, the audit has the provider's own figures."""

    assert unexpected(outcomes) == []


def test_what_is_refused_is_not_sent(outcomes: list[Outcome]) -> None:
    """A call that is refused for a named reason never reaches the provider."""
    refused = [each for each in outcomes if each.reason.partition(":")[0] in MEANT]

    assert [line(each) for each in refused if each.checks["request"] != (0, 1)] == []


@pytest.mark.parametrize(("http", "cut"), [("2", "1"), ("1.1", "random")])
def test_however_it_is_sent(
    exchanges: list[Exchange], outwarden: Interceptor, replayed: Stage, http: str, cut: str
) -> None:
    """An exchange of every row, over HTTP/2 and cut anywhere: nothing differs."""
    taken = sample(exchanges, 1)

    assert unexpected(played(taken, Variant(http, cut), outwarden, replayed)) == []


@pytest.mark.parametrize(("http", "cut"), [("2", "recorded"), ("1.1", "1")])
def test_what_is_planted_does_not_arrive_and_is_restored(
    exchanges: list[Exchange], searching: Interceptor, replayed: Stage, http: str, cut: str
) -> None:
    """Values in a real request stay here; where the real reply says them again, the client has them back."""
    found = played(sample(exchanges, 1), Variant(http, cut, planted=True), searching, replayed)

    assert unexpected(found) == []
    assert sum(each.checks["caught"][0] for each in found if "caught" in each.checks) > 500
    assert sum("restored" in each.checks for each in found) > 50


@pytest.mark.parametrize(("cut", "planted"), [("1", False), ("recorded", True)], ids=["plain", "planted"])
def test_sessions_over_websockets(
    recording: Recording, outwarden: Interceptor, searching: Interceptor, replayed: Stage, cut: str, planted: bool
) -> None:
    """Every recorded Realtime and Live session: messages, usage, and planted values both ways."""
    process = searching if planted else outwarden
    found = played(recording.sessions, Variant("1.1", cut, planted), process, replayed)

    assert len(found) == len(recording.sessions) > 15
    assert unexpected(found) == []
    told = {check: sum(check in each.checks for each in found) for check in CHECKS}
    assert told["reply"] == len(found)
    assert (told["restored"] if planted else told["usage"]) == len(found)


@pytest.mark.parametrize("planted", [False, True], ids=["tunnel", "refuse"])
def test_grpc_calls(
    recording: Recording, outwarden: Interceptor, searching: Interceptor, replayed: Stage, planted: bool
) -> None:
    """Every recorded gRPC call: as the rules say, each byte passes in both directions, or nothing leaves at all."""
    process = searching if planted else outwarden
    found = played(recording.calls, Variant("2", "random", planted), process, replayed)

    assert len(found) == len(recording.calls) > 30
    assert unexpected(found) == []
    assert all(each.checks.keys() == ({"caught"} if planted else {"request", "reply"}) for each in found)


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_other_traffic_passes_unopened(recording: Recording, outwarden: Interceptor, tmp_path: Path, http: str) -> None:
    """Traffic to hosts that are no model APIs: the client sees the origin's own certificate, and not a byte changes."""
    before = outwarden.count_records()
    found = asyncio.run(play_negatives(recording.negatives, Variant(http, "recorded"), outwarden, tmp_path)).outcomes

    assert len(found) == len(recording.negatives) > 50
    assert unexpected(found) == []
    assert outwarden.count_records() == before + 1, "its own call and nothing else"
