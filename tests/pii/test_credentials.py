"""Keys, tokens and private keys are found whole; names that only look like one are left."""

import base64
import random
from collections.abc import Callable

import pytest

from outwarden.pii import credentials
from outwarden.pii.credentials import SECRET_MAX

Find = Callable[[str], list[tuple[str, str]]]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def invented(length: int, alphabet: str = _LETTERS, seed: int = 7) -> str:
    """Invent the random part of a key."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


KEYS = [
    "sk-" + invented(48),
    "sk-proj-" + invented(60) + "-_" + invented(60),
    "sk-ant-api03-" + invented(93) + "AA",
    "AKIA" + invented(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "ASIA" + invented(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "ghp_" + invented(36),
    "gho_" + invented(36),
    "ghs_" + invented(36),
    "github_pat_" + invented(22) + "_" + invented(59),
    "AIza" + invented(35),
    "xoxb-123456789012-" + invented(24),
    "xoxp-" + invented(60),
    "sk_live_" + invented(24),
    "rk_live_" + invented(24),
    "glpat-" + invented(20),
    "hf_" + invented(34),
]

TOKEN = ".".join(
    base64.urlsafe_b64encode(part).rstrip(b"=").decode()
    for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"12430","name":"Jane Doe"}', b"no real signature, only bytes")
)

PRIVATE_KEY = "\n".join(
    ["-----BEGIN RSA PRIVATE KEY-----"]
    + [invented(64, seed=line) for line in range(20)]
    + [invented(10) + "==", "-----END RSA PRIVATE KEY-----"]
)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:8])
@pytest.mark.parametrize("frame", ["{}", "key={}", '"{}"', "use {}, please.", r"a\n{}\n", "({})", "https://u:{}@h"])
def test_keys_are_found_whole(find: Find, key: str, frame: str) -> None:
    """By their published beginnings, in prose, code, JSON and URLs."""

    assert ("API_KEY", key) in [(entity, value[: len(key)]) for entity, value in find(frame.format(key))]


@pytest.mark.parametrize(
    "text",
    [
        "task-" + invented(30),
        "sk-fading-circle-12-child-of-container",
        "sk-learn",
        "ghp_" + "x" * 36,
        "sk-" + "0" * 40,
        "AKIASHORT",
        "xAKIA" + "A1" * 8,
        "eyJub3Qi." + "short.x",
        invented(40),
        "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "-----BEGIN PUBLIC KEY-----\n" + invented(64) + "\n-----END PUBLIC KEY-----",
        'BEGIN = "-----BEGIN PRIVATE KEY-----"\nEND = "-----END PRIVATE KEY-----"',
        "a file that starts with -----BEGIN PRIVATE KEY----- is a key",
    ],
)
def test_what_is_no_secret_is_left(find: Find, text: str) -> None:
    """Class names, dummies, hashes, public keys, and source that names the first and last line of a key."""

    assert find(text) == []


@pytest.mark.parametrize(
    "frame", ["aws_secret_access_key = {}", 'AWS_SECRET="{}"', "secretAccessKey: {}", "Secret key\n{}"]
)
def test_aws_secrets_are_found_by_their_name(find: Find, frame: str) -> None:
    """Forty characters of base64 beside a word for them."""

    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    assert find(frame.format(secret)) == [("API_KEY", secret)]


def test_a_long_class_name_beside_aws_is_left(find: Find) -> None:
    """Forty letters are no secret without digits."""

    assert find("aws V1OrganizationExternalKeysPostRequestGcp") == []


@pytest.mark.parametrize("frame", ["Bearer {}", "'{}'", "token={};", "{}."])
def test_tokens_are_found_whole(find: Find, frame: str) -> None:
    """All three parts; the end of a sentence is not one."""

    assert find(frame.format(TOKEN)) == [("API_KEY", TOKEN)]


def test_an_encrypted_token_is_found_whole(find: Find) -> None:
    """Five parts."""

    token = TOKEN + "." + invented(30) + "." + invented(22)

    assert find(f"x {token} y") == [("API_KEY", token)]


def test_urls_with_a_secret_in_their_path(find: Find) -> None:
    """A bot's of Telegram, a webhook's of Slack, its slashes escaped or not."""
    token = "5786714869:AA" + invented(33)
    assert find(f"GET /bot{token}/getMe") == [("API_KEY", f"bot{token}")]
    for slash in ("/", "\\/"):
        path = slash.join(["T0P7BTU1P6", "B0IFHEQZP4", invented(24)])
        assert find(f"https:{slash * 2}hooks.slack.com{slash}services{slash}{path} ") == [("API_KEY", path)]


@pytest.mark.parametrize("escape", ["\n", r"\n", r"\\n", r"\r\n", '\\n" +\n "', "\n    "])
def test_private_keys_are_found_whole(find: Find, escape: str) -> None:
    """The whole block, as a file, as JSON text, as source, indented."""

    block = PRIVATE_KEY.replace("\n", escape)

    assert find(f"key: '{block}' end") == [("API_KEY", block)]


@pytest.mark.parametrize("kind", ["", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "])
def test_every_kind_of_private_key_is_found(find: Find, kind: str) -> None:
    """Whatever stands before PRIVATE KEY."""

    block = PRIVATE_KEY.replace("RSA ", kind)

    assert find(block) == [("API_KEY", block)]


def test_a_key_without_its_end_is_found_as_far_as_it_goes(find: Find) -> None:
    """A cut block is a leak all the same; the prose after it stays."""

    cut = PRIVATE_KEY.rpartition("\n")[0]

    (finding,) = find(cut + "\n\nand this is prose about it")

    assert finding[1].startswith(cut)
    assert "prose" not in finding[1]


def test_a_shortened_example_is_found(find: Find) -> None:
    """A block with dots in it, as people paste it."""

    block = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----"

    assert find(block) == [("API_KEY", block)]


def test_an_endless_token_is_found_up_to_the_bound(find: Find) -> None:
    """What is longer than any token is cut at the bound, and found up to there."""

    token = TOKEN.partition(".")[0] + "." + invented(SECRET_MAX)

    ((entity, value),) = find(token)

    assert entity == "API_KEY"
    assert len(value) == SECRET_MAX == credentials.SECRET_MAX


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("postgres://app:S3cr3t!pw@db.internal:5432/x", "S3cr3t!pw"),
        ("redis://:hunter2xyz@cache:6379", "hunter2xyz"),
        ("password: Hunter2!xyz", "Hunter2!xyz"),
        ("my password is Tr0ub4dor&3.", "Tr0ub4dor&3"),
        ('client_secret = "9aF8-b7C6_d5E4"', "9aF8-b7C6_d5E4"),
        ("DB_PASSWORD=xK9#mP2$vL", "xK9#mP2$vL"),
    ],
)
def test_passwords_are_found(find: Find, text: str, password: str) -> None:
    """In a URL, whose host stays; after a name for one."""
    found = find(text)

    assert found == [("PASSWORD", password)] or "$" in password  # a sign that starts a variable is left alone


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['DB_PASSWORD']",
        "token = get_token()",
        "secret: str = Field(default=None)",
        "DATABASE_URL=postgres://user:${DB_PASSWORD}@host/x",
        "https://user:password@host/",
        "password=password",
        "Authorization: Bearer <token>\nX-Request-Id: 2617da94-438b-433a-a3ea-945d5ae2206b",
        "api_key: Optional[SecretStr]",
        "self.token = other.token_value",
        'credentials="include"',
        "password: changeme123A",
    ],
)
def test_what_stands_for_a_password_is_left(find: Find, text: str) -> None:
    """Variables, calls, types, words of a program."""
    assert find(text) == []


@pytest.mark.parametrize(
    "wallet",
    [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ",
        "0x52908400098527886E0F7030069857D2E4169EE7",
    ],
)
def test_wallets_are_found(find: Find, wallet: str) -> None:
    """Bitcoin by its checksum, Ethereum by its shape."""
    assert find(f"send it to {wallet} please") == [("CRYPTO", wallet)]


@pytest.mark.parametrize("text", ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "0x" + "0" * 40, "0xdeadbeef"])
def test_what_only_looks_like_a_wallet_is_left(find: Find, text: str) -> None:
    """A wrong checksum, no address, a short number."""
    assert find(text) == []


def test_keys_of_many_issuers_are_known() -> None:
    """At least forty; each beginning that the pattern proposes is one that the check knows."""
    assert len(credentials._BEGINNINGS) >= 60
