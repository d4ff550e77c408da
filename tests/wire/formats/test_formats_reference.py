"""Each API's own reference, as its SDK holds it: every field of text is read, every path is one that we know.

The other tests read recorded traffic, which has what somebody happened to send. A newer SDK brings new types: what
fails here then is to be judged, and goes into the tables of the formats or, with its reason, into those below.
"""

import gzip
import importlib
import inspect
import json
import pkgutil
import re
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic
import pytest
import typing_extensions

from outwarden.wire.format import Operation
from outwarden.wire.formats import format_named
from outwarden.wire.json_walk import read_document

Kinds = frozenset[str]  # of: text, enum, number, any (the caller's own JSON), class, bytes
Fields = dict[str, dict[str, Kinds]]  # class -> key -> what may stand there

# SDK -> (format, where its types are, a path whose rules hold for them, the fewest fields that were ever found)
SDKS = {
    "openai": ("openai", ("openai.types",), "/v1/responses", 16_000),
    "anthropic": ("anthropic", ("anthropic.types",), "/v1/messages", 8_000),
    "google.genai": ("gemini", ("google.genai.types",), "/v1beta/models/g:generateContent", 3_000),
    "botocore": ("bedrock", (), "/model/m/converse", 1_400),
}
SERVICES = ("bedrock-runtime", "bedrock-agent-runtime")
PROSE = "Please write to Petra Quill at petra@kestrel-freight.example, she knows"

# Reasoning and summaries that the provider signs: they have to come back byte for byte.
SIGNED = {
    ("anthropic", "thinking"),
    ("anthropic", "content"),  # of a signed compaction
    ("botocore", "text"),  # of reasoningText
}
# Keys with any JSON under them in which ids and sealed values are still told apart, and why.
TYPED = {
    "openai": {
        "annotations": "hints of MCP, beside those of texts, which hold offsets",
        "content": "what an MCP server said went wrong; elsewhere messages",
        "data": "lists of the API; in decisions and evaluations it is free",
        "error": "likewise",
        "output": "items of a response; a tool's own output is a string in most",
        "event": "an event of the API inside another",
        "item": "an item of a response; in evaluations it is free",
        "sample": "free in evaluations",
        "datasource_item": "free in evaluations",
        "item_schema": "free in evaluations",
        "tools": "definitions of tools",
        "otlp": "spans: their ids are ids",
    },
    "anthropic": {"trigger": "a name of the API"},
    "google.genai": {
        "error": "Google's own error",
        "details": "likewise",
        "metadata": "progress of an operation",
        "tools": "definitions of tools",
        "videoMetadata": "numbers",
        "video_metadata": "numbers",
    },
    "botocore": {"document": "a file; free in flows", "value": "of a filter"},
}
# Keys that only the user of an SDK sees, or that hold secrets, keys and settings of administration, which are read.
LOCAL = re.compile(
    r"parsed\w*|\w*[aA]rgs|\w*[fF]n|extra_?[bB]ody|\w*[hH]eaders|\w*[sS]egments|env|jwks|keys|claims|attribute\w*|settings"
    r"|custom_?(?:[cC]onfigs?|[fF]unction)|additional_?(?:[cC]onfig|[pP]roperties)|hyper_?[pP]arameters|tags"
    r"|metric_?[sS]pec_?[pP]arameters|scores|sub_rewards|model_grader_token_usage_per_model|created_by_user_obj"
    r"|changes_requested|log(?:in|out)\.succeeded|default|enum|example|filters|file|files|file_search|image|input_reference"
    r"|mask|markup|video|recording|archive|audio_sample|http_options"
)


