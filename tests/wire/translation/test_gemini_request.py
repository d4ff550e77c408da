"""Gemini's requests: what is read, however it is spelled, what is left behind, and what is refused."""

import json
from typing import Any

import pytest
from translated import translate

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.gemini_request import read_request, read_target, write_request, write_target
from outwarden.wire.translation.neutral import Conversation, Text, Tool, ToolChoice, Turn

SAID = [{"role": "user", "parts": [{"text": "Hi"}]}]
TARGET = "/v1beta/models/gemini-3-flash:generateContent"
F = {"name": "f", "parameters": {"type": "OBJECT", "properties": {"to": {"type": "STRING"}}}}


def read(target: str = TARGET, **more: Any) -> Conversation:
    """A request that says more than "Hi"."""
    return read_request({"contents": SAID} | more, target)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (TARGET, ("gemini-3-flash", False, "json-array")),
        ("/v1/models/m:streamGenerateContent?alt=sse", ("m", True, "sse")),
        ("/v1/models/m:streamGenerateContent?key=k&%24alt=sse", ("m", True, "sse")),
        ("/v1/models/m:streamGenerateContent?%24alt=json%3Benum-encoding%3Dint", ("m", True, "json-array")),
        (
            "/v1beta1/projects/p/locations/eu/publishers/google/models/m-1.5:streamGenerateContent",
            ("m-1.5", True, "json-array"),
        ),
        ("/v1beta/tunedModels/my-model:generateContent", ("tunedModels/my-model", False, "json-array")),
        ("/v1/models/m%3AgenerateContent", ("m", False, "json-array")),
        ("/V1/Models/m:StreamGenerateContent/?ALT=x&alt=sse", ("m", True, "sse")),
    ],
)
def test_the_target_says_model_and_streaming(target: str, expected: tuple[str, bool, str]) -> None:
    """On AI Studio's paths and on Vertex AI's."""
    assert read_target(target) == expected


@pytest.mark.parametrize(
    ("model", "stream", "target"),
    [
        ("gemini-3-flash", False, "/v1beta/models/gemini-3-flash:generateContent"),
        ("models/m", True, "/v1beta/models/m:streamGenerateContent?alt=sse"),
        ("tunedModels/m", False, "/v1beta/tunedModels/m:generateContent"),
        ("odd/na?me", False, "/v1beta/models/odd%2Fna%3Fme:generateContent"),
    ],
)
def test_the_target_is_written(model: str, stream: bool, target: str) -> None:
    """The model is escaped: it stands in a path."""
    assert write_target(Conversation(model, (), stream=stream)) == target


def test_both_spellings_of_keys_are_read() -> None:
    """And enums in any case or as numbers, whole numbers as strings, a list of one without brackets."""
    snake = read(
        contents={"parts": {"text": "Hi"}},
        system_instruction={"parts": {"text": "Be kind."}},
        tools={"function_declarations": [{"name": "f", "parameters": {"type": 6, "properties": {"to": {"type": 1}}}}]},
        tool_config={"function_calling_config": {"mode": "any", "allowed_function_names": ["f"]}},
        generation_config={"max_output_tokens": "20", "top_k": 3.0, "top_p": 0.5, "stop_sequences": ["x"], "seed": 1},
        safety_settings=[{"category": 7, "threshold": 4}],
    )
    camel = read(
        systemInstruction={"role": "user", "parts": [{"text": "Be kind."}]},
        tools=[{"functionDeclarations": [F]}],
        toolConfig={"functionCallingConfig": {"mode": 2, "allowedFunctionNames": ["f"]}},
        generationConfig={"maxOutputTokens": 20, "topK": 3, "topP": 0.5, "stopSequences": ["x"], "seed": 1},
    )

    assert snake == camel
    assert snake.tools == (Tool("f", "", {"type": "object", "properties": {"to": {"type": "string"}}}),)
    assert (snake.tool_choice, snake.max_tokens, snake.top_k) == (ToolChoice("named", "f"), 20, 3)
    assert snake.system == (Text("Be kind."),)


