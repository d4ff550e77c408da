"""Requests leave without personal data, replies come back with the caller's own and without anybody else's."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pii_texts import cuts, texts

from outwarden.pii import (
    ENTITIES,
    CustomEntity,
    PiiEngine,
    PiiPolicy,
    ReplyRewriter,
    RequestRewriter,
    Vault,
    unknown_entities,
)
from outwarden.pii.placeholders import Names
from outwarden.wire.edits import ChannelRewriter, Edit, apply_edits

SECRET = b"a secret for tests only"
JANE, JOHN = "jane@acme.com", "john@acme.com"
CARD = "4013601861911289"

default = PiiEngine(PiiPolicy(), SECRET)
flagging = PiiEngine(
    PiiPolicy(request={"default": "flag", "CREDIT_CARD": "allow"}, response={"default": "pseudonymize"}), SECRET
)


def rewritten(rewriter: RequestRewriter | ReplyRewriter, text: str) -> str:
    """Rewrite a whole text and let the rewriter take note, as the wire does."""
    (edits,) = rewriter.edits([text])
    rewriter.note([(edit, text[edit.start : edit.end]) for edit in edits])
    return apply_edits(text, edits)


def streamed(channel: ChannelRewriter, pieces: Sequence[str]) -> str:
    """Rewrite a text that arrives in pieces."""
    edits: list[Edit] = []
    for piece in pieces:
        edits += channel.feed(piece)[1]
    edits += channel.finish()
    return apply_edits("".join(pieces), edits)


def sent(engine: PiiEngine, text: str) -> tuple[Vault, RequestRewriter, str]:
    """Send ``text``; return its vault, its rewriter and what left."""
    vault = Vault()
    rewriter = engine.request(vault)
    return vault, rewriter, rewritten(rewriter, text)


@pytest.mark.parametrize(
    ("action", "shape"),
    [
        ("mask", r"\[EMAIL_ADDRESS\]"),
        ("pseudonymize", r"\[EMAIL_ADDRESS_[0-9a-f]{6}\]"),
        ("hash", r"\[EMAIL_ADDRESS_[0-9a-f]{32}\]"),
        ("refuse", r"\[EMAIL_ADDRESS\]"),
        ("flag", "jane@acme.com"),
        ("allow", "jane@acme.com"),
    ],
)
def test_actions(action: str, shape: str) -> None:
    """Each does what its name says; all but allow are counted; refuse is reported and carries no value."""
    import re

    engine = PiiEngine(PiiPolicy(request={"default": action}), SECRET)  # type: ignore[dict-item]

    _, rewriter, text = sent(engine, f"mail {JANE}!")

    assert re.fullmatch(f"mail {shape}!", text)
    assert rewriter.counts == ({} if action == "allow" else {"EMAIL_ADDRESS": 1})
    assert rewriter.refused == ("EMAIL_ADDRESS" if action == "refuse" else None)


def test_same_value_same_name_different_values_different_names() -> None:
    """In one text, over texts and over calls."""
    _, _, first = sent(default, f"{JANE} {JOHN} {JANE}")
    _, _, second = sent(default, f"to {JANE}")
    one, other, again = first.split()

    assert one == again != other
    assert second == f"to {one}"


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from([JANE, JOHN, CARD, "281-44-0067", "+1 646 526 1482", "plain", "é", "JANE@acme.com"])))
def test_redacted_then_restored_is_as_it_was(values: list[str]) -> None:
    """To the letter, in every spelling."""
    text = " , ".join(values)
    vault, _, left = sent(default, text)

    assert not any(value in left for value in (JANE, JOHN, CARD, "281-44-0067", "646 526"))
    assert rewritten(default.reply(vault), left) == text


@pytest.mark.parametrize(
    "text",
    [
        "jane.doe@acme.com1.+4929 - 4128 - 3357 - 6017",  # the plus of a number stands in a sign before it
        "v1.+4929-4128 -- 3357_6017 ",
    ],
)
def test_where_a_search_begins_changes_nothing(text: str) -> None:
    """Cut once anywhere, and cut everywhere."""
    whole = rewritten(default.reply(Vault()), text)

    assert "[" in whole
    for at in range(len(text)):
        assert streamed(default.reply(Vault()).channel(), [text[:at], text[at:]]) == whole
    assert streamed(default.reply(Vault()).channel(), list(text)) == whole


@settings(max_examples=100, deadline=None)
@given(texts(), texts(), st.data())
def test_streamed_replies_are_whole_replies(request_text: str, reply_text: str, data: st.DataObject) -> None:
    """At every cut: the same text, counts and restores."""
    vault, _, left = sent(default, request_text)
    reply = left + " " + reply_text
    whole, stream = default.reply(vault), default.reply(vault)

    assert streamed(stream.channel(), cuts(reply, data)) == rewritten(whole, reply)
    assert (stream.counts, stream.restored) == (whole.counts, whole.restored)


@settings(max_examples=60, deadline=None)
@given(texts(), st.data())
def test_streamed_requests_are_whole_requests(text: str, data: st.DataObject) -> None:
    """Channels of requests too, but for what is said in words: only a whole text tells that."""
    rewriter, other = default.request(Vault()), default.request(Vault())
    named: dict[str, str] = {}
    spans = default.detector.spans([text], default.actions("request").strictness)[0]
    edits = [edit for span in spans if (edit := other.edit(span, text[span.start : span.end], named))]

    assert streamed(rewriter.channel(), cuts(text, data)) == apply_edits(text, edits)


HABITS = {
    "as it is": lambda name: name,
    "lower case": str.lower,
    "title case": str.title,
    "no brackets": lambda name: name[1:-1],
    "half a bracket": lambda name: name[:-1],
    "other brackets": lambda name: f"<{name[1:-1]}>",
    "spaces": lambda name: name.replace("_", " "),
    "hyphens": lambda name: name.replace("_", "-"),
    "Markdown": lambda name: name.replace("_", r"\_").replace("[", r"\[").replace("]", r"\]"),
    "bold": lambda name: f"**{name}**",
    "genitive": lambda name: f"{name}'s",
    "inside a word": lambda name: f"{name}s",
}


@pytest.mark.parametrize("habit", HABITS.values(), ids=list(HABITS))
@pytest.mark.parametrize("sentence", ["I wrote to {}.", "{}", "see {}, {}", '{{"to": "{}"}}', "send(`{}`)\n\n- {}"])
def test_a_value_comes_back_whatever_a_model_does_to_its_name(habit: Callable[[str], str], sentence: str) -> None:
    """Whole, and streamed in pieces of every size: no name is left, and the sentence around it stays."""
    values = [JANE, "+1 646 526 1482", "281-44-0067"]
    vault, _, left = sent(default, " | ".join(values))
    for value, name in zip(values, left.split(" | "), strict=True):
        reply = sentence.format(*[habit(name)] * 2)
        back = rewritten(default.reply(vault), reply)
        assert back.count(value) == sentence.count("{}")
        assert name.strip("[]").rpartition("_")[2].lower() not in back.lower()
        for size in range(1, len(name) + 2):
            pieces = [reply[at : at + size] for at in range(0, len(reply), size)]
            assert streamed(default.reply(vault).channel(), pieces) == back


def test_new_data_in_a_reply_is_masked_and_the_callers_own_restored() -> None:
    """In one pass; the counts tell them apart."""
    vault, _, left = sent(default, f"I am {JANE}")
    reply = default.reply(vault)

    assert rewritten(reply, f"{left}, ask {JOHN}") == f"I am {JANE}, ask [EMAIL_ADDRESS]"
    assert (reply.counts, reply.restored) == ({"EMAIL_ADDRESS": 1}, 1)


def test_a_foreign_placeholder_is_never_restored() -> None:
    """What another call named stays a placeholder, though the engine is the same."""
    _, _, of_another = sent(default, JANE)
    vault, _, _ = sent(default, JOHN)
    reply = default.reply(vault)

    assert rewritten(reply, of_another) == of_another
    assert (reply.counts, reply.restored) == ({}, 0)


def test_the_callers_own_values_pass_the_reply() -> None:
    """What was only flagged or allowed on the way out is left on the way back, in any spelling; new data is not."""
    vault, _, left = sent(flagging, f"{JANE} {CARD}")
    reply = flagging.reply(vault)

    assert left == f"{JANE} {CARD}"
    assert rewritten(reply, "JANE@acme.com 4013-6018-6191-1289").split() == ["JANE@acme.com", "4013-6018-6191-1289"]
    assert JOHN not in rewritten(reply, JOHN)


def test_a_name_given_in_a_reply_is_not_restored_in_it() -> None:
    """A reply that names new data does not become a way to read it."""
    reply = flagging.reply(Vault())
    named = rewritten(reply, JOHN)

    assert rewritten(reply, named) == named


def test_restore_can_be_switched_off() -> None:
    """Then placeholders reach the client."""
    engine = PiiEngine(PiiPolicy(restore=False), SECRET)
    vault, _, left = sent(engine, JANE)

    assert rewritten(engine.reply(vault), left) == left


def test_masks_and_hashes_are_not_restored() -> None:
    """They are one-way."""
    engine = PiiEngine(PiiPolicy(request={"default": "hash"}), SECRET)
    vault, _, left = sent(engine, JANE)

    assert rewritten(engine.reply(vault), left) == left


def test_a_refused_reply_carries_no_value() -> None:
    """The refusal is reported, the text masked."""
    engine = PiiEngine(PiiPolicy(response={"default": "refuse"}), SECRET)
    reply = engine.reply(Vault())

    assert rewritten(reply, JANE) == "[EMAIL_ADDRESS]"
    assert reply.refused == "EMAIL_ADDRESS"


def test_values_that_fall_together_get_longer_names() -> None:
    """Two persons never share a name within a call."""
    engine = PiiEngine(PiiPolicy(), SECRET)
    engine.names = Names(SECRET, digits=1)  # one hex digit: sixteen names for fifty persons
    text = " ".join(f"person{number}@acme.com" for number in range(50))

    vault, _, left = sent(engine, text)

    assert len(set(left.split())) == 50
    assert all(vault.value(name) for name in left.split())


def test_a_collision_that_was_remembered_is_not_restored() -> None:
    """Edits of two calls that meet in one and share a name: a placeholder is better than the wrong person."""
    vault = Vault()
    rewriter = default.request(vault)
    for value in (JANE, JOHN):
        rewriter.note([(Edit(0, len(value), "[EMAIL_ADDRESS_3f9a1c]", "EMAIL_ADDRESS", "pseudonymize"), value)])

    assert rewritten(default.reply(vault), "[EMAIL_ADDRESS_3f9a1c]") == "[EMAIL_ADDRESS_3f9a1c]"


def test_edits_have_no_side_effect() -> None:
    """So they may be remembered: counts and vault fill by note alone."""
    vault = Vault()
    rewriter = default.request(vault)

    first, second = rewriter.edits([JANE]), rewriter.edits([JANE])

    assert first == second
    assert (len(vault), rewriter.counts, rewriter.refused) == (0, {}, None)


def test_the_stricter_action_holds_where_findings_overlap() -> None:
    """A flagged finding around a refused one does not let it pass."""
    policy = PiiPolicy(
        request={"default": "mask", "NOTE": "flag", "API_KEY": "refuse"}, custom=(CustomEntity("NOTE", r"note: .*"),)
    )

    _, rewriter, left = sent(PiiEngine(policy, SECRET), f"note: mail {JANE}")

    assert JANE not in left
    assert rewriter.counts == {"EMAIL_ADDRESS": 1}


def test_literal_escapes_stay_whole() -> None:
    """JSON inside text stays JSON."""
    _, _, left = sent(default, rf'{{"a": "x\n{JANE}\n{CARD}\n"}}')

    assert left.startswith(r'{"a": "x\n[EMAIL_ADDRESS_')
    assert r"]\n[CREDIT_CARD_" in left


def test_the_version_follows_policy_and_secret() -> None:
    """Remembered edits of another policy or secret are not used."""
    versions = {
        PiiEngine(policy, secret).version
        for policy in (
            PiiPolicy(),
            PiiPolicy(request={"default": "mask"}),
            PiiPolicy(response={"default": "flag"}),
            PiiPolicy(allow=("x",)),
            PiiPolicy(entities=frozenset({"API_KEY"})),
            PiiPolicy(restore=False),
            PiiPolicy(custom=(CustomEntity("X", "abc"),)),
        )
        for secret in (b"one", b"two")
    }

    assert len(versions) == 14
    assert PiiEngine(PiiPolicy(), b"one").version in versions


def test_names_need_a_secret() -> None:
    """Without one anybody could test a guess."""
    with pytest.raises(ValueError, match="secret"):
        PiiEngine(PiiPolicy(), b"")


surrogating = PiiEngine(PiiPolicy(request={"default": "surrogate"}), SECRET)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from([JANE, JOHN, CARD, "281-44-0067", "+1 646 526 1482", "DE75850105103738881515", "plain"])),
    st.data(),
)
def test_invented_values_are_put_back(values: list[str], data: st.DataObject) -> None:
    """Whole and at every cut: the caller's own come back to the letter, and none of them left."""
    text = " , ".join(values)
    vault, rewriter, left = sent(surrogating, text)

    assert not any(value in left for value in values if value != "plain")
    assert rewritten(surrogating.reply(vault), left) == text
    assert streamed(surrogating.reply(vault).channel(), cuts(left, data)) == text
    assert sum(rewriter.counts.values()) == sum(value != "plain" for value in values)


