"""Which strings are not text. The rule is narrow on purpose: a key wrongly listed here is a leak.

Signatures, encrypted reasoning and media are left alone only where the *value* looks like what the key promises
(base64 in either alphabet, no space, no ``@``): an address that somebody puts under ``signature`` is still found.
Enums and ids stand under ``ids``: they are looked at unless they look like an id.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from outwarden.wire.format import TextRules
from outwarden.wire.offsets import Offsets

# Base64 in both alphabets; a letter, so that a phone or card number never passes for it.
_BASE64 = re.compile(r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/_\-=\r\n]*")
# What providers accept as a name of a tool or a schema.
_TOOL_NAME = re.compile(r"(?=[^A-Za-z_]*[A-Za-z_])[A-Za-z0-9_.:\-/]{1,128}")
_COMPOUND = re.compile(r"[_\-]|[a-z][A-Z]")

# Opaque wherever the value is base64: keys that only ever hold signatures, ciphertext, cursors, padding or media.
_SEALED = frozenset(
    {
        "signature",
        "thoughtSignature",
        "thought_signature",
        "encrypted_content",
        "encrypted_index",
        "encrypted_stdout",
        "encryptedContent",  # as the AI SDK spells them for its gateway
        "encryptedIndex",
        "reasoningEncryptedContent",
        "redactedData",
        "reasoning_opaque",  # Copilot
        "fingerprint",  # of an OpenAI program
        "redactedContent",
        "obfuscation",
        "fallback_credit_token",
        "nextPageToken",
        "next_page_token",
        "pageToken",
        "page_token",
        "next_page",
        "nextToken",
        "continuationToken",
        "continuation_token",
        "newHandle",
        "new_handle",
        "googleMapsWidgetContextToken",
        "google_maps_widget_context_token",
        "widget_context_token",
        "sdkBlob",
        "sdk_blob",
        "b64_json",
        "image_b64",
        "partial_image_b64",
        "bytesBase64Encoded",
        "imageBytes",
        "image_bytes",
        "imageData",
        "image_data",
        "videoBytes",
        "video_bytes",
        "voiceSampleAudio",
        "voice_sample_audio",
        "consentAudio",
        "consent_audio",
        "byteContent",
        "inlineContent",
        "file_data",
        "embedding",
    }
)

# Of those, and of what `_media_key` finds: keys that hold a file. Where it is a text file, it is read.
_FILES = frozenset(
    {
        "data",
        "bytes",
        "audio",
        "byteContent",
        "file_data",
        "b64_json",
        "image_b64",
        "inlineContent",
        "partial_image_b64",
        "bytesBase64Encoded",
    }
)
# Object types whose `data` is sealed.
_CIPHERTEXT = frozenset({"redacted_thinking", "reasoning.encrypted"})
_SEALED_DATA = _CIPHERTEXT | {"base64"}
_MEDIA_BESIDE = frozenset({"mimeType", "mime_type", "media_type", "mediaType", "format", "transcript"})

# Keys of objects in which `name` names a tool, a function or a schema and not a person or a thing.
_TOOL_BESIDE = frozenset(
    {
        "args",
        "arguments",
        "call_id",
        "function",
        "input",
        "input_schema",
        "inputSchema",
        "parameters",
        "parametersJsonSchema",
        "response",
        "schema",
        "tool_use_id",
        "toolUseId",
    }
)
_TOOL_TYPES = frozenset(
    {"function", "function_call", "tool", "tool_use", "server_tool_use", "mcp_tool_use", "custom", "custom_tool_call"}
)

# What Google Cloud and AWS call things by: the account's number in it can look like a telephone's or a card's.
_RESOURCE = re.compile(
    r"(?:projects|organizations|folders)/[\w.\-]+/[\w.\-/:]*|arn:aws[a-z\-]*:[\w.\-/:+=,]*", re.ASCII
)

# What Bedrock pads its frames with, in any length; it is cut to size from the left.
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

# Reasoning whose text is signed by the provider it came from, though the signature may follow in a later piece.
_SIGNED_REASONING = ("anthropic-", "google-")

IDS = frozenset(
    {
        "id",
        "call_id",
        "tool_call_id",
        "tool_use_id",
        "toolUseId",
        "item_id",
        "previous_item_id",
        "event_id",
        "response_id",
        "responseId",
        "previous_response_id",
        "request_id",
        "generation_id",
        "assistant_id",
        "thread_id",
        "run_id",
        "step_id",
        "message_id",
        "file_id",
        "container",
        "container_id",
        "vector_store_id",
        "conversation",
        "conversation_id",
        "session_id",
        "prompt_cache_key",
        "cachedContent",
        "cached_content",
        "model",
        "modelVersion",
        "model_version",
        "system_fingerprint",
        "service_tier",
        "serviceTier",
        "type",
        "object",
        "role",
        "status",
        "event_type",
        "finish_reason",
        "finishReason",
        "native_finish_reason",
        "stop_reason",
        "stopReason",
        "done_reason",
        "created_at",
        "createTime",
        "media_type",
        "mimeType",
        "mime_type",
        "encoding_format",
        "detail",
        "effort",
    }
)

REMEMBER = frozenset({"messages", "input", "contents", "tools", "system"})


def _type(node: Mapping[str, Any]) -> str | None:
    """The type that an object names; odd JSON may have an object there."""
    kind = node.get("type")
    return kind if isinstance(kind, str) else None


def _sealed(value: object) -> bool:
    return isinstance(value, str) and _BASE64.fullmatch(value) is not None


def _names_a_tool(node: Mapping[str, Any]) -> bool:
    name = node.get("name")
    if not isinstance(name, str) or _TOOL_NAME.fullmatch(name) is None:
        return False
    if _type(node) in _TOOL_TYPES or not _TOOL_BESIDE.isdisjoint(node):
        return True
    # `{"function": {"name": "get_weather"}}`: a choice of tool; one plain word alone could be a person.
    return node.get("role") in ("tool", "function") or (len(node) == 1 and _COMPOUND.search(name) is not None)


def _media_key(node: Mapping[str, Any]) -> str | None:
    """The key of base64 media in an object that says so."""
    data = node.get("data")
    if node.get("type") == "text":
        return None  # Anthropic's plain documents: the text itself
    if _sealed(data) and (_type(node) in _SEALED_DATA or not _MEDIA_BESIDE.isdisjoint(node)):
        return "data"
    kind = node.get("type")
    if isinstance(kind, str) and "audio" in kind:  # Realtime: pieces of sound may be short
        if _sealed(node.get("audio")):
            return "audio"
        if kind.endswith("audio.delta") and _sealed(node.get("delta")):
            return "delta"
    bytes_ = node.get("bytes")
    return "bytes" if _sealed(bytes_) and (len(node) == 1 or len(str(bytes_)) > 64) else None


# Types whose text is signed, some by what stands beside it.
_THINKING_TYPES = frozenset({"thinking", "thinking_delta", "compaction", "compaction_delta", "reasoning.text"})


def _thinking_key(node: Mapping[str, Any]) -> str | None:
    """The key of thinking text that the provider verifies: it must come back byte for byte."""
    kind = node.get("type")
    if kind == "compaction_delta":
        return "content"  # its signature, over the summary, is in the whole block (`compaction`)
    if kind == "thinking_delta" or (kind == "thinking" and node.get("signature")):
        return "thinking"
    if kind == "compaction" and node.get("signature"):
        return "content"  # "Signature over the summary, to be sent back with the block verbatim" (Anthropic's SDK)
    if kind == "reasoning.text" and (node.get("signature") or str(node.get("format")).startswith(_SIGNED_REASONING)):
        return "text"
    if node.get("thought") is True and (node.get("thoughtSignature") or node.get("thought_signature")):
        return "text"
    if len(node) == 2 and node.get("signature") and isinstance(node.get("text"), str):
        return "text"  # Bedrock's reasoningText
    return None


def _is_reasoning(node: Mapping[str, Any]) -> bool:
    """Whether this is a piece of Bedrock's reasoning in a stream: it will be signed as a whole, in a later piece."""
    delta = node.get("delta")
    reasoning = delta.get("reasoningContent") if type(delta) is dict and len(delta) == 1 else None
    return type(reasoning) is dict and all(isinstance(value, str) for value in reasoning.values())


