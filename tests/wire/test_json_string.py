"""The inside of a JSON string is decoded character by character, and offsets lead back."""

import json

import pytest

from outwarden.wire.json_string import StringChannel


class Recorder:
    """A channel that decides nothing before the end and marks every character then."""

    def __init__(self):
        self.text = ""

    def feed(self, text):
        self.text += text
        return 0, ()

    def finish(self):
        return ()


@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        (r"a\n\t\r\b\f\"\\\/", 'a\n\t\r\b\f"\\/'),
        (r"\u00e9\u20AC\ud83d\ude00", "é€😀"),
        (r"\ud83d x", "\ufffd x"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\ude00", "\ufffd"),
        (r"\q\u12x", "qu12x"),
        ("raw\nline", "raw\nline"),
    ],
)
def test_escapes_are_decoded_at_any_cut(spelled, text):
    """Also where an escape or a surrogate pair is cut, and where it is none."""
    recorder = Recorder()
    channel, rest = StringChannel(recorder), ""
    for character in spelled + '"':
        rest += character
        used, ended, _ = channel.feed(rest, 0)
        rest = rest[used:]

    assert (recorder.text, ended, rest) == (text, True, '"')


def test_it_agrees_with_the_parser():
    """Every two-character escape and every character of the basic plane."""
    for code in range(0x10000):
        if not 0xD800 <= code < 0xE000:
            recorder = Recorder()
            StringChannel(recorder).feed(f'\\u{code:04x}"', 0)
            assert recorder.text == json.loads(f'"\\u{code:04x}"')
