"""Rules that follow their files, and keep the last good state."""

import os
from pathlib import Path

from outwarden.errors import RulesError
from outwarden.rules.load import RULE_FILES, Rules, load_rules

type _Stamp = tuple[tuple[int, int, int] | None, ...]


class RulesFile:
    """The rules of one folder. Construction raises RulesError; afterwards there always are rules in force."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths = [str(folder / name) for name in RULE_FILES]
        self._stamp = self._look()
        self.current: Rules = load_rules(folder)

    def reload_if_changed(self) -> bool | RulesError:
        """Load the files again where one changed, came or went; costs one stat per file.

        True: new rules are in force. False: nothing changed since the last call. RulesError: the files as they are now
        cannot be used (a file half written, a mistake), and the old rules stay; told once per change.
        """
        stamp = self._look()  # before reading: what changes while it is read, is seen as a change next time
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self.current = load_rules(self.folder)
        except RulesError as error:
            return error
        return True

    def _look(self) -> _Stamp:
        return tuple(map(_stat, self._paths))


def _stat(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
