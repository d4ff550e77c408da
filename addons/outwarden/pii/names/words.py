"""Cut a text into units that are judged alone, and a unit into words. Linear in the text, whatever it holds."""

import re
from collections.abc import Iterator

# A longer sentence is cut, at a space if there is one; a reply waits for no more than this.
UNIT_CHARACTERS_MAX = 600
# A line this long is broken by its width: the sentence goes on in the next.
_WRAPPED_CHARACTERS = 56

# Each alternative but the words is bounded, so that no run of characters is looked at more than a few times. The first
# one finds nothing that the others would not: most words end here, so they are not tried as addresses and paths.
WORD = re.compile(
    r"[^\W\d_]{1,64}+(?=[\s,;!?)])"
    r"|https?://\S+|www\.\S+"
    r"|[\w.+-]{1,64}+@[\w-]{1,63}(?:\.[\w-]{1,63})+"
    r"|[@#]\w{1,64}"
    r"|[\w.~-]{0,64}+[/\\][\w.~-]{1,64}+[/\\][\w.~/\\-]*"
    r"|[^\W\d_]{1,64}+(?:['\u2019](?!s\b)[^\W\d_]{1,64}+)?+(?![\d_])"
    r"|['\u2019]s\b"
    r"|\w{1,64}"
    r"|[^\w\s]"
)
# After one of these words a full stop ends no sentence.
_ABBREVIATIONS = frozenset(
    word
    for line in (
        "mr mrs ms mx dr drs prof rev hon sr jr st fr gen col capt lt sgt maj cpl adm cmdr gov sen rep pres supt insp",
        "det msgr pt pts no nos vs etc al fig approx dept ext tel inc ltd corp co bros attn acct cf ref resp",
        "smt mst dkt zr enf piel lek schw mw dhr mevr mme mlle sra srta dra dott sig mudr uzm gyd oä phd frl",
        "jan feb mar apr jun jul aug sep sept oct nov dec hr hrs min wk wks yr yrs",
    )
    for word in line.split()
)
_STOP = re.compile(r"(?<=[.!?…])[\"'\u201d\u2019)\]*_]{0,3}[ \t]|\n|\r(?=[^\n])")
_LAST_WORD = re.compile(r"[^\W\d_]+(?=\.[\"'\u201d\u2019)\]*_]{0,3}$)")


def unit_ends(text: str) -> Iterator[int]:
    """Yield the end of each unit of ``text`` that no text after it can change; the rest is the last, open one."""
    start = 0
    for stop in _STOP.finditer(text):
        end = stop.end()
        while end - start > UNIT_CHARACTERS_MAX:
            start = _cut(text, start)
            yield start
        if stop.start() > start and _ends_unit(text, start, stop.start(), end):
            yield end
            start = end
    while len(text) - start > UNIT_CHARACTERS_MAX:
        start = _cut(text, start)
        yield start


def _cut(text: str, start: int) -> int:
    """Where a unit that is too long ends: after its last space, or anywhere."""
    end = start + UNIT_CHARACTERS_MAX
    for at in range(end - 1, start + UNIT_CHARACTERS_MAX // 2, -1):
        if text[at].isspace():
            return at + 1
    return end


def _ends_unit(text: str, start: int, stop: int, end: int) -> bool:
    if text[end - 1] in "\r\n":
        return _ends_line(text, start, stop)
    found = _LAST_WORD.search(text, max(start, stop - 20), end - 1)
    if found is None:
        return True  # "!", or a number or bracket before the full stop
    word = found[0]
    return len(word) > 1 and word.lower() not in _ABBREVIATIONS  # one letter is an initial


def _ends_line(text: str, start: int, stop: int) -> bool:
    """A line ends a unit unless it greets ("Thanks,"), announces ("Attendees:"), or was broken by its width."""
    said = text[start:stop].rstrip()
    if not said:
        return False
    if said[-1] in ",:":
        return False
    line = len(said) - said.rfind("\n") - 1
    return line < _WRAPPED_CHARACTERS or not said[-1].isalpha()
