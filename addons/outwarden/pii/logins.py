"""Passwords that no word names: beside the name of who logs in, in a command, in a call that logs in, in SQL.

`root / w1nter#sun`, `curl -u deploy:w1nter#sun`, `mysql -pw1nter`, `ftp.login("svc", "w1nter57")`, a line of .pgpass,
`IDENTIFIED BY 'w1nter57'`, the code of a wireless network.
"""

import re

from outwarden.pii.folding import fold
from outwarden.pii.literals import read_literal
from outwarden.pii.passwords import CODE, Sure, is_password, read_value
from outwarden.pii.recognizer import Verdict

# --- a name and a password

_USERS = (
    r"admin(?:istrator)?|root|sa|oracle|postgres|guest|deploy(?:er)?|ubuntu|pi|test|user|svc[\w\-]{0,12}|service|backup|jenkins"
    r"|ci(?:-bot)?|operator|support|demo|sysadmin|superuser|manager|tomcat|ftp(?:user)?|git|mysql|db[\w\-]{0,12}|app|www|etl|sftp|vpn"
)
_LOGIN = r"log[ \-]?(?:in|on)s?|sign[ \-]?in|creds?|credentials?|user(?:name)?s? ?/ ?pass(?:word)?|zugang(?:sdaten)?|anmeldung|anmelden|identifiants?|acceso|accesso|logowanie|access|account|u"
_NAME = r"[\"'`]?(?P<user>[A-Za-z][\w.@\-\\]{0,39})[\"'`]?"
_PAIR = re.compile(
    rf"(?:[ ]?(?:is|are|as|with|for|to|mit|als|con|avec|como|by)\b|[ :=(\-]){{0,4}}[ ]?(?:{_NAME}"
    r"(?:\s?[/:|]\s?|[ ](?:with|and|mit|con|avec|und|et|y)[ ](?:the )?|[ ;,]{0,2}(?:p|pw|pass)[:=][ ]?))(?P<value>[\"'`]?[^\s\"'`]{6,128})"
)
_KNOWN_PAIR = re.compile(rf"(?:{_USERS})[:/](?P<value>[^\s\"'`<>]{{6,64}})")
_ACCESS = re.compile(
    r"\b(?:log|works?|box|server|ssh|creds?|access|panel|console|account|pass\w*|pw|auth\w*|sudo|su)\b", re.IGNORECASE
)
_ACCESS_WIDTH = 48


def _judged(text: str, start: int, end: int, sure: Sure) -> Verdict | None:
    said = text[start:end].rstrip(".,;:)]}'\"")
    if said.isascii() and said.isalpha():
        return None  # nothing but letters: a word, as nearly all of a line are
    if (
        not any(map(str.isalpha, said))
        or _HOST.search(said)
        or CODE.search(said)
        or not is_password(fold(said).text, sure)
    ):
        return None
    return Verdict(start, start + len(said), 0.7)


_HOST = re.compile(
    r"\A[\w\-]+(?:\.[\w\-]+)*\.(?:com|net|org|io|dev|local|internal|lan|de|fr|uk|eu|cloud|example|test)\b|\A[\d.]+\Z|\A[x*!]:\d+:|\A[\w.\-]+/[\w./\-]+\Z|@[\w\-]+\.\w"
)


def check_pair(text: str, start: int, end: int) -> Verdict | None:
    """What stands behind a word for logging in and a name."""
    pair = _PAIR.match(text, end, end + 200)
    if pair is None:
        return None
    low = pair.start("value")
    return _judged(text, low + (text[low] in "\"'`"), pair.end("value"), Sure.RAW)


def check_known(text: str, start: int, end: int) -> Verdict | None:
    """What stands behind a name that many systems have."""
    pair = _KNOWN_PAIR.match(text, start)
    if pair is None or text[max(0, start - 1) : start] in ("/", "@", ".", "-", "_"):
        return None
    around = text[max(0, start - _ACCESS_WIDTH) : start] + text[pair.end() : pair.end() + _ACCESS_WIDTH]
    told = text[pair.start("value") - 1] == ":" and _ACCESS.search(around)
    return _judged(text, pair.start("value"), pair.end("value"), Sure.RAW if told else Sure.BARE)


