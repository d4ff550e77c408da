"""E-mail addresses that are said or decorated: "john dot smith at acme dot com", "jane <at> acme {punto} es".

What stands for the @ and the dots may be a word of a dozen languages or the sign itself, bare between spaces or within
any decoration (brackets, quotes, stars …); in brackets it may be any word at all, where the other one is known. The
pattern finds the @ with the first dot behind it; what stands around is read from there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from outwarden.pii.tongues import PLAIN_UNITS

_LETTER = r"[^\W\d_]"
_LABEL = rf"(?:{_LETTER}|[0-9])(?:{_LETTER}|[0-9\-]){{0,40}}"

# --- words for @ and for the dot

_AT_ENGLISH = r"at|a[ .\-]t|[@4ⓐⒶаɑａ][tтⓣⓉｔ]|[ⓐⒶ]"
_AT_FOREIGN = (  # words that mean nothing else between two parts of an address
    r"at[ _\-]?(?:sign|symbol|zeichen)|ät|snail|arroba|arobase?|klammeraffe|affenschwanz|chiocciola|apenstaartje"
    r"|ma[łl]pa|zavin[áa][čc]|snabel-?a|krøllalfa|alfakrøll|(?:kissan)?miukumauku|kukac|afna|majmunka|papaki|παπάκι|собака"
    r"|собачка|равлик|маймунка|et işareti|アットマーク|アット|골뱅이|艾特|小老鼠|שטרודל|आट|ऐट|एट|آت|แอด"
    r"|a c[oò]ng|arond|coada de maimu[țt]ă|manki|at the rate(?: of)?|(?:the )?curly a|kringel-?a"
)
# Words that say more elsewhere: only with a dot that is said too.
_AT_WEAK = r"bei|chez|presso|hos|bij|kod|et|over at"
# Of scripts without spaces: nothing has to stand around them.
_AT_GLUED = r"アットマーク|アット|골뱅이|艾特|小老鼠|圈a|แอด|🐒|🐵|©|Ⓐ|ⓐ|🌀"
_DOT_GLUED = r"ドット|点|點|점|닷|ดอท|จุด|⚫|●|•|·|․"
_DOT_ENGLISH = r"dot|d[ .\-]o[ .\-]t|[dԁⓓⒹｄ][o0оοⓞⓄｏ][tтⓣⓉｔ]|period|full[ \-]?stop"
_DOT_FOREIGN = (
    r"punkt(?:um)?|point|punto|ponto|punt|kropka|te[čc]ka|bodka|piste|pont|nokta|punct|te(?:l|ll)eia|τελεία|точка|крапка"
    r"|ドット|点|點|점|닷|डॉट|נקודה|دوت|نقطة|ดอท|จุด|ch[aấ]m"
)
_AT = rf"{_AT_FOREIGN}|{_AT_ENGLISH}|{_AT_WEAK}"
_DOT = rf"{_DOT_FOREIGN}|{_DOT_ENGLISH}"
_AT_SIGNS, _DOT_SIGNS = "[@＠﹫]", r"[.．。｡・﹒․·•⚫●]"
# Other signs of an address in words; they never begin or end one.
_MARKS = {
    "-": r"dash|hyphen|minus|bindestrich|strich|tiret|gui[oó]n|trattino|h[íi]fen|streepje|my[śs]lnik|дефис",
    "_": r"under ?score|under ?line|unterstrich|tiret bas|gui[oó]n bajo|podkre[śs]lenie",
    "+": r"plus",
}

# --- what may stand around a word

_STRONG = r"\[\](){}<>«»“”‘’„‹›【】（）［］｛｝＜＞〈〉「」『』\"'"
_WEAK = r"|~*=:_\-/\\#$^+!.•`"
_DECORATION = rf"[{_STRONG}{_WEAK}]{{1,3}}"
_SIDE = rf"(?:\s{{0,3}}{_DECORATION}[ ]?|\s{{1,3}})"
_OTHER_SIDE = rf"(?:[ ]?{_DECORATION}\s{{0,3}}|\s{{1,3}})"
_BRACKETED = r"[\[({<【（［]{1,2}[ ]?WORD[ ]?[\])}>】）］]{1,2}[ ]?"
_ANY_WORD = r"LETTER{2,15}"
# Outside of ASCII the pattern takes anything for a letter, which the check does not: with Unicode's letters in so many
# repetitions it has 370,000 steps, and RE2 takes 700 us for a KB where 2 are usual.
_LETTERS = r"A-Za-z\x{80}-\x{10FFFF}"

# A mail provider that everybody knows needs no ending; and endings that people write. Two letters are a country.
_PROVIDERS = r"gmail|googlemail|outlook|hotmail|yahoo|icloud|protonmail|proton|gmx|posteo|aol|yandex|fastmail|zoho"
_ENDINGS = frozenset(
    """
    com org net edu gov mil int info biz name pro mobi app dev xyz online site shop store tech cloud email mail
    health care clinic bank finance insure law legal group company agency solutions global world life live news
    media art blog page digital design studio systems software network support team work works consulting berlin
    hamburg london paris wien cat academy school university museum travel club social one test example invalid
    """.split()
)
_SURE_ENDINGS = frozenset({"com", "net", "org", "edu", "gov", "de", "fr", "es", "it", "nl", "pl", "uk", "ru"})
# Words of English that are countries as well: "at the dot in the middle".
_ENDING_WORDS = frozenset("in it is me no so to us at be my as am an do by la de".split())
# What stands before a bare "at" in a sentence, and is nobody's name.
_NO_LOCAL = frozenset(
    """
    a all also am an and any anything are available back be been being better but by call called came down each end
    ends even everything for found from go good had has have he her here him his hosted i in is it its just later live
    lives located look looked looking looks meet mostly much not now of off on one only or out over read room run
    running runs see seen set she so some something start started starts stay still stop that the them then there these
    they this those time to up us version was we well were what when where which while who with work worked working
    works you your
    """.split()
)


def _patterns() -> tuple[str, str]:
    """RE2: what may stand for an @; and from there to the first letter behind the first dot.

    No address that is written as usual has them. What decorates the @ begins with its last sign here: a pattern that
    may begin at every space takes an automaton that is slow in code.
    """
    edge = rf"[\s{_STRONG}{_WEAK}][ ]?"
    label = rf"[{_LETTERS}0-9][{_LETTERS}0-9\-]{{0,40}}"
    side, other = _SIDE, _OTHER_SIDE
    marks = "|".join(_MARKS.values())
    domain = rf"{label}(?:{side}(?i:{marks}){other}{label}){{0,2}}"
    any_word = _BRACKETED.replace("WORD", _ANY_WORD.replace("LETTER", f"[{_LETTERS}]"))
    one, two = (rf"[\[({{<]\s?(?i:{letter})\s?[\])}}>]\s{{0,3}}" for letter in "ad")
    glued = rf"[ ]?(?:{_AT_GLUED})[ ]?"
    at = rf"(?:{edge}(?:(?i:{_AT})|{_AT_SIGNS}){other}|{one}|{glued}|{edge}{_AT_SIGNS}|{_AT_SIGNS}{other})"
    # Behind an @ as usual only where the dot is not: most are those of plain addresses.
    unusual = rf"{_AT_SIGNS}(?:[\s{_STRONG}{_WEAK}]|[\p{{L}}0-9\-]+(?:[^\p{{L}}0-9.\-@]|\z))"
    # A line that begins with one is a decorator of a program.
    spaced = rf"[ \t{_STRONG}{_WEAK}]{_AT_SIGNS}[\s\p{{L}}0-9{_STRONG}{_WEAK}]|\n{_AT_SIGNS}\s"
    on_provider = rf"\s(?i:on|via|over)\s(?i:{_PROVIDERS})\b"
    near = rf"{on_provider}|{edge}(?i:{_AT})[\s{_STRONG}{_WEAK}]|{spaced}|{unusual}|{one}|AT[a-z0-9]|{_AT_GLUED}"
    dot = rf"(?:[ ]?(?:{_DOT_GLUED})[ ]?|{side}(?:(?i:{_DOT})|{_DOT_SIGNS}){other}|\s{{0,3}}{two}|{side}{_DOT_SIGNS})"
    known = rf"{at}(?:{domain}(?:{dot}|{_DOT_SIGNS}|[ ]?{any_word}|,)[{_LETTERS}]|(?i:{_PROVIDERS})\b)"
    by_dot = rf"(?:{_AT_SIGNS}|{any_word}){domain}{dot}[{_LETTERS}]"
    hosted = rf"\s(?i:on|via|over)\s(?i:{_PROVIDERS}){dot}"
    undotted = r"\s(?i:at)\s[A-Za-z0-9\-]{2,40} (?:com|net|org|de)\b"
    capitals = r"AT[a-z0-9\-]{1,40}(?:DOT|\.)[a-z]"
    # Any word in brackets only with the first of the signs behind it: "[INFO] the worker" is a line of a log.
    first_dot = rf"{side}(?:(?i:{marks}|{_DOT})|{_DOT_SIGNS})|[ ]?(?:{_DOT_GLUED})|\s{{0,3}}{two}"
    return rf"{near}|{any_word}{label}(?:{first_dot})", rf"(?:{known}|{by_dot}|{hosted}|{undotted}|{capitals})"


AT, ADDRESS = _patterns()

_any_word = "[ ]?" + _BRACKETED.replace("WORD", _ANY_WORD.replace("LETTER", _LETTER))
_marks = "|".join(f"(?P<mark{at}>{words})" for at, words in enumerate(_MARKS.values()))
_I = re.IGNORECASE
_SAID_AT = re.compile(
    rf"(?P<before>{_SIDE})(?P<word>(?:on|via|over)(?=\s(?:{_PROVIDERS})\b)|{_AT}|{_AT_SIGNS}|a(?=\s?[\])}}>]))(?P<after>{_OTHER_SIDE})|(?P<sign>\s{{0,3}}{_AT_SIGNS}\s{{0,3}})"
    rf"|(?P<unknown>{_any_word})|(?-i:(?P<capitals>AT)(?=[a-z0-9]))|(?P<glued>[ ]?(?:{_AT_GLUED})[ ]?)",
    _I,
)
_SAID_DOT = re.compile(
    rf"(?P<before>{_SIDE})(?P<word>{_DOT}|{_DOT_SIGNS}|d(?=\s?[\])}}>]))(?P<after>{_OTHER_SIDE})|(?P<sign>\s{{0,3}}{_DOT_SIGNS}\s{{0,3}})"
    rf"|(?P<unknown>{_any_word})|(?P<comma>,)|(?-i:(?P<capitals>DOT)(?=[a-z]))|(?P<gap>[ ](?=(?:com|net|org|de)\b))"
    rf"|(?P<glued>[ ]?(?:{_DOT_GLUED})[ ]?)|{_SIDE}(?:{_marks}){_OTHER_SIDE}",
    _I,
)
_BEFORE_LOCAL = re.compile(
    rf"(?P<glued>[ ]?(?:{_DOT_GLUED})[ ]?)\Z|{_SIDE}(?:(?P<dot>{_DOT}|{_DOT_SIGNS})|{_marks}){_OTHER_SIDE}\Z", _I
)
_PART = re.compile(_LABEL.replace(r"\-", r"\-_"))
_IN_CAPITALS = re.compile(r"[a-z0-9\-]+(?=DOT|\.)|[a-z0-9\-]+")
_PROVIDER = re.compile(rf"(?:{_PROVIDERS})\b(?![.\-])", _I)
_GLUED = re.compile(_DOT_GLUED)
_LOCAL_SIGNS = frozenset("._%+-")
_LABELLED = re.compile(
    r"(?:e-?mail|\bmail|correo|courriel|e-post|почта|邮箱|メール)(?: address| id)?"
    r"\s*(?:is|ist|est|es|:|=|：)\s*[\"']?\Z",
    _I,
)
_LABELLED_AFTER = re.compile(r"[\"']?\s+(?:is|as)\s+(?:\w+\s){1,2}e-?mail", _I)
_DECORATIONS = frozenset(re.sub(r"\\(.)", r"\1", _STRONG + _WEAK))
_DECORATION_MAX = 2
_AROUND_AT = frozenset("_|*~=#^+")  # the same before and behind: jane|at|acme.com, but look-at-me.com
_SPACED_MIN = 3  # at least so long is what stands before a lone @ with spaces around it: a @ b.T multiplies matrices
_LOCAL_MAX, _PARTS_MAX, _JOINT_MAX = 64, 4, 28
_JOINED_LETTERS = re.compile(rf"{_LETTER}(?:-{_LETTER})+")


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it is meant, and where it stands."""

    text: str
    start: int
    end: int

    def __repr__(self) -> str:
        return f"<Address at {self.start}>"


