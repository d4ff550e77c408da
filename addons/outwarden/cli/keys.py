"""`outwarden key-id`."""

import sys
from getpass import getpass

from outwarden.cli.options import JsonOption, RulesOption, StateOption, fail, print_json

KEY_CHARS_MAX = 16 * 1024  # longer than any token in a header that servers accept


def key_id(rules: RulesOption = None, state: StateOption = None, json: JsonOption = False) -> None:
    """Print the id of an API key for callers.yml; the key comes from stdin or a prompt, never from the command line."""
    from outwarden.budget.callers import key_id as id_of

    key = _read_key().strip()
    if not key:
        fail("no key was given; type it, or pipe it: `outwarden key-id < key.txt`", 2)
    if len(key) > KEY_CHARS_MAX or any(character.isspace() for character in key):
        fail("this is not one API key: a key is one word", 2)
    if json:
        print_json({"key_id": id_of(key)})
    else:
        print(id_of(key))


def _read_key() -> str:
    return getpass("API key (not shown): ") if sys.stdin.isatty() else sys.stdin.read(KEY_CHARS_MAX + 2)
