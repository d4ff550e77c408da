"""The second view: values that are written so that no pattern sees them.

Each recogniser here proposes a run of text by the signs of such writing (a zero-width mark in a word, number words, an
escape, base64 …), reads it as it is meant, and asks the ordinary recognisers what is in it, with the words before the
run as context. So a text without such signs costs nothing, and a stream holds no more than a run that may still grow.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from outwarden.pii import addresses, spelled
from outwarden.pii.apart import apart_recognizers
from outwarden.pii.assembled import assembled_recognizers
from outwarden.pii.bank import is_card
from outwarden.pii.beside import beside_recognizers
from outwarden.pii.births import birth_recognizers
from outwarden.pii.broken import BACKWARDS, broken_recognizers
from outwarden.pii.folding import JOINT, STRINGS, Folded, fold
from outwarden.pii.hidden_digits import hidden_digit_recognizers
from outwarden.pii.hosts_written import written_host_recognizers
from outwarden.pii.labelled import labelled_recognizers
from outwarden.pii.laid_out import laid_out_recognizers
from outwarden.pii.mailboxes import mailbox_recognizers
from outwarden.pii.marked_up import marked_up_recognizers
from outwarden.pii.matching import Candidate, Matcher
from outwarden.pii.named_values import named_value_recognizers
from outwarden.pii.netaddrs import netaddr_recognizers
from outwarden.pii.packed import packed_recognizers
from outwarden.pii.page import count_points, encode
from outwarden.pii.parted import parted_recognizers
from outwarden.pii.pieced import pieced_recognizers
from outwarden.pii.quads import quad_recognizers
from outwarden.pii.reading import DISCOUNT, VIEW, Look, first_in, looker
from outwarden.pii.recognizer import LOOK_BACK, Context, Recognizer, Sign, Verdict
from outwarden.pii.regexp import Regexp
from outwarden.pii.rows import row_recognizers
from outwarden.pii.signs_by_name import named_sign_recognizers
from outwarden.pii.strange import strange_recognizers
from outwarden.pii.transcripts import transcript_recognizers
from outwarden.pii.trial import trial_recognizers

DEPTH_MAX = 3
"""Base64 in hex in base64 …: so many levels are unpacked."""

_SPELLED_SCORE = 0.5
_SPELLED_ADDRESS_SCORE = 1.0  # "john dot smith at": an address, however surely a model sees a name in it
_WORDS_AMONG_DIGITS = 2  # one alone may count something: "2007-2008, fifteen episodes"
_WORDS_MIN = 7  # so many number words in a row are a number that somebody dictates

# --- odd characters and escapes inside a word

_VALUE = r"[A-Za-z0-9._%+\-@:/=&;#~]"
_INVISIBLE = (
    r"\x{AD}\x{34F}\x{61C}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}"
    r"\x{FE00}-\x{FE0F}\x{FEFF}\x{20D0}-\x{20FF}"
)
_LOOK_ALIKE = (
    r"\x{FF01}-\x{FF5E}\x{FE52}\x{FE63}\x{FE6B}\x{1D400}-\x{1D7FF}\x{2460}-\x{24FF}\x{2070}-\x{209C}\x{B2}\x{B3}"
    r"\x{B9}\x{660}-\x{669}\x{6F0}-\x{6F9}\x{966}-\x{96F}\x{9E6}-\x{9EF}\x{E50}-\x{E59}"
    r"\x{300}-\x{36F}\x{2024}\x{B7}\x{2010}\x{2011}\x{2B0}-\x{2B8}\x{2E1}-\x{2E3}\x{1D2C}-\x{1D6A}\x{1D9C}-\x{1DBF}"
    r"\x{2776}-\x{2793}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}\x{1F1E6}-\x{1F1FF}"
    r"\x{E0020}-\x{E007E}"
)
_ODD = (
    rf"(?:[{_INVISIBLE}{_LOOK_ALIKE}]|[A-Za-z0-9][\x{{3002}}\x{{FF61}}]"
    r"|[A-Za-z0-9@][\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}][A-Za-z0-9@]"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});|%[0-9A-Fa-f]{2}|=(?:40|2[DE]|3D|5F|C3|E2)|=\r?\n"
    r"|\\u(?:[0-9A-Fa-f]{4}|\{[0-9A-Fa-f]{1,6}\})|\\x[0-9A-Fa-f]{2}|\+A[A-H][AEIMQUYcgkosw048]-"
    r"|</?(?i:b|i|u|s|em|strong|span|font|mark|small|sup|sub|wbr|code|tt)(?:\s[^<>]{0,14})?/?>|<!--[^<>]{0,14}-->)"
)
# RE2 takes nested repeats of up to 1,000 in all.
_ODD_RUN = rf"{_VALUE}{{0,64}}(?:{_ODD}{_VALUE[:-1]}\x{{3002}}\x{{FF61}}]{{0,24}}){{1,32}}{_VALUE}{{0,64}}"

_ODD_SIGN = Sign(_ODD, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-@:/=&;#~", anywhere=True)

# What joins two pieces of a value, or marks one, in source code, quoted mail and Markdown. Only in whole texts: in a
# stream every quotation mark and end of a line would have to wait.
_SEAM = (
    r"(?:[A-Za-z0-9.@\-_](?:\*\*|~~|`)[A-Za-z0-9.@]|\\[_.@+~\-]|\\\r?\n[ \t]{0,8}|\r?\n>[> ]{0,4}"
    rf"|{STRINGS}"
    r"|[\"'] ?, ?[\"']@[\"'] ?, ?[\"']"
    r"|[\[({<]{1,2} ?(?:[.:@_/\-]|(?i:dot|punkt|punto|point)) ?[\])}>]{1,2})"
)
_SEAM_RUN = rf"{_VALUE}{{1,64}}(?:{_SEAM}{_VALUE}{{0,24}}){{1,24}}{_VALUE}{{0,64}}"
_TELLING = re.compile(r"[@0-9]")
_ESCAPING = re.compile(r"[&%\\<=]")
_SAYING = re.compile(r"(?:[^\W_][\W_]*){5}")  # no value says less
_WORDS_APART = frozenset(" ([{<")
_SEAM_SIGN = Sign(_SEAM, _ODD_SIGN.before)

# An account number in groups; it takes an odd character to be looked at here.
_LETTER = (
    rf"(?:[A-Za-z0-9{_INVISIBLE}{_LOOK_ALIKE}]"
    r"|&#[xX]?[0-9A-Fa-f]{2,3};|%[0-9A-F]{2}|\\u[0-9A-Fa-f]{4}|</?[a-z]{1,6}>)"
)
_ACCOUNT = rf"{_LETTER}(?:[ \-\r\n]?{_LETTER}){{14,60}}"
_ACCOUNT_SIGN = Sign(
    rf"[{_INVISIBLE}{_LOOK_ALIKE}]|&#[xX]?[0-9A-Fa-f]{{2,3}};|%[0-9A-F]{{2}}|\\u[0-9A-Fa-f]{{4}}|</?[a-z]{{1,6}}>",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -\r\n",
    inside=b" -\r\n",
    most=40,
)
_ACCOUNT_WORDS = Context(r"iban|account|acct|konto|compte|cuenta|conto|rekening|bank")

_PLAIN_DIGITS = re.compile(r"\+?[0-9]+(?:[ \-.()][0-9]+|\) ?[0-9]+| \([0-9]+)*")
_TABLE = re.compile(r"[0-9] *[\t\r\n]\s*[0-9]")
_SLASHED = re.compile(r"[0-9]{2,5}(?:/[0-9]{2,5}){2,3}")
_DATE = re.compile(r"(?:[0-9]{1,2}/[0-9]{1,2}/(?:[0-9]{2}){1,2}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2})")
_ONE_BY_ONE = re.compile(r"[0-9](?: [0-9])+")
_CARD_GROUPS = ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3], [1] * 16, [1] * 15)
_CARD_WORDS = Context(r"cards?|credit|debit|visa|master ?card|amex|pan\b|karte|tarjeta|carte")
_ADDRESS = Regexp(addresses.ADDRESS)
_BACKWARDS = Context(BACKWARDS)
_REVERSED_DIGITS = r"\b[0-9](?:[ \-.]?[0-9]){8,22}"


def view_recognizers(matcher: Matcher) -> list[Recognizer]:
    """The recognisers of everything that ``matcher`` finds, written in another way."""
    return _Levels(matcher).recognizers(0, tried=False)


def _view_recognizers(matcher: Matcher, levels: "_Levels", depth: int, *, tried: bool) -> list[Recognizer]:
    """The recognisers of everything that ``matcher`` finds, written in another way.

    ``tried``: the text was decoded on trial. Nothing is tried on that again: nobody packs so twice, and each of sixteen
    codes in each of sixteen cost minutes where a text is made for it.
    """
    look = looker(matcher)
    kinds = [pattern.recognizer for pattern in matcher.patterns]
    wanted = frozenset(kind.entity for kind in kinds).union(*(kind.names for kind in kinds))
    found = [
        *_whole_text_recognizers(look),
        *apart_recognizers(look, wanted),
        *broken_recognizers(look, wanted),
        *labelled_recognizers(wanted),
        *birth_recognizers(wanted),
        *written_host_recognizers(look, wanted),
        *row_recognizers(lambda text, start, end, number: _judged(look, text, start, end, number, (number,))),
        *marked_up_recognizers(look, wanted),
        *mailbox_recognizers(look, wanted),
        *netaddr_recognizers(wanted),
        *laid_out_recognizers(look, wanted),
        *parted_recognizers(wanted),
        *beside_recognizers(wanted),
        *pieced_recognizers(wanted),
        *named_value_recognizers(wanted),
        *named_sign_recognizers(look),
        *transcript_recognizers(look),
        *quad_recognizers(wanted),
        *hidden_digit_recognizers(wanted),
        *assembled_recognizers(look),
        Recognizer(VIEW, _ODD_RUN, lambda text, start, end, more: _check_odd(look, text, start, end), sign=_ODD_SIGN),
        Recognizer(
            VIEW,
            spelled.DIGITS,
            lambda text, start, end, more: _check_digits(look, text, start, end),
            sign=Sign(spelled.DIGITS_SIGN, b"0123456789 -.()+", inside=b" -.()", edge=True),
        ),
        Recognizer(
            VIEW,
            addresses.reversed_addresses(),
            lambda text, start, end, more: _check_reversed_address(look, text, start, end),
        ),
        Recognizer(
            VIEW,
            _REVERSED_DIGITS,
            lambda text, start, end, more: _check_reversed_digits(look, text, start, end),
            near=_BACKWARDS,
        ),
    ]
    if depth >= DEPTH_MAX:
        return found
    unpack = levels.unpacking(depth + 1, tried=tried)
    found += [*packed_recognizers(unpack), *strange_recognizers(unpack)]
    return found if tried else [*found, *trial_recognizers(levels.unpacking(depth + 1, tried=True))]


def _whole_text_recognizers(look: Look) -> list[Recognizer]:
    """Those that begin with any word: "john dot smith", "one"."""
    return [
        Recognizer(
            VIEW,
            _SEAM_RUN,
            lambda text, start, end, more: _check_seam(look, text, start, end),
            sign=_SEAM_SIGN,
            whole=True,
        ),
        Recognizer(
            VIEW,
            spelled.WORDS,
            lambda text, start, end, more: _check_words(look, text, start, end),
            whole=True,
        ),
        Recognizer(
            VIEW,
            addresses.ADDRESS,
            lambda text, start, end, more: _check_address(look, text, start, end),
            retry=True,
            sign=Sign(addresses.AT, b""),
            whole=True,
        ),
        Recognizer(
            VIEW,
            _ACCOUNT,
            lambda text, start, end, more: _check_account(look, text, start, end),
            sign=_ACCOUNT_SIGN,
            whole=True,
        ),
    ]


class _Levels:
    """The views of texts that were encoded, one for each level; made when first needed, as few texts are."""

    def __init__(self, matcher: Matcher) -> None:
        self._plain = looker(matcher)
        self._matcher = matcher
        self._views: dict[tuple[int, bool], Look] = {}

    def recognizers(self, depth: int, *, tried: bool) -> list[Recognizer]:
        """Those of one level."""
        return _view_recognizers(self._matcher, self, depth, tried=tried)

    def unpacking(self, depth: int, *, tried: bool) -> Look:
        """What looks into a text that was encoded, with the views of ``depth``."""

        def look(text: str, start: int = 0) -> list[Candidate]:
            if (views := self._views.get((depth, tried))) is None:
                views = self._views[depth, tried] = looker(Matcher(self.recognizers(depth, tried=tried)))
            return [*self._plain(text, start), *views(text, start)]

        return look


def _check_odd(look: Look, text: str, start: int, end: int) -> Verdict | None:
    run = text[start:end]
    folded = fold(run)
    if _SAYING.search(folded.text) is None:
        return None
    if folded.text != run:
        found = first_in(look, text, start, end, folded)
        if found is None and not _WORDS_APART.isdisjoint(folded.text):
            found = _address_in(look, folded, start)
        if found is not None:
            return found
    if "=" not in run:
        return None
    quoted = fold(run, quoted=True)
    return None if quoted.text in (run, folded.text) else first_in(look, text, start, end, quoted)


def _check_seam(look: Look, text: str, start: int, end: int) -> Verdict | None:
    if _TELLING.search(text, start, end) is None:
        return None  # words over the end of a quoted line
    found = first_in(look, text, start, end, fold(text[start:end], joined=True))
    return None if found is None or _stands_alone(look, text, found) else found


def _stands_alone(look: Look, text: str, found: Verdict) -> bool:
    """Whether a piece of a finding between two joints is one by itself: "by Ada" over "> ada@host.org"."""
    pieces = JOINT.split(text[found.start : found.end])
    if len(pieces) == 1:
        return False
    if found.entity == "API_KEY":
        pieces = pieces[1:]  # the first may be a key already, and the others more of it
    return any(one.entity == found.entity for piece in pieces if piece for one in look(piece))


def _check_digits(look: Look, text: str, start: int, end: int) -> Verdict | None:
    run = text[start:end]
    if _PLAIN_DIGITS.fullmatch(run) and not _ONE_BY_ONE.fullmatch(run):
        return None  # others look at those
    if _is_plain_table(run):
        return None
    number = spelled.read_digits(run)
    if len(number.digits) < _WORDS_MIN:
        return None
    number = replace(number, spans=[(start + low, start + high) for low, high in number.spans])
    plain = run.isascii() and not _ESCAPING.search(run)
    variants = _variants(number, run) if plain else (number.signed(), number, number.solid())
    return _judged(look, text, start, end, number, variants)


def _is_plain_table(run: str) -> bool:
    """Whether figures stand in rows or columns, and are no card: they are not read as one number (`_variants`)."""
    if not run.isascii() or _ESCAPING.search(run) or _TABLE.search(run) is None:
        return False
    if run.count("\n") == 1 or _LETTER_SIGN.search(run):
        return False
    return not is_card("".join(filter(str.isdecimal, run)))


_LETTER_SIGN = re.compile("[A-Za-z]")


def _check_words(look: Look, text: str, start: int, end: int) -> Verdict | None:
    begin = spelled.begin_of(text, start)
    if begin and text[begin - 1].isalnum() and text[begin].isalpha():
        return None  # no word: "phone", "weight"
    number, stop = spelled.read_words(text, begin)
    stop = max(stop, end)
    word = _FIRST_WORD.match(text, start, end)
    if len(number.digits) < _WORDS_MIN or number.words < _WORDS_AMONG_DIGITS:
        return Verdict(stop, stop, 0.0)
    found = _judged(look, text, begin, stop, number, (number.signed(), number, number.solid())) or _first_card(number)
    if found is None and len(number.digits) > min(_CARD_LENGTHS) and word:
        later, _ = spelled.read_words(text, word.end())  # "on" is a ten as well
        found = _first_card(later)
    if found is None and number.words >= _WORDS_MIN and _WORDS_MIN <= len(number.digits) <= 15:
        found = Verdict(number.spans[0][0], number.spans[-1][1], _SPELLED_SCORE, "PHONE_NUMBER")
        found = None if spelled.is_count(number.digits) else found
    return found or Verdict(stop, stop, 0.0)


_LISTED = frozenset(",./")
_FIRST_WORD = re.compile(r"[^\W\d_]+ ")
_CARD_LENGTHS = (16, 15, 14, 13)


def _first_card(number: spelled.Digits) -> Verdict | None:
    """A card of which each number was a word, before what else is said: the month and year that follow it."""
    for length in _CARD_LENGTHS:
        digits = number.digits[:length]
        apart = not _LISTED.isdisjoint(number.signs[1:length])
        if (
            len(digits) == length
            and number.words >= _WORDS_MIN
            and not apart
            and not spelled.is_count(digits)
            and is_card(digits)
        ):
            return Verdict(number.spans[0][0], number.spans[length - 1][1], 0.8, "CREDIT_CARD")
    return None


def _judged(
    look: Look, text: str, start: int, end: int, number: spelled.Digits, variants: Sequence[spelled.Digits]
) -> Verdict | None:
    """What a number is that was read out of a run, whichever way its groups are read."""
    if len(number.digits) < _WORDS_MIN or spelled.is_count(number.digits):
        return None
    if (card := _card_in(number, text, start)) is not None:
        return card
    readings = {read.text: read for read in (variant.grouped(start) for variant in variants)}
    for read in readings.values():
        if found := first_in(look, text, start, end, read):
            return found
    return None


def _variants(number: spelled.Digits, run: str) -> Sequence[spelled.Digits]:
    """How plain digits with unusual signs between them may be read; rows and columns of numbers join to anything."""
    if _TABLE.search(run):
        return [number.signed()] if run.count("\n") == 1 and any(sign in "-." for sign in number.signs if sign) else []
    if _ONE_BY_ONE.fullmatch(run) or (_SLASHED.fullmatch(run) and not _DATE.fullmatch(run)):
        return [number, number.solid()]
    return [number]


def _card_in(number: spelled.Digits, text: str, start: int) -> Verdict | None:
    """A card number, grouped as on a card, one by one, or after the word (behind a plus that is a telephone)."""
    if not is_card(number.digits):
        return None
    groups = number.groups()
    grouped = groups in _CARD_GROUPS or number.signed().groups() in _CARD_GROUPS or number.words >= _WORDS_MIN
    named = "+" not in text[max(0, start - 1) : start + 1] and _CARD_WORDS.before(text, start)
    if not grouped and not named:
        return None
    return Verdict(number.spans[0][0], number.spans[-1][1], 0.8, "CREDIT_CARD")


def _address_in(look: Look, read: Folded, start: int) -> Verdict | None:
    """An address in words in a text that stands at ``start``: jane%20%5Bat%5D%20acme.com."""
    data = encode(read.text)
    if (found := _ADDRESS.search(data)) is None:
        return None
    verdict = _check_address(look, read.text, count_points(data[: found[0]]), 0)
    if verdict is None:
        return None
    first, last = read.span(verdict.start, verdict.end)
    return verdict._replace(start=start + first, end=start + last)


def _check_address(look: Look, text: str, start: int, end: int) -> Verdict | None:
    address = addresses.read_address(text, start)
    if address is None:
        return None
    for candidate in look(address.text):
        if candidate.entity == "EMAIL_ADDRESS":
            return Verdict(address.start, address.end, _SPELLED_ADDRESS_SCORE, candidate.entity)
    return None


def _check_account(look: Look, text: str, start: int, end: int) -> Verdict | None:
    if not _ACCOUNT_WORDS.before(text, start):
        return None
    return first_in(look, text, start, end, fold(text[start:end].replace("\n", " ")))


def _check_reversed_address(look: Look, text: str, start: int, end: int) -> Verdict | None:
    forwards = addresses.forwards(text[start:end])
    found = forwards is not None and any(candidate.entity == "EMAIL_ADDRESS" for candidate in look(forwards))
    return Verdict(start, end, 0.7, "EMAIL_ADDRESS") if found else None


def _check_reversed_digits(look: Look, text: str, start: int, end: int) -> Verdict | None:
    before = text[max(0, start - LOOK_BACK) : start]
    for candidate in look(before + text[start:end][::-1]):
        if candidate.start >= len(before):
            return Verdict(start, end, candidate.score * DISCOUNT, candidate.entity)
    return None
