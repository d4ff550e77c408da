"""Every kind of body is rewritten where its text is; where nothing is found it is the same bytes object."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.flow.body import Body, classify
from outwarden.flow.texts import Inspected, rewrite_body
from outwarden.wire.edits import Edit
from outwarden.wire.format import TextRules

RULES = TextRules()
FORM = "multipart/form-data; boundary=frontier"
NAME = re.compile(r"ada@[a-z.]+")


class Finder:
    """Replaces addresses of one invented person."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.noted: list[str] = []

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        self.seen += texts
        return [[Edit(*found.span(), "[X]", "EMAIL", "mask") for found in NAME.finditer(text)] for text in texts]

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        self.noted += [text for _, text in found]

    def channel(self) -> Any:
        return Channel(self)


class Channel:
    """Decides each piece at once."""

    def __init__(self, owner: Finder) -> None:
        self._owner, self._at = owner, 0

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        self._owner.seen.append(text)
        self._at += len(text)
        return self._at, ()

    def finish(self) -> Sequence[Edit]:
        return ()


def rewritten(data: bytes, content_type: str) -> tuple[bytes, Finder]:
    """Rewrite a body of this type; the kind is what `classify` says."""
    finder = Finder()
    result = rewrite_body(classify(data, content_type), content_type, RULES, finder)
    assert bool(result.edits) is (result.body != data)
    if not result.edits:
        assert result.body is data
    return result.body, finder


PICTURE = bytes(range(256)) * 3
PARTS = (
    b'--frontier\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nabout ada@b.example\r\n'
    b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="ada@b.example.png"\r\n'
    b"Content-Type: image/png\r\n\r\n" + PICTURE + b"\r\n--frontier--\r\n"
)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b'{ "to": "ada@b.example", "n": 1.0 }', "application/json"),
        (b'{"to": "ada@b.example"}\n\n{"n": 1e2}\r\n{"x": ["ada@c.example"]}', "application/jsonl"),
        (b"to=ada@b.example&n=1", "application/x-www-form-urlencoded"),
        (b"Dear ada@b.example,\n\xc3\xa9", "text/plain"),
        (b'"ada@b.example"', "application/json"),
    ],
)
def test_only_the_found_spans_change(data: bytes, content_type: str) -> None:
    """JSON, lines of JSON, forms, text: the address is replaced, every other byte stays."""
    body, finder = rewritten(data, content_type)

    assert body == re.sub(rb"ada@[bc]\.example", b"[X]", data)
    assert len(finder.noted) == len(NAME.findall(data.decode()))


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b'{ "a":1.0,  "b":"\\u00e9\\/" }', "application/json"),
        (b'{"a":1}\n{"b":2}\n', "application/jsonl"),
        (b"nothing here \xf0\x9f\x98\x80", "text/plain"),
        (PARTS.replace(b"ada@", b"bo@"), FORM),
        (PICTURE, "image/png"),
        (b"", "application/json"),
    ],
)
def test_nothing_found_is_the_same_object(data: bytes, content_type: str) -> None:
    """No finding, no copy."""
    assert rewritten(data, content_type)[0] is data


def test_parts_of_a_form(capsys: Any) -> None:
    """Text parts are rewritten, binary parts stay byte for byte, the frame stays as it is."""
    body, _ = rewritten(PARTS, FORM)

    assert b"about [X]\r\n--frontier\r\n" in body
    assert PICTURE in body
    assert body.count(b"--frontier") == PARTS.count(b"--frontier")


def test_a_form_without_a_boundary_is_refused() -> None:
    """Nobody can tell where the parts are."""
    with pytest.raises(BodyError, match="boundary"):
        rewrite_body(Body("multipart", PARTS), "multipart/form-data", RULES, Finder())


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_a_form_is_put_together_again(contents: list[bytes]) -> None:
    """Whatever is in the parts, cutting and joining loses nothing."""
    frame = b"--frontier\r\nContent-Disposition: form-data; name=a\r\n\r\n"
    data = b"".join(frame + content + b"\r\n" for content in contents) + b"--frontier--\r\n"

    assert rewritten(data, FORM)[0] is data


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=80))
def test_any_text_is_rewritten_like_its_plain_self(text: str) -> None:
    """A text body is its text, rewritten."""
    data = ("x " + text + " ada@b.example").encode()
    body, _ = rewritten(data, "text/plain")

    assert body.decode() == NAME.sub("[X]", data.decode())


