"""`outwarden env`."""

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from outwarden.cli.options import (
    DEFAULT_LISTEN,
    JsonOption,
    ListenOption,
    RulesOption,
    StateOption,
    ca_certificate,
    fail,
    open_state,
    print_json,
    reachable_url,
)

NEVER_PROXIED = ("localhost", "127.0.0.1", "::1")


def env(
    shell: Annotated[str | None, typer.Argument(help="bash, zsh, sh, fish or powershell. Default: $SHELL.")] = None,
    listen: ListenOption = DEFAULT_LISTEN,
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Print the settings that send this shell's programs through the interceptor: `eval "$(outwarden env)"`."""
    from outwarden.cli.roots import write_bundle

    render = SHELLS.get(_shell_name(shell))
    if render is None:
        fail(f"shell {shell!r} is not known; known are {', '.join(SHELLS)}", 2)
    proxy = reachable_url(listen)
    folder = open_state(state)
    ca = ca_certificate(folder)
    bundle = write_bundle(folder.path, ca, os.environ)
    variables = settings(proxy, ca, bundle, os.environ)
    if json:
        print_json(variables)
    else:
        print("\n".join(render(name, value) for name, value in variables.items()))


def settings(proxy: str, ca: Path, bundle: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by name. Where programs replace their roots they get the bundle, where they add, our CA alone."""
    no_proxy = _no_proxy(environment)
    return {
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,  # some programs read only the small one
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "NODE_EXTRA_CA_CERTS": str(ca),  # Claude Code, Gemini CLI, Copilot; read once, at the start of Node
        "NODE_USE_ENV_PROXY": "1",  # Node >= 22.21 and 24: fetch() reads HTTPS_PROXY only with this
        "SSL_CERT_FILE": str(bundle),  # OpenSSL, httpx, Go, Rust
        "REQUESTS_CA_BUNDLE": str(bundle),  # Python requests
        "CURL_CA_BUNDLE": str(bundle),
        "AWS_CA_BUNDLE": str(bundle),  # boto3 and the AWS CLI
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(bundle),  # gRPC clients of Google
        "CODEX_CA_CERTIFICATE": str(bundle),
    }


def _no_proxy(environment: Mapping[str, str]) -> str:
    """What the shell had, and this machine; the same again when asked twice."""
    before = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    names = [name.strip() for name in before.split(",") if name.strip()]
    return ",".join(dict.fromkeys([*names, *NEVER_PROXIED]))


def _shell_name(given: str | None) -> str:
    name = given or Path(os.environ.get("SHELL", "bash")).name
    if given is None and name not in SHELLS:
        return "sh"  # csh and other rare shells: what most understand
    return name.lower().removesuffix(".exe")


def _posix(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}';"


def _powershell(name: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"$Env:{name} = '{quoted}'"


SHELLS: Mapping[str, Callable[[str, str], str]] = {
    "bash": _posix,
    "zsh": _posix,
    "sh": _posix,
    "dash": _posix,
    "ksh": _posix,
    "fish": _fish,
    "powershell": _powershell,
    "pwsh": _powershell,
}
