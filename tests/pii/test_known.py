"""A value that is found once in a request leaves nowhere in it, and the history stays as the provider said it."""

import json
import time
from base64 import b64decode, b64encode
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import CustomEntity, PiiEngine, PiiPolicy, Vault
from outwarden.pii.known import KnownValues, give_way, known_values
from outwarden.wire.body import Memory, rewrite_json, rewrite_text
from outwarden.wire.edits import Edit, apply_edits
from outwarden.wire.format import TextRules

RECORD = CustomEntity("RECORD_NUMBER", r"[A-Z]{2}\d{5}", ("patient",))
engine = PiiEngine(PiiPolicy(custom=(RECORD,)), b"a secret for tests only")
RULES = TextRules(remember=frozenset({"messages"}))

# What a caller says, with words around it that tell what it is.
SAID = [
    "mail jonas.weber@quarzbach-logistik.de",
    "phone +49 1512 7340918",
    "call me 06 12 34 56 78",
    "phone (415) 806-5568",
    "phone 030 901820",
    "my ssn is 281440067",
    "ssn 281-44-0067",
    "card 4929 4128 3357 6017",
    "iban DE75 8501 0510 3738 8815 15",
    "host 151.201.206.84",
    "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "patient AB12345",
    "nhs number 943 476 5919",
]
# What a model makes of it.
ANSWERS = [
    "Noted: {}.",
    "I wrote to {}, ok?",
    "- {}\n- {}",
    "`{}`",
    "**{}**",
    "mailto:{}",
    "<{}>",
    "({})",
    "{}'s",
    "{}/path",
    "version {}",
    "id={}&x=1",
    'say "{}"\\',
]


class Found:
    """A request in which nothing else is found than what it is told."""

    by_field = False

    def __init__(self, found):
        self.found = found

    def edits_in(self, texts, places):
        return self.found

    def again(self, edit, value, fields):
        return edit

    def mask(self, entity):
        return f"[{entity}]"


def redact(body, memory=None):
    """Redact a request as the interceptor does; return what leaves, and the vault."""
    vault = Vault()
    rewriter = engine.request(vault)
    raw = json.dumps(body).encode()
    return rewrite_json(raw, RULES, rewriter, memory=memory, find_known=rewriter.known).body, vault


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("remembered", [False, True])
def test_the_history_leaves_as_it_was_said(said, remembered):
    """What the provider wrote with a placeholder, restored for the caller and sent back in the next turn, is what the
    provider wrote: also where nothing around the value tells what it is."""
    memory = Memory(10**6) if remembered else None
    asked = {"role": "user", "content": said}
    first, vault = redact({"messages": [asked]}, memory)
    (name,) = vault._values
    answers = [answer.format(name, name) for answer in ANSWERS]
    # Calls of tools: JSON in a string.
    answers += [json.dumps({"to": name, "text": f'hi "{name}"\n'}), json.dumps([json.dumps({name: 1})])]
    restored = [rewrite_text(answer, engine.reply(vault)) for answer in answers]
    assert all(name not in text for text in restored)

    for _ in range(2):  # again, from memory
        turn = [asked, *({"role": "assistant", "content": text} for text in restored)]
        second, _ = redact({"messages": turn}, memory)
        sent = [message["content"] for message in json.loads(second)["messages"]]
        assert sent[0] == json.loads(first)["messages"][0]["content"]
        assert sent[1:] == answers


def test_only_whole_words_are_values():
    """A value inside a longer word or number is another value; scripts without spaces join nothing."""
    texts = ["ssn 281440067", "X281440067 2814400671 281440067", "号码281440067是", "281440067,281440067"]
    _, first, second, third = json.loads(redact(texts)[0])

    assert first.startswith("X281440067 2814400671 [US_SSN_")
    assert second.startswith("号码[US_SSN_")
    assert third.count("[US_SSN_") == 2


def test_a_larger_finding_stays():
    """What is found by itself and is more than the known value keeps its own name."""
    body, _ = redact({"a": "server 151.201.206.84", "b": "mail 151.201.206.84@corp-mail.example.net"})

    assert "151.201.206.84" not in body.decode()


def test_what_stands_around_a_value_hides_no_part_of_it():
    """An escape in the text eats its first letter, the next number joins it: the known values win."""
    said = "I am ada.quill@brightquill-mail.com, phone +49 1512 7340918, call me 06 12 34 56 78"
    vault = redact([said])[1]
    mail, *numbers = sorted(vault._values)
    _, sent = json.loads(redact([said, "\\ada.quill@brightquill-mail.com +49 1512 7340918 06 12 34 56 78"])[0])

    assert sent in [f"\\{mail} {one} {other}" for one, other in permutations(numbers)]