@given(st.lists(st.sampled_from([b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x1b"]), max_size=3))
def test_a_few_odd_bytes_hide_nothing(odd: list[bytes]) -> None:
    """A text with a NUL, half a character or an escape in it is still read, and the odd bytes stay as they are."""
    words = [b"a longer text about somebody, ", b"whose address is ada@b.example, ", b"and nothing else at all", b"."]
    data = b"".join(word + byte for word, byte in zip(words, [*odd, b"", b"", b"", b""], strict=False))
    body, finder = rewritten(data, "text/plain")

    assert body == data.replace(b"ada@b.example", b"[X]")
    assert finder.noted == ["ada@b.example"]


def test_tokens_are_counted_after_the_edits() -> None:
    """What is paid for is what leaves."""
    data = b"to ada@b.example"
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text)

    result = rewrite_body(classify(data, "text/plain"), "text/plain", RULES, Finder(), count=count)

    assert counted == ["to [X]"]
    assert result.tokens == len("to [X]")


@pytest.mark.parametrize("content_type", ["application/jsonl", FORM])
def test_each_line_and_part_is_counted(content_type: str) -> None:
    """No text of a body in pieces is free of charge."""
    data = PARTS if content_type == FORM else b'{"text": "one"}\n{"text": "two"}'
    result = rewrite_body(classify(data, content_type), content_type, RULES, Finder(), count=len)

    assert result.tokens >= len(b"one" + b"two") if content_type != FORM else result.tokens > 100


# -- inspection -------------------------------------------------------------------------------------------------------


class Refused(BodyError):
    """A look that has seen enough."""


def looking_for(word: str, seen: list[str]) -> Any:
    """A look that raises at a word."""

    def look(texts: Sequence[str]) -> None:
        seen.extend(texts)
        if any(word in text for text in texts):
            raise Refused("no")

    return look


def test_every_text_is_shown_before_it_is_rewritten() -> None:
    """The inspector sees what the caller wrote, in every string and key."""
    seen: list[str] = []
    finder = Finder()
    data = json.dumps({"key": {"deep": ["ada@b.example"]}}).encode()
    rewrite_body(classify(data, "application/json"), "", RULES, Inspected(looking_for("canary", seen), finder))

    assert "ada@b.example" in seen
    assert {"key", "deep"} <= set(seen)
    assert finder.noted == ["ada@b.example"]


def test_a_look_alone_changes_nothing() -> None:
    """Without a rewriter behind it, looking is all that happens."""
    data = b'{"a": "ada@b.example"}'

    assert rewrite_body(classify(data, ""), "", RULES, Inspected(looking_for("canary", []))).body is data
    with pytest.raises(TypeError):
        Inspected(looking_for("canary", [])).channel()


def test_a_look_may_end_it() -> None:
    """What the look raises goes through."""
    with pytest.raises(Refused):
        rewrite_body(classify(b'{"a": "a canary"}', ""), "", RULES, Inspected(looking_for("canary", [])))


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_streamed_word_is_seen_at_every_cut(cut: int) -> None:
    """Of a text in pieces the look sees a window, so that a word is found wherever it is cut."""
    channel = Inspected(looking_for("canary", []), Finder()).channel()
    channel.feed("a " * 700 + "canary"[:cut])

    with pytest.raises(Refused):
        channel.feed("canary"[cut:])


def test_the_window_is_bounded() -> None:
    """A long stream does not make the window long."""
    seen: list[str] = []
    channel = Inspected(looking_for("canary", seen), Finder()).channel()
    for _ in range(300):
        channel.feed("word " * 20)

    assert max(map(len, seen)) <= 1100
    assert channel.finish() == ()
