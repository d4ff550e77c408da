"""Closed when in doubt: a hook that raises answers in the provider's shape, names its place and quotes nothing."""

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from outwarden.budget import Caller
from outwarden.flow import guard
from outwarden.flow.guard import answer, answer_whatever_happens, broken, fail_closed, where
from outwarden.flow.services import Services
from outwarden.flow.state import CallState, begin, in_flight, state_of
from outwarden.wire.format import Refusal
from outwarden.wire.formats import format_named
from outwarden.wire.traffic import Host

SECRET = "ada.quill@brightquill-mail.com"


class Addon:
    """Hooks that raise with a value in the text."""

    @fail_closed
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        raise ValueError(SECRET)

    @fail_closed
    def request(self, flow: http.HTTPFlow) -> None:
        raise ValueError(SECRET)

    @fail_closed
    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        raise ValueError(SECRET)

    @fail_closed
    def response(self, flow: http.HTTPFlow) -> None:
        raise ValueError(SECRET)

    @fail_closed
    def call_end(self, flow: http.HTTPFlow) -> None:
        raise ValueError(SECRET)

    @fail_closed
    def error(self, flow: http.HTTPFlow) -> None:
        raise ValueError(SECRET)


HOOKS = ["requestheaders", "request", "responseheaders", "response", "error"]


def a_call(
    services: Services, format_name: str = "openai", on_error: str = "closed"
) -> tuple[http.HTTPFlow, CallState]:
    """A flow with its state."""
    flow = tflow.tflow()
    traffic = replace(services.engines.rules.traffic, on_error=on_error)
    format_ = format_named(format_name)
    path = "/v1/messages" if format_name == "anthropic" else "/v1/chat/completions"
    state = CallState(
        replace(services.engines.rules, traffic=traffic),
        Host(("h",), format_name, format_name),
        format_,
        format_.identify("POST", path),
        Caller(),
    )
    return flow, begin(flow, state)


def run(hook: str, flow: http.HTTPFlow) -> None:
    """Call a hook as mitmproxy does."""
    result: Any = getattr(Addon(), hook)(flow)
    if asyncio.iscoroutine(result):
        asyncio.run(result)


@pytest.mark.parametrize("hook", HOOKS[:-1])
@pytest.mark.parametrize("format_name", ["openai", "anthropic"])
def test_a_hook_that_raises_is_an_answer(services: Services, caplog: Any, hook: str, format_name: str) -> None:
    """The call is refused in its own format, the record says why, and the value that the error quotes is nowhere."""
    flow, state = a_call(services, format_name)
    run(hook, flow)

    assert flow.response
    assert flow.response.status_code == 502
    error = json.loads(flow.response.content or b"")
    assert (error.get("type") == "error") is (format_name == "anthropic")
    assert "outwarden_error" in json.dumps(error)
    assert flow.response.headers["x-outwarden-call-id"] == state.call_id
    assert (state.verdict, state.rule) == ("error", f"Addon.{hook}")
    assert f"Addon.{hook} failed: ValueError at test_guard.py:" in caplog.text
    assert SECRET not in caplog.text + flow.response.text


@pytest.mark.parametrize("hook", ["call_end", "error"])
def test_an_end_answers_nobody(services: Services, caplog: Any, hook: str) -> None:
    """The client has its answer, or is gone: the failure is logged, and the call is over."""
    flow, state = a_call(services)
    before = in_flight()
    run(hook, flow)

    assert (state.verdict == "error") is (hook == "call_end")
    assert flow.response is None
    assert in_flight() == before - 1
    assert SECRET not in caplog.text


@pytest.mark.parametrize("hook", ["call_end", "error"])
def test_a_failure_at_the_end_is_an_end(services: Services, hook: str) -> None:
    """A call whose last hook failed is not counted as in flight for ever."""
    flow, _ = a_call(services)
    before = in_flight()
    run(hook, flow)

    assert in_flight() == before - 1


@pytest.mark.parametrize("hook", ["requestheaders", "request"])
def test_open_lets_a_request_go_on(services: Services, hook: str) -> None:
    """``on_error: open`` is the user's own choice; the record says that it was used."""
    flow, state = a_call(services, on_error="open")
    run(hook, flow)

    assert flow.response is None
    assert state.let_through
    assert state.rule == f"on_error open: Addon.{hook}"


@pytest.mark.parametrize("hook", ["responseheaders", "response"])
def test_open_is_for_requests(services: Services, hook: str) -> None:
    """A reply that could not be read is stopped all the same."""
    flow, _ = a_call(services, on_error="open")
    run(hook, flow)

    assert flow.response
    assert flow.response.status_code == 502


@pytest.mark.parametrize(
    ("header", "shape"), [("anthropic-version", "anthropic"), ("x-goog-api-key", "gemini"), ("authorization", "openai")]
)
def test_a_call_that_nobody_identified_gets_its_shape_too(header: str, shape: str) -> None:
    """Without a state the headers tell whose error the caller understands."""
    flow = tflow.tflow()
    flow.request.headers[header] = "x"
    answer(flow, broken("test"))

    assert flow.response
    assert flow.response.content == format_named(shape).refuse(broken("test")).body


def test_an_answer_that_fails_is_an_answer(services: Services, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """Where not even the format can be asked, a fixed error goes out: without one the call would go on unread."""

    def raising(*args: Any) -> Any:
        raise ValueError(SECRET)

    flow, state = a_call(services)
    monkeypatch.setattr(type(state.format), "refuse", raising)
    answer_whatever_happens(flow, Refusal(502, "x", "y"))

    assert flow.response
    assert flow.response.status_code == 502
    error = json.loads(flow.response.content or b"")
    assert error["type"] == "error"
    assert error["error"]["code"] == "outwarden_error"
    assert SECRET not in caplog.text


def test_a_hook_that_works_is_left_alone(services: Services) -> None:
    """The guard adds nothing to a hook that does not raise, and keeps its name."""

    class Quiet:
        @fail_closed
        def request(self, flow: http.HTTPFlow) -> None:
            """Do nothing."""

    flow, state = a_call(services)
    Quiet().request(flow)

    assert flow.response is None
    assert state_of(flow) is state
    assert state.verdict == "allowed"
    assert Quiet.request.__name__ == "request"


def test_where_names_type_and_place_only() -> None:
    """The text of an exception may quote a body, so it is left out."""
    try:
        json.loads(f'{{"{SECRET}')
    except ValueError as error:
        told = where(error)
    assert told.startswith("JSONDecodeError at decoder.py:")
    assert SECRET not in told
    assert where(KeyError("x")) == "KeyError"


def test_a_killed_task_is_not_caught(services: Services) -> None:
    """The end of the process is no error of ours."""

    class Stopping:
        @fail_closed
        def request(self, flow: http.HTTPFlow) -> None:
            raise KeyboardInterrupt

    flow, _ = a_call(services)
    with pytest.raises(KeyboardInterrupt):
        Stopping().request(flow)
    assert logging.getLogger(guard.__name__).name.endswith("guard")
