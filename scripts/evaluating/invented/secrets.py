"""Keys and passwords in the forms that their issuers document, payment cards and accounts, where people paste them."""

import random
import string
from collections.abc import Iterator

from stdnum import luhn, numdb

from evaluating.invented.labelled import Invented, fill

_ALNUM = string.ascii_letters + string.digits
_SETS = {"x": _ALNUM, "h": "0123456789abcdef", "d": string.digits, "U": string.ascii_uppercase + string.digits, "u": _ALNUM + "_-",
         "l": string.ascii_lowercase + string.digits, "b": _ALNUM + "+/", "2": string.ascii_uppercase + "234567"}  # fmt: skip

# What stands before each run, and the run: alphabet and length (each issuer's documentation, or its secret-scanning partner
# page; read 2026-11).
_KEYS: dict[str, str] = {
    "openai": "sk-{x48}", "openai project": "sk-proj-{u124}", "openai service": "sk-svcacct-{u124}", "openai admin": "sk-admin-{u124}",
    "anthropic": "sk-ant-api03-{u93}AA", "anthropic admin": "sk-ant-admin01-{u93}AA", "openrouter": "sk-or-v1-{h64}", "deepseek": "sk-{h32}",
    "aws": "AKIA{2:16}", "aws session": "ASIA{2:16}", "github": "ghp_{x36}", "github oauth": "gho_{x36}", "github app": "ghs_{x36}",
    "github refresh": "ghr_{x36}", "github fine": "github_pat_{x22}_{x59}", "gitlab": "glpat-{u20}", "gitlab runner": "glrt-{u20}",
    "google": "AIza{u35}", "google oauth": "GOCSPX-{u28}", "slack bot": "xoxb-{d12}-{d12}-{x24}", "slack user": "xoxp-{d12}-{d12}-{d12}-{h32}",
    "slack app": "xapp-1-A{U10}-{d13}-{h64}", "stripe": "sk_live_{x24}", "stripe long": "sk_live_{x99}", "stripe restricted": "rk_live_{x24}",
    "stripe webhook": "whsec_{x32}", "hugging face": "hf_{x34}", "npm": "npm_{x36}", "pypi": "pypi-AgEIcHlwaS5vcmc{u70}",
    "sendgrid": "SG.{u22}.{u43}", "groq": "gsk_{x52}", "xai": "xai-{x80}", "perplexity": "pplx-{x48}", "replicate": "r8_{x37}",
    "nvidia": "nvapi-{u64}", "twilio": "SK{h32}", "mailgun": "key-{h32}", "mailchimp": "{h32}-us14", "brevo": "xkeysib-{h64}-{x16}",
    "shopify": "shpat_{h32}", "square": "sq0atp-{u22}", "digitalocean": "dop_v1_{h64}", "databricks": "dapi{h32}", "vault": "hvs.{u90}",
    "terraform": "{x14}.atlasv1.{u67}", "doppler": "dp.pt.{x43}", "linear": "lin_api_{x40}", "notion": "ntn_{x46}", "figma": "figd_{u40}",
    "airtable": "pat{x14}.{h64}", "atlassian": "ATATT3xFfGF0{u180}={U8}", "new relic": "NRAK-{U27}", "grafana": "glsa_{x32}_{h8}",
    "sentry": "sntrys_{b100}", "sentry user": "sntryu_{h64}", "postman": "PMAK-{h24}-{h34}", "rubygems": "rubygems_{h48}", "docker": "dckr_pat_{u27}",
    "crates": "cio{x32}", "pulumi": "pul-{h40}", "tailscale": "tskey-auth-{x12}-{x32}", "supabase": "sbp_{h40}", "planetscale": "pscale_tkn_{u43}",
    "telegram": "{d10}:AA{u33}", "contentful": "CFPAT-{u43}", "datadog in env": "DD_API_KEY={h32}", "azure storage": "AccountKey={b86}==",
    "langsmith": "lsv2_pt_{h32}_{h10}", "langfuse": "sk-lf-{h8}-{h4}-{h4}-{h4}-{h12}", "elevenlabs": "sk_{h48}", "cerebras": "csk-{l48}",
    "fireworks": "fw_{x24}", "together": "tgp_v1_{u43}", "voyage": "pa-{u43}", "tavily": "tvly-dev-{x32}", "jina": "jina_{h32}{u28}",
    "cohere in env": "CO_API_KEY={x40}", "mistral in env": "MISTRAL_API_KEY={x32}", "discord": "M{x23}.{u6}.{u38}",
    "cloudflare in env": "CLOUDFLARE_API_TOKEN={u40}", "heroku": "HRKU-AA{u58}", "netlify": "nfp_{x36}", "render": "rnd_{x28}", "vercel": "vck_{x56}",
    "fly": "fo1_{u43}", "prefect": "pnu_{l36}", "buildkite": "bkua_{h40}", "circleci": "CCIPAT_{x22}_{h40}", "snyk in env": "SNYK_TOKEN={h8}-{h4}-{h4}-{h4}-{h12}",
    "sonar": "squ_{h40}", "launchdarkly": "sdk-{h8}-{h4}-{h4}-{h4}-{h12}", "okta in env": "OKTA_TOKEN=00{u40}", "confluent in env": "CONFLUENT_SECRET={b64}",
    "pinecone": "pcsk_{x5}_{x63}", "weights": "WANDB_API_KEY={h40}", "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJ{u60}.{u43}", "lob": "live_{h35}",
    "easypost": "EZAK{x54}", "razorpay": "rzp_live_{x14}", "dropbox": "sl.{u140}", "typeform": "tfp_{u44}", "adafruit": "aio_{x28}",
    "clickup": "pk_{d8}_{U32}", "duffel": "duffel_live_{u43}", "frameio": "fio-u-{u64}", "readme": "rdme_{l70}", "scalingo": "tk-us-{u48}",
    "infracost": "ico-{x32}", "hubspot": "pat-na1-{h8}-{h4}-{h4}-{h4}-{h12}", "intercom": "dG9rO{x50}=", "sendinblue smtp": "xsmtpsib-{h64}-{x16}",
    "yandex": "AQVN{u36}", "alibaba": "LTAI5t{x18}", "tencent": "AKID{x32}", "age": "AGE-SECRET-KEY-1{U58}",
}  # fmt: skip
# In a name's value alone, not with the name.
_FRAMES = (
    "{v}",
    "my key is {v} please keep it",
    "export SERVICE_API_KEY={v}\n",
    "curl -H 'Authorization: Bearer {v}' https://api.service.dev/v1",
    '{{"api_key": "{v}"}}',
    "api_key: {v}\nregion: eu",
    'client = Client(api_key="{v}")',
    "2026-11-02 ERROR invalid credentials {v} for worker",
    "-    token = '{v}'",
    "ENV TOKEN={v}",
)

