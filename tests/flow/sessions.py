"""A session of the chain's without frames around its messages, and what it leaves on record and in the ledger."""

import json
from collections.abc import Callable
from typing import Any

from outwarden.audit import read
from outwarden.flow.aside import at_once
from outwarden.flow.frames import Message
from outwarden.flow.relay import read_message
from outwarden.flow.services import Services
from outwarden.flow.session import Session


class Talk:
    """A session of the chain's, without frames around its messages."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def client(self, *messages: Any) -> list[Any]:
        """What goes on to the provider."""
        return [
            json.loads(at_once(self.session.from_client(read_message(Message(packed(one), True))))) for one in messages
        ]

    def server(self, *messages: Any) -> list[Any]:
        """What goes on to the client."""
        return [json.loads(data) for one in messages for data in at_once(self.session.from_server(packed(one)))]


def packed(message: Any) -> bytes:
    return json.dumps(message).encode()


Speak = Callable[..., "Talk"]


def responses(services: Services, after: int = 0) -> list[dict[str, Any]]:
    """The records of responses, without those of connections."""
    found = [entry for entry in read(services.state.audit) if entry["usage_source"] or entry["verdict"] != "allowed"]
    return found[after:]


def pending(services: Services) -> int:
    return sum(state.pending for state in services.ledger.states(services.engines.rules.budgets))
