"""Credentials: keys with a known beginning, AWS secrets next to their name, tokens, private keys, passwords, wallets.

Tokens and key blocks have no upper length, so their patterns propose the beginning only and the checks follow them for
at most `SECRET_MAX` code points; a longer one is found up to there.
"""

import re

from outwarden.pii import named_secrets
from outwarden.pii.recognizer import (
    UNDECIDED,
    Context,
    Recognizer,
    Verdict,
    skip_edge,
    word_after,
    word_before,
)
from outwarden.pii.wallets import WALLET, is_wallet

# Longer than an RSA key of 8192 bits in PEM (6.4 kB) and than the header lines servers accept for a token (8 kB).
SECRET_MAX = 8192

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_EDGE = r"(?:\b|\\[nrtbf]|\\u[0-9A-Fa-f]{4})"
# The beginnings of keys, and what follows each; the pattern takes them together (every counter is a state that a
# stream's tail has to carry), the check one by one.
_BEGINNINGS = (
    r"sk-[A-Za-z0-9_\-]{16,}",  # OpenAI (sk-proj-, sk-svcacct-), Anthropic (sk-ant-), OpenRouter, DeepSeek
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS access key ids
    r"ABSK[A-Za-z0-9+/=]{90,}",  # Amazon Bedrock
    r"gh[oprsu]_[A-Za-z0-9]{30,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_\-.]{20,}",  # GitLab
    r"AIza[A-Za-z0-9_\-]{35}",  # Google
    r"GOCSPX-[A-Za-z0-9_\-]{20,}",
    r"ya29\.[A-Za-z0-9_\-]{20,}",
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,}",  # Slack
    r"xapp-[A-Za-z0-9\-]{20,}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{10,}",  # Stripe
    r"whsec_[A-Za-z0-9+/=]{24,}",
    r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[A-Za-z0-9_\-]{50,}",
    r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}",  # SendGrid
    r"gsk_[A-Za-z0-9]{30,}",  # Groq
    r"xai-[A-Za-z0-9]{30,}",
    r"pplx-[A-Za-z0-9]{30,}",
    r"r8_[A-Za-z0-9]{30,}",  # Replicate
    r"csk-[A-Za-z0-9]{30,}",  # Cerebras
    r"fw_[A-Za-z0-9]{20,}",  # Fireworks
    r"nvapi-[A-Za-z0-9_\-]{40,}",  # NVIDIA
    r"tgp_v1_[A-Za-z0-9_\-]{30,}",  # Together
    r"pa-[A-Za-z0-9_\-]{40,}",  # Voyage
    r"vck_[A-Za-z0-9]{40,}",  # Vercel
    r"lsv2_(?:pt|sk)_[A-Za-z0-9_]{30,}",  # LangSmith
    r"[ps]k-lf-[0-9a-f\-]{30,}",  # Langfuse
    r"tvly-[A-Za-z0-9\-]{20,}",  # Tavily
    r"AC[0-9a-f]{32}(?![A-Za-z0-9])",  # Twilio
    r"SK[0-9a-f]{32}(?![A-Za-z0-9])",
    r"key-[0-9a-f]{32}(?![A-Za-z0-9])",  # Mailgun
    r"x(?:key|smtp)sib-[0-9a-f]{60,}(?:-[A-Za-z0-9]{16})?",  # Brevo
    r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}",  # Shopify
    r"EAA[A-Za-z0-9]{80,}",  # Facebook
    r"sq0(?:atp|csp|idp)-[A-Za-z0-9_\-]{22,}",  # Square
    r"EAAA[A-Za-z0-9_\-]{56,}",
    r"dop_v1_[0-9a-f]{64}",  # DigitalOcean
    r"do[or]_v1_[0-9a-f]{64}",
    r"dapi[0-9a-f]{32}",  # Databricks
    r"hvs\.[A-Za-z0-9_\-]{24,}",  # HashiCorp Vault and Terraform
    r"hvb\.[A-Za-z0-9_\-]{24,}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,}",
    r"dp\.(?:pt|st|sa|ct)\.[A-Za-z0-9_\-.]{40,}",  # Doppler
    r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}",  # Linear
    r"secret_[A-Za-z0-9]{43}(?![A-Za-z0-9])",  # Notion
    r"ntn_[A-Za-z0-9]{40,}",
    r"figd_[A-Za-z0-9_\-]{40,}",  # Figma
    r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",  # Airtable
    r"ATATT3[A-Za-z0-9_\-=]{100,}",  # Atlassian
    r"ATCTT3[A-Za-z0-9_\-=]{100,}",
    r"NRAK-[A-Z0-9]{27}",  # New Relic
    r"NRII-[A-Za-z0-9_\-]{32}",
    r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",  # Grafana
    r"glc_[A-Za-z0-9+/=]{32,}",
    r"sntry[su]_[A-Za-z0-9+/=_\-]{40,}",  # Sentry
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",  # Postman
    r"rubygems_[0-9a-f]{48}",
    r"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{27,}",  # Docker
    r"cio[A-Za-z0-9]{32}(?![A-Za-z0-9])",  # crates.io
    r"pul-[0-9a-f]{40}",  # Pulumi
    r"tskey-[a-z]+-[A-Za-z0-9\-]{20,}",  # Tailscale
    r"sbp_[0-9a-f]{40}",  # Supabase
    r"sb_(?:secret|publishable)_[A-Za-z0-9_\-]{20,}",
    r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_\-.=]{32,}",  # PlanetScale
    r"AGE-SECRET-KEY-1[A-Z0-9]{50,}",  # age
    r"amzn\.mws\.[0-9a-f\-]{36}",
    r"(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_\-]{32,33}(?![A-Za-z0-9_\-])",  # Telegram, also as in its URLs
    r"FLWSECK(?:_TEST)?-[A-Za-z0-9\-]{12,}",  # Flutterwave
    r"rzp_(?:live|test)_[A-Za-z0-9]{14}",  # Razorpay
    r"CFPAT-[A-Za-z0-9_\-]{43}",  # Contentful
    r"ops_eyJ[A-Za-z0-9+/=]{100,}",  # 1Password
    r"shippo_(?:live|test)_[0-9a-f]{40}",
    r"EZ[AT]K[A-Za-z0-9]{54}",  # EasyPost
    r"duffel_(?:live|test)_[A-Za-z0-9_\-=]{43}",
    r"sl\.[A-Za-z0-9_\-]{130,}",  # Dropbox
    r"gAAAAA[A-Za-z0-9_\-=]{70,}",  # Fernet
    r"sk_[0-9a-f]{48}(?![A-Za-z0-9])",  # ElevenLabs
    r"jina_[A-Za-z0-9_\-]{50,}",
    r"nfp_[A-Za-z0-9]{36}",  # Netlify
    r"rnd_[A-Za-z0-9]{28}(?![A-Za-z0-9])",  # Render
    r"f(?:o1|m2)_[A-Za-z0-9_\-+/=]{40,}",  # Fly
    r"pn[ub]_[a-z0-9]{36}",  # Prefect
    r"bkua_[0-9a-f]{40}",  # Buildkite
    r"CCI(?:PAT|PRJ)_[A-Za-z0-9]{22}_[0-9a-f]{40}",  # CircleCI
    r"sq[upa]_[0-9a-f]{40}",  # SonarQube
    rf"(?:sdk|mob|api)-{_UUID}",  # LaunchDarkly
    r"pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{60,}",  # Pinecone
    r"tfp_[A-Za-z0-9_\-]{40,}",  # Typeform
    r"aio_[A-Za-z0-9]{28}(?![A-Za-z0-9])",  # Adafruit
    r"pk_\d{6,9}_[A-Z0-9]{32}",  # ClickUp
    r"fio-u-[A-Za-z0-9_\-]{60,}",  # Frame.io
    r"rdme_[a-z0-9]{70}",  # ReadMe
    r"tk-us-[A-Za-z0-9_\-]{48}",  # Scalingo
    r"ico-[A-Za-z0-9]{32}(?![A-Za-z0-9])",  # Infracost
    rf"pat-(?:na|eu|ap)\d-{_UUID}",  # HubSpot
    r"AQVN[A-Za-z0-9_\-]{35,38}",  # Yandex
    r"LTAI[A-Za-z0-9]{17,21}(?![A-Za-z0-9])",  # Alibaba
    r"AKID[A-Za-z0-9]{32}(?![A-Za-z0-9])",  # Tencent
    r"HRKU-AA[A-Za-z0-9_\-]{58}",  # Heroku
    r"(?:live|test)_[0-9a-f]{35}(?![A-Za-z0-9])",  # Lob
)
KEY_BEGINS = _EDGE + (
    r"(?:sk-|A[KSBC][IC]A|ABSK|gh[oprsu]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-|AIza|GOCSPX-|ya29\."
    r"|xox[abeoprs]-|xapp-|[rs]k_(?:live|test)_|whsec_|hf_|npm_|pypi-|SG\.|gsk_|xai-|pplx-|r8_|csk-|fw_|nvapi-|tgp_v1_|pa-"
    r"|vck_|lsv2_|[ps]k-lf-|tvly-|AC[0-9a-f]{4}|SK[0-9a-f]{4}|key-[0-9a-f]{4}|x(?:key|smtp)sib-|shp(?:at|ca|pa|ss)_"
    r"|EAA|sq0(?:atp|csp|idp)-|do[por]_v1_|dapi[0-9a-f]|hv[sb]\.|[A-Za-z0-9]{14}\.atlasv1\.|dp\.(?:pt|st|sa|ct)\.|lin_(?:api|oauth)_"
    r"|secret_|ntn_|figd_|pat[A-Za-z0-9]{14}\.|AT[AC]TT3|NRAK-|NRII-|glsa_|glc_|sntry[su]_|PMAK-|rubygems_|dckr_|cio[A-Za-z0-9]"
    r"|pul-|tskey-|sbp_|sb_|pscale_|AGE-SECRET-KEY-1|amzn\.mws\.|(?:bot)?[0-9]{8,10}:AA|FLWSECK|rzp_|CFPAT-|ops_eyJ|shippo_|EZ[AT]K|duffel_"
    r"|sl\.|gAAAAA|sk_[0-9a-f]|jina_|nfp_|rnd_|fo1_|fm2_|pn[ub]_|bkua_|CCIP|sq[upa]_|(?:sdk|mob|api)-[0-9a-f]{8}-|pcsk_|tfp_|aio_|pk_[0-9]"
    r"|fio-u-|rdme_|tk-us-|ico-|pat-(?:na|eu|ap)[0-9]|AQVN|LTAI|AKID|HRKU-|(?:live|test)_[0-9a-f])"
)
_KEY = KEY_BEGINS + r"[A-Za-z0-9_\-+/=.]{10,250}"
# Keys that are told by their end (Mailchimp) or by their parts (Discord's bots: an id, a time, a signature).
_PARTED_KEY = _EDGE + r"(?:[0-9a-f]{32}-us\d{1,2}|[MNO][A-Za-z0-9]{23,25}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,38})"
# A webhook of Slack: its workspace, its channel, its secret; in JSON with escaped slashes.
_WEBHOOK = _EDGE + r"T[A-Z0-9]{8,11}\\?/B[A-Z0-9]{8,11}\\?/[A-Za-z0-9]{20,26}"
_PARTED_WHOLE = re.compile(_PARTED_KEY.removeprefix(_EDGE))
_SIGNED = re.compile(r"eyJ[\w-]{8,400}\.[\w-]{8,2000}\.[\w-]{8,800}", re.ASCII)
_KEY_KINDS = re.compile("|".join(_BEGINNINGS))
_NAMED_PREFIX = re.compile(r"sk-(?:ant|proj|svcacct|admin|or|lf)-")
_DUMMY = re.compile(r"(.)\1{11}\Z")  # ghp_xxxxxxxxxxxx: nobody's key
_PLAIN_RUN = re.compile(r"[A-Za-z0-9]{16,}")  # what tells sk-<key> from the class name sk-fading-circle-12-child