_PASSWORDS = (
    "postgres://app:{v}@db.internal:5432/main", "mysql://root:{v}@10.2.3.4/shop", "redis://:{v}@cache.internal:6379/0",
    "mongodb+srv://svc:{v}@cluster0.abcde.mongodb.net/x", "amqp://bus:{v}@mq.internal/", "https://ada:{v}@git.internal/repo.git",
    "Server=db;Database=x;User Id=sa;Password={v};", "password: {v}", "my password is {v}", "DB_PASSWORD={v}", '"password": "{v}"',
    "Passwort: {v}", "mot de passe : {v}", "contraseña: {v}", "pwd={v}", "login ada / password {v}", "PGPASSWORD={v} psql", "passphrase = {v}",
)  # fmt: skip


def _run(rng: random.Random, form: str) -> str:
    made: list[str] = []
    for piece in form.replace("}", "{").split("{"):
        if made and len(made) % 2:
            made.append("".join(rng.choices(_SETS[piece[0]], k=int(piece[1:].lstrip(":")))))
        else:
            made.append(piece)
    return "".join(made)


def keys(rng: random.Random, each: int = 6) -> Iterator[Invented]:
    """Keys of over a hundred kinds."""
    for form in _KEYS.values():
        for _ in range(each):
            name, equals, _ = form.partition("{")[0].partition("=")
            said = _run(rng, form).removeprefix(name + equals if equals else "")
            frame = f"{name}={{v}}" if equals else rng.choice(_FRAMES)
            yield fill(frame, said, "API_KEY", "key")


