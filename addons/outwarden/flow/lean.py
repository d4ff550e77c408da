"""What a lean mitmproxy does without: a look at the type of each field of the messages that it made itself."""

from mitmproxy import http


def make_lean() -> None:
    """Let mitmproxy make messages without that look.

    It takes 32 us for each request and reply, where making one takes 4; it is for those who write addons.
    """
    http.MessageData.__post_init__ = lambda self: None  # type: ignore[method-assign]
