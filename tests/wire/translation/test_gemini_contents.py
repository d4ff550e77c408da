"""What is said in Gemini's requests: calls and results that find each other, pictures, signatures."""

from typing import Any

import pytest

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.gemini_contents import UNSIGNED, read_turns, write_turns
from outwarden.wire.translation.neutral import Image, Text, ToolCall, ToolResult, Turn

OWN_FILE = "https://generativelanguage.googleapis.com/v1beta/files/a"
ASKED: dict[str, Any] = {"role": "user", "parts": [{"text": "Hi"}]}


def calls(*parts: dict[str, Any]) -> dict[str, Any]:
    """The model calls functions."""
    return {"role": "model", "parts": [{"functionCall": part} for part in parts]}


def results(*parts: dict[str, Any]) -> dict[str, Any]:
    """What they gave."""
    return {"role": "user", "parts": [{"functionResponse": {"response": {"output": "ok"}} | part} for part in parts]}


def paired(*contents: dict[str, Any]) -> list[tuple[str, str]]:
    """Names of calls and texts of results, by their ids, in the order of the results."""
    turns = read_turns([ASKED, *contents])
    names = {part.id: part.name for turn in turns for part in turn.parts if isinstance(part, ToolCall)}
    found = [part for turn in turns for part in turn.parts if isinstance(part, ToolResult)]
    return [
        (names[part.call_id], "".join(each.text for each in part.content if isinstance(each, Text))) for part in found
    ]


def output(text: str) -> dict[str, Any]:
    return {"response": {"output": text}}


@pytest.mark.parametrize(
    ("called", "answered", "expected"),
    [
        # neither has ids: by name, and by order where a name is there twice
        (
            [{"name": "f"}, {"name": "g"}, {"name": "f"}],
            [{"name": "g", **output("1")}, {"name": "f", **output("2")}, {"name": "f", **output("3")}],
            [("g", "1"), ("f", "2"), ("f", "3")],
        ),
        # both have: by id
        (
            [{"name": "f", "id": "a"}, {"name": "f", "id": "b"}],
            [{"name": "f", "id": "b", **output("1")}, {"name": "f", "id": "a", **output("2")}],
            [("f", "1"), ("f", "2")],
        ),
        # only the calls, or only the results
        ([{"name": "f", "id": "a"}], [{"name": "f", **output("1")}], [("f", "1")]),
        ([{"name": "f"}], [{"name": "f", "id": "made-up", **output("1")}], [("f", "1")]),
    ],
)
def test_results_find_their_calls(called: list[Any], answered: list[Any], expected: list[tuple[str, str]]) -> None:
    """Ids may be missing on either side."""
    assert paired(calls(*called), results(*answered)) == expected


def test_results_by_id_are_not_mixed_up() -> None:
    """Two calls of one function, answered in the other order."""
    turns = read_turns(
        [
            ASKED,
            calls({"name": "f", "id": "a"}, {"name": "f", "id": "b"}),
            results({"name": "f", "id": "b"}, {"name": "f", "id": "a"}),
        ]
    )

    assert [part.call_id for part in turns[2].parts if isinstance(part, ToolResult)] == ["b", "a"]


