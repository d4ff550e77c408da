"""Machines, branches, modules and files that are called as persons are: what they are written into tells."""

import re

# What a run without spaces is, if it is an identifier; each has a mark that no name in prose has.
_IDENTIFIER = re.compile(
    r"[({\[\"'`]*(?:"
    r"[a-z][\w-]*+(?:\.[\w-]{2,}+){2,}"  # com.acme.alice, backup01.alice.internal
    r"|(?:[\w-]++\.)+(?:lan|local|internal|corp|intranet|svc|cluster|home|test|example)\b"
    r"|(?:[\w-]++[./\\])+(?:py|pyc|kt|java|js|jsx|ts|tsx|rb|go|rs|c|h|cc|cpp|hpp|cs|php|swift|scala|sh|sql|css|vue|ex|clj|jl"
    r"|ipynb|yml|yaml|toml|ini|conf|lock|log)\b"
    r"|[\w-]++:/[\w/]|[\w-]++@[\w-]"  # otis:/srv, root@otis
    r"|[a-z]{2,12}\([\w/.-]++\)!?:"  # feat(alice):
    r"|[\w./]*\d\.\d[\w.]*+-"  # v0.9.0-alice
    r"|[\w.]++(?:::|->|\(\))|[\w-]++/[\w-]++:\w"  # Alice::new, alice.run(), team/alice:1.2
    r"|(?:feature|feat|fix|hotfix|bugfix|release|origin|dependabot|renovate|chore|refs|pod|svc|deploy(?:ment)?)/\w"
    r")"
)

_RUN_MAX = 80  # code points to each side


def is_identifier(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` is part of an identifier, an address or a file of code: a run without spaces."""
    before = (" " + text[max(0, start - _RUN_MAX) : start]).rsplit(maxsplit=1)
    after = text[end : end + _RUN_MAX].split(maxsplit=1)
    first = start if text[start - 1 : start].isspace() or not before else start - len(before[-1])
    last = end if text[end : end + 1].isspace() or not after else end + len(after[0])
    return last - first > end - start and _IDENTIFIER.match(text, first, last) is not None
