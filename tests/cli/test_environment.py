"""The settings that `outwarden env` prints are understood by each shell, and send programs through us."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from outwarden.cli.app import app
from outwarden.cli.environment import SHELLS, settings

NASTY = '/it\'s $HOME `id` "x" \\ end'  # a path that a shell must not interpret


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder in which the interceptor has made its certificate."""
    folder = tmp_path / "state"
    (folder / "ca").mkdir(parents=True)
    folder.chmod(0o700)
    (folder / "ca" / "outwarden-ca-cert.pem").write_text(
        "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n"
    )
    return folder


def run(*arguments: str, env: Mapping[str, str | None] | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["env", *arguments], env=env)
    return result.exit_code, result.stdout


@pytest.mark.parametrize("shell", [name for name in ("sh", "bash", "zsh", "dash", "ksh") if shutil.which(name)])
def test_a_posix_shell_can_evaluate_it(shell: str, state: Path) -> None:
    """`eval "$(outwarden env)"` sets the variables to exactly these values."""
    _, text = run(shell, "--state", str(state), "--listen", "127.0.0.1:9000")
    script = text + '\nprintf "%s|%s" "$HTTPS_PROXY" "$NODE_EXTRA_CA_CERTS"'
    shown = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True).stdout

    assert shown == f"http://127.0.0.1:9000|{state}/ca/outwarden-ca-cert.pem"


def test_a_shell_interprets_nothing_in_a_value() -> None:
    """Quotes, dollars and backticks in a path stay what they are."""
    line = SHELLS["bash"]("V", NASTY)
    shown = subprocess.run(["sh", "-c", f'{line}\nprintf %s "$V"'], capture_output=True, text=True, check=True).stdout

    assert shown == NASTY
    assert SHELLS["fish"]("V", "it's \\") == "set -gx V 'it\\'s \\\\';"
    assert SHELLS["powershell"]("V", "it's $x") == "$Env:V = 'it''s $x'"


def test_the_bundle_is_the_roots_plus_ours(state: Path, tmp_path: Path) -> None:
    """`SSL_CERT_FILE` replaces the roots, so the bundle holds what the shell trusted before, and our CA."""
    roots = tmp_path / "company.pem"
    roots.write_text("-----BEGIN CERTIFICATE-----\ncompany\n-----END CERTIFICATE-----")
    code, text = run("--json", "--state", str(state), env={"SSL_CERT_FILE": str(roots)})
    bundle = Path(json.loads(text)["SSL_CERT_FILE"])

    assert code == 0
    assert bundle.read_text().index("company") < bundle.read_text().index("ours")


def test_asking_again_changes_nothing(state: Path) -> None:
    """In a shell that already has the settings, the bundle is not put into itself and NO_PROXY does not grow."""
    clean: dict[str, str | None] = {"SSL_CERT_FILE": None, "NO_PROXY": "intern.example", "no_proxy": None}
    first = json.loads(run("--json", "--state", str(state), env=clean)[1])
    content = Path(first["SSL_CERT_FILE"]).read_bytes()
    second = json.loads(run("--json", "--state", str(state), env=first)[1])

    assert second == first
    assert Path(second["SSL_CERT_FILE"]).read_bytes() == content
    assert content.count(b"ours") == 1
    assert first["NO_PROXY"] == "intern.example,localhost,127.0.0.1,::1"


def test_the_system_roots_are_in_the_bundle(state: Path) -> None:
    """Without a setting of the shell, real root certificates come before ours."""
    _, text = run("--json", "--state", str(state), env={"SSL_CERT_FILE": None})

    assert Path(json.loads(text)["REQUESTS_CA_BUNDLE"]).read_bytes().count(b"BEGIN CERTIFICATE") > 20


def test_no_certificate_yet_is_said(tmp_path: Path) -> None:
    """Nothing is printed that a shell would evaluate, and the exit code says so."""
    result = CliRunner().invoke(app, ["env", "--state", str(tmp_path / "new")])

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "outwarden run" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["tcsh"], ["--listen", "8080"], ["--listen", "host:notaport"], ["--listen", "h:70000"]]
)
def test_a_wrong_question_ends_with_2(arguments: list[str], state: Path) -> None:
    """An unknown shell or an address that is none is refused."""
    assert run(*arguments, "--state", str(state)) == (2, "")


@pytest.mark.parametrize(
    ("listen", "proxy"),
    [
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("proxy.corp.example:3128", "http://proxy.corp.example:3128"),
    ],
)
def test_the_proxy_is_an_address_that_clients_can_reach(listen: str, proxy: str, state: Path) -> None:
    """What means every interface to a server means nothing to a client."""
    _, text = run("--json", "--state", str(state), "--listen", listen)

    assert json.loads(text)["HTTPS_PROXY"] == json.loads(text)["https_proxy"] == proxy


@given(st.lists(st.sampled_from(["a.example", "localhost", " b.example ", "", "::1"]), max_size=6))
def test_no_proxy_keeps_what_was_there_once(names: list[str]) -> None:
    """Every name the shell had is kept, this machine is added, nothing is there twice."""
    value = settings("p", Path("c"), Path("b"), {"NO_PROXY": ",".join(names)})["NO_PROXY"].split(",")

    assert {name.strip() for name in names if name.strip()} | {"localhost", "127.0.0.1", "::1"} == set(value)
    assert len(value) == len(set(value))


def test_the_bundle_can_be_read_by_others_and_is_replaced_whole(state: Path) -> None:
    """A client of another user may read it, and never sees half of it."""
    bundle = Path(json.loads(run("--json", "--state", str(state))[1])["SSL_CERT_FILE"])

    assert bundle.stat().st_mode & 0o777 == 0o644
    assert sorted(os.listdir(state)) == ["ca", "ca-bundle.pem"]
