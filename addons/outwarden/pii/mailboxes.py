"""E-mail addresses whose two halves are told apart: fields of a form, arguments of a program, marks around the @.

`user="jane" host="acme.com"`, `sprintf("%s@%s", "jane", "acme.com")`, `jane<nowiki>@</nowiki>acme.com`,
`jane\\'40acme.com`, `acme.com!jane`, and behind a word for mail any sign or word at all: `mail: jane81 & acme.com`.
"""

import re

from outwarden.pii.reading import VIEW, Look
from outwarden.pii.recognizer import Context, Recognizer, Verdict, after_escape

_SCORE = 0.85
_LOCAL = r"[A-Za-z0-9](?:[A-Za-z0-9._+\-]{0,62}[A-Za-z0-9])?"
_TAG = r"(?:</?[a-z]{1,8}>|\[/?[a-z]{1,6}\]|\*\*|__|`)"
_DOT_SAID = (
    r"(?:\\'2e|\\2e|\\056|\\{1,2}u002[eE]|\\N\{FULL STOP\}| ?[\[({<](?:dot|\.)[\])}>] ?"
    r"|<[a-z]{1,4}>\(?(?:dot|\.)\)?</[a-z]{1,4}>)"
)
_DOT = rf"(?:\.|!|{_DOT_SAID})"
_ENDING = (
    r"(?:com|net|org|edu|gov|info|biz|io|co|me|de|fr|es|it|nl|pl|uk|ru|eu|ch|at|be|se|no|dk|fi|ie|cz|pt|gr|hu|ro|br|mx"
    r"|in|jp|cn|kr|ca|au|us|za|fm|tv|app|dev)"
)
_DOMAIN = rf"(?:[A-Za-z0-9\-]{{2,40}}{_DOT}){{1,3}}{_ENDING}"
_END = r"(?![A-Za-z0-9\-]|\.[A-Za-z0-9])"
_MAIL = Context(
    r"e-?mail|\bmail|mejl|correo|courriel|e-post|reply-to|mailbox|mailto|contact|write to|patches to|addr(?:ess)?\b"
    r"|cf_email",
    wide=r"почт|адрес|邮箱|郵箱|メール|이메일|بريد|ईमेल|อีเมล",
)
_MAIL_WIDTH = 48

# What is an @ wherever it stands between a name and a domain.
_ESCAPED = (
    r"\[@\]\([^()\s]{1,60}\)|\\'40|\\40|\\064|\\{1,2}x40|\\{1,2}u0040|\\symbol\{64\}|\\N\{COMMERCIAL AT\}|\\char64 ?"
    r"|\\@|&commat;|%40|%2540"
)
_CELLS = r" {0,2}\| {0,2}@ {0,2}\| {0,2}"  # of a table
_MARK = rf"(?:{_TAG}{{0,2}}(?:@|\(at\)|\[at\]){_TAG}{{0,2}}|{_CELLS}|{_ESCAPED})"
_MARKED = re.compile(
    rf"(?<![\w.@\\])(?P<local>{_LOCAL}(?:{_DOT}{_LOCAL}){{0,2}}){_MARK}(?P<domain>{_DOMAIN}){_END}", re.IGNORECASE
)
_MARKED_RE2 = rf"[A-Za-z0-9](?i:{_CELLS}|{_TAG}(?:@|\(at\)|\[at\])|(?:\(at\)|\[at\]|@){_TAG}|{_ESCAPED})"

# Two fields of one form, or of a directory.
_USER = r"(?:user(?:name)?|local(?:part|_part)?|mailbox|account|name|left|who|id|u|l|data-(?:u(?:ser)?|name|local))"
_HOST = r"(?:\w{0,8}(?:host(?:name)?|dom(?:ain)?|server)|site|right|where|d|h|data-(?:d(?:omain)?|host)|provider)"
_IS = r"[\"'`]?\s?[=:]\s?[\"'`]?"
_FIELDS = re.compile(
    rf"{_USER}{_IS}(?P<local>{_LOCAL})[\s,;*&|\-}}{{\"'`]{{1,14}}(?:\"?at{_IS}(?P<at>@)[\s,\"'`]{{1,8}})?(?:\\n[\s,\"']{1, 8})?(?:(?:var|let|const|export|set|my|local|final|String) )?"
    rf"{_HOST}{_IS}(?P<domain>{_DOMAIN}|[A-Za-z0-9\-]{{1,40}}[\"'] ?,? ?[\"']?(?:data-)?(?:tld|suffix|ext){_IS}{_ENDING}\b)"
    rf"|(?:domain|host|site)[ =:]{{1,3}}[\"'`]?(?P<domain2>{_DOMAIN})[\"'`\s,;]{{1,5}}"
    rf"(?:mailbox|user|name|account)[ =:]{{1,3}}[\"'`]?(?P<local2>{_LOCAL})"
    rf"|uid=(?P<local3>{_LOCAL}),(?:[a-z]{{1,3}}=\w{{1,20}},){{0,3}}"
    r"(?P<domain3>dc=[A-Za-z0-9\-]{1,40}(?:,dc=[A-Za-z0-9\-]{1,40}){1,3})",
    re.IGNORECASE,
)
_TLD = re.compile(rf"[\"'] ?,? ?[\"']?(?:data-)?(?:tld|suffix|ext){_IS}", re.IGNORECASE)
_LOCAL_PART = re.compile(r"local|[\"']?data-", re.IGNORECASE)
_FIELDS_RE2 = rf"(?i:\b{_USER}[\"'`]?\s?[=:]|\b(?:domain|host|site)[ =:]|\buid=)"
_MAIL_AFTER = re.compile(r"mailto|@|e-?mail|class=.em\b|dc=", re.IGNORECASE)
_AFTER_WIDTH = 60

