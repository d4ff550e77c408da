"""Values written as the codes of their characters are found as one run; codes that say something else are not."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy
from outwarden.pii.packed import PACKINGS
from outwarden.pii.regexp import Regexp

EMAIL = b"jane.doe@quarzbach.com"
WRITE = (
    lambda raw: "".join(f"\\{byte:03o}" for byte in raw),
    lambda raw: " ".join(f"{byte:08b}" for byte in raw),
    lambda raw: ",".join(map(str, raw)),
    lambda raw: "".join(f"={byte:02X}" for byte in raw),
    lambda raw: "".join(f"\\\\u{byte:04x}" for byte in raw),
    lambda raw: base64.b32encode(raw).decode(),
)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


@pytest.mark.parametrize("way", range(len(WRITE)))
def test_a_packed_address_is_found_whole(detector: Detector, way: int) -> None:
    """All of the run: half of an encoding says nothing."""
    written = WRITE[way](EMAIL)
    text = f"it says {written} there"
    (span,) = detector.find([text])[0]

    assert (text[span.start : span.end], span.entity) == (written, "EMAIL_ADDRESS")


@pytest.mark.parametrize("way", range(len(WRITE)))
def test_packed_words_are_left_alone(detector: Detector, way: int) -> None:
    """Text without anything personal."""
    assert not detector.find([WRITE[way](b"nothing to see here at all, go on")])[0]


@pytest.mark.parametrize("text", ["[104, 101, 108, 108, 111, 32, 119]", "0110 0111 0000", "ABCDEFGHIJKLMNOP", "\\101"])
def test_codes_by_accident_are_left_alone(detector: Detector, text: str) -> None:
    """Lists of numbers, bits, capitals."""
    assert not detector.find([text])[0]


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=12, max_size=60))
def test_what_is_packed_is_unpacked(said: str) -> None:
    """Each way of writing is undone, and its pattern takes all of what it wrote."""
    for write, packing in zip(WRITE, PACKINGS, strict=True):
        written = write(said.encode())

        assert packing.unpack(written).decode() == said
        assert Regexp(packing.pattern).search(written.encode()) == (0, len(written))
        assert Regexp(packing.hint).search(written.encode()) is not None
