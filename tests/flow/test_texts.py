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
        (b"Dear ada@b.example,\n\xc3\xa9", "text/plain"),
        (b'"ada@b.example"', "application/json"),
    ],
)
def test_only_the_found_spans_change(data: bytes, content_type: str) -> None:
    """JSON, lines of JSON, forms, text: the address is replaced, every other byte stays."""
    body, finder = rewritten(data, content_type)

    assert body == re.sub(rb"ada@[bc]\.example", b"[X]", data)
    assert len(finder.noted) == len(NAME.findall(data.decode()))


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "shift_jis", "gb18030"])
@pytest.mark.parametrize("mark", [" by ada@b.example", ""])
def test_other_charsets_are_read_and_written(charset: str, mark: str) -> None:
    """A text in another charset is changed in it; without a finding it is not touched."""
    text = {"latin-1": "café", "shift_jis": "日本", "gb18030": "日本"}.get(charset, "é日") + mark
    for data, content_type in (
        (text.encode(charset), f"text/plain; charset={charset}"),
        (json.dumps({"a": text}, ensure_ascii=False).encode(charset), f"application/json; charset={charset}"),
    ):
        result = rewrite_body(classify(data, content_type), content_type, RULES, Finder())

        assert bool(result.edits) is bool(mark)
        assert not mark or result.body.decode(charset) == data.decode(charset).replace("ada@b.example", "[X]")


def test_a_change_that_does_not_fit_the_charset_is_refused() -> None:
    """Nothing is guessed: the call ends."""

    class Odd(Finder):
        def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
            return [[Edit(0, 1, "日", "EMAIL", "restore")] for _ in texts]

    with pytest.raises(BodyError, match="charset"):
        rewrite_body(classify(b"caf\xe9", "text/plain; charset=latin-1"), "", RULES, Odd())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"to=ada%40b.example&n=%7e1", b"to=%5BX%5D&n=%7e1"),
        (b"ada@b.example=1&&x", b"%5BX%5D=1&&x"),
        (b"q=hello+ada@b.example", b"q=hello+%5BX%5D"),
    ],
)
def test_encoded_forms(before: bytes, after: bytes) -> None:
    """Values and names are read decoded; what is not changed keeps its spelling."""
    assert rewritten(before, "application/x-www-form-urlencoded")[0] == after


def test_a_session_description_keeps_its_addresses() -> None:
    """Where the media goes is no text; the other lines are."""
    sdp = b"v=0\r\no=- 1 1 IN IP4 ada@b.example\r\ns=call ada@b.example\r\na=candidate:1 ada@b.example\r\n"

    assert rewritten(sdp, "application/sdp")[0] == sdp.replace(b"call ada@b.example", b"call [X]")


def form(*parts: tuple[bytes, bytes]) -> bytes:
    """A form of parts, each of headers and content."""
    return (
        b"".join(b"--frontier\r\n" + head + b"\r\n\r\n" + text + b"\r\n" for head, text in parts) + b"--frontier--\r\n"
    )


FILE = b'Content-Disposition: form-data; name="file"; filename="a"'


@pytest.mark.parametrize(
    ("head", "content", "after"),
    [
        (
            b"\r\nContent-Type: application/jsonl",
            b'{"a": "\\u0061da@b.example"}\n{"b": 1.0}\n',
            b'{"a": "[X]"}\n{"b": 1.0}\n',
        ),
        (b"", b'{"signed": "ada@b.example", "n": "ada@b.example"}', b'{"signed": "ada@b.example", "n": "[X]"}'),
        (b"\r\nContent-Type: application/json", b"no JSON, but ada@b.example", b"no JSON, but [X]"),
        (b"\r\nContent-Type: text/csv; charset=utf-16", "é ada@b.example".encode("utf-16"), "é [X]".encode("utf-16")),
        (b"\r\nContent-Length: 13", b"ada@b.example", b"[X]"),
    ],
)
def test_files_in_a_form(head: bytes, content: bytes, after: bytes) -> None:
    """A file is read as what it is, by the rules of its format, and a length that its headers state follows."""
    rules = TextRules(opaque=frozenset({"signed"}))
    data = form((FILE + head, content))
    result = rewrite_body(classify(data, FORM), FORM, rules, Finder())

    assert result.body == form((FILE + head.replace(b"13", b"3"), after))
    assert result.unread == 0


def test_what_nobody_reads_is_counted() -> None:
    """Sound, a PDF, an unknown charset, an encoded part: each is one unread part, and stays as it is."""
    odd = [
        (FILE + b"\r\nContent-Type: audio/wav", PICTURE),
        (FILE, b"%PDF-1.7 ada@b.example"),
        (FILE + b"\r\nContent-Type: text/plain; charset=utf-7", b"ada@b.example"),
        (FILE + b"\r\nContent-Transfer-Encoding: base64", b"YWRhQGIuZXhhbXBsZQ=="),
    ]
    data = form((FILE, b"plain"), *odd)
    result = rewrite_body(classify(data, FORM), FORM, RULES, Finder())

    assert (result.body, result.unread) == (data, len(odd))
    assert rewrite_body(classify(PICTURE, ""), "", RULES, Finder()).unread == 1


def test_a_form_in_a_form() -> None:
    """Batches of whole requests are read within a bound."""
    head = b"Content-Type: multipart/mixed; boundary=inner"
    inner = b"--inner\r\nContent-Type: application/http\r\n\r\nPOST /x\r\n\r\nto ada@b.example\r\n--inner--"

    assert rewritten(form((head, inner)), FORM)[0] == form((head, inner.replace(b"ada@b.example", b"[X]")))
    deep = b"x"
    for level in range(3):
        head = b"Content-Type: multipart/mixed; boundary=b%d" % level
        deep = head + b"\r\n\r\n--b%d\r\n" % level + (deep if level else b"\r\nx") + b"\r\n--b%d--" % level
    with pytest.raises(BodyError, match="deep"):
        rewritten(b"--frontier\r\n" + deep + b"\r\n--frontier--", FORM)


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


def test_short_parts_are_asked_for_together() -> None:
    """One question for all of them, a long part alone; what is found is put where it stood."""

    class Counting(Finder):
        questions = 0

        def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
            self.questions += 1
            return super().edits(texts)

    part = b'--frontier\r\nContent-Disposition: form-data; name="%d ada@c.example"\r\n\r\n%s\r\n'
    texts = [b"to ada@b.example", b'{"a": "ada@b.example"}', b"nobody", b"ada@b.example " * 500]
    data = b"".join(part % (number, text) for number, text in enumerate(texts)) + b"--frontier--"
    finder = Counting()
    result = rewrite_body(classify(data, FORM), FORM, RULES, finder)

    assert result.body == NAME.sub("[X]", data.decode()).encode()
    assert len(finder.noted) == 4 + 2 + 500
    assert finder.questions == 2


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
