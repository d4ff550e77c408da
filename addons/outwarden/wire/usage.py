"""What a provider says a call used, in one shape for all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from operator import attrgetter
from typing import Any

# OpenAI's Realtime guide: a token of a caller's speech is 100 ms.
SOUND_TOKENS_PER_S = 10


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one call, never negative.

    ``input_tokens`` includes the cached and cache-write tokens, ``output_tokens`` includes the reasoning tokens,
    whatever the provider's own habit is (the Format adds or not). ``raw`` is the provider's last own usage object.
    ``stated_usd`` is what the provider itself says that the call costs, ``tier`` the price list that it says it used
    (empty: it says nothing). ``others`` is what other models used for the same call, each at its own price: an advisor,
    a tool that draws; none of it is in the counts here.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    web_searches: int = 0
    file_searches: int = 0
    input_audio_ms: int = 0  # speech that the provider counts by time (whisper-1), also in tokens or not
    characters: int = 0  # of a text that is spoken
    pages: int = 0  # of a document that is read
    annotated_pages: int = 0  # likewise, with an annotation of what is on them: no part of ``pages``
    images: int = 0  # that were made
    video_seconds: int = 0
    search_units: int = 0  # of a reranker
    cached_audio_tokens: int = 0  # part of cached_input_tokens and of input_audio_tokens
    cache_write_1h_tokens: int = 0  # part of cache_write_tokens: entries that live an hour (Anthropic), priced dearer
    stated_usd: Decimal | None = None
    tier: str = ""
    others: "tuple[tuple[str, Usage], ...]" = ()  # (model, what it used)
    raw: Mapping[str, Any] | None = field(default=None, compare=False)

    @property
    def whole(self) -> "Usage":
        """What all models used together."""
        if not self.others:
            return self
        all_used = (self, *(used for _, used in self.others))
        numbers = {name: sum(getattr(each, name) for each in all_used) for name in COUNTS}
        return replace(self, **numbers, others=())

    def counts(self) -> dict[str, int]:
        """The non-zero counts of all models plus input and output, as the audit record shows them."""
        whole = self.whole
        numbers = {name: getattr(whole, name) for name in COUNTS}
        return {k: v for k, v in numbers.items() if v or k in ("input_tokens", "output_tokens")}

    @property
    def timed_tokens(self) -> int:
        """What `input_audio_ms` would be in tokens, where it is in none; a begun one counts."""
        if self.input_audio_tokens:
            return 0
        return -(-self.input_audio_ms * SOUND_TOKENS_PER_S // 1000)

    @property
    def units(self) -> dict[str, int]:
        """The non-zero counts that are no tokens and no searches beside them: what some models are sold by."""
        return {name: number for name in UNITS if (number := getattr(self, name))}

    def filled(self, units: Mapping[str, int]) -> "Usage":
        """Take over counts that this one has none of."""
        missing: dict[str, Any] = {name: number for name, number in units.items() if not getattr(self, name)}
        return replace(self, **missing) if missing else self

    def latest(self, newer: "Usage") -> "Usage":
        """Merge a later cumulative report over this one: a non-zero count of the later one wins."""
        said = _values(newer)
        merged = tuple([new or old for old, new in zip(_values(self), said, strict=True)])
        return newer if merged == said else Usage(*merged)

    def with_raw(self, raw: Mapping[str, Any]) -> "Usage":
        """The same counts, with the provider's own object beside them."""
        return Usage(*(*_values(self)[:-1], raw))

    def plus(self, more: "Usage") -> "Usage":
        """Add the report of another step of the same call."""
        numbers = {name: getattr(self, name) + getattr(more, name) for name in COUNTS}
        stated = [usd for usd in (self.stated_usd, more.stated_usd) if usd is not None]
        return Usage(
            **numbers,
            stated_usd=sum(stated, Decimal()) if stated else None,
            tier=more.tier or self.tier,
            others=self.others + more.others,
            raw=more.raw,
        )


# In the order of the fields, which is that of the arguments. Some providers report with each event of a stream.
_values = attrgetter(*(f.name for f in fields(Usage)))
COUNTS = tuple(f.name for f in fields(Usage) if f.name not in ("raw", "stated_usd", "tier", "others"))
"""The fields that are numbers of something."""
UNITS = ("input_audio_ms", "characters", "pages", "annotated_pages", "images", "video_seconds", "search_units")
"""Those of them that models are sold by instead of tokens."""