@dataclass(frozen=True, slots=True)
class _Joint:
    """What stands for a sign.

    ``said``: not the sign itself. ``sure``: in brackets, or a word that means nothing else. ``unknown``: any word.
    """

    sign: str
    said: bool
    sure: bool = False
    bare: bool = False
    english: bool = False
    unknown: bool = False
    ends_sentence: bool = False
    spaced: bool = False


def read_address(text: str, start: int) -> Address | None:
    """Read the address whose @ `ADDRESS` found at ``start``; None for words that only look like one."""
    start = _before_sign(text, start)
    found = _SAID_AT.match(text, start)
    if found is None:
        return None
    at = _joint(found, "@")
    domain = _read_domain(text, found.end(), at)
    local = _read_local(text, start)
    if domain is None or local is None:
        return None
    said_local, first, spelled = local
    labels, end, dots = domain
    labelled = bool(_LABELLED.search(text[max(0, first - _JOINT_MAX) : first]) or _LABELLED_AFTER.match(text, end))
    written = not local[0].isalpha()  # jane81 @Acme. Com, jane81 at acme . com: no words of a sentence
    spelled = spelled or any(dot.said or (dot.spaced and written) for dot in dots)
    if any(dot.ends_sentence for dot in dots) and not (written and at.bare):
        return None
    if not (labelled and at.said) and not _is_meant(at, dots, said_local, labels, spelled, text, end):
        return None
    if any(dot.sign == " " for dot in dots) and not labelled:
        return None
    name = ".".join(labels) if dots or "." in labels[0] else f"{labels[0]}.com"
    return Address(f"{said_local}@{name}", first, end)


