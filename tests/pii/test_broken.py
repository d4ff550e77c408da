"""Keys in pieces and values that are said to be turned around are found; words after a key are no part of it."""

import base64
import codecs
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.broken import check_broken

Find = Callable[[str], list[tuple[str, str]]]
KEY = "sk-proj-Xq7Lw2Vd9Tn4Rb8Ky1Hm6Pz3Jc5Gf0Ae"
GITHUB = "ghp_k3Jx9Qw2Rt7Yp5Lm8Nb4Vc6Zd1Hs0Fg2Ta4U"
AWS = "AKIAQ4XW7ZLN2PTRK5MB"
TOKEN = "eyJhbGciOiJIUzI1NiJ9 . eyJzdWIiOiI0NDE5MCIsIm4iOiJNaXJhIn0 . q7Lw2Vd9Tn4Rb8Ky1Hm6Pz3Jc5Gf0Ae"


@pytest.mark.parametrize(
    "written",
    [
        "sk-proj-\nXq7Lw2Vd9Tn4Rb8Ky1Hm6Pz3Jc5Gf0Ae",
        "sk-proj-Xq7Lw2Vd9Tn4\n    Rb8Ky1Hm6Pz3Jc5Gf0Ae",
        "sk-proj-Xq7Lw2Vd9Tn4\\\nRb8Ky1Hm6Pz3Jc5Gf0Ae",
        "sk-proj-Xq7L w2Vd 9Tn4 Rb8K y1Hm 6Pz3 Jc5G f0Ae",
        "sk-proj-Xq7Lw2Vd9Tn4 and continues with Rb8Ky1Hm6Pz3Jc5Gf0Ae",
        "ghp_k3Jx9Qw2 Rt7Yp5Lm8Nb4 Vc6Zd1Hs0Fg2Ta4U",
        "AKIA Q4XW 7ZLN 2PTR K5MB",
        "AKIAQ4XW7Z\nLN2PTRK5MB",
        "AKIA-Q4XW7ZLN2PTRK5MB",
        "AKIA.Q4XW7ZLN.2PTRK5MB",
        TOKEN,
        TOKEN.replace(" . ", ".\n"),
    ],
)
def test_a_broken_key_is_found_whole(find: Find, written: str) -> None:
    """Over lines, in groups, in two halves."""
    assert ("API_KEY", written) in find(f"the key: {written}\nis new")


@pytest.mark.parametrize(
    "written",
    [
        f'"{KEY[:8]}" + "{KEY[8:]}"',
        f"'{KEY[:20]}'\n       '{KEY[20:]}'",
        f'"{GITHUB[:20]}" \\\n        "{GITHUB[20:]}"',
        f'"{AWS[:4]}" . "{AWS[4:]}"',
        f"'{AWS[:9]}' || '{AWS[9:]}'",
    ],
)
def test_joined_strings_are_one_key(find: Find, written: str) -> None:
    """As five languages join them, also over lines."""
    assert ("API_KEY", written[1:-1]) in find(f"k = {written};")


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn is a library of 2007 and 3rd party code",
        "AKIA is the prefix of access keys, ASIA is a continent",
        "the key sk-proj-xxxx was turned off in 2024",
        "ghp_ tokens have 36 characters after the prefix",
        "fw_update 2b or not 2b, fw_ version 3a 4b 5c",
        "reversed(range(10)) and backwards compatible identifiers of version2025",
        "rot13 of hello is uryyb",
    ],
)
def test_words_about_keys_are_left(find: Find, text: str) -> None:
    """Prefixes in sentences, words after them."""
    assert find(text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"key: {KEY[::-1]} (reversed)",
        f"reversed key {KEY[::-1]}",
        f"rot13: {codecs.encode(GITHUB, 'rot13')}",
        f"{codecs.encode(GITHUB, 'rot13')} is ROT13",
        f"iban {codecs.encode('NL13INGB0417164388', 'rot13')} (rot13)",
        "IBAN 46731023504400407352ED, read backwards",
    ],
)
def test_what_is_said_to_be_turned_is_read_so(find: Find, text: str) -> None:
    """Before or behind the word that says it."""
    assert [entity for entity, _ in find(text)] in (["API_KEY"], ["IBAN_CODE"])


def test_a_login_in_a_header_is_a_password(find: Find) -> None:
    """Of HTTP's Basic scheme; other base64 after the word is none."""
    login = base64.b64encode(b"dbadmin:Quarz-Tulpe77").decode()

    assert find(f"Authorization: Basic {login}") == [("PASSWORD", login)]
    assert find("Basic programming64 and basic Authentication") == []
    assert find(f"Basic {base64.b64encode(b'nothing to see here').decode()}") == []


@given(st.lists(st.integers(1, len(KEY) - 1), max_size=6, unique=True), st.sampled_from([" ", "\n", "\n  "]))
def test_wherever_it_is_broken_behind_its_beginning(cuts: list[int], gap: str) -> None:
    """Pieces that hold a letter and a digit are put together again."""
    ends = [0, *sorted(cut for cut in cuts if cut >= 12), len(KEY)]
    pieces = [KEY[low:high] for low, high in pairwise(ends)]
    written = gap.join(pieces)
    told = all(any(map(str.isdecimal, p)) and any(map(str.isalpha, p)) for p in pieces[1:])
    found = check_broken(written, 0)

    if told and len(pieces) > 1:
        assert found is not None
        assert (found.start, found.end) == (0, len(written))
    assert found is None or written[found.end - 1].isalnum()
