"""Values that a program puts together."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]
KEY = "AIzaSyHYopWAxZUG_qU8K1N6IcjdfhHhWMxqfSo"
LETTERS = "', '".join(KEY)
CODES = "+".join(f"CHAR({ord(one)})" for one in "ada.ruiz@web.de")


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        (
            "EMAIL_ADDRESS",
            'new StringBuilder("ada").append("it.ruiz").append("@no").append("rthfell.com").toString();',
            'ada").append("it.ruiz").append("@no").append("rthfell.com',
        ),
        ("EMAIL_ADDRESS", "EMAIL=\"karsten.dewit\"'@northfell.com'", "karsten.dewit\"'@northfell.com"),
        ("EMAIL_ADDRESS", '+  contact: "kwame_okafor@ora" \\\n+    "nge.fr"', 'kwame_okafor@ora" \\\n+    "nge.fr'),
        ("EMAIL_ADDRESS", 'to = "".join(["ada.mensah", "@btinternet", ".com"])', 'ada.mensah", "@btinternet", ".com'),
        (
            "EMAIL_ADDRESS",
            '["f","a","t","7","@","n","o","r","t","h",".","c","o","m"]',
            'f","a","t","7","@","n","o","r","t","h",".","c","o","m',
        ),
        ("EMAIL_ADDRESS", '"{}@{}".format("ada.ruiz", "kestrel-freight.com")', 'ada.ruiz", "kestrel-freight.com'),
        ("EMAIL_ADDRESS", 'P1=andrzej_jan\nP2=sen@seznam.cz\n./mailer.sh "$P1$P2"', "andrzej_jan\nP2=sen@seznam.cz"),
        ("EMAIL_ADDRESS", f"SELECT {CODES} AS q", CODES),
        ("PHONE_NUMBER", 'tel = "".join(["+4", "5326", "2", "7826"])', '+4", "5326", "2", "7826'),
        ("PHONE_NUMBER", "q = '-'.join(['+91', '81234', '06214'])\ndial(q)", "+91', '81234', '06214"),
        ("PHONE_NUMBER", 'a = "+40"\nb = "211232815"\ndial(a + b)', '+40"\nb = "211232815'),
        ("CREDIT_CARD", 'a = "547657"\nb = "6140553432"\ncharge(a + b)', '547657"\nb = "6140553432'),
        ("IP_ADDRESS", "v = '.'.join(['91', '131', '175', '177'])\nfirewall.block(v)", "91', '131', '175', '177"),
        ("IP_ADDRESS", 'v = "%s.%s.%s.%s" % (54, 182, 48, 247)\nfirewall.block(v)', "54, 182, 48, 247"),
        ("API_KEY", f"const api_key = ['{LETTERS}'].join('');", LETTERS),
        ("PASSWORD", "set A=Velvet*890\nset B=5#\nlogin_as_root.exe %A%%B%", "Velvet*890\nset B=5#"),
        ("PASSWORD", "a = ['l', 'a', 'n', 'e', '.', '3', '8'].join('')\nlogin(a)", "l', 'a', 'n', 'e', '.', '3', '8"),
    ],
)
def test_pieces_are_put_together_as_the_program_does(find: Find, entity: str, text: str, value: str) -> None:
    """By calls, operators, formats, variables, codes; what a call is named says what a value is."""
    found = find(text)

    assert [named for named, _ in found] == [entity]
    assert value.strip("'\"") in found[0][1] or found[0][1] in value


def test_characters_of_a_trace_are_one_value(find: Find) -> None:
    """One in each line."""
    trace = "\n".join(f'read(0, "{one}", 1) = 1' for one in "ada.ruiz@web.de")

    assert [entity for entity, _ in find(trace)] == ["EMAIL_ADDRESS"]


@pytest.mark.parametrize(
    "text",
    [
        'print("a" + "b")',
        'names = ["alpha", "beta"].join(" ")',
        '"%s.%s.%s.%s" % (1, 2, 3, 4)',
        'version = ".".join(["1", "2", "30", "4"])',
        "(total + count)",
        'x = "abc"\ny = "def"\nfoo(x + y)',
        'path = "/".join(["usr", "lib", "python3"])',
        "grades = ['a', 'b', 'c', 'd', 'e', 'f', 'g']",
    ],
)
def test_other_strings_are_left(find: Find, text: str) -> None:
    """Versions, paths, words, letters."""
    assert find(text) == []
