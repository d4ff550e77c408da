"""Values planted in multipart bodies: in a field that is prose, in JSON, and in files of JSON lines.

Small and on purpose not the code under test.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from replaying import planting

# Fields with a choice, a number or a name in them: a sentence there makes no sense to any provider.
_PROSE_FIELDS = {"prompt", "text", "input", "instructions", "session", "content", "description", "style_prompt"}
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(rb'(?i)content-disposition:[^\r\n]*?;\s*name="?([^";\r\n]*)')
_IS_FILE = re.compile(rb"(?i)content-disposition:[^\r\n]*?;\s*filename\*?=")
_LENGTH = re.compile(rb"(?im)^(content-length:[ \t]*)([0-9]+)")
_TEXT_FILE = re.compile(rb'(?im)^content-type:[ \t]*text/|filename="?[^"\r\n]*\.(?:txt|md|csv)"?')


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a form: where its head begins, and where its content stands in the body."""

    at: int
    start: int
    end: int

    def rewritten(self, body: bytes, content: bytes) -> bytes:
        """The body with another content of this part; a length that its head states is right again."""
        head = _LENGTH.sub(lambda found: found[1] + b"%d" % len(content), body[self.at : self.start])
        return body[: self.at] + head + content + body[self.end :]


def planted(body: bytes, content_type: str, note: str) -> bytes | None:
    """The body with the sentence in its longest text; None where it has none, or is no multipart."""
    made = [
        (part.end - part.start, part.rewritten(body, new))
        for part in parts(body, content_type)
        if (new := _planted(body[part.at : part.start], body[part.start : part.end], note)) is not None
    ]
    return max(made, key=lambda each: each[0])[1] if made else None


def parts(body: bytes, content_type: str) -> Iterator[Part]:
    """The parts of a multipart body; none where it is none."""
    found = _BOUNDARY.search(content_type) if content_type.lower().lstrip().startswith("multipart/") else None
    if found is None:
        return
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape((found[1] or found[2]).encode()) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    marks = list(line.finditer(body))
    for mark, following in pairwise(marks):
        head = _HEAD_END.search(body, mark.end(), following.start())
        if mark[1] is None and head is not None:
            yield Part(mark.end(), head.end(), following.start())


def _planted(head: bytes, content: bytes, note: str) -> bytes | None:
    if content.lstrip()[:1] in (b"{", b"["):
        return _in_lines(content, note)
    name, is_file = _NAME.search(head), _IS_FILE.search(head)
    is_prose = name is not None and name[1].decode("latin-1").lower() in _PROSE_FIELDS
    if b"\0" in content or not (_TEXT_FILE.search(head) if is_file else is_prose):
        return None
    return content + note.encode()


def _in_lines(content: bytes, note: str) -> bytes | None:
    """One JSON document, or one a line: the sentence is in the longest text of the longest line that has one."""
    whole = planting.planted(content, note)
    if whole is not None:
        return whole
    lines = content.splitlines(keepends=True)
    for number in sorted(range(len(lines)), key=lambda each: -len(lines[each])):
        made = planting.planted(lines[number], note)
        if made is not None:
            return b"".join([*lines[:number], made, *lines[number + 1 :]])
    return None
