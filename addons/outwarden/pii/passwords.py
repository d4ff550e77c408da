"""Passwords: what stands behind a word for one, however a sentence, a program, a table or a file of settings says it.

The word may be one of many languages, or part of a name (`db_password`); between it and the value may stand a sign, a
verb, the end of a line, a tag, a field's name. How sure that link is decides how much like a password the value must
look: behind `=` or "is" letters with digits are enough, behind nothing but a space they must be mixed with signs.
"""

import re
from enum import IntEnum

from outwarden.pii.columns import cells
from outwarden.pii.folding import fold
from outwarden.pii.literals import Literal, read_literal
from outwarden.pii.recognizer import Context, Verdict
from outwarden.pii.regexp import Regexp

# --- words for a password; what is part of a longer word of programs ("passed", "bypass") is none

_WORDS = (
    r"p[a@4][s$5]{2}[ _\-/]?(?:w[o0]r[dt]s?|wd|phrase|code|key|w)|pass\b|pass_|pswd|psw\b|pwd?\b|[a-z]_pwd?\b|[a-z]Pwd?\b|psk\b"
    r"|p a s s w o r d|sae_password|bindpw|(?:unlock|access|entry|door|gate|alarm) code|rootpw|requirepass|keymaterial|cpassword|kennw[oö]rt(?:er|s)?|losungswort"
    r"|passwor[dt]et|mots? de passe|mdp\b|contrase[nñ]a|\bclave\b|senha|palavra[ -]passe|parol[aeăi]?\b"
    r"|wachtwoord(?:en)?|has[łl]o\b|has[łl]em\b|hesl[oa]\b|jelsz[oó]|l[oö]senord(?:et)?|adgangskoden?|kodeord(?:et)?|passordet"
    r"|salasana(?:n|ni)?|slapta[žz]od|geslo\b|lozink|[şs]ifre(?:si|m)?\b|kata sandi|parool"
)
_WIDE = (
    r"парол[ьяеюи]?|лозинк|κωδικ[οό][ςσ]|συνθηματικ|סיסמ[אה]|كلمة (?:المرور|السر)|पासवर्ड|รหัสผ่าน|mật khẩu|密码|密碼|口令|パスワード"
    r"|暗証|비밀번호|비번|암호|ססמ|रहस्य|şifre"
)
WORDS = Context(_WORDS, inside=True, wide=_WIDE)
_WORD = re.compile(f"{_WORDS}|{_WIDE}", re.IGNORECASE)

# --- from the word to the value


class Sure(IntEnum):
    """How sure it is that a value follows."""

    BARE = 0
    RAW = 1
    QUOTED = 2
    CODED = 3  # said to be encoded: it need look like nothing


