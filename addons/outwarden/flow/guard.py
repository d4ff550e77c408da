"""Closed when in doubt: nothing of ours that raises may let a call through unread (DESIGN.md §3.1)."""

import functools
import inspect
import logging
import traceback
from collections.abc import Callable
from typing import Any

from mitmproxy import http

from outwarden.flow.state import end, state_of
from outwarden.wire.format import Format, Refusal
from outwarden.wire.formats import format_named, grpc_reply

logger = logging.getLogger(__name__)

# An error in the shapes of OpenAI and Anthropic at once, for when no format can be asked.
LAST_WORDS = (
    b'{"type": "error", "error": {"type": "api_error", "code": "outwarden_error", '
    b'"message": "outwarden_error: Outwarden could not process this call."}}'
)


def where(error: BaseException) -> str:
    """Name an exception by its type and place; its text is left out, because it may quote a body."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def answer(flow: http.HTTPFlow, refusal: Refusal) -> None:
    """Set the flow's response to ``refusal`` in the provider's own error shape."""
    state = state_of(flow)
    if is_grpc(flow.request):
        reply = grpc_reply(refusal)
    elif state:
        reply = state.format.refuse(refusal, state.operation)
    else:
        reply = guessed_format(flow.request).refuse(refusal)
    flow.response = http.Response.make(reply.status, reply.body, dict(reply.headers))
    if state:
        flow.response.headers["x-outwarden-call-id"] = state.call_id
        if state.is_socket:  # a client whose handshake was refused waits for the end of the connection
            flow.response.headers["connection"] = "close"


def is_grpc(request: http.Request) -> bool:
    """Whether a request speaks gRPC or gRPC-Web: protobuf in frames, several messages in both directions."""
    content_type: str = request.headers.get("content-type", "")
    return content_type.lower().startswith("application/grpc")


def guessed_format(request: http.Request) -> Format:
    """Whose error shape the caller understands, for a request that nobody identified; headers tell (WIRE.md §8)."""
    if "anthropic-version" in request.headers:
        return format_named("anthropic")
    return format_named("gemini" if "x-goog-api-key" in request.headers else "openai")


def answer_whatever_happens(flow: http.HTTPFlow, refusal: Refusal) -> None:
    """`answer`, or an answer that asks nothing of ours any more: without one the call would go on unread."""
    try:
        answer(flow, refusal)
    except Exception as error:  # whatever it is, the client gets an error
        logger.error("no answer in the provider's shape: %s", where(error))
        flow.response = last_words(refusal.status)


def last_words(status: int) -> http.Response:
    """An error answer that needs nothing of ours."""
    return http.Response.make(status, LAST_WORDS, {"content-type": "application/json"})


def broken(step: str) -> Refusal:
    """The refusal for an error of our own."""
    return Refusal(502, "outwarden_error", f"Outwarden could not process this call safely ({step}); it was stopped.")


def fail_closed(hook: Callable[..., Any]) -> Callable[..., Any]:
    """Guard a hook whose first argument after self is a flow: what raises is logged and the call is refused.

    With ``on_error: open`` a request goes on as it is; that is the user's explicit choice in ``traffic.yml``.
    """

    def caught(flow: http.HTTPFlow, error: Exception) -> None:
        step = hook.__qualname__
        logger.error("%s failed: %s", step, where(error))
        state = state_of(flow)
        if state and state.rules.traffic.on_error == "open" and hook.__name__ in ("requestheaders", "request"):
            state.rule = f"on_error open: {step}"
            state.let_through = True
            return
        if state and hook.__name__ in ("error", "call_end"):
            end(state)  # the hook that would do it may be the one that failed
        if hook.__name__ in ("error", "call_end"):
            if state and hook.__name__ == "call_end":
                state.verdict, state.rule = "error", step
            return  # the flow has ended; there is nobody left to answer
        refusal = broken(step)
        if state:
            state.refuse(refusal, "error", step)
            state.reply_body = None
        answer_whatever_happens(flow, refusal)

    if inspect.iscoroutinefunction(hook):

        @functools.wraps(hook)
        async def guarded_async(self: Any, flow: http.HTTPFlow) -> None:
            try:
                await hook(self, flow)
            except Exception as error:  # every error of ours must end in a refusal
                caught(flow, error)

        return guarded_async

    @functools.wraps(hook)
    def guarded(self: Any, flow: http.HTTPFlow) -> None:
        try:
            hook(self, flow)
        except Exception as error:  # every error of ours must end in a refusal
            caught(flow, error)

    return guarded
