"""What we know of a call hangs on its flow, is found while it is open, dies with it, and is never saved with it."""

import gc
import io
import pickle
import weakref

import pytest
from mitmproxy import flow as mflow
from mitmproxy import http
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow

from outwarden.flow.services import Services
from outwarden.flow.state import (
    CallState,
    begin,
    end,
    in_flight,
    look_at,
    open_state,
    state_of,
    was_seen,
)
from outwarden.wire.format import Operation, Refusal
from outwarden.wire.formats import format_named
from outwarden.wire.traffic import Host


def new_state(services: Services) -> CallState:
    """A state with what every call has."""
    return CallState(
        services.engines.rules, Host(("h",), "openai", "openai"), format_named("openai"), Operation("chat", model="m")
    )


def test_a_state_is_found_by_its_flow(services: Services) -> None:
    """Each flow has its own, and one that is not ours has none."""
    flow, other = tflow.tflow(), tflow.tflow()
    state = begin(flow, new_state(services))

    assert state_of(flow) is open_state(flow) is state
    assert state_of(other) is open_state(other) is None
    end(state)


def test_an_answered_call_is_closed(services: Services) -> None:
    """Once somebody answered, or the flow failed, no step works on the request any more."""
    flow = tflow.tflow()
    state = begin(flow, new_state(services))
    flow.response = http.Response.make(403)
    assert open_state(flow) is None
    flow.response, flow.error = None, mflow.Error("gone")
    assert open_state(flow) is None
    assert state_of(flow) is state
    end(state)


def test_a_state_dies_with_its_flow(services: Services) -> None:
    """Nothing here keeps a flow or a call alive."""
    flow = tflow.tflow()
    gone = weakref.ref(begin(flow, new_state(services)))
    end(gone())  # type: ignore[arg-type]
    look_at(flow)
    del flow
    gc.collect()

    assert gone() is None


def test_calls_in_flight_are_counted_once(services: Services) -> None:
    """From their begin to their end, however often that is told."""
    before = in_flight()
    states = [begin(tflow.tflow(), new_state(services)) for _ in range(3)]
    assert in_flight() == before + 3
    for state in states:
        end(state)
        end(state)
    assert in_flight() == before


def test_a_flow_is_saved_without_us(services: Services) -> None:
    """Saving a flow (``-w``) writes what mitmproxy knows, and works."""
    flow = tflow.tflow(resp=True)
    state = begin(flow, new_state(services))
    state.reply_body = b"ada.quill@brightquill-mail.com"
    file = io.BytesIO()
    FlowWriter(file).add(flow)

    assert file.getvalue()
    assert b"brightquill" not in file.getvalue()
    end(state)


def test_a_vault_is_not_pickled(services: Services) -> None:
    """The values of a call leave memory in no other way either."""
    from outwarden.pii import Vault

    state = new_state(services)
    state.vault = Vault()
    with pytest.raises(TypeError):
        pickle.dumps(state.vault)


def test_the_chain_marks_what_it_saw() -> None:
    """A flow that the chain never saw is told from one that is not ours."""
    flow = tflow.tflow()
    assert not was_seen(flow)
    look_at(flow)
    assert was_seen(flow)
    assert state_of(flow) is None


def test_a_refusal_is_noted(services: Services) -> None:
    """Verdict and rule are for the record; the model is what the caller or the path named."""
    state = new_state(services)
    assert (state.verdict, state.rule, state.model, state.provider) == ("allowed", None, "m", "openai")
    refusal = Refusal(403, "pii_refused", "no")
    state.refuse(refusal, "refused", "pii API_KEY")

    assert (state.refusal, state.verdict, state.rule) == (refusal, "refused", "pii API_KEY")
