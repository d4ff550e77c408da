"""What the lean mitmproxy leaves out."""

from typing import Any

from mitmproxy import http

from outwarden.flow.lean import make_lean


def test_messages_are_made_unseen() -> None:
    """A lean mitmproxy does not look at the type of each field of each message that it makes."""
    make_lean()
    late: Any = "never"

    assert http.Response(b"HTTP/1.1", 200, b"OK", http.Headers(), b"", None, 0.0, late).timestamp_end == late
