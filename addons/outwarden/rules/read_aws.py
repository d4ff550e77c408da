"""Credentials of our own for AWS, as ``sign`` of a host and ``auth: {aws: …}`` of an upstream name them."""

from pathlib import Path

from outwarden.errors import StateError
from outwarden.routing.aws import find_keys, is_installed
from outwarden.rules.files import secret_in
from outwarden.rules.nodes import Node, NodeError, Scalar
from outwarden.rules.values import Keys, Reader, one_of, text
from outwarden.wire.aws_signature import AwsIdentity


def aws_identity(folder: Path) -> Reader[AwsIdentity]:
    """Read ``default``, ``{profile: NAME}`` or ``{access_key_id, secret_access_key, session_token}`` (env: or file:).

    What it names must be there now; the secrets themselves are not kept.
    """

    def read(node: Node) -> AwsIdentity:
        if not is_installed():
            raise NodeError((node.line, "signing for AWS needs botocore: install outwarden[aws]"))
        identity = _read(node, folder)
        try:
            find_keys(identity)
        except StateError as error:
            raise NodeError((node.line, str(error))) from None
        return identity

    return read


def _read(node: Node, folder: Path) -> AwsIdentity:
    if isinstance(node, Scalar):
        one_of(("default",))(node)
        return AwsIdentity()
    keys = Keys(node)
    profile = keys.get("profile", text, "")
    secret = secret_in(folder)
    own = {name: keys.get(name, secret, "") for name in ("access_key_id", "secret_access_key", "session_token")}
    region, service = keys.get("region", text, ""), keys.get("service", text, "")
    if profile and any(name in keys for name in own):
        keys.wrong("profile", "expected either 'profile' or 'access_key_id' and 'secret_access_key'")
    for name in ("access_key_id", "secret_access_key"):
        if any(other in keys for other in own) and name not in keys:
            keys.wrong(next(other for other in own if other in keys), f"key '{name}' is missing")
    keys.done()
    return AwsIdentity(profile, **own, region=region, service=service)