def _before_sign(text: str, start: int) -> int:
    """Where what decorates an @ begins, or the space before it."""
    low = max(0, start - _DECORATION_MAX)
    while start > low and text[start] in _DECORATIONS and text[start - 1] in _DECORATIONS:
        start -= 1
    low = max(0, start - _DECORATION_MAX)
    while start > low and text[start - 1].isspace():
        start -= 1
    return start


def _joint(found: re.Match[str], sign: str) -> _Joint:
    if found["capitals"] or found["unknown"]:
        return _Joint(sign, said=True, sure=found["capitals"] is not None, unknown=found["capitals"] is None)
    if found["glued"]:
        return _Joint(sign, said=True, sure=True)
    if found["word"] is None:
        plain = found["sign"] or sign
        return _Joint(
            sign,
            said=False,
            bare=plain != plain.strip(),
            ends_sentence=plain[0] == "." and len(plain) > 1,
            spaced=plain[0] == plain[-1] == " ",
        )
    before, word, after = found["before"].strip(), found["word"], found["after"].strip()
    if not word.isalpha() and "." in before + after:
        return _Joint(sign, said=False, ends_sentence=True)  # "at once .... Or"
    said = len(word) > 1 or word.isalpha() or bool(before or after)
    english = re.fullmatch(_AT_ENGLISH if sign == "@" else _DOT_ENGLISH, word, _I) is not None
    bracketed = bool(before and after) and not re.search(f"[{_WEAK}]", before + after)
    weak = sign == "@" and re.fullmatch(_AT_WEAK, word, _I) is not None
    underscored = before == after and before in _AROUND_AT
    return _Joint(sign, said, bracketed or underscored or not (english or weak), not (before or after), english)


