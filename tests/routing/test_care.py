"""What leaves something behind at a provider is not done twice, and what is kept there has one place."""

import pytest

from outwarden.routing import Outcome, Route, care_of, homes
from outwarden.wire.format import RequestFacts
from outwarden.wire.formats import format_named


@pytest.mark.parametrize(
    ("format_", "method", "path", "kept", "once"),
    [
        ("openai", "POST", "/v1/chat/completions", False, False),
        ("openai", "POST", "/v1/responses", False, False),
        ("openai", "POST", "/v1/embeddings", False, False),
        ("openai", "POST", "/v1/images/generations", False, True),
        ("openai", "POST", "/v1/videos", True, True),
        ("openai", "POST", "/v1/files", True, True),
        ("openai", "GET", "/v1/files/file-1/content", True, False),
        ("openai", "DELETE", "/v1/files/file-1", True, False),
        ("openai", "POST", "/v1/batches", True, True),
        ("openai", "POST", "/v1/fine_tuning/jobs", True, True),
        ("openai", "GET", "/v1/responses/resp_1", True, False),
        ("openai", "POST", "/v1/responses/resp_1/cancel", True, True),
        ("openai", "POST", "/v1/threads/t/runs", True, True),
        ("openai", "POST", "/v1/nobody/knows", False, True),
        ("anthropic", "POST", "/v1/messages", False, False),
        ("anthropic", "POST", "/v1/messages/batches", True, True),
        ("gemini", "POST", "/v1beta/models/gemini-2.5-pro:generateContent", False, False),
        ("gemini", "POST", "/v1beta/cachedContents", True, True),
        ("bedrock", "POST", "/model/m/converse", False, False),
        ("cohere", "POST", "/v2/chat", False, False),
        ("ollama", "POST", "/api/chat", False, False),
    ],
)
def test_what_is_kept_has_a_place_and_what_is_made_is_made_once(
    format_: str, method: str, path: str, kept: bool, once: bool
) -> None:
    """Answers may be asked for again anywhere; what is uploaded, made or trained may not, nor what nobody described."""
    care = care_of(method, format_named(format_).identify(method, path), RequestFacts())

    assert (care.kept, care.once) == (kept, once)


@pytest.mark.parametrize(
    ("body", "bound", "once"),
    [
        ({"input": "hi"}, False, False),
        ({"input": "hi", "previous_response_id": None}, False, False),
        ({"input": "hi", "previous_response_id": "resp_1"}, True, False),
        ({"input": "hi", "conversation": {"id": "conv_1"}}, True, False),
        ({"input": "hi", "background": True}, False, True),
    ],
)
def test_what_goes_on_with_something_kept_is_bound(body: dict[str, object], bound: bool, once: bool) -> None:
    """Another provider does not know an earlier response; work in the background is begun once."""
    format_ = format_named("openai")
    operation = format_.identify("POST", "/v1/responses")
    care = care_of("POST", operation, format_.read_request(operation, {"model": "gpt-5"} | body))

    assert (care.bound, care.once, care.kept) == (bound, once, False)


def test_a_new_container_of_anthropics_binds_nothing() -> None:
    """Skills are named in it; only one that is there already has an id."""
    format_ = format_named("anthropic")
    operation = format_.identify("POST", "/v1/messages")
    skills = {"skills": [{"type": "anthropic", "skill_id": "pdf"}]}

    assert not format_.read_request(operation, {"container": skills}).bound
    assert format_.read_request(operation, {"container": skills | {"id": "container_1"}}).bound
    assert format_.read_request(operation, {"container": "container_1"}).bound


@pytest.mark.parametrize(
    ("outcome", "forbidden"),
    [
        (Outcome("a", "timeout", None, 1.0), True),
        (Outcome("a", "connect", None, 1.0), True),
        (Outcome("a", "stream_error", 200, 1.0), True),
        (Outcome("a", "5xx", 500, 1.0), True),
        (Outcome("a", "5xx", 502, 1.0), True),
        (Outcome("a", "5xx", 503, 1.0), False),
        (Outcome("a", "5xx", 529, 1.0), False),
        (Outcome("a", "429", 429, 1.0), False),
    ],
)
def test_only_who_says_that_nothing_was_done_lets_another_do_it(outcome: Outcome, forbidden: bool) -> None:
    """Silence, a torn connection and an error inside say nothing of what was done; before anything was sent all may."""
    once = care_of("POST", format_named("openai").identify("POST", "/v1/batches"), RequestFacts())

    assert once.forbids_more(outcome, dispatched=True) == forbidden
    assert not once.forbids_more(outcome, dispatched=False)


def test_home_is_where_the_caller_aimed() -> None:
    """Else it is the first of the rules, whatever a strategy would choose, nested routes included."""
    group = Route("pool", targets=("b", "c"))

    assert homes(Route("r", targets=("a", "original"), strategy="latency")) == ("original", "a")
    pooled = Route("r", targets=("route pool", "a", "b"), groups={"route pool": group}, strategy="weighted")
    assert homes(pooled) == ("b", "c", "a")