_MORE_NAME = r"(?:[_\-. ]?(?:b64|base ?64|hex|rot ?\d{2}|enc(?:oded|rypted)?|plain(?:text)?|new|old|prod|dev|db|string|text|value|field|[0-9]{1,2})\b)*"
_CLOSE = r"[\]\"'`)*_~}]{0,5}"
_MARK = r"(?:={1,3}>?|:=|::?|[：＝︰→➜»|]|-{1,2}>|—|–|-(?= )|>{1,3}|\.{2,4}(?= ))"
_VERB = (
    r"(?:is|was|becomes|equals|reads|says|remains|stays|ist|war|lautet|sei|est|était|es|era|será|é|è|sar[aà]|to jest|jest|je"
    r"|este|e|är|er|luidt|byl[oa]|bylo|будет|это|는|은|は|が|是|为|為|=)"
)
_WEAK_VERB = r"(?:to|as|with|of|on|mit|auf|van|are|be|from|zu|en|por|con|avec)"
_ADVERB = r"(?:now|still|currently|just|set to|changed to|reset to|going to be|jetzt|nun|noch|maintenant|ahora|agora|ora|adesso|nu|teraz|still)"
_TYPE = r"(?::\s?[&']?\w{2,16}(?:\[\d{0,3}\]|<\w+>)?\??\s?(?==)|\[\d{0,3}\]\s?(?==))"
_COMMA = r"[\"']\s?,\s?(?=[\"'])"
_ATTRIBUTE = r"[\"']?(?:\s{1,3}(?:name|id|class|autocomplete|size|tabindex)\s?=\s?[\"']?[\w.\-\[\]]{1,24}[\"']?){0,3}\s{1,3}(?:value|content|data|val|v)\s?=\s?"
_TAGS = r"(?:[\"']?\s?/?>|</?[a-zA-Z][^<>\n]{0,40}>)(?:\s{0,4}</?[a-zA-Z][^<>\n]{0,40}>){0,3}\s{0,4}"
_ABOUT = r"(?P<about>(?:[ ](?:[^\W\d_][\w'’.\-]{0,20}|\([^()\n]{1,24}\)|\"[^\"\n]{1,20}\")){0,6}?)"
_HEAD = r"(?:\[[\d:. ]{4,24}\][ ]?)?(?:[\w.\-]{1,20}:[ ])?"  # of a line of a chat
_LINK = re.compile(
    rf"(?P<name>{_MORE_NAME}){_CLOSE}"
    rf"(?:(?P<attribute>{_ATTRIBUTE})|{_ABOUT}"
    rf"(?:\s{{0,3}}{_TYPE}?{_MARK}[ \t]{{0,4}}(?:(?:[|>][+\-]?\s*\n\s+)|\s{{0,3}}(?={_MARK}))?(?:\*\*[ ]?)?|(?P<cjk>[是为為はが은는이가]{{1,2}}[：:]?\s?)"
    rf"|\s{{1,2}}(?P<verb>{_VERB})(?:\s{_ADVERB})*\s?:?\s{{1,2}}|\s{{1,2}}(?:c['’]est|cos['’]è|è|dat is|das ist)\s?:?\s)"
    rf"|{_COMMA}|(?P<tags>{_TAGS})|(?P<typed>\s[0578]\s))",
    re.IGNORECASE,
)
_WEAK_LINK = re.compile(
    rf"(?P<name>{_MORE_NAME}){_CLOSE}"
    rf"(?:{_ABOUT}(?:[ ]{_WEAK_VERB}(?:[ ]{_ADVERB})*[ ])|[ :?.]{{0,3}}(?P<line>\r?\n)[ \t>*\-]{{0,8}}{_HEAD}|[ ?]{{0,2}}[ ]A:[ ]|(?P<space>[ \t]{{1,3}}))",
    re.IGNORECASE,
)
_SETS = re.compile(
    r"\b(?:login|user(?:name)?)[ ]\S{1,40}[ ](?:the |a )?\w{0,20}[ ]\Z|\b(?:set|chang|reset|updat|rotat)\w{0,5}\b[^\n]{0,24}\Z|\b(?:with|using|mit|con|avec|com|z)[ ](?:the |a )?\w{0,20}[ ]\Z",
    re.IGNORECASE,
)
_BEFORE_VALUE = re.compile(
    r"(?:(?:new|!\w+|@|const|String\(|\()\s?(?=[\"'`]))?(?:\*\*|__|[<«‹„“”‘’「『(\[{]\s?)?(?=\S)"
)
_RUN = re.compile(r"[^\s\"`<>«»“”„「」『』（）]{1,160}")
_CODED = re.compile(
    r"(?:\{(?:xor|aes|cipher|enc|noop|plain|des)\}|ENC\(|OBF:|CRYPT:|enc:|aes:|\$ANSIBLE)", re.IGNORECASE
)
_CDATA = re.compile(r"<!\[CDATA\[(?:[^\]]|\](?!\]>)|\]\]><!\[CDATA\[){1,160}+")
_COMMA_AFTER = frozenset(",)]}(")

# --- what stands where a password would and is none

