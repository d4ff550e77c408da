"""`outwarden key-id` and `outwarden hash`: names for what rule files should not tell."""

import sys
from getpass import getpass

from outwarden.cli.options import JsonOption, RulesOption, StateOption, fail, print_json

KEY_CHARS_MAX = 16 * 1024  # longer than any token in a header that servers accept


def key_id(rules: RulesOption = None, state: StateOption = None, json: JsonOption = False) -> None:
    """Print the id of an API key for callers.yml; the key comes from stdin or a prompt, never from the command line."""
    from outwarden.budget.callers import key_id as id_of

    key = _read("API key (not shown): ").strip()
    if not key:
        fail("no key was given; type it, or pipe it: `outwarden key-id < key.txt`", 2)
    if len(key) > KEY_CHARS_MAX or any(character.isspace() for character in key):
        fail("this is not one API key: a key is one word", 2)
    if json:
        print_json({"key_id": id_of(key)})
    else:
        print(id_of(key))


def hash_value(rules: RulesOption = None, state: StateOption = None, json: JsonOption = False) -> None:
    """Print a value as `always` and `allow` in pii.yml take it without telling it; the value comes from stdin."""
    from outwarden.pii import check_allow, hash_of

    said = _read("value (not shown): ").strip()
    if not said or "\n" in said:
        fail("expected one value on one line; type it, or pipe it: `outwarden hash < value.txt`", 2)
    hashed = hash_of(said)
    if problem := check_allow(hashed):
        fail(problem, 2)
    if json:
        print_json({"hash": hashed})
    else:
        print(hashed)


def _read(prompt: str) -> str:
    return getpass(prompt) if sys.stdin.isatty() else sys.stdin.read(KEY_CHARS_MAX + 2)
