"""gRPC calls: recorded protobuf messages as HTTP/2 carries them. Which method was called was not recorded."""

import struct
from typing import Any

from replaying.exchanges import Exchange, Unplayable, decoded, host_name, label, usages

FRAMING = "grpc"
REFUSED = "12"  # UNIMPLEMENTED, https://grpc.io/docs/guides/status-codes/: what a refusal of ours says
_HOSTS = {"xai": "api.x.ai"}
_METHODS = {False: "/xai_api.Chat/GetCompletion", True: "/xai_api.Chat/GetCompletionChunk"}
TRAILERS = (("grpc-status", "0"),)


def grpc_call(record: dict[str, Any]) -> Exchange:
    """Read one line of a recording. Raises Unplayable."""
    provider, streaming = label(record, "provider"), bool(record.get("streaming"))
    return Exchange(
        id=label(record, "id"),
        provider=provider,
        endpoint=label(record, "endpoint"),
        scheme="https",
        host=_HOSTS.get(provider) or host_name("", provider),
        method="POST",
        target=_METHODS[streaming],
        headers={"content-type": "application/grpc", "te": "trailers"},
        body=_framed(record, "request_pb_b64"),
        status=200,
        reply_headers=(("content-type", "application/grpc"),),
        reply=_framed(record, "response_pb_b64"),
        streaming=streaming,
        framing=FRAMING,
        usages=tuple(usages(record)),
        source=str(record.get("source", "")),
    )


def messages(body: bytes) -> list[bytes]:
    """The frames of a body; what is no frame comes as one piece at the end."""
    found, at = [], 0
    while at + 5 <= len(body):
        end = at + 5 + struct.unpack_from(">I", body, at + 1)[0]
        found.append(body[at:end])
        at = end
    return found + ([body[at:]] if at < len(body) else [])


def _framed(record: dict[str, Any], key: str) -> bytes:
    found = record.get(key)
    if not isinstance(found, list):
        raise Unplayable(f"it has no {key}")
    each = [decoded(message, key) for message in found]
    return b"".join(b"\0" + struct.pack(">I", len(message)) + message for message in each)  # 0: not compressed