def test_an_invented_value_is_no_part_of_a_longer_one() -> None:
    """Only the stand-in itself is restored; new data beside it is masked."""
    vault, _, left = sent(surrogating, f"card {CARD}")
    stand_in = left.removeprefix("card ")
    reply = surrogating.reply(vault)

    assert rewritten(reply, f"x{stand_in} and card {stand_in} and {JOHN}") == (
        f"x{stand_in} and card {CARD} and [EMAIL_ADDRESS]"
    )
    assert reply.restored == 1


def test_an_invented_value_stays_the_same() -> None:
    """In other calls, and after a restart; another secret invents another."""
    other = PiiEngine(PiiPolicy(request={"default": "surrogate"}), b"another secret")

    assert sent(surrogating, JANE)[2] == sent(surrogating, f"{JANE}")[2]
    assert sent(surrogating, JANE)[2] == sent(PiiEngine(surrogating.policy, SECRET), JANE)[2]
    assert sent(surrogating, JANE)[2] != sent(other, JANE)[2]


def test_unknown_entities_are_named() -> None:
    """Misspelt ones, and those that need a model."""
    policy = PiiPolicy(
        request={"default": "mask", "EMIAL": "mask", "CASE": "mask"},
        entities=frozenset({"PERSON", *ENTITIES}),
        custom=(CustomEntity("CASE", "abc"),),
    )

    assert unknown_entities(policy) == ["EMIAL", "PERSON"]


def test_nothing_shows_a_value() -> None:
    """No repr or str of anything that holds one."""
    vault, request, left = sent(default, f"{JANE} {CARD}")
    reply = default.reply(vault)
    (edits,) = reply.edits([left])
    channel = reply.channel()
    channel.feed(left[:-3])
    policy = PiiPolicy(allow=(JANE,))

    shown = " ".join(f"{thing!r} {thing}" for thing in (vault, request, reply, edits, *edits, channel, default, policy))

    assert JANE not in shown
    assert CARD not in shown
    assert "secret" not in shown
