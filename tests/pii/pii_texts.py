"""Texts that are hard on purpose: values, halves of values, what joins and separates them. All invented."""

from dataclasses import dataclass

from hypothesis import strategies as st

FRAGMENTS = [
    "jane.doe@acme.com",
    "jürgen@börse.de",
    "jane@",
    "@acme.co",
    "4013 6018 6191 1289",
    "4013601861911289",
    "4013-6018",
    "3712 292655 55165",
    "281-44-0067",
    "281 44 0067",
    "DE75 8501 0510 3738 8815 15",
    "GB56KMWI15643338874089",
    "DE75",
    "151.201.206.84",
    "2a02:bb4c:af43::927",
    "fe80::",
    "::",
    "1.2.3",
    "+1 646 526 1482",
    "+49 (0)30 901820",
    "(415) 806-5568",
    "646-613-5259 x12",
    "06 12 34 56 78",
    "Ada Quill, 70 18 92 27",
    "Ada Quill\n612 955 383",
    "(11) 2365-0847",
    "3604 1767",
    " (mobile)",
    " (mob",
    "(+61) 2 1270 9939",
    "電話は03-1296-7059です",
    "MR# 42-25-65",
    "Thai ID 1 9677 72164 08 4",
    "phone",
    "call me",
    "card ",
    "ssn ",
    "iban",
    "aws_secret_access_key=",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "sk-proj-tRciWI6HzJaWELoNM7vKbv12VV8OjMejMfsoV8pZbKAags0j",
    "sk-",
    "ghp_Tv7DfZsmU6swOuNVnpSjzkdiERmWdZ1kvbZ8",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjQzMDAwIn0.JFLVlUfYX2HF5Tipc6ihyjI",
    "eyJhbGciOiJIUzI1NiJ9.",
    "-----BEGIN PRIVATE KEY-----",
    "MIIEpAIBAAKCAQEA1c7+9z5Pad7OejecsQ0bu3aumtR5",
    "-----END PRIVATE KEY-----",
    "MRN-4225650",
    "medical record ",
    "[EMAIL_ADDRESS_3f9a1c]",
    "[PHONE_NUMBER]",
    "email_address_3f9a1c",
    "[Email Address 3f9a1c]",
    "EMAIL_ADDRESS_3f9a1c",
    "%5BEMAIL_ADDRESS_3f9a1c%5D",
    "CREDIT CARD 411111 1111",
    "[EMAIL_ADDRESS_3f",
    "[",
    "]",
    "CASE-123",
    "ja\u200bne.doe@acme.com",
    "ｊａｎｅ＠ａｃｍｅ．ｃｏｍ",
    "jane&#64;acme.com",
    "jane%40acme.com",
    "&#x34;",
    "%34",
    "\\u0034",
    "four nine two nine four one two eight three three five seven six zero one seven",
    "four one",
    " five ",
    "double ",
    "４９２９",
    "4929 - 4128 - 3357 - 6017",
    "4 9 2 9 4 1 2 8",
    "<b>",
    "am9obi5zbWl0aEBicmlnaHRxdWlsbC1tYWlsLmNvbQ==",
    "am9obi5zbWl0",
    "6a616e652e646f65406163",
    "6d652e636f6d",
    "moc.emca@enaj",
    "john dot smith at acme dot com",
    "jane [at] acme.com",
    "note: private",
    "ip 0x53951bce",
    "http://1402280910",
    "0123.0225.033.0316",
    "206.27.149.83.in-addr.arpa",
    "mac 3c5ab49f217e",
    "3c 5a b4 9f 21 7e",
    "Basic ZGJhZG1pbjpRdWFyei1UdWxwZTc3",
    "jane+AEA-acme.com",
    "\U000e006a\U000e0061@acme.com",
    "born 17 . 03 . 1984",
    "VVVVVVVVVVVVVVVV",
    "\\n",
    "\\u0041",
    "\\",
    "\n",
    " ",
    "  ",
    ", ",
    ". ",
    "-",
    ".",
    "_",
    "/",
    "=",
    ":",
    "1",
    "77",
    "2024",
    "v",
    "version ",
    "order ",
    "the quick brown fox",
    "é",
    "中文",
    "\ud800",
    "😀",
]


def texts(max_size: int = 10) -> st.SearchStrategy[str]:
    """Texts put together from `FRAGMENTS` and a few free characters."""
    piece = st.sampled_from(FRAGMENTS) | st.text("a1 -.@:+()[]\\n", max_size=3)
    return st.lists(piece, max_size=max_size).map("".join)


def cuts(text: str, data: st.DataObject) -> list[str]:
    """Cut ``text`` anywhere, also into single characters."""
    if data.draw(st.booleans(), label="one character at a time"):
        return list(text)
    at = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6), label="cuts"))
    return [text[low:high] for low, high in zip([0, *at], [*at, len(text)], strict=True)]


@dataclass(frozen=True)
class KnownNames:
    """Lists of names as a reader has them, in the case that a test writes them in."""

    first: frozenset[str] = frozenset()
    last: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def is_word(self, part: str) -> bool:
        """Whether it is among the ordinary words, in any case."""
        return part.lower() in self.words

    def is_first_name(self, word: str) -> bool:
        """Whether it is among the first names, in any case."""
        return word.lower() in self.first

    def is_last_name(self, word: str) -> bool:
        """Whether it is among the last names, in any case."""
        return word.lower() in self.last


def known_names(first: str = "", last: str = "", words: str = "") -> KnownNames:
    """Lists of the names and words that stand in the texts."""
    return KnownNames(*(frozenset(said.lower().split()) for said in (first, last, words)))