def _read_local(text: str, end: int) -> tuple[str, int, bool] | None:
    """(what stands before the @, where it begins, whether a sign of it is said)."""
    parts: list[str] = []
    spelled = False
    for _ in range(_PARTS_MAX):
        start = end
        while start > max(0, end - _LOCAL_MAX) and (text[start - 1].isalnum() or text[start - 1] in _LOCAL_SIGNS):
            start -= 1
        if dots := list(_GLUED.finditer(text, start, end)):
            start = dots[-1].end()
        while start < end and text[start] in "._%+-":
            start += 1
        if start == end:
            break
        parts.insert(0, text[start:end])
        if (
            len(parts[0]) > 1
            and (digit := PLAIN_UNITS.get(parts[0].lower())) is not None
            and text[start - 1 : start] == " "
        ):
            parts[0], end = str(digit), start - 1  # "ortega eight five at"
            first = start
            continue
        first = start
        joint = _BEFORE_LOCAL.search(text[max(0, start - _JOINT_MAX) : start])
        if joint is None:
            break
        said = joint["glued"] or joint["dot"]
        if joint["glued"] is None and said is not None and not said[0].isalnum():
            break  # a full stop
        parts.insert(0, "." if said else _mark(joint))
        end, spelled = start - len(joint[0]), True
    if parts and not parts[0][-1].isalnum():
        parts, spelled = parts[1:], len(parts) > 2
    if not parts or (first and (text[first - 1] == "@" or text[first - 1] == "/")):
        return None
    local = "".join(_one_word(part) for part in parts)
    return None if local.endswith(".") else (local, first, spelled)


def _mark(joint: re.Match[str]) -> str:
    return next(sign for at, sign in enumerate(_MARKS) if joint[f"mark{at}"])


def _one_word(part: str) -> str:
    """m-i-r-a is said letter by letter."""
    return part.replace("-", "") if _JOINED_LETTERS.fullmatch(part) else part


