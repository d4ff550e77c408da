"""Names on their way through the chain: out of requests, back in replies, within time; code stays as it is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playbook import Playbook, response
from talk import PATH, asks, delta, piece, record, said, text_of

from outwarden.flow.services import Services
from outwarden.pii import Allowance, detect
from outwarden.pii.names import finder
from outwarden.pii.names.finder import NameFinder

NAME = "Marta Kowalczyk"
FIRST = "The first message of the conversation, long enough to be remembered by itself. " * 3
ANSWER = "An answer to it, which comes back with each turn of the conversation that follows. " * 3
LONG = "Nothing happens in this sentence. " * 60  # read in a thread

Open = Callable[..., Services]
Play = Callable[..., Playbook]


def services_with(open_services: Open, **ner: Any) -> Services:
    return open_services(pii={"response": {"default": "mask"}, "ner": {"model": "bundled", **ner}})


@pytest.mark.parametrize("around", ["", LONG])
def test_a_name_leaves_as_a_pseudonym_and_comes_back(open_play: Play, open_services: Open, around: str) -> None:
    """Read at once or in a thread."""
    services = services_with(open_services)
    play = open_play(services)
    play.says(asks(text=f"{around}Please write to {NAME} today."))
    sent = json.loads(play.upstream.got.partition(b"\r\n\r\n")[2])["messages"][0]["content"]
    pseudonym = sent[sent.index("[PERSON_") : sent.index("]") + 1]

    assert sent == f"{around}Please write to {pseudonym} today."
    play.upstream.says(response(200, said(f"Dear {pseudonym}, hello")))
    assert json.loads(play.answer.body)["choices"][0]["message"]["content"] == f"Dear {NAME}, hello"
    assert record(services)["redactions"]["request"] == {"PERSON": 1}


def test_code_stays_as_it_is(open_play: Play, open_services: Open) -> None:
    """In fences and diffs, in tool schemas and identifiers: a body without a finding is the same bytes."""
    play = open_play(services_with(open_services))
    text = f"Fix this:\n```python\nauthor = '{NAME}'\n```\nand this:\ndiff --git a/x b/x\n@@ -1 +1 @@\n-{NAME}\n"
    tools = [{"type": "function", "function": {"name": "Grant", "parameters": {"type": "object", "title": "Search"}}}]
    sent = asks(text=text, tools=tools)
    play.says(sent)

    assert play.upstream.got.partition(b"\r\n\r\n")[2] == sent.partition(b"\r\n\r\n")[2]


def test_one_word_of_a_name_is_not_sought_in_code(open_play: Play, open_services: Open) -> None:
    """`Grant` is a person in one place and a word in another; a whole name is sought everywhere."""
    play = open_play(services_with(open_services))
    code = "```\nclass Whitlock: pass\n```\n"
    play.says(asks(text=f"My colleague Whitlock called. Fix:\n{code}"))
    sent = json.loads(play.upstream.got.partition(b"\r\n\r\n")[2])["messages"][0]["content"]

    assert "colleague [PERSON_" in sent
    assert sent.endswith(code)


def test_new_names_in_a_stream_are_masked_at_the_end_of_the_sentence(open_play: Play, open_services: Open) -> None:
    """Whatever pieces they come in; the rest of the sentence waits, no more."""
    play = open_play(services_with(open_services))
    play.says(asks(stream=True))
    play.upstream.streams(delta(role="assistant", content=""), piece("Ask Dr. Marta Kow"))
    assert "Ask" not in text_of(play.client_got)
    play.upstream.chunk(piece("alczyk about it. And"))

    assert text_of(play.client_got).startswith("Ask Dr. [PERSON]")


def test_a_turn_reads_only_what_is_new(open_play: Play, open_services: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before is remembered by its content, for this model."""
    services = services_with(open_services)
    read: list[str] = []
    find = NameFinder.find

    def watched(self: NameFinder, texts: list[str], allowance: Allowance) -> list[list[detect.Span]]:
        read.extend(texts)
        return find(self, texts, allowance)

    monkeypatch.setattr(NameFinder, "find", watched)
    play = open_play(services)
    for text in ("Ask Marta Kowalczyk today.", "Thanks, and now Femi Adebayo."):
        old = [{"role": "user", "content": FIRST}, {"role": "assistant", "content": ANSWER}]
        play.says(asks(messages=[*old, {"role": "user", "content": text}]))
        play.upstream.says(response(200, said("ok")))

    assert read.count(FIRST) == 1
    assert read.count(ANSWER) == 1
    assert read.count("Thanks, and now Femi Adebayo.") == 1


class Slow:
    """A clock on which every look takes a second."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.mark.parametrize("on_timeout", ["flag", "refuse"])
def test_time_runs_out(open_play: Play, open_services: Open, monkeypatch: pytest.MonkeyPatch, on_timeout: str) -> None:
    """Patterns only and a note, or no call; nothing of it is remembered as read."""
    monkeypatch.setattr(finder, "BLOCK_CHARACTERS", 10)
    monkeypatch.setattr("outwarden.pii.engine.Allowance", lambda seconds: Allowance(seconds, Slow()))
    services = services_with(open_services, on_timeout=on_timeout, budget_ms=1)
    play = open_play(services)
    play.says(asks(text=f"Ask {NAME} or jane.doe@brightquill-mail.com today."))

    if on_timeout == "refuse":
        assert play.answer.status == 403
        assert json.loads(play.answer.body)["error"]["code"] == "names_unread_refused"
        assert play.upstreams == []
        assert record(services)["rule"] == "names_unread"
        return
    assert NAME.encode() in play.upstream.got
    assert b"jane.doe" not in play.upstream.got
    play.upstream.says(response(200, said("ok")))
    assert record(services)["flagged"]["names_unread"] >= 1
    monkeypatch.undo()
    play = open_play(services)
    play.says(asks(text=f"Ask {NAME} or jane.doe@brightquill-mail.com today."))
    assert NAME.encode() not in play.upstream.got
    assert PATH.encode() in play.upstream.got
