"""Credentials of our own for Google Cloud, as ``auth: {google: …}`` of an upstream names them."""

from pathlib import Path

from outwarden.errors import StateError
from outwarden.routing.google import GoogleIdentity, is_installed, prepare
from outwarden.rules.nodes import Node, NodeError
from outwarden.rules.values import Reader, text

_FILE = "file:"


def google_identity(folder: Path) -> Reader[GoogleIdentity]:
    """Read ``default`` or ``file:KEY.json`` (a service account's key, or a federation's). It must be there now."""

    def read(node: Node) -> GoogleIdentity:
        if not is_installed():
            raise NodeError((node.line, "tokens of Google Cloud need google-auth: install outwarden[google]"))
        identity = _read(node, folder)
        try:
            prepare(identity)
        except StateError as error:
            raise NodeError((node.line, str(error))) from None
        return identity

    return read


def _read(node: Node, folder: Path) -> GoogleIdentity:
    named = text(node)
    if named == "default":
        return GoogleIdentity()
    if not named.startswith(_FILE):
        raise NodeError((node.line, "expected default or file:PATH of a key"))
    path = (folder / named.removeprefix(_FILE)).absolute()
    if not path.is_file():
        raise NodeError((node.line, f"file {named.removeprefix(_FILE)} does not exist"))
    return GoogleIdentity(str(path))
