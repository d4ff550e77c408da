"""Text files in base64 inside JSON are read as text, and put back as they were spelled."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.body import Rewritten, rewrite_json
from outwarden.wire.edits import ChannelRewriter, Edit
from outwarden.wire.format import Operation
from outwarden.wire.formats import format_named
from outwarden.wire.packed import unpack

EMAIL = "ada.quill@brightquill-mail.com"
CSV = f"name,mail\nAda,{EMAIL}\nBo,\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4
PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n" * 40


class Hider:
    """Replaces the address by a name."""

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        return [[Edit(m.start(), m.end(), "[E]", "EMAIL_ADDRESS") for m in re.finditer(EMAIL, t)] for t in texts]

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        self.found = list(found)

    def channel(self) -> ChannelRewriter:
        raise AssertionError("whole bodies open no channel")


def b64(data: str | bytes) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def rewritten(body: Any, format: str = "openai", path: str = "/v1/chat/completions", **more: Any) -> Rewritten:
    one = format_named(format)
    return rewrite_json(json.dumps(body).encode(), one.text_rules(one.identify("POST", path)), Hider(), **more)


SPELLINGS: dict[str, Callable[[bytes], str]] = {
    "standard": lambda data: base64.b64encode(data).decode(),
    "URL-safe": lambda data: base64.urlsafe_b64encode(data).decode(),
    "without padding": lambda data: base64.b64encode(data).decode().rstrip("="),
    "in lines": lambda data: base64.encodebytes(data).decode(),
    "in lines of MIME": lambda data: "\r\n".join(re.findall(".{1,64}", base64.b64encode(data).decode())),
}


@pytest.mark.parametrize("spell", [b64, lambda text: b64(text).rstrip("=")])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_in_base64_is_read_under_any_key(spell: Callable[[str], str], indent: int | None) -> None:
    """Bedrock's CountTokens holds a whole request in a string: only what is found in it is replaced."""
    inner = json.dumps({"messages": [{"role": "user", "content": f"to {EMAIL}"}], "max_tokens": 5}, indent=indent)
    body = json.dumps({"input": {"invokeModel": {"body": spell(inner)}}}).encode()
    format_ = format_named("bedrock")
    rules = format_.text_rules(format_.identify("POST", "/model/m/count-tokens"))
    done = rewrite_json(body, rules, Hider()).body

    assert unpacked(json.loads(done)["input"]["invokeModel"]["body"]) == inner.replace(EMAIL, "[E]")
    assert rewrite_json(done, rules, Hider()).body == done


def unpacked(string: str) -> str:
    packed = unpack(string)
    assert packed is not None
    return packed.text


@pytest.mark.parametrize("word", ["eyJ", "eyewitness", "W3C", "ewe", b64('{"a": 1') + "x", b64("{not json at all}")])
def test_what_only_begins_like_a_document_in_base64_is_text(word: str) -> None:
    """A word is a word, and what holds no document is looked at as it stands."""
    rewriter = Hider()
    body = json.dumps({"note": f"{word}", "to": EMAIL}).encode()
    assert rewrite_json(body, format_named("generic").text_rules(Operation("x")), rewriter).body == body.replace(
        EMAIL.encode(), b"[E]"
    )


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=list(SPELLINGS))
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=300))
@example("0" * 190)  # its head ends within a group of four
def test_a_file_is_put_back_as_it_came(spell: Callable[[bytes], str], text: str) -> None:
    """Any text, any usual spelling: the same characters."""
    string = spell(text.encode())
    packed = unpack(string)

    assert packed is not None
    assert packed.text == text
    assert packed.spell(packed.text) == string


FILES = [
    ("gemini", "/v1beta/models/g:generateContent", lambda d: {"inlineData": {"mimeType": "text/csv", "data": d}}),
    ("gemini", "/v1beta/models/g:generateContent", lambda d: {"inline_data": {"mime_type": "text/csv", "data": d}}),
    ("openai", "/v1/chat/completions", lambda d: {"type": "file", "file": {"file_data": f"data:text/csv;base64,{d}"}}),
    ("openai", "/v1/responses", lambda d: {"type": "input_file", "file_data": d, "filename": "x.csv"}),
    ("openai", "/v1/chat/completions", lambda d: {"image_url": {"url": f"data:image/svg+xml;base64,{d}"}}),
    (
        "anthropic",
        "/v1/messages",
        lambda d: {"type": "document", "source": {"type": "base64", "media_type": "text/csv", "data": d}},
    ),
    ("bedrock", "/model/m/converse", lambda d: {"document": {"format": "csv", "name": "x", "source": {"bytes": d}}}),
    ("generic", "/anything", lambda d: {"attachment": f"data:text/plain;charset=utf-8;base64,{d}"}),
]


@pytest.mark.parametrize(("format", "path", "shape"), FILES)
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=list(SPELLINGS))
def test_a_value_in_a_file_is_taken_out(
    format: str, path: str, shape: Callable[[str], Any], spell: Callable[[bytes], str]
) -> None:
    """In every place that APIs have for files; the rest of the body and of the file stays."""
    before = {"messages": [{"role": "user", "content": [shape(spell(CSV.encode()))]}], "n": 1}
    after = {"messages": [{"role": "user", "content": [shape(spell(CSV.replace(EMAIL, "[E]").encode()))]}], "n": 1}
    done = rewritten(before, format, path)

    assert json.loads(done.body) == after
    assert (done.edits, done.unread) == (1, 0)


