"""Texts that are hard on purpose: values, halves of values, what joins and separates them. All invented."""

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
    "[EMAIL_ADDRESS_3f",
    "[",
    "]",
    "CASE-123",
    "note: private",
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
