"""What a provider said with placeholders of its own spelling reaches it again byte for byte in the next turn."""

import json
from collections.abc import Callable, Sequence
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pii_texts import cuts

from outwarden.pii import Echoes, ForRule, NerPolicy, PiiEngine, PiiPolicy, Vault, echoes, finders_for
from outwarden.wire.body import Memory, rewrite_json, rewrite_text
from outwarden.wire.edits import ChannelRewriter, Edit, apply_edits
from outwarden.wire.format import TextRules
from outwarden.wire.json_channel import JsonChannel

SECRET = b"a secret for tests only"
RULES = TextRules(remember=frozenset({"messages"}))
VALUES = [
    "jane.doe@acme.com",
    "+49 1512 7340918",
    "DE75 8501 0510 3738 8815 15",
    "4929 4128 3357 6017",
    "151.201.206.84",
]
HABITS: dict[str, Callable[[str], str]] = {
    "as it is": lambda name: name,
    "lower case": str.lower,
    "title case": str.title,
    "no brackets": lambda name: name[1:-1],
    "half a bracket": lambda name: name[:-1],
    "other brackets": lambda name: f"<{name[1:-1]}>",
    "spaces": lambda name: name.replace("_", " "),
    "spaces inside": lambda name: f"[ {name[1:-1]} ]",
    "hyphens": lambda name: name.replace("_", "-"),
    "Markdown": lambda name: name.replace("_", r"\_").replace("[", r"\[").replace("]", r"\]"),
    "bold": lambda name: f"**{name}**",
    "genitive": lambda name: f"{name}'s ",  # a value that touches the s is part of another
    "percent": lambda name: name.replace("[", "%5B").replace("]", "%5D"),
    "twice": lambda name: f"{name}{name}",
    "twice with a space": lambda name: f"{name} {name}",
}
engine = PiiEngine(PiiPolicy(), SECRET)
habits = st.sampled_from(sorted(HABITS))
AROUND = st.sampled_from(
    [
        "",
        " ",
        " I wrote to ",
        ", and\n",
        " id=",
        " mailto:",
        "/",
        " ssn ",
        "**",
        "\U0001f600 ",
        "x",
        "7",
        " 4-",
        "<is>",
        "@",
    ]
)


def send(engine: PiiEngine, messages: Sequence[str], memory: Memory | None = None) -> tuple[list[str], Vault]:
    """What leaves of a conversation, and the call's vault."""
    vault = Vault()
    rewriter = engine.request(vault)
    body = json.dumps({"messages": [{"content": text} for text in messages]}).encode()
    left = rewrite_json(body, RULES, rewriter, memory=memory, memory_key=engine.version, find_known=rewriter.known).body
    return [message["content"] for message in json.loads(left)["messages"]], vault


def streamed(channel: ChannelRewriter, pieces: Sequence[str]) -> str:
    edits: list[Edit] = []
    for piece in pieces:
        edits += channel.feed(piece)[1]
    edits += channel.finish()
    return apply_edits("".join(pieces), edits)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(AROUND, st.sampled_from(VALUES), habits), min_size=1, max_size=6), AROUND, st.data())
def test_the_next_turn_is_what_the_provider_said(
    said: list[tuple[str, str, str]], end: str, data: st.DataObject
) -> None:
    """However it wrote the placeholders, whatever stands around them, whole or streamed, and in the turn after that."""
    memory = Memory(10**7)
    asked = "mail, phone, iban, card, host: " + ", ".join(VALUES)
    (first,), vault = send(engine, [asked], memory)
    names = dict(zip(VALUES, first.partition(": ")[2].split(", "), strict=True))
    reply = "".join(before + HABITS[habit](names[value]) for before, value, habit in said) + end
    if data.draw(st.booleans()):
        shown = streamed(engine.reply(vault).channel(), cuts(reply, data))
    else:
        shown = rewrite_text(reply, engine.reply(vault))

    (again, history), _ = send(engine, [asked, shown], memory)
    assert again == first
    assert history == reply
    assert send(engine, [asked, shown, "go on"], memory)[0] == [first, reply, "go on"]
    assert send(engine, [asked, shown, "go on"])[0] == [first, reply, "go on"]  # nothing else remembered


@pytest.mark.parametrize("habit", sorted(HABITS))
def test_arguments_of_tools_too(habit: str) -> None:
    """JSON in a string, streamed, in the order and spelling of the provider."""
    engine = PiiEngine(PiiPolicy(), SECRET)
    (first,), vault = send(engine, [f"mail {VALUES[0]}"])
    said = json.dumps({"to": HABITS[habit](first.removeprefix("mail ")), "text": "hi\n", "at": [1, None]})
    shown = streamed(JsonChannel(engine.reply(vault)), list(said))

    assert VALUES[0] in shown.replace("%40", "@")
    assert send(engine, [f"mail {VALUES[0]}", shown])[0] == [first, said]