def test_ids_stay_when_the_conversation_grows() -> None:
    """The other provider's prompt cache reads the history by its beginning."""
    history = [ASKED, calls({"name": "f"}, {"name": "f"}), results({"name": "f"}, {"name": "f"})]
    longer = read_turns([*history, calls({"name": "g"}), results({"name": "g"})])

    assert longer[:3] == read_turns(history)
    assert [part.id for turn in longer for part in turn.parts if isinstance(part, ToolCall)] == [
        "call_1",
        "call_2",
        "call_3",
    ]


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ([ASKED, calls({"name": "f"}), results({"name": "g"})], "answers no function call"),
        ([ASKED, calls({"name": "f", "id": "a"}), results({"name": "f", "id": "b"})], "answers no function call"),
        ([ASKED, calls({"name": "f"}), results({"name": "f"}, {"name": "f"})], "answers no function call"),
        ([ASKED, calls({"name": "f"}), ASKED], "do not match"),
        ([ASKED, calls({"name": "f", "id": "a"}, {"name": "f", "id": "a"}), ASKED], "do not match|one id"),
        ([ASKED, calls({"name": "f"}), results({"name": "f", "willContinue": True})], "'willContinue'"),
        ([{"role": "model", "parts": [{"text": "Hi"}]}], "does not end with the user's turn"),
        ([{"role": "narrator", "parts": [{"text": "Hi"}]}], "a role without a counterpart"),
        ([{"role": "user", "parts": [{"text": ""}]}], "a content is empty"),
        (
            [{"role": "user", "parts": [{"text": "Hi", "inlineData": {"mimeType": "image/png", "data": ""}}]}],
            "two things",
        ),
        ([{"role": "user", "parts": [{"executableCode": {"code": "x"}}]}], "'executableCode'"),
        ([{"role": "user", "parts": [{"functionCall": {"name": "f"}}]}], "no other API has its like"),
        ([{"role": "user", "parts": [{"text": "Hi", "videoMetadata": {"fps": 1}}]}], "'videoMetadata'"),
        (
            [{"role": "user", "parts": [{"inlineData": {"mimeType": "application/pdf", "data": "aGk="}}]}],
            "a file of another type",
        ),
        (
            [{"role": "user", "parts": [{"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}]}],
            "that Google keeps",
        ),
        ([{"parts": [{"fileData": {"mimeType": "image/png", "fileUri": OWN_FILE}}]}], "that Google keeps"),
    ],
)
def test_what_has_no_counterpart_is_refused(contents: list[Any], reason: str) -> None:
    """Nothing is dropped in silence."""
    with pytest.raises(NotTranslatable, match=reason):
        read_turns(contents)


@pytest.mark.parametrize(
    ("response", "content", "is_error"),
    [
        ({"output": "done"}, ("done",), False),
        ({"output": ["a", "b"]}, ("a", "b"), False),
        ({"output": ["a", 1]}, ('["a",1]',), False),
        ({"output": {"n": 1}}, ('{"n":1}',), False),
        ({"error": "no such file"}, ("no such file",), True),
        ({"result": "done"}, ('{"result":"done"}',), False),
        ({"output": "x", "more": 1}, ('{"output":"x","more":1}',), False),
        ({}, (), False),
        ({"output": ""}, (), False),
    ],
)
def test_what_a_function_gave(response: Any, content: tuple[str, ...], is_error: bool) -> None:
    """``output`` and ``error`` are Google's words; anything else is the result as a whole."""
    turns = read_turns([ASKED, calls({"name": "f"}), results({"name": "f", "response": response})])

    assert turns[2].parts == (ToolResult("call_1", tuple(map(Text, content)), is_error),)


def test_a_picture_in_a_result() -> None:
    """Beside its text, as Gemini has it from 3 on; before, there is no place for it."""
    result = ToolResult("c", (Text("see"), Image("image/png", "aGk=")))
    turns = (Turn("user", (Text("Hi"),)), Turn("assistant", (ToolCall("c", "f", {}),)), Turn("user", (result,)))
    written = write_turns(turns, "gemini-3-pro")

    assert written[2]["parts"][0]["functionResponse"]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    ]
    assert read_turns(written) == turns
    with pytest.raises(NotTranslatable, match="before Gemini 3"):
        write_turns(turns, "gemini-2.5-flash")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"inlineData": {"mimeType": "image/PNG", "data": "-_8"}}, Image("image/png", "+/8=")),
        ({"inline_data": {"mime_type": "image/gif", "data": "aGk="}}, Image("image/gif", "aGk=")),
        (
            {"fileData": {"fileUri": "https://a.example/b.jpg", "mimeType": "image/jpeg"}},
            Image(url="https://a.example/b.jpg"),
        ),
        (
            {"fileData": {"fileUri": "https://a.example/b", "mimeType": "image/webp"}},
            Image("image/webp", url="https://a.example/b"),
        ),
    ],
)
def test_pictures(part: Any, expected: Image) -> None:
    """Base64 comes in the alphabet that the others read; an address goes over with the type that it does not tell."""
    assert read_turns([{"role": "user", "parts": [part]}])[0].parts == (expected,)


def test_a_picture_that_gemini_does_not_read_is_refused() -> None:
    """A GIF, or an address that does not say what is there."""
    for picture in (Image("image/gif", "aGk="), Image(url="https://a.example/b")):
        with pytest.raises(NotTranslatable, match="PNG, JPEG and WebP"):
            write_turns((Turn("user", (picture,)),), "m")


def test_thoughts_and_signatures_stay_with_who_thought_them() -> None:
    """A history from Gemini loses both."""
    said = {"role": "model", "parts": [
        {"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "Yes?", "thought_signature": "c2ln"},
        {"text": "", "thoughtSignature": "c2ln"},
    ]}  # fmt: skip

    assert read_turns([ASKED, said, ASKED])[1] == Turn("assistant", (Text("Yes?"),))


@pytest.mark.parametrize(
    ("model", "signed"),
    [
        ("gemini-3-pro", True),
        ("gemini-3.8-flash", True),
        ("gemini-flash-latest", True),
        ("gemini-2.5-pro", False),
        ("gemini-2.0-flash", False),
        ("gemini-1.5-pro", False),
    ],
)
def test_a_call_that_gemini_did_not_make_is_marked_where_its_models_ask_for_it(model: str, signed: bool) -> None:
    """From Gemini 3 on, the first call of a turn, as Google's documents say."""
    turn = Turn("assistant", (ToolCall("a", "f", {}), ToolCall("b", "f", {})))
    answers = Turn("user", (ToolResult("a", ()), ToolResult("b", ())))
    parts = write_turns((Turn("user", (Text("Hi"),)), turn, answers), model)[1]["parts"]

    assert [part.get("thoughtSignature") for part in parts] == [UNSIGNED if signed else None, None]


def test_results_are_a_turn_of_their_own() -> None:
    """What the user says besides comes behind them."""
    turns = (
        Turn("user", (Text("Hi"),)),
        Turn("assistant", (Text("So."), ToolCall("a", "f", {"n": 1}))),
        Turn("user", (ToolResult("a", (Text("ok"),)), Text("And?"))),
    )
    written = write_turns(turns, "gemini-2.5-pro")

    assert written == [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"text": "So."}, {"functionCall": {"id": "a", "name": "f", "args": {"n": 1}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "f", "response": {"output": "ok"}}}]},
        {"role": "user", "parts": [{"text": "And?"}]},
    ]
    assert read_turns(written) == turns