# --- a line of .pgpass: host:port:database:user:password

_PGPASS = r":(?:[0-9]{2,5}|\*):[a-z*]"
_PGPASS_LINE = re.compile(r":(?:\d{2,5}|\*):[\w\-*]{1,40}:[\w\-.@]{1,40}:(?P<value>(?:\\.|[^\s\\]){6,128})")
_HOST_BEFORE = re.compile(r"(?:\A|[\s\"'>])[\w.\-*]{1,60}\Z")


def check_pgpass(text: str, start: int, end: int) -> Verdict | None:
    """The last field of such a line."""
    line = _PGPASS_LINE.match(text, start)
    if line is None or _HOST_BEFORE.search(text, max(0, start - 64), start) is None:
        return None
    return _judged(text, *line.span("value"), Sure.RAW)


# --- commands

_PROGRAMS = (
    r"mysql\w{0,12}|mariadb|sshpass|mongo\w{0,8}|docker|podman|htpasswd|useradd|usermod|unzip|zip|7z|smbclient|net (?:use|user)|ldap\w{3,8}|curl|wget"
    r"|redis-cli|lftp|plink|pscp|winscp|openssl|gpg|keytool|psexec|runas|xfreerdp|snmp[\w\-]{0,10}|sqlcmd|sqlplus|rabbitmqctl|influx|cqlsh"
    r"|clickhouse-client|kinit|wpa_passphrase|chpasswd|passwd --stdin|sudo -S|su -c|helm|http|cmdkey|ipmitool|restic|borg|ssh-keygen|add_user"
)
_COMMAND = rf"\b(?:{_PROGRAMS})\b"
_POSITIONAL = re.compile(r"htpasswd|wpa_passphrase|chpasswd|passwd --stdin|sudo -S|add_user|net user")
_FLAG = re.compile(
    r"[ \t](?:-(?:p|pw|P|w|a|b|N|passin|passout|storepass|keypass)[ \t]?|/p(?:ass(?:word)?)?:|pass:)(?P<value>\S.*)"
)
_USER_FLAG = re.compile(r"[ \t](?:-[uU]|--user|--proxy-user|-a)[ =]?[\"']?[\w.@\\\-]{1,40}[:%/,](?P<value>\S.*)")
_WORDS_OF_LINE = re.compile(r"[\"'][^\"'\n]{6,128}[\"']|[^\s\"'|]{6,128}")
_LINE_MAX = 400
_COMMANDS_MAX = 8  # the same so often in a line is none that anybody types


def check_command(text: str, start: int, end: int) -> Verdict | None:
    """The password in the line of a command that takes one."""
    low = max(text.rfind("\n", 0, start) + 1, start - _LINE_MAX)
    high = text.find("\n", end, end + _LINE_MAX)
    high = high if high >= 0 else min(len(text), end + _LINE_MAX)
    if text.count(text[start:end], low, high) >= _COMMANDS_MAX:
        return None
    for flag in (_USER_FLAG, _FLAG):
        if (found := flag.search(text, max(low, start - 1), high)) and (value := _argument(text, found.start("value"))):
            return value
    sure = Sure.RAW if _POSITIONAL.match(text, start, end) else Sure.BARE
    for word in _WORDS_OF_LINE.finditer(text, low, high):
        at = word.start() + (word[0][0] in "\"'")
        said = text[at : word.end() - (at > word.start())]
        name, colon, rest = said.rpartition(":")
        if colon and name.isidentifier():
            at, said = at + len(name) + 1, rest
        if not _OTHER_ARGUMENT.search(said) and (found_word := _judged(text, at, at + len(said), sure)):
            return found_word
    return None


