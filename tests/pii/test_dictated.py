"""Characters that are dictated one by one."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("entity", "before", "said"),
    [
        ("PASSWORD", "password = ", "capital k, four, lowercase m, a, dash, nine, two, exclamation mark"),
        ("PASSWORD", "the wifi password is ", "uppercase H, a, r, v, e, s, t, hash, two two one eight"),
        ("PASSWORD", "das passwort ist ", "großes K, kleines r, drei, vier, kleines m, ausrufezeichen"),
        ("PASSWORD", "password spelled: ", "i n u p zero six seven"),
        ("SG_NRIC_FIN", "my IC is ", "S nine six double seven nine five oh Z"),
        ("UK_NINO", "NI number? It's ", "X-ray Romeo five three six nine zero five Delta"),
        ("IT_FISCAL_CODE", "il codice fiscale: ", "R S S M R A sette cinque T uno zero A cinque sei due Q"),
        ("PASSWORD", "admin: ", "capital r, e, g, e, n, dot, capital f, one, three"),
        (
            "API_KEY",
            "run it with ",
            "capital a, capital k, capital i, capital a, capital q, seven, three, capital w, capital d, capital g, "
            "capital j, capital i, capital c, capital e, seven, capital m, capital r, capital n, capital b, two",
        ),
        ("MAC_ADDRESS", "MAC ", "five c, f three, seven zero, foxtrot six, nine two, three six"),
        ("MAC_ADDRESS", "hardware address is ", "zero zero, one alpha, two bravo, three c, four d, five e"),
        ("EMAIL_ADDRESS", "write to ", "papa dot yankee india lima mike alpha zulu at ziggo dot nl"),
        ("EMAIL_ADDRESS", "cc ", "b e a t r i z . o k a f o r 7 9 at seznam dot cz"),
        ("EMAIL_ADDRESS", "write to ", "m i r a dot k o v a c at web dot de"),
        ("EMAIL_ADDRESS", "invites go to ", "k a r s t e n - o l i v e i r a @ talleresnavia dot es"),
    ],
)
def test_a_run_is_read_as_a_whole(find: Find, entity: str, before: str, said: str) -> None:
    """Large and small letters, names of signs, an alphabet, pairs, with the words of a domain behind the @."""
    assert find(f"{before}{said} thanks") == [(entity, said)]


@pytest.mark.parametrize(
    "text",
    [
        "capital A is the first letter, small b the second",
        "Vitamin C, a big D and a small e are on the list",
        "option a, b, c, d, e, f or g",
        "golf hotel in india, november to march",
        "read a b c d e f g aloud",
        "I T H E L P please",
        "Q W E R T Y keyboard",
    ],
)
def test_letters_that_say_nothing_are_left(find: Find, text: str) -> None:
    """Lists, alphabets, words."""
    assert find(text) == []
