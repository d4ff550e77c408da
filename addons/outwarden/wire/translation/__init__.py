"""Say a conversation in another API's words: OpenAI's chat completions and Anthropic's messages, both ways.

Each format has a reader into the neutral form of `neutral` and a writer out of it, for requests, whole replies, streams
and errors. What the neutral form has no place for raises NotTranslatable, which names the field and no value: nothing
is dropped in silence. Three things are left behind on purpose, because the other provider can make nothing of them and
the answer does not depend on them: marks for the prompt cache, thinking (it is signed by who thought it), and the label
of an output schema.

Knows nothing of upstreams, of money and of personal data: what is charged is read in the upstream's own format, what is
restored is restored there, and only then the reply is translated.
"""

from outwarden.wire.translation.pairs import (
    StreamTranslation,
    Translation,
    is_translated,
    translated_pairs,
    translation,
)

__all__ = ["StreamTranslation", "Translation", "is_translated", "translated_pairs", "translation"]