found_somewhere = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=5)


@given(st.lists(st.sampled_from(["AB12345", "CD678", " ", "-", "x", "é"]), max_size=12).map("".join), found_somewhere)
def test_findings_and_known_values_are_all_taken_out(text, places):
    """Whatever was found by itself: all of it is covered still, so is every known value, and no edits overlap."""
    found, at = [], 0
    for start, length in sorted(places):
        if at <= start < start + length <= len(text):
            at = start + length
            found.append(Edit(start, at, "[F]", "F", "mask"))
    values = {value: Edit(0, 0, f"[{value[:2]}]", "X", "mask") for value in ("AB12345", "CD678")}
    (edits,) = KnownValues(values, Found([found])).edits([text])

    assert all(one.end <= other.start for one, other in pairwise(edits))
    covered = {point for edit in edits for point in range(edit.start, edit.end)}
    assert all(point in covered or not text[point].isalnum() for e in found for point in range(e.start, e.end))
    left = "".join("\0" if point in covered else character for point, character in enumerate(text))
    for value in values:
        for start in range(len(left)):
            if left.startswith(value, start):
                around = (text[start - 1 : start], text[start + len(value) :][:1])
                assert any(one.isascii() and one.isalnum() for one in around)


def test_keys_and_nested_documents_are_read_too():
    """As every text is."""
    body, _ = redact({"a": "patient AB12345", "AB12345": json.dumps({"x": ["AB12345"]})})

    assert b"AB12345" not in body


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize("deep", [0, 1, 2])
def test_files_in_documents_in_strings_are_read_too(remembered, deep):
    """A text file in base64 may be an argument of a tool: JSON in a string, several times over."""
    memory = Memory(10**6) if remembered else None
    said = b64encode(b"Report of this day. Seen: 281440067, in good health, no further action is needed.").decode()
    inner = json.dumps({"type": "file", "file": {"file_data": f"data:text/plain;base64,{said}", "filename": "a.txt"}})
    for _ in range(deep):
        inner = json.dumps({"path": inner})
    body, _ = redact({"messages": [{"content": "ssn 281440067"}, {"arguments": inner}]}, memory)

    text = json.loads(body)["messages"][1]["arguments"]
    while "path" in (found := json.loads(text)):
        text = found["path"]
    after = b64decode(found["file"]["file_data"].partition(",")[2]).decode()

    assert after.startswith("Report of this day. Seen: [US_SSN_")


def test_a_number_elsewhere_in_the_body_is_left():
    """Ids are no text; looking again changes nothing there, and is remembered."""
    memory = Memory(10**6)
    padding = "words " * 40
    body = {"messages": [{"a": f"patient AB12345 {padding}"}, {"signature": f"x AB12345 {padding}"}]}
    rules = TextRules(opaque=frozenset({"signature"}), remember=frozenset({"messages"}))
    for _ in range(2):
        rewriter = engine.request(Vault())
        raw = json.dumps(body).encode()
        out = rewrite_json(raw, rules, rewriter, memory=memory, find_known=rewriter.known).body
        assert out.count(b"AB12345") == 1
        assert rewriter.counts["RECORD_NUMBER"] == 1


def test_nothing_found_asks_nothing():
    """No finding, no second look."""
    assert known_values([], engine.request(Vault()).edits) is None
    assert known_values([(Edit(0, 9, None, "X", "flag"), "some text")], engine.request(Vault()).edits) is None
    assert known_values([(Edit(0, 3, "[X]", "X", "mask"), "abc")], engine.request(Vault()).edits) is None


def test_values_are_not_shown():
    """Not by repr."""
    known = known_values([(Edit(0, 7, "[X]", "X", "mask"), "AB12345")], engine.request(Vault()).edits)

    assert repr(known) == "<KnownValues: 1>"


def escaped(sign, upper):
    """One character as an escape of JSON; of those beyond FFFF two."""
    units = sign.encode("utf-16-be").hex()
    return "".join(
        f"\\u{units[at : at + 4].upper() if upper else units[at : at + 4]}" for at in range(0, len(units), 4)
    )