def kinds_of(annotation: Any) -> Iterator[str]:
    """What may stand under a key of this type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, typing.TypeAliasType):
        yield from kinds_of(annotation.__value__)
    elif origin is Annotated:
        yield from kinds_of(arguments[0])
    elif origin is Literal:
        yield from ("enum" if isinstance(value, str) else "number" for value in arguments)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from ("any" if kind in ("text", "any") else kind for kind in kinds_of(arguments[1]))
    elif origin is not None:  # unions, lists, Required
        for argument in arguments:
            yield from kinds_of(argument)
    elif annotation is str:
        yield "text"
    elif annotation is Any or annotation in (object, dict):
        yield "any"
    elif annotation is bytes:
        yield "bytes"
    elif isinstance(annotation, type) and (issubclass(annotation, pydantic.BaseModel) or is_dict(annotation)):
        yield "class"
    elif annotation in (int, float, bool):
        yield "number"


def is_dict(kind: Any) -> bool:
    return bool(typing_extensions.is_typeddict(kind))


def classes(package: str) -> Iterator[type]:
    """Every model and TypedDict of a package."""
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(getattr(root, "__path__", []), f"{package}.")
    for module in (root, *(importlib.import_module(info.name) for info in found)):
        for member in vars(module).values():
            named = isinstance(member, type) and member.__module__ == module.__name__
            if named and (is_dict(member) or issubclass(member, pydantic.BaseModel)):
                yield member


def annotations(kind: type) -> dict[str, Any]:
    if is_dict(kind):
        try:
            return dict(typing_extensions.get_type_hints(kind))
        except NameError:  # an option of the client that is no part of the wire
            return {}
    fields = typing.cast(type[pydantic.BaseModel], kind).model_fields
    return {field.serialization_alias or field.alias or name: field.annotation for name, field in fields.items()}


def shape_kinds(shapes: Mapping[str, Any], name: str) -> Iterator[str]:
    """The same of a shape of AWS's."""
    shape = shapes[name]
    kind = shape["type"]
    if kind == "list":
        yield from shape_kinds(shapes, shape["member"]["shape"])
    elif kind == "map":
        yield from ("any" if one == "text" else one for one in shape_kinds(shapes, shape["value"]["shape"]))
    elif kind == "structure":
        yield "any" if shape.get("document") else "class"
    else:
        text = "enum" if "enum" in shape else "text"
        yield {"string": text, "blob": "bytes"}.get(kind, "number")


def aws_service(name: str) -> dict[str, Any]:
    """The newest definition of a service, as botocore ships it."""
    data = Path(inspect.getfile(importlib.import_module("botocore"))).parent / "data" / name
    newest = sorted(data.glob("*/service-2.json*"))[-1].read_bytes()
    loaded: dict[str, Any] = json.loads(gzip.decompress(newest) if newest[:2] == b"\x1f\x8b" else newest)
    return loaded


def aws_fields() -> Fields:
    found: Fields = {}
    for service in SERVICES:
        shapes = aws_service(service)["shapes"]
        for name, shape in shapes.items():
            members = shape["members"].items() if shape["type"] == "structure" else ()
            found[f"{service}.{name}"] = {
                member.get("locationName", key): frozenset(shape_kinds(shapes, member["shape"]))
                for key, member in members
                if "location" not in member
            }
    return found


@cache
def fields_of(sdk: str) -> Fields:
    """All classes of an SDK; skips where it is not installed."""
    pytest.importorskip(sdk, reason=f"{sdk} is not installed")
    if sdk == "botocore":
        return aws_fields()
    return {
        f"{kind.__module__}.{kind.__qualname__}": {k: frozenset(kinds_of(v)) for k, v in annotations(kind).items()}
        for package in SDKS[sdk][1]
        for kind in classes(package)
    }


def operation(sdk: str) -> Operation:
    return format_named(SDKS[sdk][0]).identify("POST", SDKS[sdk][2])


def test_the_walk_knows_types() -> None:
    """Unions, lists, optionals, dictionaries and aliases are looked into."""
    assert set(kinds_of(Union[str, None, list[int]])) == {"text", "number"}  # noqa: UP007
    assert set(kinds_of(list[Literal["a"]] | None)) == {"enum"}
    assert set(kinds_of(dict[str, object])) == {"any"} == set(kinds_of(Mapping[str, str]))
    assert get_origin(str | None) is UnionType