_OTHER_ARGUMENT = re.compile(r"\A[\-/@]|@sha|=|/|\\[\[(d]|\A\w+:|\.\w{1,4}\Z|[<>{}]|\A\$|\A[A-Z]:")


def _argument(text: str, at: int) -> Verdict | None:
    if text[at] in "\"'":
        return read_value(text, at, Sure.QUOTED)
    end = at
    while end < len(text) and not text[end].isspace() and text[end] not in "\"'|;":
        end += 1
    said = text[at:end]
    return None if _OTHER_ARGUMENT.search(said) else _judged(text, at, end, Sure.RAW)


# --- SQL, PowerShell, wireless networks

_SAID = re.compile(
    r"identified (?:with \w{1,24} )?(?:by|as)\s|\bsecurestring\s|\bwifi:[^\n]{0,60};?p:|wireless[\w.\-@\[\]]{1,40}key\s?=\s?"
    r"|(?:secret|key|community) [0-9] |\bwpa?[\w.\-]{0,20}key\s?[=:]\s?",
    re.IGNORECASE,
)
_SAID_BEGINS = r"identified (?:with|by|as) |securestring |\bwifi:|\bwireless|(?:secret|key|community) [0-9] |\bwpa"


def check_said(text: str, start: int, end: int) -> Verdict | None:
    """What follows a phrase that only a password follows."""
    if text[end - 2 : end] in ("P:", "p:"):
        stop = text.find(";", end, end + 80)
        return Verdict(end, stop, 0.8) if stop > end + 5 else None
    return read_value(text, end, Sure.CODED if text[end - 2 : end - 1] in "5789" else Sure.QUOTED)


# --- calls

_LOGS_IN = r"log_?[io]n|sign_?in|auth|credential|unlock|decrypt"
_CALL = re.compile(rf"(?:{_LOGS_IN}|(?:set_?)?passw)\w{{0,24}}(?:\s?=\s?)?\(\s?", re.IGNORECASE)
_ARGUMENTS_MAX = 6


def check_call(text: str, start: int, end: int) -> Verdict | None:
    """The last string among the arguments of a call that logs in."""
    at, found = end, None
    for _ in range(_ARGUMENTS_MAX):
        literal = read_literal(text, at)
        if literal is not None:
            low, high = literal.span
            said = fold(literal.text).text
            sure = Sure.RAW if text[literal.end : literal.end + 1] in (")", "[", ".", "") else Sure.BARE
            if not _HOST.search(said) and " " not in said and is_password(said, sure):
                found = Verdict(low, high, 0.7)
            at = literal.end
        argument = _NEXT_ARGUMENT.match(text, at)
        if argument is None:
            break
        at = argument.end()
    return found


_NEXT_ARGUMENT = re.compile(r"[^\"'`(),;\n]{0,40},\s{0,20}(?:\w{1,20}\s?[=:]\s?)?")

_PAIRED = re.compile(rf"(?:{_LOGIN})(?:[ ]?(?:is|are|as|with|for|mit|als|con|avec|como)\b|[ :=(])", re.IGNORECASE)
_KINDS = (
    (_PAIRED, check_pair),
    (_KNOWN_PAIR, check_known),
    (_PGPASS_LINE, check_pgpass),
    (re.compile(_COMMAND), check_command),
    (_SAID, check_said),
    (_CALL, check_call),
)
BEGINNINGS = rf"(?i:\b(?:{_LOGIN})[ :=(]|{_SAID_BEGINS}|{_LOGS_IN})|\b(?:{_USERS})[:/][^\s/]|{_PGPASS}|{_COMMAND}"
"""How each of them begins, for one search."""
_BEGUN_MAX = 80


def check_login(text: str, start: int, end: int) -> Verdict | None:
    """The password at what `BEGINNINGS` found."""
    for begins, check in _KINDS:
        begun = begins.match(text, start, end + _BEGUN_MAX)
        if begun is not None and (found := check(text, start, begun.end())):
            return found
    return None