# Two arguments of one call, with the @ in one of them, in a third or in the format.
_THEN = r"\s?(?:,|\+|\.\.?|&|<<|\|\|)\s?"
_ARGUMENTS = re.compile(
    rf"(?P<q>[\"'])(?P<local>{_LOCAL})@?(?P=q){_THEN}(?:(?P=q)@(?P=q){_THEN})?(?P=q)@?(?P<domain>{_DOMAIN})(?P=q)"
)
_CALLED = re.compile(r"%s@%s|\{[a-z0-9]?\}@?\{[a-z0-9]?\}|concat|join|sprintf|format|[\"']@|@[\"']|mail", re.IGNORECASE)
_ARGUMENTS_RE2 = (
    rf"[A-Za-z0-9@][\"']{_THEN}(?:[\"']@[\"']{_THEN})?[\"']@?[A-Za-z0-9\-]{{2,40}}\.[A-Za-z0-9.\-]{{2,80}}[\"']"
)

# {{at|jane|acme.com}}, acme.com!jane
_TEMPLATE = re.compile(
    rf"\{{\{{\s?(?:at|e-?mail|mail|nospam)\s?\|\s?(?P<local>{_LOCAL})\s?\|\s?(?P<domain>{_DOMAIN})\s?\}}\}}",
    re.IGNORECASE,
)
_TEMPLATE_RE2 = r"(?i:\{\{\s?(?:at|e-?mail|mail|nospam)\s?\|)"
_BANG = re.compile(
    rf"(?<![\w./@\-])(?P<domain>(?:[a-z0-9\-]{{2,40}}\.){{1,3}}{_ENDING})"
    r"!(?P<local>[a-z0-9][a-z0-9._\-]{1,40}[a-z0-9])(?![\w!(])"
)
_BANG_RE2 = r"[a-z0-9]\.[a-z]{2,4}![a-z0-9]"
_BANG_BACK = 100

# Senders as programs of mailing lists write them: jane at acme.org wrote:, bounces+112-jane=acme.org@lists.example.
_LISTED = re.compile(
    rf"(?:(?<=From )|(?<![\w.@]))(?P<local>{_LOCAL}) at (?P<domain>{_DOMAIN})(?= wrote\b|  ?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )",
    re.IGNORECASE,
)
_LISTED_RE2 = r"(?i:[a-z0-9] at [a-z0-9.\-]{3,80}(?: wrote\b|  ?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ))"
_RETURNED = re.compile(
    rf"(?P<local>[A-Za-z0-9][A-Za-z0-9._]{{0,62}})=(?P<domain>{_DOMAIN})@|=(?P<domain2>{_DOMAIN})=(?P<local2>{_LOCAL})@",
    re.IGNORECASE,
)
_RETURNED_RE2 = rf"(?i:[A-Za-z0-9]=[A-Za-z0-9.\-]{{2,80}}\.{_ENDING}(?:@|=[A-Za-z0-9._+\-]{{1,64}}@))"

# Behind a word for mail: any sign, or a few words, between a name and a domain.
_SIGN = r"\s{0,2}(?:[^\w\s.,;:!?/\\|@\-]{1,3}|[\"'])\s{0,2}"
_FILLERS = (
    r"(?:,? ?\(?(?:and then|then|and|over|at|the|a|usual|curly|round|funny|sign|symbol|on|hosted|with|by|mailbox|is|an"
    r"|et|bei|chez|presso|here comes|rate|of|domain|server|little|monkey|snail)\)?,? ?){1,8}"
)
_JOINED = re.compile(
    rf"(?<![\w.@/])(?P<local>{_LOCAL})(?:{_SIGN}|[ (,]{{1,3}}{_FILLERS}[ )]{{0,2}}|(?P<comma>@))"
    rf"(?P<domain>{_DOMAIN}|[A-Za-z0-9\-]{{2,40}}, ?(?:dot, ?)?{_ENDING}){_END}",
    re.IGNORECASE,
)
_LABELLED_WIDTH = 110
_PLAIN_WORD = re.compile(r"[a-z]+|[A-Z][a-z]+|[A-Z]+")
_SAYS = re.compile(
    r"(?:mail\w*|correo|courriel|reply-to|contact|адрес|メール)\W{0,4}"
    r"(?:is |es |est |ist |è |: |to |at |through |= ?)?[\"':(]{0,2}\Z",
    re.IGNORECASE,
)
_READ_DOT = re.compile(_DOT_SAID, re.IGNORECASE)
_READ_DOMAIN = re.compile(rf"{_DOT}|, ?(?:dot, ?)?", re.IGNORECASE)