def test_names_side_by_side() -> None:
    """Two persons that the model put together are two placeholders, not one person."""
    policy = PiiPolicy(ner=NerPolicy())
    engine = PiiEngine(policy, SECRET, finders_for(policy))
    asked = "Please invite Jonas Weber and Maria Lindqvist to dinner."
    (first,), vault = send(engine, [asked])
    names = [word for word in first.replace(".", " ").split() if word.startswith("[")]
    reply = f"Invited: {names[0]} {names[1]}"
    shown = rewrite_text(reply, engine.reply(vault))

    assert shown == "Invited: Jonas Weber Maria Lindqvist"
    assert send(engine, [asked, shown])[0] == [first, reply]


@pytest.mark.parametrize("spaces", ["{} \n", "\n\n{}", " {} "])
def test_clients_may_trim(spaces: str) -> None:
    """Spaces at the begin and end do not count, neither when it is said nor when it comes back."""
    engine = PiiEngine(PiiPolicy(), SECRET)
    (first,), vault = send(engine, [VALUES[0]])
    loose = f"{first.lower()} - {first.title()}"
    shown = streamed(engine.reply(vault).channel(), list(spaces.format(loose)))

    assert send(engine, [shown.strip()])[0] == [loose]
    assert send(engine, [f" {shown}\n"])[0] == [f" {spaces.format(loose)}\n"]


def test_an_echo_hides_nothing() -> None:
    """A value that is no part of an echo is taken out all the same; other texts have the usual names."""
    engine = PiiEngine(PiiPolicy(response={"default": "allow"}), SECRET)
    (first,), vault = send(engine, [VALUES[0]])
    shown = rewrite_text(f"{first.lower()}: new@acme.com", engine.reply(vault))
    (history, other), _ = send(engine, [shown, f"is it {VALUES[0]}?"])

    assert shown == f"{VALUES[0]}: new@acme.com"
    assert history.startswith(f"{first.lower()}: [EMAIL_ADDRESS_")
    assert other == f"is it {first}?"


def test_other_rules_and_other_keys_hear_no_echo() -> None:
    """What one policy names another may mask; what one key named another does not."""
    echoes = Echoes()
    engine = PiiEngine(
        PiiPolicy(special=(ForRule({"team": ("x",)}, request={"default": "mask"}),)), SECRET, echoes=echoes
    )
    (first,), vault = send(engine, [VALUES[0]])
    shown = rewrite_text(first.lower(), engine.reply(vault))
    strict = engine.for_caller({"team": "x"})
    rotated = PiiEngine(engine.policy, b"another secret", retired=[SECRET], echoes=echoes)

    assert send(engine, [shown])[0] == [first.lower()]
    assert send(strict, [shown])[0] == ["[EMAIL_ADDRESS]"]
    assert send(rotated, [shown])[0] == [next(iter(rotated.names.candidates("EMAIL_ADDRESS", VALUES[0])))]


@pytest.mark.parametrize("reply", ["x{email}", "{email}x", "{phone}<is>{phone} ", "{email}{phone}", "7{phone} 12"])
@pytest.mark.parametrize("action", ["pseudonymize", "surrogate"])
def test_what_touches_an_echo_is_no_part_of_it(reply: str, action: Literal["pseudonymize", "surrogate"]) -> None:
    """The provider said it beside the placeholder: so it leaves, though the value would be another with it."""
    engine = PiiEngine(PiiPolicy(request={"default": action}), SECRET)
    values = "jane.doe@acme.com", "06 12 34 56 78"
    (first,), vault = send(engine, [" | ".join(values)])
    names = dict(zip(("email", "phone"), first.split(" | "), strict=True))
    shown = rewrite_text(reply.format(**names), engine.reply(vault))
    ((left,), _) = send(engine, [shown])

    assert not any(value in left for value in values)
    if action == "pseudonymize":
        assert shown == reply.format(email=values[0], phone=values[1])
        assert left == reply.format(**names)


def test_a_text_with_more_echoes_than_are_kept_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as said, the values beyond would stand among placeholders, not among the words that tell them."""
    monkeypatch.setattr(echoes, "ECHOES_MAX", 2)
    engine = PiiEngine(PiiPolicy(), SECRET)
    (first,), vault = send(engine, [VALUES[0]])

    for count, left in ((2, first.lower()), (3, first)):
        shown = rewrite_text(" ".join([first.lower()] * count), engine.reply(vault))
        assert send(engine, [shown])[0] == [" ".join([left] * count)]


def test_echoes_are_bounded_and_tell_nothing() -> None:
    """The least recently used are forgotten: then the usual name leaves, and nothing else."""
    engine = PiiEngine(PiiPolicy(), SECRET, echoes=Echoes(20_000))
    (first,), vault = send(engine, [VALUES[0]])
    shown = [rewrite_text(f"{number} {first.lower()}", engine.reply(vault)) for number in range(500)]

    assert len(engine.echoes) <= 40
    assert engine.echoes.bytes <= 20_000
    assert send(engine, [shown[-1]])[0] == [f"499 {first.lower()}"]
    assert send(engine, [shown[0]])[0] == [f"0 {first}"]
    held = repr(engine.echoes) + repr(engine.echoes._texts)
    assert "acme" not in held
