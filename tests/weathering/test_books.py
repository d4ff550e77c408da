"""What a record has to say of a call, by what its upstreams served."""

from typing import Any

from outwarden.simulate import Received, Script
from weathering.books import nano_usd, wrong_with_call
from weathering.calls import Call
from weathering.upstreams import Served
from weathering.weather import Fate

CALL = Call(1, "openai", "spares", stream=True, http2=False, key="k", team="wide", text="<000001> amber <000001/>")


def served(upstream: str = "original", *, complete: bool = True, well: bool = True, **script: Any) -> Served:
    """An attempt that came in."""
    received = Received("POST", "/v1/chat/completions", "h", (), b"", "HTTP/1.1", sent_bytes=9, complete=complete)
    return Served(upstream, received, Fate("some", Script(**script), well, (10, 20)))


def record(cost: int, *outcomes: str, source: str = "provider", by: str = "original") -> dict[str, Any]:
    """A record of so many nano-dollars."""
    attempts = [{"upstream": "original", "outcome": outcome} for outcome in outcomes]
    return {"attempts": attempts, "cost_usd": f"{cost / 10**9:.9f}", "usage_source": source} | {
        "served": {"upstream": by}
    }


def test_a_whole_answer_costs_what_its_upstream_says() -> None:
    """To the nano-dollar, at the price of the one that served."""
    assert nano_usd("openai", served()) == 10 * 2000 + 20 * 8000
    assert nano_usd("openai", served("spare")) == 10 * 200 + 20 * 400

    assert wrong_with_call(CALL, "whole", [record(180_000, "ok")], [served()]) == ""
    assert wrong_with_call(CALL, "whole", [record(180_001, "ok")], [served()]) != ""
    assert wrong_with_call(CALL, "whole", [record(0, "ok")], [served()]) != ""


def test_an_answer_that_was_left_is_paid_beside_the_whole_one() -> None:
    """What it cost is an estimate, so the sum is more than the whole one alone, and never less."""
    both = [served(complete=False), served("spare")]

    assert wrong_with_call(CALL, "whole", [record(10_001, "stream_error", "ok", by="spare-openai")], both) == ""
    assert wrong_with_call(CALL, "whole", [record(10_000, "stream_error", "ok", by="spare-openai")], [both[1]]) == ""
    assert wrong_with_call(CALL, "whole", [record(9_999, "stream_error", "ok", by="spare-openai")], both) != ""


def test_what_nobody_served_costs_nothing() -> None:
    """Refused and reset attempts are not billed; one that was silent may be."""
    refused, silent = served(status=503, well=False), served(silence=True, well=False)
    silent.received.sent_bytes = 0

    assert wrong_with_call(CALL, "error", [record(0, "5xx")], [refused]) == ""
    assert wrong_with_call(CALL, "error", [record(5, "5xx")], [refused]) != ""
    assert wrong_with_call(CALL, "error", [record(5, "timeout", source="estimate")], [silent]) == ""


def test_each_call_has_one_record_and_each_attempt_an_outcome() -> None:
    """No call is lost, none counts twice, and nothing that was sent is missing."""
    assert wrong_with_call(CALL, "whole", [], [served()]) != ""
    assert wrong_with_call(CALL, "whole", [record(180_000, "ok")] * 2, [served()]) != ""
    assert wrong_with_call(CALL, "whole", [record(180_000, "pending")], [served()]) != ""
    assert wrong_with_call(CALL, "whole", [record(180_000, "ok")], [served(), served()]) != ""