def _found(look: Look, found: re.Match[str]) -> Verdict | None:
    """The verdict on a local part and a domain, read together."""
    said = {key: value for key, value in found.groupdict().items() if value and key[:5] in ("local", "domai")}
    local_key = next(key for key in said if key.startswith("local"))
    domain_key = next(key for key in said if key.startswith("domain"))
    said[domain_key] = _TLD.sub(".", said[domain_key])
    domain = _READ_DOMAIN.sub(".", re.sub(r",?dc=", ".", said[domain_key]).strip("."))
    local = _READ_DOT.sub(".", said[local_key])
    if not any(one.entity == "EMAIL_ADDRESS" for one in look(f"{local}@{domain}")):
        return None
    start = min(after_escape(found.string, found.start(local_key), found.end(local_key)), found.start(domain_key))
    end = max(found.end(local_key), found.end(domain_key))
    return Verdict(start, end, _SCORE, "EMAIL_ADDRESS")


def mailbox_recognizers(look: Look, wanted: frozenset[str]) -> list[Recognizer]:
    """What finds addresses in halves, where they are in ``wanted``."""
    if "EMAIL_ADDRESS" not in wanted:
        return []

    def named(text: str, start: int, end: int) -> bool:
        return _MAIL.before(text, start, _MAIL_WIDTH) or _MAIL_AFTER.search(text, end, end + _AFTER_WIDTH) is not None

    def marked(text: str, start: int, end: int, more: bool) -> Verdict | None:
        for found in _MARKED.finditer(text, _back(text, start + 1), end + _LABELLED_WIDTH):
            return _found(look, found)
        return None

    def fields(text: str, start: int, end: int, more: bool) -> Verdict | None:
        found = _FIELDS.match(text, start)
        if found is None or not (found["at"] or _LOCAL_PART.match(text, start) or named(text, start, found.end())):
            return None
        return _found(look, found)

    def arguments(text: str, start: int, end: int, more: bool) -> Verdict | None:
        near = _ARGUMENTS.finditer(text, max(0, start - _NAME_WIDTH), end)
        found = next((one for one in near if one.end() == end), None)
        called = found and _CALLED.search(text, max(0, found.start() - 40), found.end())
        return _found(look, found) if found and called else None

    def template(text: str, start: int, end: int, more: bool) -> Verdict | None:
        found = _TEMPLATE.match(text, start)
        return _found(look, found) if found else None

    def bang(text: str, start: int, end: int, more: bool) -> Verdict | None:
        found = _BANG.search(text, _back(text, start), end + _BANG_BACK)
        return _found(look, found) if found and found.start() < end <= found.end() else None

    def listed(text: str, start: int, end: int, more: bool) -> Verdict | None:
        found = _LISTED.search(text, _back(text, start + 1), end)
        return _found(look, found) if found and found.end() > start else None

    def returned(text: str, start: int, end: int, more: bool) -> Verdict | None:
        found = _RETURNED.search(text, max(0, start - _NAME_WIDTH), end)
        return _found(look, found) if found and found.end() > start else None

    def labelled(text: str, start: int, end: int, more: bool) -> Verdict | None:
        found = _JOINED.search(text, end, end + _LABELLED_WIDTH)
        if found is None or "\n" in text[end : found.start()]:
            return None
        plain = _PLAIN_WORD.fullmatch(found["local"]) is not None
        if plain and (found["comma"] is None) and not _SAYS.search(text, start, found.start()):
            return None
        return _found(look, found)

    kinds = (
        (_MARKED_RE2, marked, r"\| {0,2}@|[>\]*_`][@(\[]|[@)\]][<\[*_`]|\\|&commat;|%40|%2540"),
        (_FIELDS_RE2, fields, ""),
        (_ARGUMENTS_RE2, arguments, rf"[A-Za-z0-9@][\"']{_THEN}[\"']@?[A-Za-z0-9]|[\"']@[\"']"),
        (_TEMPLATE_RE2, template, r"\{\{"),
        (_BANG_RE2, bang, ""),
        (_LISTED_RE2, listed, r"(?i: wrote\b|  ?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )"),
        (_RETURNED_RE2, returned, rf"(?i:\.{_ENDING}[@=])"),
        (_MAIL.pattern, labelled, ""),
    )
    return [
        Recognizer(VIEW, pattern, check, whole=True, retry=check is arguments, hint=hint)
        for pattern, check, hint in kinds
    ]


_NAME_BEFORE = re.compile(r"[A-Za-z0-9._+\-<>()\[\]\\'{} ]*\Z")
_NAME_WIDTH = 64


def _back(text: str, start: int) -> int:
    """Where what ends right before ``start`` may begin."""
    low = max(0, start - _NAME_WIDTH)
    found = _NAME_BEFORE.search(text, low, start)
    return found.start() if found else start
