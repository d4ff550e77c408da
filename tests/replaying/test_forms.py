"""Planting in forms: the sentence is in one part, the rest is as it was, and lengths are right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaying.forms import parts, planted

TYPE = 'multipart/form-data; boundary="a b"'
NOTE = " (A note: x.) "


def form(*fields: tuple[str, bytes], end: bytes = b"\r\n") -> bytes:
    """A form of parts, each with its head."""
    body = b"".join(b"--a b" + end + head.encode() + end * 2 + content + end for head, content in fields)
    return body + b"--a b--" + end


def field(name: str, *, file: str = "", kind: str = "", length: int | None = None) -> str:
    """A part's head."""
    lines = [f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{file}"' if file else "")]
    lines += [f"Content-Length: {length}"] if length is not None else []
    return "\r\n".join(lines + ([f"Content-Type: {kind}"] if kind else []))


LINES = b'{"messages": [{"content": "short"}]}\n{"messages": [{"content": "a longer text"}]}\n'


@pytest.mark.parametrize(
    ("head", "content"),
    [
        (field("prompt"), b"a cat"),
        (field("session", kind="application/json"), b'{"instructions": "be brief"}'),
        (field("file", file="batch.jsonl"), LINES),
        (field("file", file="notes.txt"), b"notes"),
        (field("file", file="x", kind="text/csv"), b"a,b"),
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_part_with_text_takes_it(head: str, content: bytes, end: bytes) -> None:
    """Prose, JSON, JSON lines and text files; every other byte stays."""
    body = form((field("model"), b"gpt-image-1"), (head, content), (field("n"), b"2"), end=end)
    made = planted(body, TYPE, NOTE)

    assert made is not None
    assert made.count(NOTE.encode()) == 1
    assert made.replace(NOTE.encode(), b"") == body
    assert len(list(parts(made, TYPE))) == 3


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form((field("model"), b"whisper-1"), (field("file", file="a.wav", kind="audio/wav"), b"RIFF\0")), TYPE),
        (form((field("prompt"), b"a\0b")), TYPE),
        (form((field("prompt"), b"a cat")), "application/json"),
        (form((field("prompt"), b"a cat")), "multipart/form-data"),
        (form((field("prompt"), b"a cat")), "multipart/form-data; boundary=other"),
        (b"", TYPE),
        (b"--a b", TYPE),
    ],
)
def test_what_has_no_text_is_left_alone(body: bytes, kind: str) -> None:
    """Choices and sound, another body, no boundary: nothing is planted."""

    assert planted(body, kind, NOTE) is None


def test_a_stated_length_is_right_again() -> None:
    """Clients that state the length of each part (Ruby's) go on being right."""
    body = form((field("file", file="batch.jsonl", length=len(LINES)), LINES))
    made = planted(body, TYPE, NOTE)

    assert made is not None
    (part,) = parts(made, TYPE)
    assert f"Content-Length: {part.end - part.start}".encode() in made[part.at : part.start]
    assert json.loads(made[part.start : part.end].splitlines()[1])["messages"][0]["content"].count(NOTE) == 1


@given(st.binary(), st.text())
def test_no_body_breaks_it(body: bytes, kind: str) -> None:
    """Whatever it is given, it answers."""
    for each in (kind, TYPE):
        planted(b"--a b\r\n" + body, each, NOTE)
