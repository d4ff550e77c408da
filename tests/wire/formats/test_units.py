"""What is not counted in tokens is read from requests before the call and from replies after it."""

from typing import Any

import pytest

from outwarden.wire.formats import format_named
from outwarden.wire.usage import Usage


@pytest.mark.parametrize(
    ("format_name", "path", "body", "asked"),
    [
        ("openai", "/v1/audio/speech", {"model": "tts-1", "input": "Grüße"}, {"characters": 5}),
        ("openai", "/v1/images/generations", {"model": "dall-e-3", "prompt": "a cat"}, {"images": 1}),
        ("openai", "/v1/images/edits", {"model": "dall-e-2", "n": "3"}, {"images": 3}),  # a form's fields are texts
        ("openai", "/v1/videos", {"model": "sora-2", "seconds": "12"}, {"video_seconds": 12}),
        ("openai", "/v1/videos", {"model": "sora-2"}, {"video_seconds": 8}),
        ("mistral", "/v1/ocr", {"model": "m", "pages": [0, 1, 4]}, {"pages": 3}),
        ("mistral", "/v1/ocr", {"model": "m", "pages": "0-5, 7"}, {"pages": 7}),
        ("mistral", "/v1/ocr", {"model": "m", "pages": "0-99999999999"}, {"pages": 1000}),
        ("mistral", "/v1/ocr", {"model": "m"}, {"pages": 1000}),
        ("mistral", "/v1/ocr", {"model": "m", "document_annotation_format": {}, "pages": "all"}, {"pages": 1000}),
        (
            "mistral",
            "/v1/ocr",
            {"model": "m", "document_annotation_format": {"type": "json_schema"}, "pages": [3]},
            {"annotated_pages": 1},
        ),
        ("cohere", "/v2/rerank", {"model": "r", "documents": ["a", "b"]}, {"search_units": 1}),
        ("cohere", "/v2/rerank", {"model": "r", "documents": ["x"] * 101}, {"search_units": 2}),
        ("cohere", "/v2/rerank", {"model": "r", "documents": ["x" * 500 * 120]}, {"search_units": 2}),
        (
            "gemini",
            "/v1/models/veo-3:predictLongRunning",
            {"instances": [{}], "parameters": {"sampleCount": 2, "durationSeconds": 6}},
            {"images": 2, "video_seconds": 12},
        ),
    ],
)
def test_what_a_request_asks_for(format_name: str, path: str, body: dict[str, Any], asked: dict[str, int]) -> None:
    """The most that it can be counted in, where the request does not say more."""
    one = format_named(format_name)
    asks = one.read_request(one.identify("POST", path), body).asks
    assert asks is not None
    assert asks.units == asked


@pytest.mark.parametrize(("body", "path"), [({"input": 5}, "/v1/audio/speech"), ({"seconds": "long"}, "/v1/videos")])
def test_odd_requests(body: dict[str, Any], path: str) -> None:
    """Nothing raises, and what is no number is none."""
    one = format_named("openai")
    assert one.read_request(one.identify("POST", path), body).asks is not None


def test_a_chat_is_counted_in_tokens_alone() -> None:
    """Its `n` and its pictures are no pictures that are made."""
    one = format_named("openai")
    body = {"model": "m", "n": 4, "messages": [], "seconds": 5}
    assert one.read_request(one.identify("POST", "/v1/chat/completions"), body).asks is None


@pytest.mark.parametrize(
    ("format_name", "path", "body", "used"),
    [
        (
            "openai",
            "/v1/audio/transcriptions",
            {"text": "hello", "usage": {"type": "duration", "seconds": 7.0004}},
            {"input_audio_ms": 7001},
        ),
        ("openai", "/v1/audio/transcriptions", {"text": "hello", "duration": "12.34"}, {"input_audio_ms": 12340}),
        ("openai", "/v1/images/generations", {"created": 1, "data": [{"url": "u"}, {"url": "v"}]}, {"images": 2}),
        ("openai", "/v1/videos", {"id": "video_1", "seconds": "8", "status": "queued"}, {"video_seconds": 8}),
        (
            "mistral",
            "/v1/ocr",
            {"pages": [{"index": 0, "images": []}], "usage_info": {"pages_processed": 3, "doc_size_bytes": 9}},
            {"pages": 3},
        ),
        ("mistral", "/v1/ocr", {"pages": [{"images": [{"image_annotation": "a cat"}]}]}, {"annotated_pages": 1}),
        ("mistral", "/v1/ocr", {"pages": [{}, {}], "document_annotation": "{}"}, {"annotated_pages": 2}),
        ("cohere", "/v2/rerank", {"results": [], "meta": {"billed_units": {"search_units": 2}}}, {"search_units": 2}),
        ("cohere", "/v2/parse", {"pages": [], "meta": {"billed_units": {"pages": 4.0}}}, {"pages": 4}),
        ("openai", "/v1/rerank", {"results": [], "meta": {"billed_units": {"search_units": 1}}}, {"search_units": 1}),
    ],
)
def test_what_a_reply_used(format_name: str, path: str, body: dict[str, Any], used: dict[str, int]) -> None:
    """The count is the provider's, or of what the reply holds."""
    one = format_named(format_name)
    usage = one.read_reply(one.identify("POST", path), body, {}).usage
    assert usage is not None
    assert usage.units == used
    assert usage.counts() == {"input_tokens": 0, "output_tokens": 0} | used


def test_tokens_stay_beside_the_units() -> None:
    """Pictures that are sold by tokens are counted, too: a rule may price them."""
    one = format_named("openai")
    body = {"data": [{"b64_json": "aGk="}], "usage": {"input_tokens": 9, "output_tokens": 200, "total_tokens": 209}}
    usage = one.read_reply(one.identify("POST", "/v1/images/generations"), body, {}).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.images) == (9, 200, 1)


def test_an_empty_reply_used_nothing() -> None:
    """No picture, no page, no length: no usage."""
    one = format_named("openai")
    for path, body in (("/v1/images/generations", {"data": []}), ("/v1/ocr", {"pages": []}), ("/v1/videos", {})):
        assert one.read_reply(one.identify("POST", path), body, {}).usage is None


def test_counts_are_filled_only_where_there_are_none() -> None:
    """What was reported wins."""
    assert Usage(pages=2).filled({"pages": 9, "images": 1}) == Usage(pages=2, images=1)
