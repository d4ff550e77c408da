"""What calls use that is not counted in tokens: time of sound and video, characters, pages, pictures, searches.

`asked_units` reads what a request says of it before the call, `reply_units` what a reply says, or holds.
"""

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

from outwarden.wire.format import Json, Operation
from outwarden.wire.formats.values import amount, count, first_count, items, mapping, number, objects, text
from outwarden.wire.usage import Usage

# A video's length where the request names none: Sora makes 4 s, Veo 8 s (their API references, read 2026-11).
_VIDEO_SECONDS = 8
# A document that names no pages: Mistral's OCR takes 1,000 (docs.mistral.ai, OCR, read 2026-11).
_PAGES_MAX = 1_000
# Cohere: a unit is a query with up to 100 documents, longer ones are cut into chunks of 500 tokens (its pricing page).
# A token is a byte at least, and what a document has beside its text only makes the bound higher.
_DOCUMENTS_PER_SEARCH, _CHUNK_BYTES = 100, 500


def asked_units(operation: Operation, body: Json) -> Usage | None:
    """What a request asks for, as far as it says, in other units than tokens; None for operations that have none."""
    ask = _ASKED.get(operation.name)
    return None if ask is None or not isinstance(body, dict) else ask(body)


def reply_units(operation: Operation, body: Json) -> Usage | None:
    """What a reply says that was used, or holds, in other units than tokens; None where there is nothing of it."""
    read = _REPLIED.get(operation.name)
    found = None if read is None or not isinstance(body, dict) else read(body)
    return found if found is not None and found.units else None


def with_units(usage: Usage | None, units: Usage | None) -> Usage | None:
    """Put what was counted in other units beside the tokens."""
    if usage is None or units is None:
        return usage or units
    return usage.filled(units.units)


def _asked_speech(body: dict[str, Any]) -> Usage:
    said = text(body.get("input")) or text(body.get("text")) or text(body.get("inputs")) or ""
    return Usage(characters=len(said))


def _asked_images(body: dict[str, Any]) -> Usage:
    return Usage(images=max(first_count(body, "n", "num_images", "batch_size"), 1))


def _asked_videos(body: dict[str, Any]) -> Usage:
    seconds = amount(body.get("seconds")) or amount(body.get("duration"))
    return Usage(video_seconds=count(ceil(seconds)) if seconds else _VIDEO_SECONDS)


def _asked_predict(body: dict[str, Any]) -> Usage:
    """Vertex: pictures (Imagen) or a video (Veo, Lyria), each ``sampleCount`` times. What it is, the model says."""
    parameters = mapping(body.get("parameters"))
    samples = max(first_count(parameters, "sampleCount", "numberOfImages", "numberOfVideos"), 1)
    seconds = count(parameters.get("durationSeconds")) or _VIDEO_SECONDS
    return Usage(images=samples, video_seconds=samples * seconds)


def _asked_pages(body: dict[str, Any]) -> Usage:
    """The pages that are named (``[0, 1]``, ``"0-5,7"``); without, a document has as many as it has."""
    pages = body.get("pages")
    named = sum(map(_pages_in, pages.split(","))) if isinstance(pages, str) else len(items(pages))
    annotated = any(body.get(key) for key in ("bbox_annotation_format", "document_annotation_format"))
    most = min(named or _PAGES_MAX, _PAGES_MAX)
    return Usage(annotated_pages=most) if annotated else Usage(pages=most)


def _pages_in(span: str) -> int:
    first, dash, last = span.strip().partition("-")
    low, high = number(first), number(last if dash else first)
    return 0 if low is None or high is None else max(high - low + 1, 0)


def _asked_searches(body: dict[str, Any]) -> Usage:
    documents = items(body.get("documents"))
    chunks = sum(1 + len(str(document).encode("utf-8", "replace")) // _CHUNK_BYTES for document in documents)
    return Usage(search_units=-(-max(chunks, 1) // _DOCUMENTS_PER_SEARCH))


def _replied_images(body: dict[str, Any]) -> Usage:
    return Usage(images=len(items(body.get("data"))))


def _replied_transcription(body: dict[str, Any]) -> Usage | None:
    """``duration`` of a verbose reply, in seconds (whisper-1 once wrote it as a string)."""
    return seconds_usage(body.get("duration"))


def _replied_video(body: dict[str, Any]) -> Usage:
    seconds = amount(body.get("seconds"))
    return Usage(video_seconds=count(ceil(seconds)) if seconds else 0)


def _replied_pages(body: dict[str, Any]) -> Usage:
    """Mistral's ``usage_info``, else the pages that are there. Annotated ones have a price of their own."""
    pages = count(mapping(body.get("usage_info")).get("pages_processed")) or len(items(body.get("pages")))
    images = (image for page in objects(body.get("pages")) for image in objects(page.get("images")))
    annotated = body.get("document_annotation") or any(image.get("image_annotation") for image in images)
    return Usage(annotated_pages=pages) if annotated else Usage(pages=pages)


def billed_units(raw: object) -> Usage | None:
    """Cohere's ``billed_units`` that are no tokens."""
    billed = mapping(raw)
    found = Usage(
        search_units=count(billed.get("search_units")),
        pages=count(billed.get("pages")),
        images=count(billed.get("images")),
    )
    return replace(found, raw=billed) if found.units else None


def seconds_usage(value: object) -> Usage | None:
    """Sound that is counted in seconds; a begun millisecond counts."""
    seconds = amount(value)
    return None if not seconds else Usage(input_audio_ms=count(ceil(seconds * 1000)))


_ASKED: dict[str, Callable[[dict[str, Any]], Usage]] = {
    "images": _asked_images,
    "ocr": _asked_pages,
    "parse": _asked_pages,
    "predict": _asked_predict,
    "rerank": _asked_searches,
    "speech": _asked_speech,
    "videos": _asked_videos,
}
_REPLIED: dict[str, Callable[[dict[str, Any]], Usage | None]] = {
    "images": _replied_images,
    "ocr": _replied_pages,
    "transcriptions": _replied_transcription,
    "videos": _replied_video,
}
