"""Which charset a text is in, and that it leads back to the same bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.charsets import charset_of, to_utf_8

TEXT = "text/plain; charset="


@pytest.mark.parametrize(
    ("data", "content_type", "charset"),
    [
        (b"plain", "text/plain", "utf-8"),
        (b"plain", TEXT + "utf-8", "utf-8"),
        (b"plain", TEXT + "US-ASCII", "utf-8"),
        (b"plain", TEXT + "latin1", "utf-8"),
        (b"caf\xe9", TEXT + "latin1", "iso8859-1"),
        (b"caf\xe9", TEXT + "'Windows-1252'", "cp1252"),
        ("é".encode(), TEXT + "latin1", "utf-8"),
        (b"plain", TEXT + "utf-7", None),
        (b"plain", TEXT + "idna", None),
        (b"plain", TEXT + "base64", None),
        (b"plain", TEXT + "nobody-knows", "utf-8"),
        ("hello".encode("utf-16"), "", "utf-16-le"),
        ("\ufeffhello".encode("utf-16-be"), "", "utf-16-be"),
        ("hello".encode("utf-32"), "", "utf-32-le"),
        ("hello".encode("utf-16-le"), "", "utf-16-le"),
        ('{"日本": "日本語"}'.encode("utf-16-be"), "", "utf-16-be"),
        ("[1]".encode("utf-32-be"), "", "utf-32-be"),
        ("日本".encode("utf-16-be"), TEXT + "utf-16", "utf-16-be"),
        (b"\0\0\0\x18ftypmp42", "", "utf-8"),
        (b"\0\1\2\3\4\5\6\7", "", "utf-8"),
        (b"", TEXT + "utf-16", "utf-16-be"),
        (b'{"a": 1}', "application/json; charset=utf-16", "utf-8"),
        (b' [1, "\xc3\xa9"]', "application/json; charset=utf-16le", "utf-8"),
        (b'{"a": 1}', "application/json; charset=utf-7", "utf-8"),
        (b'{"a": 1}', "application/json; charset=cp037", "utf-8"),
        (b'{"a": 1}', TEXT + "utf-7", None),
        ('{"a": "日"}'.encode("utf-16-be"), "application/json; charset=utf-16", "utf-16-be"),
    ],
)
def test_the_charset(data: bytes, content_type: str, charset: str | None) -> None:
    """By mark, by zeros, by name; a text that hides another one is not known."""
    assert charset_of(data, content_type) == charset


@given(st.binary(max_size=40), st.sampled_from(["utf-16-le", "utf-32-be", "cp1252", "shift_jis", "gb18030", "euc_kr"]))
def test_the_way_back(data: bytes, charset: str) -> None:
    """Either the same bytes come back, or the text is not read at all."""
    text = to_utf_8(data, charset)

    assert text is None or text.decode().encode(charset) == data


@given(st.binary(max_size=40))
def test_every_body_has_a_charset(data: bytes) -> None:
    """No input raises."""
    charset_of(data, "text/plain; charset=x")