def test_what_says_nothing_does_not_stop_a_call() -> None:
    """Defaults, features that are off, filters that are off, empty lists, and a model that the path names as well."""
    idle = read(
        model="models/gemini-3-flash",
        store=False,
        serviceTier="standard",
        tools=[],
        cachedContent="",
        safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}, {"threshold": "off"}],
        toolConfig={"functionCallingConfig": {"mode": "AUTO"}},
        generationConfig={
            "candidateCount": 1,
            "responseModalities": ["TEXT"],
            "thinkingConfig": {"includeThoughts": False, "thinkingBudget": 0},
            "responseMimeType": "text/plain",
            "presencePenalty": 0,
            "frequency_penalty": 0.0,
            "responseLogprobs": False,
            "stopSequences": [],
            "speechConfig": None,
        },
    )

    assert idle == read()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"cachedContent": "cachedContents/1"}, "'cachedContent' of the request"),
        ({"labels": {"team": "ann-example"}}, "'labels' of the request"),
        ({"Ann Example, 12": 1}, "an unknown field of the request"),
        (
            {"systemInstruction": {"parts": [{"inlineData": {}, "text": "x"}, {"fileData": {"fileUri": "x"}}]}},
            "'fileData'",
        ),
        ({"system_instruction": {"parts": []}, "systemInstruction": {"parts": []}}, "two spellings"),
        ({"tools": [{"googleSearch": {}}]}, "a tool of the provider's own"),
        ({"tools": [{"functionDeclarations": [F | {"parametersJsonSchema": {}}]}]}, "in two schemas"),
        ({"tools": [{"functionDeclarations": [F | {"behavior": "NON_BLOCKING"}]}]}, "'behavior'"),
        ({"tools": [{"functionDeclarations": [F | {"name": "a.b"}]}]}, "a name that other APIs do not allow"),
        ({"toolConfig": {"retrievalConfig": {"languageCode": "de"}}}, "'retrievalConfig'"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "stands without tools"),
        (
            {
                "tools": [{"functionDeclarations": [F, F | {"name": "g"}, F | {"name": "h"}]}],
                "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}},
            },
            "a choice between some of the tools",
        ),
        ({"safetySettings": [{"category": "X", "threshold": "BLOCK_LOW_AND_ABOVE"}]}, "asks for a filter"),
        ({"safetySettings": [{"category": 7, "threshold": 3}]}, "asks for a filter"),
        ({"generationConfig": {"candidateCount": 2}}, "'candidateCount'"),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1024}}}, "'thinkingConfig'"),
        ({"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}, "'thinkingConfig'"),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}, "'thinkingConfig'"),
        ({"generationConfig": {"responseModalities": ["IMAGE"]}}, "'responseModalities'"),
        (
            {"generationConfig": {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING"}}},
            "'responseMimeType'",
        ),
        ({"generationConfig": {"responseSchema": {"type": "STRING"}}}, "in plain text"),
        ({"generationConfig": {"maxOutputTokens": "many"}}, "'maxOutputTokens' is no whole number"),
        ({"generationConfig": {"presencePenalty": 0.5}}, "'presencePenalty'"),
    ],
)
def test_what_has_no_counterpart_is_refused(more: dict[str, Any], reason: str) -> None:
    """With the field, as Google's documents spell it, and no name that may be a person's."""
    with pytest.raises(NotTranslatable) as refused:
        read(**more)

    assert reason in str(refused.value)
    assert not any(name in str(refused.value) for name in ("Ann", "ann-example"))


def test_calls_that_must_fit_are_strict() -> None:
    """VALIDATED says of all functions what OpenAI and Anthropic say of each, and closes their schemas for them."""
    tools = [{"functionDeclarations": [F, F | {"name": "g"}]}]
    conversation = read(tools=tools, toolConfig={"functionCallingConfig": {"mode": "VALIDATED"}})

    assert [tool.strict for tool in conversation.tools] == [True, True]
    assert all(tool.schema["additionalProperties"] is False for tool in conversation.tools)
    assert write_request(conversation)["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}


@pytest.mark.parametrize("told", [{"response": {"type": "STRING"}}, {"response_json_schema": {"type": "string"}}])
def test_what_a_function_returns_is_told_in_words(told: dict[str, Any]) -> None:
    """Google's SDK tells it of each function of Python's; the others have no field for it."""
    words = 'It returns what fits this JSON schema: {"type":"string"}'
    described, bare = read(
        tools=[{"functionDeclarations": [F | {"description": "Send."} | told, F | {"name": "g"} | told]}]
    ).tools

    assert (described.description, bare.description) == (f"Send.\n\n{words}", words)


def test_all_tools_allowed_is_any_tool() -> None:
    """A list of all names chooses nothing."""
    tools = [{"functionDeclarations": [F, F | {"name": "g"}]}]
    allowed = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g", "f"]}}

    assert read(tools=tools, toolConfig=allowed).tool_choice == ToolChoice("any")


@pytest.mark.parametrize("name", ["responseJsonSchema", "_responseJsonSchema", "response_json_schema"])
def test_a_json_schema_goes_over_as_it_is(name: str) -> None:
    """Under each of its names."""
    schema = {"type": "object", "properties": {"to": {"type": ["string", "null"]}}}

    assert read(generationConfig={"responseMimeType": "application/json", name: schema}).output_schema == schema


def hello(model: str, **more: Any) -> Conversation:
    return Conversation(model, (Turn("user", (Text("Hi"),)),), **more)


@pytest.mark.parametrize(
    ("conversation", "reason"),
    [
        (hello("m", stop=tuple("abcdef")), "more than 5 stop sequences"),
        (hello("m", temperature=2.5), "temperature above 2"),
        (hello("m", tools=(Tool("f", "", {}),), tool_choice=ToolChoice(parallel=False)), "one tool call at a time"),
        (hello("gemini-2.5-pro", tools=(Tool("f", "", {}),), output_json=True), "before Gemini 3"),
        (hello("m", tools=(Tool("1st", "", {}),)), "a name that Gemini does not allow"),
    ],
)
def test_what_gemini_cannot_be_told_is_refused(conversation: Conversation, reason: str) -> None:
    """Before it is sent."""
    with pytest.raises(NotTranslatable) as refused:
        write_request(conversation)
    assert reason in str(refused.value)


def test_the_end_users_id_stays_behind() -> None:
    """It is for the other provider's own watch; Claude Code sends one with each call."""
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}],
        "metadata": {"user_id": "u-1"},
    }

    assert json.loads(translate("anthropic", "gemini", body).body) == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {"maxOutputTokens": 9},
    }


def test_without_a_model_there_is_no_path() -> None:
    """A call that names none is not sent anywhere."""
    with pytest.raises(NotTranslatable, match="no model"):
        read(target="/v1/models")
    with pytest.raises(NotTranslatable, match="no model"):
        write_target(Conversation("", ()))
