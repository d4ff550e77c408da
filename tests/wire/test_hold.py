"""A channel knows where each piece lies, what is decided, and what its text became."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.edits import apply_edits
from outwarden.wire.hold import Channel, plain_splices
from outwarden.wire.json_text import spliced

texts = st.text(st.sampled_from("ab@. "), max_size=30)


@given(texts, st.lists(st.integers(0, 5), max_size=12))
def test_pieces_join_to_the_whole(word_rewriter, rewritten_text, text, sizes):
    """Each piece with its edits, one after the other, is the rewritten text; so is a copy of all of it."""
    channel, places, at = Channel(word_rewriter()), [], 0
    for size in [*sizes, len(text)]:
        places.append(channel.feed(text[at : at + size]))
        at = min(at + size, len(text))
    channel.finish()
    pieces = [apply_edits(text[start:end], channel.edits_in(start, end)) for start, end in places]

    assert channel.decided == channel.fed == len(text)
    assert "".join(pieces) == rewritten_text(text) == apply_edits(text, channel.edits_in(0, len(text)))


def test_a_finished_channel_begins_anew(word_rewriter):
    """What comes later is another text, at the next offsets."""
    channel = Channel(word_rewriter())
    channel.feed("ann")
    channel.finish()

    assert channel.decided == 3
    assert channel.feed("@b.c ") == (3, 8)
    channel.finish()
    assert [(edit.start, edit.end) for edit in channel.edits_in(0, 8)] == []
    channel.feed("a@b.c")
    channel.finish()
    assert [(edit.start, edit.end) for edit in channel.edits_in(0, 13)] == [(8, 13)]


def test_a_channel_knows_its_text(word_rewriter):
    """Only all of it, and never an empty one."""
    channel = Channel(word_rewriter())
    assert not channel.says("")
    channel.feed("ab")
    channel.feed("cd")

    assert channel.says("abcd")
    assert not channel.says("abce")
    assert not channel.says("abc")


def test_a_very_long_text_is_not_kept(word_rewriter, monkeypatch):
    """Memory is bounded; its copies are then scanned like any string."""
    monkeypatch.setattr("outwarden.wire.hold._COPY_CHARACTERS_MAX", 10)
    channel = Channel(word_rewriter())
    channel.feed("x" * 11)

    assert not channel.says("x" * 11)


@pytest.mark.parametrize("raw", [b"a@b.c", b"\xff a@b.c \xc3", "é a@b.c 😀".encode()])
def test_plain_edits_go_to_their_bytes(word_rewriter, raw):
    """Bytes that are no UTF-8 stay, and count as one character each."""
    text = raw.decode("utf-8", "surrogateescape")
    rewriter = word_rewriter()
    rewriter.replacement = "é"
    edits = rewriter.edits([text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")])[0]

    assert spliced(raw, plain_splices(text, edits)) == raw.replace(b"a@b.c", "é".encode())


def test_edits_of_a_very_long_text_are_forgotten(word_rewriter, monkeypatch):
    """Once their pieces have left: no copy of it is awaited. What reaches into the next piece stays."""
    monkeypatch.setattr("outwarden.wire.hold._COPY_CHARACTERS_MAX", 10)
    channel = Channel(word_rewriter())
    for _ in range(3):
        channel.feed("a@b.c and ")
    channel.feed("a@b")
    channel.feed(".c ")
    channel.finish()
    assert len(channel.edits_in(0, 36)) == 4
    channel.let_go(10)
    assert len(channel.edits_in(0, 36)) == 4
    channel.let_go(33)

    assert [(edit.start, edit.end) for edit in channel.edits_in(33, 36)] == [(0, 2)]
    assert len(channel.edits_in(0, 36)) == 1