@given(st.text(st.characters(codec="utf-8"), min_size=4, max_size=8), st.data())
def test_a_value_is_found_however_json_spells_it(value, data):
    """Any of its characters as an escape, its digits in either case, alone or in a string in a string."""
    ways = st.lists(st.sampled_from(["plain", "upper", "lower"]), min_size=len(value), max_size=len(value))
    signs = zip(value, data.draw(ways), strict=True)
    inside = "".join(
        json.dumps(sign, ensure_ascii=False)[1:-1] if way == "plain" else escaped(sign, way == "upper")
        for sign, way in signs
    )
    known = KnownValues({value: Edit(0, 0, "<1>", "X", "mask")}, Found([()]))
    document = f'{{"text": "{inside}"}}'

    assert json.loads(document)["text"] == value
    assert known.may_stand_in(document.encode())
    assert known.may_stand_in(json.dumps({"in": document}).encode())
    assert known.may_stand_in(json.dumps({"in": document}, ensure_ascii=False).encode())


@pytest.mark.parametrize("again", ["Noted: 28144006\\u0037.", "Noted: \\u00328144006\\u0037."])
def test_an_escape_hides_no_value(again):
    """What was found with words around it leaves nowhere in another spelling."""
    raw = f'{{"messages": [{{"content": "my ssn is 281440067"}}, {{"content": "{again}"}}]}}'.encode()
    rewriter = engine.request(Vault())
    said = json.loads(rewrite_json(raw, RULES, rewriter, find_known=rewriter.known).body)["messages"]

    assert said[1]["content"].startswith("Noted: [US_SSN_")


@given(
    st.lists(st.text(min_size=4, max_size=8), min_size=1, max_size=4),
    st.lists(st.integers(0, 5) | st.text(max_size=3), max_size=10),
)
def test_any_value_is_found(values, parts):
    """Whatever characters it is made of: literally, where it is no part of a longer word, or inside a longer value."""
    edits = {value: Edit(0, 0, f"<{n}>", "X", "mask") for n, value in enumerate(values)}
    known = KnownValues(edits, Found([()]))
    text = "|".join(part if isinstance(part, str) else values[part % len(values)] for part in parts)
    (found,) = known.edits([text])
    apply_edits(text, found)

    assert all(text[e.start : e.end] in edits for e in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    body = json.dumps({"text": text}).encode()
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    if found:
        assert known.may_stand_in(body)
        assert known.may_stand_in(json.dumps({"text": text}, ensure_ascii=False).encode())
        assert known.may_stand_in(json.dumps({"in": json.dumps({"text": text})}).encode())


def test_many_values_in_a_long_text_take_linear_time():
    """A list of two thousand values looked for in a megabyte: a fraction of a second."""
    edits = {f"QX{n:05}": Edit(0, 0, f"<{n}>", "X", "mask") for n in range(2000)}
    known = KnownValues(edits, Found([()]))
    text = "QX0000 xQX00001 and " * 50_000
    started = time.process_time()
    (found,) = known.edits([text])

    assert found == ()
    assert time.process_time() - started < 5


points = st.lists(st.integers(0, 24), max_size=12, unique=True).map(sorted)


@given(st.text("ab .", min_size=24, max_size=24), points, points, st.data())
def test_findings_give_way_wherever_they_stand(text, ours, theirs, data):
    """One pass over both gives what asking for each finding which values overlap it gives."""
    replacements = st.sampled_from(["[X_abc123]", "x", None])
    edits = [Edit(a, b, data.draw(replacements), "X", "mask") for a, b in zip(ours[::2], ours[1::2], strict=False)]
    known = [Edit(a, b, "[X_abc123]", "X", "mask") for a, b in zip(theirs[::2], theirs[1::2], strict=False)]
    found = give_way(text, edits, known, lambda entity: f"[{entity}]")

    assert all(one.end <= other.start for one, other in pairwise(found))
    for new in known:
        covering = [old for old in found if old.start <= new.start and new.end <= old.end]
        assert covering or any(old in found for old in edits if old.start < new.end and new.start < old.end)
    for old in edits:
        inner = [new for new in known if new.start < old.end and old.start < new.end]
        assert inner or old in found
        assert any(new in found for new in inner) or old in found


def test_many_findings_that_are_known_take_linear_time():
    """Each of them is compared with the values that stand in it, not with all."""
    text = "x " * 40_000
    edits = [Edit(at, at + 1, "[X]", "X", "mask") for at in range(0, len(text), 2)]
    known = [Edit(at, at + 1, "[X_1]", "X", "mask") for at in range(0, len(text), 2)]
    started = time.process_time()

    assert give_way(text, edits, known, lambda entity: f"[{entity}]") == known
    assert time.process_time() - started < 5