_AWS_SECRET = _EDGE + r"[A-Za-z0-9/+]{40}"
_AWS_WORDS = Context(r"aws|secret.?(?:access.?)?key|secretaccesskey", inside=True)
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+=")

_JWT = _EDGE + "eyJ"
_TOKEN_PART = re.compile(r"[A-Za-z0-9_-]*")
_PART_MIN = 8
_PARTS_MAX = 5  # an encrypted token (JWE) has five parts, a signed one three

_RULE = r"[\-\x{2010}-\x{2015}]{1,6}"  # five hyphens, or what an editor makes of them
_BEGIN = rf"{_RULE} ?BEGIN [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)? ?{_RULE}"
# What tells a key from source that names its first and last lines; DER begins with MI in base64.
_KEY_MATERIAL = re.compile(r"[A-Za-z0-9+/=]{16,}|(?<![A-Za-z0-9])MI[A-Za-z0-9]")
_END_WITHIN = 200  # code points that may stand between the last line that looks like a key and the END line
_END = re.compile(r"[\-\u2010-\u2015]{1,6} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?[\-\u2010-\u2015]{1,6}")
# Lines of a key: base64, or a header such as "DEK-Info: AES-128-CBC,1F5A". Separators may be escapes (source, JSON).
_BREAK = r"(?:\s|\\{1,4}[nrt]|[\"'+,>|]|(?<=\n)[+\-](?=[A-Za-z0-9+/]))"  # also the margin of a diff
_BODY = re.compile(
    rf"(?:{_BREAK}+|[A-Za-z0-9+/=.…*]{{16,}}|(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]{{0,80}}"
    rf"|(?<=[\nnr\"'\t >-])[A-Za-z0-9+/=.…*\-_]{{1,15}}(?=[ \t]{{0,4}}(?:[\n\r\"'\\]|-----|\Z)))*"
)


