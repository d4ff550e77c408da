"""Say a conversation in another API's words: OpenAI's chat completions, Anthropic's messages and Gemini's
generateContent, each in those of the two others.

Each format has a reader into the neutral form of `neutral` and a writer out of it, for requests, whole replies, streams
and errors. What the neutral form has no place for raises NotTranslatable, which names the field and no value: nothing
is dropped in silence. A few things are left behind on purpose, because the other provider can make nothing of them and
the answer does not depend on them: marks for the prompt cache, thinking and its signatures (they are for who thought
it), the label of an output schema, and towards Gemini the end user's id; of Gemini's, filters that are switched off,
and what its replies say of safety, of probabilities and of where a wording may be from.

Knows nothing of upstreams, of money and of personal data: what is charged is read in the upstream's own format, what is
restored is restored there, and only then the reply is translated.
"""

from outwarden.wire.translation.pairs import (
    StreamTranslation,
    Translation,
    callers_of,
    is_translated,
    translated_pairs,
    translation,
)

__all__ = ["StreamTranslation", "Translation", "callers_of", "is_translated", "translated_pairs", "translation"]