def test_a_file_without_a_finding_stays_as_it_is() -> None:
    """The same bytes object."""
    body = json.dumps({"messages": [{"content": [FILES[2][2](b64("name,mail\nnobody,none\n"))]}]}).encode()
    rules = format_named("openai").text_rules(format_named("openai").identify("POST", "/v1/chat/completions"))

    assert rewrite_json(body, rules, Hider()).body is body


def test_a_long_file_in_lines_is_read() -> None:
    """As MIME writes it: lines of 76 characters, so that its first 256 hold three ends of lines."""
    lines = base64.encodebytes((CSV * 20).encode()).decode()
    done = rewritten({"messages": [{"content": [FILES[0][2](lines)]}]}, "gemini", FILES[0][1])
    data = json.loads(done.body)["messages"][0]["content"][0]["inlineData"]["data"]

    assert base64.b64decode(data).decode() == CSV.replace(EMAIL, "[E]") * 20
    assert data == base64.encodebytes(base64.b64decode(data)).decode()


def test_json_in_a_file_is_read_as_json() -> None:
    """Escapes and all; its numbers and spacing stay."""
    inner = '{"to":  "ada.quill\\u0040brightquill-mail.com", "n": 1.0}'
    done = rewritten({"messages": [{"content": [FILES[0][2](b64(inner))]}]}, "gemini", FILES[0][1])
    data = json.loads(done.body)["messages"][0]["content"][0]["inlineData"]["data"]

    assert base64.b64decode(data).decode() == '{"to":  "[E]", "n": 1.0}'


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16", "utf-8-sig"])
def test_a_file_in_another_charset_is_changed_in_it(charset: str) -> None:
    """Told by its mark or its zeros; written back in it."""
    data = CSV.encode(charset)
    done = rewritten({"file_data": b64(data)}, path="/v1/responses")
    back = base64.b64decode(json.loads(done.body)["file_data"])

    assert back.decode(charset) == CSV.replace(EMAIL, "[E]")


@pytest.mark.parametrize("data", [PNG, PDF, b"PK\x03\x04" + bytes(range(256)) * 2, b"\xff\xfe" + bytes(range(256)) * 3])
@pytest.mark.parametrize("shape", [FILES[0][2], FILES[2][2]])
def test_what_is_no_text_is_left_and_counted(data: bytes, shape: Callable[[str], Any]) -> None:
    """Pictures, PDF, archives: unread, and the record can say so."""
    body = {"messages": [{"content": [shape(b64(data))]}]}
    done = rewritten(body, "gemini" if "inlineData" in shape("") else "openai")

    assert json.loads(done.body) == body
    assert (done.edits, done.unread) == (0, 1)
    assert done.media_bytes > 0


@pytest.mark.parametrize(
    "node",
    [
        {"type": "thinking", "thinking": "x", "signature": b64(CSV * 20)},
        {"type": "redacted_thinking", "data": b64(CSV)},
        {"type": "reasoning.encrypted", "data": b64(CSV)},
        {"thoughtSignature": b64(CSV)},
        {"encrypted_content": b64(CSV * 20)},
    ],
)
def test_signatures_and_ciphertext_are_no_files(node: dict[str, str]) -> None:
    """Whatever they would say: the provider verifies them."""
    body = {"messages": [{"role": "assistant", "content": [node]}]}
    done = rewritten(body, "anthropic", "/v1/messages")

    assert (json.loads(done.body), done.edits, done.unread) == (body, 0, 0)


def test_a_plain_document_is_text_whatever_it_looks_like() -> None:
    """Anthropic's source of type text holds the text itself."""
    source = {"type": "text", "media_type": "text/plain", "data": EMAIL}
    done = rewritten({"content": [{"type": "document", "source": source}]}, "anthropic", "/v1/messages")

    assert json.loads(done.body)["content"][0]["source"]["data"] == "[E]"


def test_a_file_counts_as_the_text_that_it_is() -> None:
    """For the bound of its cost: its words, not its base64."""
    seen: list[str] = []

    def count(text: str) -> int:
        seen.append(text)
        return len(text)

    rewritten({"file_data": b64(CSV)}, path="/v1/responses", count=count)

    assert any("Ada" in text and b64(CSV) not in text for text in seen)


def test_what_does_not_fit_a_files_charset_is_refused() -> None:
    """Nothing is lost silently."""
    packed = unpack(f"data:text/plain;charset=iso-8859-1;base64,{b64('é'.encode('latin-1'))}")
    assert packed is not None

    assert packed.text == "é"
    with pytest.raises(BodyError):
        packed.spell("中")


@pytest.mark.parametrize("string", ["", "!", "a", "ab=c", "data:,x", "data:text/plain;base64,!", "A+_A", "QQ===", "QR"])
def test_what_is_no_base64_is_no_file(string: str) -> None:
    """Nor what could not be put back as it was."""
    packed = unpack(string)

    assert packed is None or packed.spell(packed.text) == string[packed.start :]