_VARIABLE = re.compile(
    r"\$\{|\$\(|\{\{|\}\}|<%|\.\.\.|…|•|\*{3}|x{4}|X{4}|://|<[^<>]*>|(?:\$[A-Za-z_][\w:.\->]*|%\w+%|%\(?\w*\)?[sdr]|\{[\w.]*\})\Z"
    r"|\A[~/\\]|\A\.{1,2}/|\A[A-Za-z]:\\|\A--|\A[a-z]+:[a-z]|@[\w\-]+\.[a-z]{2,6}\Z|\A#|\A&\w+;?\Z"
    r"|\.(?:txt|py|js|ts|json|ya?ml|conf|cfg|pem|key|html?|md|sh|xml|php|rb|go|rs|java|c|h|so|db|log|png|svg|css)\Z"
)
_DUMMY = re.compile(
    r"my|your|the|new|old|test(?:ing)?|demo|db|user(?:name)?|admin|root|pass(?:word|wd|phrase|code)?|passwort|pwd?|secrets?|tokens?|key|change|me"
    r"|example|sample|placeholder|dummy|fake|foo|bar|baz|here|insert|enter|none|null|nil|true|false|required|optional|str(?:ing)?"
    r"|bytes|redacted|hidden|env|vault|config|settings|some|random|value|abc|qwerty|hash(?:ed)?|min|max|length|chars?|digits?"
    r"|sha|md|utf|base|oauth|bcrypt|argon|scrypt|pbkdf|hmac|aes|rsa|http|ipv|x|v|step|level|type|field|input|self|this|args?|id"
    r"|request|response|option|param|file|path|line|size|count|time|date|version|data|object|class|function|method|get|set",
    re.IGNORECASE,
)
_DUMMY_DIGITS_MAX = 4
_DATE = re.compile(r"[\d.:/\-+,TZ]+")
_NAME = re.compile(r"[A-Za-z_][\w.:\->]*")
_STRONG_SIGNS = frozenset("@#$%^&*+=~!?;|")
_LEAST, _MOST = 6, 128
_TRAILING = ".,;:?)]}'\"*"


def is_password(said: str, sure: Sure) -> bool:
    """Whether a value looks enough like a password."""
    if sure is Sure.CODED:
        return len(said) >= _LEAST
    if not _LEAST <= len(said) <= _MOST or _VARIABLE.search(said) or any(map(str.isspace, said)):
        return False
    letters = sum(map(str.isalpha, said))
    digits = sum(map(str.isdecimal, said))
    if not letters:
        return sure > Sure.BARE and (said.isdecimal() or (digits >= 4 and not _DATE.fullmatch(said)))
    signs = sum(one in _STRONG_SIGNS for one in said)
    cased = said.lower() != said and said.upper() != said
    left = _DUMMY.sub("", said)
    if sum(map(str.isalpha, left)) <= 1 and digits <= _DUMMY_DIGITS_MAX and not (signs and digits > 1):
        return False
    if sure is Sure.BARE:
        return digits > 0 and (signs > 0 or (cased and digits >= 2 and len(said) >= 8)) and not _is_call(said)
    if digits >= (2 if len(said) < 8 else 1):
        return True
    return signs > 0 and (cased or digits > 0) and said[-1] not in ";=" and not said.endswith("?")


def _is_call(said: str) -> bool:
    return (
        re.fullmatch(r"[\w.]*[\w.:/\-]*", said) is not None
        and re.search(r"[a-z][A-Z]|\d[a-z]|[a-z]\d|[A-Z]\d", said) is None
    )


def _of_literal(literal: Literal, sure: Sure) -> Verdict | None:
    said = fold(literal.text).text
    low, high = literal.span
    return Verdict(low, high, 0.75) if is_password(said, sure) and not CODE.search(said) else None


def read_value(text: str, at: int, sure: Sure, *, code: bool = False) -> Verdict | None:
    """The password that begins at ``at``, with what opens it; ``code``: where an expression may stand as well."""
    before = _BEFORE_VALUE.match(text, at)
    if before is None:
        return None
    at = before.end()
    if coded := _CODED.match(text, at):
        run = _RUN.match(text, coded.end())
        return Verdict(coded.end(), run.end(), 0.8) if run and is_password(run[0], Sure.CODED) else None
    if cdata := _CDATA.match(text, before.start()):
        low = before.start() + len("<![CDATA[")
        said = cdata[0][len("<![CDATA[") :].replace("]]><![CDATA[", "")
        return Verdict(low, cdata.end(), 0.8) if is_password(said, Sure.QUOTED) else None
    if text[at : at + 1] in ("'", '"', "`") or re.match(r"[bBrRfFuULN@$]{1,2}[\"'`]", text[at : at + 3]):
        literal = read_literal(text, at)
        if literal is None:
            return None
        found = _of_literal(literal, max(sure, Sure.QUOTED) if sure else sure)
        if found is None and (several := read_literal(text, at, listed=True)) and _is_spelt(several):
            return _of_literal(several, Sure.QUOTED)
        return found
    return _read_raw(text, at, sure, code=code)


