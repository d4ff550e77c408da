"""Text that is not in UTF-8: which charset it is in, so that it can be read, changed and written back."""

import codecs
import re

_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
# Longest first: the mark of UTF-16 begins that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ALL_MARKS = tuple(mark for mark, _ in _MARKS)
# Charsets in which a byte below 0x80 is the ASCII character, or that are told by their zeros: what we put in fits them.
_KNOWN = re.compile(
    r"utf-(?:16|32)(?:-[bl]e)?|iso8859-\d+|cp(?:125\d|437|850|866|874|932|936|949|950)|koi8-[ru]|mac-roman"
    r"|shift_jis|euc_jp|euc_kr|gb2312|gbk|gb18030|big5(?:hkscs)?|tis-620",
)
_UTF_8 = frozenset({"utf-8", "ascii", "utf-8-sig"})


def charset_of(data: bytes, content_type: str) -> str | None:
    """The charset of ``data`` as Python names it; ``utf-8`` where nothing says otherwise, None for one not known here.

    What reads as UTF-8 is UTF-8, whatever the header says: JSON has no other (RFC 8259 §8.1), and what is looked for
    stands in ASCII. UTF-16 and UTF-32 are told by their mark or by their zeros, as JSON's own first standard did
    (RFC 4627 §3) and Python's ``json.loads`` does.
    """
    if data.startswith(_ALL_MARKS):
        return next(name for mark, name in _MARKS if data.startswith(mark))
    if b"\0" in data[:4] and (by_zeros := _by_zeros(data)) is not None:
        return by_zeros
    named = _CHARSET.search(content_type) if content_type else None
    if named is None:
        return "utf-8"
    try:
        name = codecs.lookup(named.group(1)).name
    except LookupError:
        return "utf-8"
    if name in _UTF_8:
        return "utf-8"
    wide = name.startswith(("utf-16", "utf-32"))
    is_json = data.lstrip(b" \t\r\n")[:1] in _OPENS  # in ASCII: no UTF-16 begins so, and no provider heeds the header
    if _KNOWN.fullmatch(name) is None:
        if is_json and "json" in content_type.lower():
            return "utf-8"
        return None  # UTF-7 and its like: ASCII to the eye, another text to who decodes it
    if name in ("utf-16", "utf-32"):
        name += "-be"  # RFC 2781 §4.3: without a mark, big-endian
    return name if (wide and not is_json) or not _is_utf_8(data) else "utf-8"


def to_utf_8(data: bytes, charset: str) -> bytes | None:
    """``data`` in UTF-8; None where the way back would not give the same bytes."""
    try:
        text = data.decode(charset)
        return text.encode() if text.encode(charset) == data else None
    except (UnicodeError, LookupError):
        return None


def _by_zeros(data: bytes) -> str | None:
    """UTF-16 and UTF-32 without a mark: every second (or all but one) byte of ASCII is zero.

    What opens JSON is told by its first character, any other text by two in five of its first characters.
    """
    head = data[:512]
    for name, width, at in (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1)):
        units = [head[start : start + width] for start in range(0, len(head) - width + 1, width)]
        narrow = sum(unit[at] != 0 and not any(unit[:at] + unit[at + 1 :]) for unit in units)
        opens = bool(units) and units[0][at : at + 1] in _OPENS and not any(units[0][:at] + units[0][at + 1 :])
        if opens or (narrow * 5 >= len(units) * 2 and not any(unit[at] == 0 for unit in units)):
            return name
    return None


_OPENS = (b"{", b"[")


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