def passwords(rng: random.Random, each: int = 20) -> Iterator[Invented]:
    """Passwords in connection strings and after their names."""
    for frame in _PASSWORDS:
        for _ in range(each):
            value = "".join(rng.choices(_ALNUM, k=rng.randint(7, 14)) + rng.choices("!#*_-.", k=2))
            value = (
                rng.choice(string.ascii_uppercase)
                + rng.choice(string.ascii_lowercase)
                + rng.choice(string.digits)
                + value
                + "9"
            )
            yield fill(frame, value, "PASSWORD", "password")


_CARDS = {"visa": ("4", 16), "visa 13": ("4", 13), "visa 19": ("4", 19), "mastercard": ("53", 16), "mastercard 2": ("2221", 16), "amex": ("37", 15),
          "discover": ("6011", 16), "diners": ("36", 14), "jcb": ("3528", 16), "jcb 15": ("2131", 15), "maestro 12": ("5018", 12), "maestro 16": ("6759", 16),
          "maestro 18": ("6304", 18), "unionpay": ("62", 16), "unionpay 19": ("62", 19)}  # fmt: skip
_CARD_FRAMES = (
    "card: {v}", "please charge {v} exp 09/28", "my credit card number is {v}", '{{"card_number": "{v}"}}', "Visa or other card {v} was declined",
    "Kartennummer {v}", "tarjeta {v}", "carte bancaire n° {v}", "CC# {v} CVV 123", "payment method: {v}", "PAN={v}",
)  # fmt: skip


def cards(rng: random.Random, each: int = 40) -> Iterator[Invented]:
    """Cards of every network and length, solid or in groups, named or in a payment."""
    for network, (prefix, length) in _CARDS.items():
        for _ in range(each):
            body = prefix + "".join(rng.choices(string.digits, k=length - len(prefix) - 1))
            digits = body + luhn.calc_check_digit(body)
            gap = rng.choice(("", "", " ", "-"))
            cuts = (4, 10) if length in (14, 15) else range(4, length, 4)
            value = gap.join(digits[a:b] for a, b in zip((0, *cuts), (*cuts, length), strict=True))
            yield fill(rng.choice(_CARD_FRAMES), value, "CREDIT_CARD", f"card {network}")


_IBAN_FRAMES = (
    "IBAN: {v}",
    "{v}",
    "please transfer to {v} by Friday",
    '{{"iban": "{v}"}}',
    "Konto {v}",
    "account {v}, BIC DEUTDEFF",
    "pay {v}.",
)


def ibans(rng: random.Random, each: int = 8) -> Iterator[Invented]:
    """Accounts of every country of the registry, right by their check digits."""
    letters = {"n": string.digits, "a": string.ascii_uppercase, "c": string.ascii_uppercase + string.digits}
    for _, country, _, properties, _ in numdb.get("iban").prefixes:
        for _ in range(each if "bban" in properties else 0):
            bban = "".join(_bban(rng, properties["bban"], letters))
            number = int("".join(str(int(c, 36)) for c in f"{bban}{country}00"))
            value = f"{country}{98 - number % 97:02d}{bban}"
            if rng.random() < 0.5:
                value = " ".join(value[at : at + 4] for at in range(0, len(value), 4))
            yield fill(rng.choice(_IBAN_FRAMES), value, "IBAN_CODE", "iban")


def _bban(rng: random.Random, structure: str, letters: dict[str, str]) -> Iterator[str]:
    length = ""
    for character in structure:
        if character.isdecimal():
            length += character
        elif character in letters:
            yield "".join(rng.choices(letters[character], k=int(length)))
            length = ""