_ENDS_IN_FIGURES = re.compile(r"[A-Za-z]{5}[0-9]{3,6}\Z")  # variables are numbered up to 99
CODE = re.compile(r"\w\([\w\"')]|=[\"'(\[]|\w\[[\w\"']+\]?|\A[A-Za-z_]\w*=|\)\(|::|\\\[|\};|\A\w+\.\w+\(|\]\(|->\w")


def _is_spelt(literal: Literal) -> bool:
    """Whether a list has one character in each string."""
    return len(literal.pieces) >= _LEAST and all(len(piece) <= 1 or piece[0] == "\\" for piece in literal.pieces)


def _read_raw(text: str, at: int, sure: Sure, *, code: bool) -> Verdict | None:
    run = _RUN.match(text, at)
    if run is None:
        return None
    said = run[0]
    cut = re.search(r"'(?=[\s,;)\]}]|\Z)|[;,](?=[\"'A-Za-z ]|\Z)|\\n|&(?=\w+=)|\)(?=[\s.,;]|\Z)|\*\*", said)
    if cut:
        said = said[: cut.start()]
    said = said.rstrip(_TRAILING)
    end = at + len(said)
    if not said:
        return None
    folded = fold(said).text
    if _NAME.fullmatch(said):  # it may be the name of a variable as well
        if text[end : end + 1] in _COMMA_AFTER and text[end : end + 1]:
            return None
        cased = said.lower() != said and said.upper() != said
        mixed = (cased and re.search(r"[A-Za-z]\d[A-Za-z]", said)) or _ENDS_IN_FIGURES.search(said)
        if sum(map(str.isdecimal, said)) < 2 or (code and not mixed):
            return None
    if CODE.search(said):
        return None
    return Verdict(at, end, 0.7) if is_password(folded, sure) else None


# --- a word, then its value

_IN_CALL = re.compile(r"\s=\s")


def is_word(text: str, start: int, end: int) -> bool:
    """Whether a word for a password stands there."""
    return _WORD.match(text, start, end) is not None


def check_named(text: str, start: int, end: int) -> Verdict | list[Verdict] | None:
    """The password behind its word, or before it."""
    return _ahead(text, end) or _ahead_weakly(text, start, end) or _behind(text, start) or _below(text, start, end)


def _ahead(text: str, end: int) -> Verdict | None:
    link = _LINK.match(text, end, end + _LINK_MAX)
    if link is None:
        return None
    at = link.end()
    if link["typed"]:
        return read_value(text, at, Sure.CODED if link["typed"].strip() != "0" else Sure.RAW)
    if link["attribute"] or link["tags"]:
        return _read_marked_up(text, at)
    linked = text[link.end("about") if link["about"] else end : at]
    return read_value(text, at, Sure.RAW, code=_IN_CALL.search(linked) is not None) or _described(text, at)