# Each rule of `opaque_in` needs one of these: an object with none of them is not looked at further. Nor does it say
# anything of a document that has of these but `type`, and nowhere one of `_THINKING_TYPES`, `audio` or `delta`.
_ASKED = _SEALED | {"type", "thought", "data", "bytes", "name", "p", "contentBlockIndex"}


def opaque_in(node: dict[str, Any]) -> frozenset[str]:
    """The keys of ``node`` whose strings are neither scanned nor changed."""
    if _ASKED.isdisjoint(node):
        return _NONE
    keys = [key for key in _SEALED.intersection(node) if _sealed(node[key])]
    if (thinking := _thinking_key(node)) is not None:
        keys.append(thinking)
    if (media := _media_key(node)) is not None:
        keys.append(media)
    if "name" in node and (_names_a_tool(node) or is_resource(node["name"])):
        keys.append("name")
    if "p" in node and _PADDING.startswith(str(node["p"])):
        keys.append("p")
    if "contentBlockIndex" in node and _is_reasoning(node):
        keys.append("delta")
    return frozenset(keys) if keys else _NONE


def is_resource(value: object) -> bool:
    """Whether this is the full name of something at Google Cloud or AWS."""
    return isinstance(value, str) and _RESOURCE.fullmatch(value) is not None


def is_file(node: dict[str, Any], key: str) -> bool:
    """Whether ``node[key]``, which is opaque, holds a file: no signature and no ciphertext."""
    return key in _FILES and not (key == "data" and _type(node) in _CIPHERTEXT)


_NONE: frozenset[str] = frozenset()


def text_rules(*free: str, ids: Iterable[str] = (), offsets: Offsets | None = None) -> TextRules:
    """The rules that all APIs share, with the keys of one under which its callers' own data stands, and its ``ids``."""
    return TextRules(
        ids=IDS.union(ids),
        free=frozenset(free),
        opaque_in=opaque_in,
        asked=(_ASKED - {"type"}) | {"reasoningContent", "audio", "delta"} | _THINKING_TYPES,
        is_file=is_file,
        remember=REMEMBER,
        offsets=offsets,
        padding=frozenset({"obfuscation", "event_id"}),
    )