def _read_domain(text: str, start: int, at: _Joint) -> tuple[list[str], int, list[_Joint]] | None:
    """(labels, where they end, the dots between), up to the last label that can end a domain."""
    labels: list[str] = []
    dots: list[_Joint] = []
    best: tuple[list[str], int, list[_Joint]] | None = None
    for label, end, dot in _labels(text, start):
        if dot is not None and dot.sign in _MARKS:
            labels[-1] += dot.sign + label
            continue
        if dot is not None:
            if (dot.ends_sentence and not _is_capital_ending(label)) or (
                dot.sign in ", " and not _may_follow(dot, label, at)
            ):
                break
            dots.append(dot)
        labels.append(_one_word(label))
        if len(labels) > 1 and _ends(labels[-1]):
            best = labels[:], end, dots[:]
    if best is None and (provider := _PROVIDER.match(text, start)):
        return [provider[0]], provider.end(), []
    return best


def _may_follow(dot: _Joint, label: str, at: _Joint) -> bool:
    """Whether a comma or a gap is a mistyped dot: "jane at acme com", jane@acme,com."""
    ending = label.lower()
    return ending in _SURE_ENDINGS and (at.said or (dot.sign == "," and not at.bare and ending not in _ENDING_WORDS))


def _is_capital_ending(label: str) -> bool:
    """Whether it ends a domain as a telephone's keyboard corrects it: "jane81 @Acme. Com"."""
    return label.istitle() and _ends(label) and label.lower() not in _ENDING_WORDS


def _labels(text: str, at: int) -> Iterator[tuple[str, int, _Joint | None]]:
    dot: _Joint | None = None
    for _ in range(_PARTS_MAX + 2):
        capitals = _IN_CAPITALS.match(text, at)
        label = capitals if capitals and text.startswith("DOT", capitals.end()) else _PART.match(text, at)
        if label is None:
            return
        said, end = label[0].rstrip("-_"), label.end()
        end -= len(label[0]) - len(said)
        # acme-dot-com is one row of characters
        cut = re.search(rf"[_\-](?:{_DOT})[_\-]", said, _I) or _GLUED.search(said)
        if cut:
            said, end = said[: cut.start()], at + cut.start()
        yield said, end, dot
        found = _SAID_DOT.match(text, end)
        if found is None:
            return
        marks = [sign for at_, sign in enumerate(_MARKS) if found[f"mark{at_}"]]
        if marks:
            dot = _Joint(marks[0], said=True)
        elif found["comma"] or found["gap"]:
            dot = _Joint("," if found["comma"] else " ", said=False)
        else:
            dot = _joint(found, ".")
        at = found.end()


def _ends(label: str) -> bool:
    return label.lower() in _ENDINGS or (len(label) == 2 and label.isalpha() and label.isascii())


def _is_meant(
    at: _Joint, dots: list[_Joint], local: str, labels: list[str], spelled: bool, text: str, end: int
) -> bool:
    """Whether nothing else is said so."""
    if not at.said:  # broken before a dot, or spaces about
        return spelled or (len(local) >= _SPACED_MIN if at.bare else labels[-1].lower() in _SURE_ENDINGS)
    if not dots:
        return (at.sure and not at.bare) or "." in local
    if labels[0].lower() in _NO_LOCAL:
        return False  # the words "at" and "dot com"
    if not at.sure and not spelled:
        return False  # "look at github.com", look-at-me.com
    if at.bare and any(dot.unknown for dot in dots):
        return False  # call me at noon (see example)
    if at.bare and at.english and local.isalpha():  # with a sign or digits in it, it is no word of a sentence
        if local.lower() in _NO_LOCAL or any(not dot.english and dot.bare and dot.said for dot in dots):
            return False  # "at this point it"
        if dots[-1].bare and labels[-1].lower() in _ENDING_WORDS and re.match(r" [a-z]", text[end : end + 2]):
            return False  # "at the dot in foo"
    return True


# --- backwards


def reversed_addresses() -> str:
    """The pattern of an address written backwards."""
    backwards = {ending[::-1] for ending in _ENDINGS} | _COUNTRIES_BACKWARDS
    ends = "|".join(sorted(backwards, key=lambda ending: (-len(ending), ending)))
    return rf"\b(?i:{ends})\.[A-Za-z0-9.\-]{{1,60}}@[A-Za-z0-9._+\-]{{1,64}}"


_COUNTRIES_BACKWARDS = frozenset(
    country[::-1] for country in "de uk fr es it nl pl se ie ca au in br sg za kr jp ch at us io co eu".split()
)


def forwards(address: str) -> str | None:
    """The address that was written backwards; None where it is one as it stands."""
    domain = address.rpartition("@")[2]
    ending = domain.rpartition(".")[2]
    if "." in domain and _ends(ending):
        return None
    return address[::-1]