_EDGE = r"\b"
# What somebody says of a password instead of writing it: "walnut, all lower case, then 636 and a hash".
_SAID_OF = re.compile(
    r"\b(?:all )?(?:in )?(?:lower|upper|small)[ \-]?(?:case|letters)\b|\b(?:all )?(?:in )?caps\b|\bwith (?:a|an|one|the) (?:capital|zero|one|three|four|five|at|dollar|hash|star|exclamation)\b"
    r"|\binstead of (?:an? |the )?\w\b|\bat the (?:end|start|beginning)\b|\b(?:an?|the) (?:exclamation (?:mark|point)|question mark|hash(?:tag)?|dollar(?: sign)?|at sign|underscore|dash|hyphen|star|asterisk|percent(?: sign)?|ampersand|plus)\b"
    r"|\b(?:capital|big|uppercase|lowercase) [a-z]\b|\bno spaces?\b|\b(?:all )?one word\b|\bfollowed by\b"
    r"|\b(?:alles )?klein(?:geschrieben)?\b|\bgro(?:ß|ss)(?:geschrieben|em? \w)\b|\bam (?:ende|anfang)\b|\bausrufezeichen\b|\bstatt (?:o|e|i|a)\b"
    r"|\b(?:todo )?en (?:min[uú]sculas?|may[uú]sculas?|minuscules?|majuscules?)\b|\bal final\b|\bà la fin\b|\bexclamaci[oó]n\b",
    re.IGNORECASE,
)
# The same without edges of words, which RE2 knows in ASCII only: a hundred times as fast to find that there is none.
_MAY_SAY = Regexp(f"(?i:{_SAID_OF.pattern.replace(_EDGE, '')})")
_RULE = re.compile(
    r"\b(?:must|at least|min\w*|max\w*|requir\w*|should|need\w*|characters?|contain\w*|includ\w*|not|length|case[ -]sensitive)\b",
    re.IGNORECASE,
)
_DESCRIBED = re.compile(r"[^\n.;:]{6,140}")
_DIGIT = re.compile(
    r"[0-9]+|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|null|eins|zwei|drei|cero|uno|dos|tres)\b",
    re.IGNORECASE,
)


def _described(text: str, at: int) -> Verdict | None:
    """A password that is described: a word, and what to do with it."""
    clause = _DESCRIBED.match(text, at)
    if clause is None:
        return None
    if _MAY_SAY.search(clause[0].encode("utf-8", "replace")) is None:
        return None
    said = list(_SAID_OF.finditer(text, at, clause.end()))
    digits = list(_DIGIT.finditer(text, at, clause.end()))
    if not said or not (len(said) > 1 or digits) or _RULE.search(clause[0]):
        return None
    return Verdict(at, max(found.end() for found in (said[-1], *digits[-1:])), 0.6)


def _ahead_weakly(text: str, start: int, end: int) -> Verdict | None:
    link = _WEAK_LINK.match(text, end, end + _LINK_MAX)
    if link is None:
        return None
    at = link.end()
    if link["line"] and (chat := _read_lines(text, at)):
        return chat
    quoted = text[at : at + 1] in ("'", '"', "`", "(") and not text[start:end].lower().startswith("pass ")
    flag = link["space"] and text[max(0, start - 2) : start].startswith("-")
    told = not link["line"] and _SETS.search(text[max(0, start - 32) : at])
    sure = Sure.RAW if (quoted and end - start > len("pass")) or flag or told else Sure.BARE
    return read_value(text, at, sure)


_LINK_MAX = 160
_LINE = re.compile(rf"(?P<head>[ \t>*\-]{{0,8}}{_HEAD})(?P<said>\S{{1,64}})[ \t]*(?:\r?\n|\Z)")
_LINES_MAX = 8


def _read_lines(text: str, at: int) -> Verdict | None:
    """The password in pieces, each in a line by itself, under its word."""
    at = text.rfind("\n", 0, at) + 1
    pieces: list[re.Match[str]] = []
    while len(pieces) < _LINES_MAX and (line := _LINE.match(text, at)):
        if pieces and line["head"].strip()[-8:] != pieces[0]["head"].strip()[-8:]:
            break
        pieces.append(line)
        at = line.end()
    if not 2 <= len(pieces) < _LINES_MAX or not pieces[0]["head"].strip():
        return None
    said = "".join(piece["said"] for piece in pieces)
    return Verdict(pieces[0].start("said"), pieces[-1].end("said"), 0.7) if is_password(said, Sure.RAW) else None


# --- the word, then its column

