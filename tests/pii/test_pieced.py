"""Keys, tokens and wallets are found in pieces, whatever stands between; other strings in pieces are none."""

import pytest

from outwarden.pii import Detector, PiiPolicy

KEY = ("sk_live_9fKd2LmQ", "x7Rt4VbN8cZp1W")
WALLET = ("0x52908400098527886E0F", "7030069857D2E4169EE7")
TOKEN = ("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiI0MTIzNDU2In0", "Xb3kQ9vLr2TzW8mYp1cNd4Hs")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


FRAMES = [
    'const K: &str = concat!("{}", "{}");',
    'new StringBuilder().append("{}").append("{}").toString();',
    'token = join("", ["{}", "{}"])',
    "A='{}'; B='{}'; export SECRET=\"$A$B\"",
    "ENV A={}\nENV B={}\nENV SECRET=$A$B",
    "secret token:\nleft = {}\nright = {}",
    "the key:\n# {}\n# {}\n",
    "wallet key\n+{}\n+{}\n",
    "my key: {} ... {} ok?",
    "my key: first half {} second half {}",
    "14:02:11 sending token {}\n14:02:11   (cont.) {}",
    "the wallet key [{}][{}]",
]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(("entity", "pieces"), [("API_KEY", KEY), ("CRYPTO", WALLET)])
def test_two_pieces_are_one_secret(detector: Detector, frame: str, entity: str, pieces: tuple[str, str]) -> None:
    """In code, settings, lines, logs and sentences."""
    text = frame.format(*pieces)
    found = [span for span in detector.find([text])[0] if span.entity == entity]

    assert any(pieces[0] in text[s.start : s.end] and pieces[1] in text[s.start : s.end] for s in found)


@pytest.mark.parametrize(
    "frame",
    ['["{}", "{}", "{}"]', '{{"protected":"{}","payload":"{}","signature":"{}"}}', "{} [dot] {} [dot] {}",
     "X-Tok-1: {}\nX-Tok-2: {}\nX-Tok-3: {}"],
)  # fmt: skip
def test_the_parts_of_a_token_are_one(detector: Detector, frame: str) -> None:
    """Without its dots."""
    text = frame.format(*TOKEN)

    assert any(text[s.start : s.end].endswith(TOKEN[2]) for s in detector.find([text])[0] if s.entity == "API_KEY")


@pytest.mark.parametrize(
    "text",
    [
        'names = ["sk_live_", "sk_test_", "rk_live_"]',
        "the key is in the vault, ask Team2 for the token of v3",
        'wallet = connect("0x12ab", "0x34cd")',
        "keys: a1, b2, c3, d4; tokens x9 y8",
    ],
)
def test_other_pieces_are_no_secret(detector: Detector, text: str) -> None:
    """Beginnings alone, names, bytes."""
    assert [span.entity for span in detector.find([text])[0]] == []


@pytest.mark.parametrize(
    "wallet",
    [
        "BC1Q RVSC PXNU ULPG E2R5 J6F3 SKA5 JYWQ 67P7 V5CT JM",
        "bc1qer rnx9rt jymtsw vharkj c5eg4x 597wke z44r62",
        "TPnd hMJe arM9 vkyF sjQy 8rmE a1fk 45oC tw",
        "zero x 346ab6d5dea5E0722963fC4B041657A0dcBb5d25",
    ],
)
def test_a_wallet_in_groups_is_found(detector: Detector, wallet: str) -> None:
    """Of one length but for the last, in capitals, with its beginning in words."""
    text = f"withdrawal wallet: {wallet} please"

    assert [(span.entity, text[span.start : span.end]) for span in detector.find([text])[0]] == [("CRYPTO", wallet)]