def is_key(value: str) -> bool:
    """Whether all of ``value`` is a key of a known kind, and nobody's dummy."""
    key = _KEY_KINDS.fullmatch(value)
    named = not value.startswith("sk-") or _NAMED_PREFIX.match(value) or _PLAIN_RUN.search(value, 3)
    return key is not None and bool(named) and _DUMMY.search(value) is None


def is_secret(value: str) -> bool:
    """Whether all of ``value`` is a key of a known kind or a signed token."""
    return is_key(value) or _PARTED_WHOLE.fullmatch(value) is not None or _SIGNED.fullmatch(value) is not None


def _check_key(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    key = _KEY_KINDS.match(text, start, end)
    if key is None or word_before(text, start) or _DUMMY.search(key[0]):
        return None
    if key[0].startswith("sk-") and not _NAMED_PREFIX.match(key[0]) and not _PLAIN_RUN.search(key[0], 3):
        return None
    return Verdict(start, key.end(), 0.97)


def _check_parted_key(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    touched = word_before(text, start) or word_after(text, end) or text[end : end + 1] in ("-", "_")
    return None if touched else Verdict(start, end, 0.95)


def _check_aws_secret(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if text[start - 1 : start] in _BASE64 and word_before(text, start):
        return None
    if text[end : end + 1] in _BASE64 and end < len(text):
        return None
    return Verdict(start, end, 0.9) if _looks_random(text[start:end]) else None


def _looks_random(value: str) -> bool:
    """Tell 30 random bytes in base64 from a long name or a path."""
    digits = sum(map(str.isdecimal, value))
    mixed = value.upper() != value and value.lower() != value
    return mixed and (digits >= 2 or (digits >= 1 and ("/" in value or "+" in value)))


def _check_token(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Follow the dotted parts of a token; a header alone is no token."""
    start = skip_edge(text, start)
    if word_before(text, start) or text[start - 1 : start] in ("-", "_"):
        return None
    limit = min(len(text), start + SECRET_MAX)
    open_end = more and limit < start + SECRET_MAX
    at, parts = start, 0
    while parts < _PARTS_MAX:
        stop = _TOKEN_PART.match(text, at, limit).end()  # type: ignore[union-attr]  # matches always, maybe nothing
        if stop == limit and open_end:
            return UNDECIDED
        if stop - at < _PART_MIN and stop < limit:
            break
        at, parts = stop, parts + 1
        if at == limit or text[at] != ".":
            break
        at += 1
    if text[at - 1] == ".":
        at -= 1
    whole = parts >= 3 or (at == limit and parts >= 2 and limit == start + SECRET_MAX)
    return Verdict(start, at, 0.95) if whole else None


def _check_private_key(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Take the block to its END line; where that is missing, the lines that still look like a key."""
    limit = min(len(text), start + SECRET_MAX)
    body = _BODY.match(text, end, limit).end()  # type: ignore[union-attr]  # matches always, maybe nothing
    horizon = min(start + SECRET_MAX, body + _END_WITHIN)
    if found := _END.search(text, end, horizon):
        return Verdict(start, found.end(), 0.99) if _KEY_MATERIAL.search(text, end, found.start()) else None
    if more and len(text) < horizon:
        return UNDECIDED
    return Verdict(start, body, 0.9) if _KEY_MATERIAL.search(text, end, body) else None


# A key without its first line: DER in base64, over lines, behind its name (a certificate begins so as well).
_BODY_ONLY = r"\bMI[A-Za-z0-9+/]{38}"
_KEY_NAMES = Context(
    r"private.?key|privat\w* schl[üu]ssel|cl[ée] priv[ée]e|clave privada|chiave privata|chave privada|priv[ée]?sleutel|rsa key"
    r"|id_rsa|(?:ssh|pem|rsa|tls|ssl).{0,8}key"
)
_LINES_MIN = 120  # code points


def _check_key_body(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Take all lines behind that look like those of a key."""
    limit = min(len(text), start + SECRET_MAX)
    body = _BODY.match(text, end, limit).end()  # type: ignore[union-attr]  # matches always, maybe nothing
    if more and body == len(text) and body < start + SECRET_MAX:
        return UNDECIDED
    body = start + len(text[start:body].rstrip())
    return Verdict(start, body, 0.8) if body - start >= _LINES_MIN else None


# --- wallets


def _check_wallet(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or text[end : end + 1].isalnum() or not is_wallet(text[start:end]):
        return None
    return Verdict(start, end, 0.7 if text.startswith("0x", start) else 0.95)


RECOGNIZERS = (
    Recognizer("API_KEY", _KEY, _check_key, hint=KEY_BEGINS),
    Recognizer("API_KEY", _PARTED_KEY, _check_parted_key),
    Recognizer("API_KEY", _WEBHOOK, _check_parted_key),
    *named_secrets.RECOGNIZERS,
    Recognizer("CRYPTO", _EDGE + WALLET, _check_wallet),
    Recognizer("API_KEY", _AWS_SECRET, _check_aws_secret, near=_AWS_WORDS),
    Recognizer("API_KEY", _JWT, _check_token),
    Recognizer("API_KEY", _BEGIN, _check_private_key),
    Recognizer("API_KEY", _BODY_ONLY, _check_key_body, near=_KEY_NAMES),
)