@pytest.mark.parametrize("sdk", SDKS)
def test_every_field_of_text_is_read(sdk: str) -> None:
    """Prose under any key of any class that may hold a string is found, but where the provider signs it."""
    format_ = format_named(SDKS[sdk][0])
    rules, fields = format_.text_rules(operation(sdk)), fields_of(sdk)
    assert sum(map(len, fields.values())) >= SDKS[sdk][3]
    unread = set()
    for name, keys in fields.items():
        node: dict[str, Any] = {key: "word" if {"text", "enum"} & kinds else 1 for key, kinds in keys.items()}
        for key, kinds in keys.items():
            if "text" in kinds and PROSE not in read_document(json.dumps(node | {key: PROSE}).encode(), rules).tokens:
                unread.add((name.rpartition(".")[2], key))

    assert {key for _, key in unread} <= {key for name, key in SIGNED if name == sdk}, unread


@pytest.mark.parametrize("sdk", SDKS)
def test_callers_own_data_has_no_ids(sdk: str) -> None:
    """Where a caller may put any JSON, no key is taken for one of the API's: a number under `id` is theirs."""
    rules = format_named(SDKS[sdk][0]).text_rules(operation(sdk))
    theirs = {key for keys in fields_of(sdk).values() for key, kinds in keys.items() if "any" in kinds}
    left = {key for key in theirs - rules.free if not LOCAL.fullmatch(key)}

    assert left <= TYPED[sdk].keys()


# A path as the generated code of OpenAI's and Anthropic's SDKs spells it.
_CALLED = re.compile(r'self\._(get|post|put|patch|delete|get_api_list)\(\s*(?:path_template\(\s*)?f?"([^"]+)"')
# Operations whose POSTs make or change something and generate nothing, so that no tokens are charged.
FREE = {
    "administration",
    "agents",
    "assistants",
    "chat_stored",
    "chatkit",
    "containers",
    "conversations",
    "files",
    "skills",
}
FREE |= {
    "batches",
    "evals",
    "fine_tuning",
    "live",
    "realtime",
    "responses_stored",
    "threads",
    "uploads",
    "vector_stores",
}
FREE |= {"voices", "count_tokens", "moderations", "organization", "compliance", "memory_stores", "message_batches"}
FREE |= {"agent_sessions", "guardrail", "retrieve", "sessions", "flow"}


def called(sdk: str) -> set[tuple[str, str]]:
    """(method, path) of every call that an SDK can make, with a word for each variable."""
    pytest.importorskip(sdk, reason=f"{sdk} is not installed")
    if sdk == "botocore":
        requests = [one["http"] for service in SERVICES for one in aws_service(service)["operations"].values()]
        return {(one["method"], re.sub(r"\{[^}]*\}", "x1", one["requestUri"])) for one in requests}
    root = Path(inspect.getfile(importlib.import_module(sdk))).parent / "resources"
    found = [match for file in root.rglob("*.py") for match in _CALLED.findall(file.read_text("utf-8"))]
    spelled = ((verb, re.sub(r"\{[^}]*\}", "x1", path).partition("?")[0]) for verb, path in found)
    return {("GET" if verb == "get_api_list" else verb.upper(), path) for verb, path in spelled}


@pytest.mark.parametrize(("sdk", "fewest"), [("openai", 300), ("anthropic", 200), ("botocore", 40)])
def test_every_path_is_known(sdk: str, fewest: int) -> None:
    """No call of an SDK is an unknown path, none is another API's, and what is posted is billed where it generates."""
    name, paths = SDKS[sdk][0], called(sdk)
    assert len(paths) >= fewest
    wrong = []
    for method, path in sorted(paths):
        found = format_named(name).identify(
            method, path if path.startswith("/v1") or sdk == "botocore" else f"/v1{path}"
        )
        free = method != "POST" or found.billable or found.name in FREE
        if not found.known or found.dialect != name or not free:
            wrong.append((method, path, found.name))

    assert wrong == []
