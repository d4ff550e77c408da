"""An answer that one model began and another goes on with: one stream to whoever reads it.

`prefill` puts what was said at the end of a request, as each provider wants it, and says which requests may be asked
so. `said` keeps what a streamed answer has said, and whether it was nothing but text. `seam` takes from the start of
the continuation what its reader has already. `answer` joins the streams: the first passes as it came; each further one
is read in its own format and written as more of the first, with its ids and numbers.

Knows nothing of upstreams, of money and of personal data: texts are as the providers said them.
"""

from outwarden.wire.continuation.answer import Answer
from outwarden.wire.continuation.prefill import (
    CONTINUED,
    FINAL_MESSAGE,
    PARTIAL,
    PLAIN,
    PREFIX,
    PREFIX_ECHOED,
    Way,
    lower_limit,
    obstacle,
    with_prefill,
)

__all__ = [
    "CONTINUED",
    "FINAL_MESSAGE",
    "PARTIAL",
    "PLAIN",
    "PREFIX",
    "PREFIX_ECHOED",
    "Answer",
    "Way",
    "lower_limit",
    "obstacle",
    "with_prefill",
]
