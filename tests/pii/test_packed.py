"""Values written as the codes of their characters are found as one run; codes that say something else are not."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy, packed
from outwarden.pii.matching import Candidate
from outwarden.pii.packed import PACKINGS, RUN_MAX, Packing, check_packed
from outwarden.pii.reading import Look
from outwarden.pii.recognizer import UNDECIDED, Verdict
from outwarden.pii.regexp import Regexp

EMAIL = b"jane.doe@quarzbach.com"
WRITE: tuple[Callable[[bytes], str], ...] = (  # as `PACKINGS` has them
    lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
    lambda raw: raw.hex(":"),
    lambda raw: base64.b64encode(raw.decode().encode("utf-16-le")).decode(),
    lambda raw: ", ".join(f"0x{byte:02X}" for byte in raw),
    lambda raw: raw.hex("-"),
    lambda raw: "".join(f"\\{byte:03o}" for byte in raw),
    lambda raw: " ".join(f"{byte:08b}" for byte in raw),
    lambda raw: ",".join(map(str, raw)),
    lambda raw: " & ".join(f"CHAR({byte})" for byte in raw),
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


PRINTABLE = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=12, max_size=60)


@given(PRINTABLE)
def test_what_is_packed_is_unpacked(said: str) -> None:
    """Each way of writing is undone; its row begins a run, which takes all of what was written and no more."""
    for write, packing in zip(WRITE, PACKINGS, strict=True):
        written = write(said.encode())
        run = packing.run.match(f"{written} 12")

        assert packing.unpack(written).decode().rstrip("\0") == said
        assert run is not None
        assert run[0].rstrip() == written
        assert (Regexp(packing.row).search(written.encode()) or (-1, 0))[0] == 0


def nothing(text: str, start: int = 0) -> list[Candidate]:
    return []


@given(
    st.sampled_from([way for way, packing in enumerate(PACKINGS) if packing.streamed]),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_a_stream_is_told_to_wait_until_a_run_has_ended(way: int, before: int, after: int) -> None:
    """At every cut the verdict is that of the whole text, or there is none yet."""
    packing, text = PACKINGS[way], "x" * before + " " + WRITE[way](EMAIL) + " " + "y" * after
    start = before + 1
    whole = check_packed(packing, nothing, text, start, False)
    for cut in range(start, len(text) + 1):
        assert check_packed(packing, nothing, text[:cut], start, True) in (whole, UNDECIDED, None)


def test_words_in_base64_are_not_read_again_for_those_that_follow(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands before a run may be such runs itself: each would be unpacked for five others, level by level."""
    words = [base64.b64encode(f"word number {number}".encode()).decode() for number in range(30)]
    written = base64.b64encode(base64.b64encode(EMAIL)).decode()
    read = []

    def counted(packing: Packing, look: Look, text: str, start: int, more: bool) -> Verdict | None:
        read.append(text)
        return check_packed(packing, look, text, start, more)

    monkeypatch.setattr(packed, "check_packed", counted)
    (span,) = detector.find([" ".join([*words, written])])[0]

    assert span.entity == "EMAIL_ADDRESS"
    assert len(read) < 8 * len(words)


@pytest.mark.parametrize("width", [16, 20, 30, 76])
@pytest.mark.parametrize("joint", ["\n", "\r\n  ", "\n> "])
def test_base64_over_lines_is_read_on(detector: Detector, width: int, joint: str) -> None:
    """Wherever it is broken; what stands around it stays."""
    written = base64.b64encode(b"From: " + EMAIL + b" on Monday, as agreed by all of us").decode()
    broken = joint.join(written[at : at + width] for at in range(0, len(written), width))
    text = f"Body:\n{broken}\n\nthanks"
    (span,) = detector.find([text])[0]

    assert span.entity == "EMAIL_ADDRESS"
    assert text[span.start : span.end].rstrip("=") == broken.rstrip("=")


@pytest.mark.parametrize("unit", ["V", "QUFB", "MFRA", "41", "0x41,", "=41", "\\101", "65,", "&#65;"])
def test_a_long_run_costs_twice_as_much_when_it_is_twice_as_long(detector: Detector, unit: str) -> None:
    """An automaton that counted to a thousand took 20 s for 200 KB of "V"; a row of runs is linear and small."""
    looked: list[int] = []

    def look(said: str) -> list[Candidate]:
        looked.append(len(said))
        return []

    texts = [unit * (size // len(unit)) for size in (20_000, 40_000)]
    packing_looks = [0, 0]
    for at, text in enumerate(texts):
        looked.clear()
        for packing in PACKINGS:
            place = 0
            while place < len(text) and (found := packing.run.match(text, place, place + RUN_MAX)):
                verdict = check_packed(packing, look, text, place, False)
                assert verdict is not None
                assert verdict.end > place
                place = max(verdict.end, found.end() - RUN_MAX // 2)
        packing_looks[at] = sum(looked)

    assert packing_looks[1] <= 2.2 * packing_looks[0] + RUN_MAX
    assert not detector.find([texts[0]])[0]


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("PASSWORD", 'TMP="\\107\\154\\100\\143\\061\\063\\162\\062\\060"\n./db.login.sh "$TMP"'),
        ("PASSWORD", "c = bytes([101, 115, 76, 121, 97, 57, 116, 38, 55, 119]).decode()\nftp.login(c)"),
        ("PASSWORD", "echo SGFydmVzdCMyMjE4eA== | base64 -d  # db password"),
        ("API_KEY", "x = 'UGlvRDFLK05qNGxGL01ub21NU3RqWDhOQUFpWG1nVmNqQzY3bHNJWg=='  # api_key"),
    ],
)
def test_what_stands_behind_a_run_may_name_it(entity: str, text: str) -> None:
    """A comment, a call that logs in."""
    assert [span.entity for span in Detector(PiiPolicy()).find([text])[0]] == [entity]


def test_a_readable_run_that_nothing_names_is_left() -> None:
    """The same in other company."""
    assert Detector(PiiPolicy()).find(["etag SGFydmVzdCMyMjE4eA== of the build"])[0] == []