_HEADS = re.compile(
    rf"[\"'*_ ]{{0,3}}\w{{0,16}}[ _]?(?:{_WORDS.replace(chr(92) + 'b', '')}|{_WIDE})[\"'*_ ]{{0,3}}", re.IGNORECASE
)
_TABLE_MAX = 1200


def _below(text: str, start: int, end: int) -> list[Verdict] | None:
    """The cells of the column that the word names."""
    low = text.rfind("\n", max(0, start - 200), start) + 1
    if not _CELL_BEFORE.search(text, max(low, start - 24), start) or not _CELL_AFTER.match(text, end):
        return None
    found = [
        Verdict(low + cell.start, low + cell.end, 0.7)
        for cell in cells(text[low : low + _TABLE_MAX], _HEADS)
        if is_password(fold(text[low + cell.start : low + cell.end]).text, Sure.RAW)
    ]
    return [*found, Verdict(end, end, 0.0)] if found else None


_CELL_BEFORE = re.compile(r"(?:\A|[\n|,;\t])[ \"'*]{0,3}(?:\w{1,12}[ _])?\Z")
_CELL_AFTER = re.compile(r"[\"'* ]{0,3}(?:[|,;\t]|\r?\n)")


# --- a value, then the word for it

_COMMENTED = re.compile(r"(?:(?<!\S)#|(?<!:)//|--|/\*|<!--|;|\(|←|<-)\s{0,3}(?:[\w'\-]+[ ]){0,3}\Z")
_SAYING = re.compile(
    r",?[ ](?:is|was|as|ist|als|war|est|comme|es|era|como|é|è|come|jest|är|er|for|für|pour|para)[ ](?:[^\W\d_]{1,12}[ ]){0,4}\Z"
)
_LAST = re.compile(r"[^\s\"'`«»„“”]{6,128}(?=[\"'`»“”]?\Z)")
_NAME_MAX = 40
_QUOTED = re.compile(r"[\"'`]")
_BEFORE_MAX = 200


def _behind(text: str, start: int) -> Verdict | None:
    lowest = start - _NAME_MAX
    while start > max(0, lowest) and (text[start - 1].isalnum() or text[start - 1] in "_-."):
        start -= 1  # of a name
    low = max(0, start - _BEFORE_MAX, text.rfind("\n", 0, start) + 1)
    comment = _COMMENTED.search(text, low, start)
    if comment and (found := _in_line(text, low, comment.start())):
        return found
    saying = _SAYING.search(text, low, start)
    said = saying and _LAST.search(text, max(low, text.rfind(" ", low, saying.start()) + 1), saying.start())
    if not said or not is_password(said[0], Sure.RAW) or not any(map(str.isalpha, said[0])):
        return None
    return Verdict(*said.span(), 0.7)


def _in_line(text: str, low: int, high: int) -> Verdict | None:
    """The first string, or text of an element, that a comment on the same line calls a password."""
    at = low
    while opened := _QUOTED.search(text, at, high):
        literal = read_literal(text, opened.start())
        if literal is not None and literal.end <= high:
            if found := _of_literal(literal, Sure.QUOTED):
                return found
            at = literal.end
        else:
            at = opened.end()
    if element := _ELEMENT.search(text, low, high):
        return _read_marked_up(text, element.end())
    token = _TOKENS.search(text, low, high)
    return Verdict(*token.span(), 0.7) if token and is_password(token[0], Sure.BARE) else None


_ELEMENT = re.compile(r"<[a-zA-Z][^<>\n]{0,60}>")
_TOKENS = re.compile(r"\S{6,128}(?=\s*\Z)")
_TEXT_OF_TAG = re.compile(r"[^<>\n]{6,160}?(?=\s{0,4}<)")


def _read_marked_up(text: str, at: int) -> Verdict | None:
    if text.startswith("<![CDATA[", at) or text[at : at + 1] in ("'", '"'):
        return read_value(text, at, Sure.QUOTED)
    if _CODED.match(text, at):
        return read_value(text, at, Sure.CODED)
    inside = _TEXT_OF_TAG.match(text, at)
    if inside is None:
        return None
    return Verdict(at, inside.end(), 0.75) if is_password(fold(inside[0]).text, Sure.QUOTED) else None
