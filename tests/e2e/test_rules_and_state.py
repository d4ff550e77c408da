"""Wrong rules, a broken database, a taken port, a wrong certificate: said clearly, and never open."""

import contextlib
import json
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from interceptor import (
    CARD,
    EMAIL,
    OPENAI,
    RECORD,
    Interceptor,
    assert_clean,
    chat,
    drop_file_powers,
    pii_rules,
    rules_for,
    trusted,
    until,
)

from outwarden.audit import verify
from outwarden.simulate import Script, SimulatedProvider, make_certificates, provider_thread
from replaying.process import write_rules

URL = f"https://{OPENAI}/v1/chat/completions"
RELOAD_S = 2.0  # promised: a changed rule is in force this soon


def fails_to_start(outwarden: Interceptor, prepare: Any = None) -> str:
    """Start an interceptor that must not start; return what it said."""
    outwarden.launch(prepare=prepare)
    try:
        code = outwarden.wait(60)
    except BaseException:
        outwarden.kill()
        raise
    said = outwarden.latest_output
    assert code == 1, said
    assert "listening on" not in said
    assert "Traceback" not in said
    return said


# --- rules


# A few, because each starts a process; tests/rules knows every way to be wrong.
TYPOS = {
    "unknown-key": ("pii", "request: {default: mask}\nentitys: all\n", 2),
    "bad-money": ("budgets", "budgets:\n  - name: a\n    scope: all\n    limit_usd: lots\n", 4),
    "false-example": ("pii", "custom:\n  - entity: X_Y\n    pattern: 'ab+'\n    match: ['zzz']\n", 4),
}


@pytest.mark.parametrize("typo", list(TYPOS))
def test_a_wrong_rule_stops_the_start(primary: SimulatedProvider, start: Any, typo: str) -> None:
    """Exit code 1 and ``file:line`` of what is wrong; nothing listens."""
    name, text, line = TYPOS[typo]
    outwarden: Interceptor = start(rules_for(primary, **{name: {}}) | {name: text}, running=False)

    said = fails_to_start(outwarden)

    assert re.search(rf"{name}\.yml:{line}: \S+", said), said


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor whose rules the tests change."""
    return start(rules_for(primary))


@pytest.fixture
def restored_rules(outwarden: Interceptor) -> Iterator[None]:
    """Put the personal-data rules back and wait until they are in force."""
    yield
    count = outwarden.output.count("rules reloaded")
    write_rules(outwarden.rules, {"pii": pii_rules() | {"allow": ["nobody@brightquill-mail.com"]}})
    until(lambda: outwarden.output.count("rules reloaded") > count)


def say(outwarden: Interceptor, provider: SimulatedProvider, text: str) -> str:
    """Send a text; return what the provider got of it."""
    with outwarden.http() as client:
        client.post(URL, json=chat(text)).raise_for_status()
    return str(provider.requests[-1].json()["messages"][0]["content"])


def test_a_changed_rule_is_in_force_within_two_seconds(
    outwarden: Interceptor, provider: SimulatedProvider, restored_rules: None
) -> None:
    """From pseudonyms to masks without a restart, a kept connection included."""
    assert "[EMAIL_ADDRESS]" not in say(outwarden, provider, EMAIL)
    with outwarden.http() as client:
        client.post(URL, json=chat(EMAIL)).raise_for_status()
        write_rules(outwarden.rules, {"pii": pii_rules(request={"default": "mask"})})
        time.sleep(RELOAD_S)
        client.post(URL, json=chat(EMAIL)).raise_for_status()

    assert provider.requests[-1].json()["messages"][0]["content"] == "[EMAIL_ADDRESS]"


def test_a_reload_drops_no_connection(
    outwarden: Interceptor, provider: SimulatedProvider, restored_rules: None
) -> None:
    """A stream that began under the old rules ends under them, whole, while the new ones come into force."""
    text = f"one two three four {EMAIL} five six seven eight nine ten {RECORD} eleven twelve"
    provider.queue(Script(event_delay_s=0.15))
    answers: list[str] = []

    def stream() -> None:
        chunks = outwarden.openai().chat.completions.create(**chat(text), stream=True)
        answers.append("".join(c.choices[0].delta.content or "" for c in chunks if c.choices))

    reader = threading.Thread(target=stream)
    reader.start()
    until(lambda: len(provider.requests) == 1)
    count = outwarden.output.count("rules reloaded")
    write_rules(outwarden.rules, {"pii": pii_rules(request={"default": "mask"}, restore=False)})
    until(lambda: outwarden.output.count("rules reloaded") > count)
    assert reader.is_alive()
    reader.join(20)

    assert answers == [text]


@pytest.mark.parametrize("broken", ["request: {default: maskk}\n", "a: [", "\x00\x01", "entities: none-such\n"])
def test_a_broken_reload_keeps_the_last_good_rules(
    outwarden: Interceptor, provider: SimulatedProvider, restored_rules: None, broken: str
) -> None:
    """A rule file that turns bad is named with its line; calls go on under the last good rules, closed as before."""
    (outwarden.rules / "pii.yml").write_text(broken)
    until(lambda: re.search(r"pii\.yml:.+", outwarden.output.rpartition("rules reloaded")[2]))

    assert EMAIL not in say(outwarden, provider, EMAIL)
    assert_clean(provider)


def test_a_rule_file_that_vanishes_does_not_open_anything(
    outwarden: Interceptor, provider: SimulatedProvider, restored_rules: None
) -> None:
    """Without pii.yml the shipped defaults or the last good rules hold; nothing goes out in clear."""
    (outwarden.rules / "pii.yml").unlink()
    time.sleep(RELOAD_S)

    assert EMAIL not in say(outwarden, provider, EMAIL)


# --- state


def test_a_corrupt_database_stops_the_start(primary: SimulatedProvider, start: Any) -> None:
    """What is not a database is not overwritten, and nothing starts without one."""
    outwarden: Interceptor = start(rules_for(primary), running=False)
    outwarden.state.mkdir(mode=0o700)
    garbage = b"this is no database at all " * 500
    (outwarden.state / "outwarden.db").write_bytes(garbage)

    said = fails_to_start(outwarden)

    assert "outwarden.db" in said
    assert (outwarden.state / "outwarden.db").read_bytes() == garbage


BUDGETS = {"budgets": [{"name": "day", "scope": "all", "limit_usd": 10, "window": "day"}]}


@pytest.fixture(scope="module")
def ledgered(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor with a budget, which the tests stop, start and harm in the order they stand here."""
    return start(rules_for(primary, budgets=BUDGETS), running=False)


def running(outwarden: Interceptor) -> Interceptor:
    """The interceptor, started where it is not."""
    return outwarden if outwarden.alive else outwarden.start()


def test_a_locked_database_refuses_and_recovers(ledgered: Interceptor, provider: SimulatedProvider) -> None:
    """While the store does not answer, calls are refused, none is sent; afterwards it works by itself."""
    with running(ledgered).http(timeout=30) as client:
        ledgered.record(client.post(URL, json=chat("before", max_tokens=5)).raise_for_status())  # and it is settled
        provider.clear()
        with contextlib.closing(sqlite3.connect(ledgered.state / "outwarden.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            during = client.post(URL, json=chat("during", max_tokens=5))
            took = time.monotonic() - began
            other.execute("ROLLBACK")
        after = client.post(URL, json=chat("after", max_tokens=5))

    assert during.status_code in (429, 502, 503)
    assert during.json()["error"]
    assert took < 15
    assert after.status_code == 200
    assert [seen.json()["messages"][0]["content"] for seen in provider.requests] == ["after"]


def test_a_stop_lets_calls_finish(ledgered: Interceptor, provider: SimulatedProvider) -> None:
    """SIGTERM: the stream under way arrives whole, then the process ends with 0 and nothing pending."""
    text = f"one two three four five six {EMAIL} seven eight nine ten"
    client = running(ledgered).openai()
    provider.queue(Script(event_delay_s=0.1))
    answers: list[str] = []

    def stream() -> None:
        chunks = client.chat.completions.create(**chat(text), stream=True)
        answers.append("".join(c.choices[0].delta.content or "" for c in chunks if c.choices))

    reader = threading.Thread(target=stream)
    reader.start()
    until(lambda: len(provider.requests) == 1)
    time.sleep(0.3)
    assert ledgered.stop() == 0
    reader.join(20)

    assert answers == [text]
    assert [state["pending_usd"] for state in ledgered.budgets()] == ["0"]


def test_a_read_only_database_stops_the_start(ledgered: Interceptor) -> None:
    """A ledger that cannot be written is no ledger."""
    files = [ledgered.state, *ledgered.state.glob("outwarden.db*")]
    for file in files:
        file.chmod(0o500 if file.is_dir() else 0o400)
    try:
        said = fails_to_start(ledgered, prepare=drop_file_powers)
    finally:
        for file in files:
            file.chmod(0o700 if file.is_dir() else 0o600)

    assert "state" in said


def test_pseudonyms_survive_a_restart(ledgered: Interceptor, provider: SimulatedProvider) -> None:
    """The same value has the same name before and after, so that prompt caches stay warm."""
    before = say(running(ledgered), provider, f"{EMAIL} {CARD}")
    assert ledgered.stop() == 0

    assert say(running(ledgered), provider, f"{EMAIL} {CARD}") == before


def test_a_database_that_turns_bad_refuses(ledgered: Interceptor, provider: SimulatedProvider) -> None:
    """Overwritten while running: no call is sent for free."""
    with running(ledgered).http(timeout=30) as client:
        # Settled, too: a transaction under way would write its own good index over the damage, and SQLite would go on
        # from the pages that it has in memory.
        ledgered.record(client.post(URL, json=chat("before", max_tokens=5)).raise_for_status())
        provider.clear()
        for suffix in ("", "-wal", "-shm"):
            # In place: SQLite maps -shm into memory, and whoever shortens a mapped file kills its process (SIGBUS).
            file = ledgered.state / f"outwarden.db{suffix}"
            with file.open("r+b") as opened:
                opened.write(b"\x00garbage" * max(2000, file.stat().st_size // 8))
        during = [client.post(URL, json=chat("during", max_tokens=5)) for _ in range(2)]

    assert {answer.status_code for answer in during} <= {429, 502, 503}
    assert list(provider.requests) == []
    ledgered.kill()


def test_secrets_are_private(outwarden: Interceptor) -> None:
    """Keys and the state folder are readable by their owner alone."""
    private = [outwarden.state, outwarden.state / "secret.key", outwarden.state / "outwarden.db"]
    private += [file for file in (outwarden.state / "ca").iterdir() if b"PRIVATE KEY" in file.read_bytes()]

    assert len(private) > 3
    assert [file.name for file in private if file.stat().st_mode & 0o077] == []


def test_the_audit_chain_verifies(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """What a session of calls, refusals and reloads wrote is one unbroken chain."""
    say(outwarden, provider, EMAIL)
    log = outwarden.state / "audit.jsonl"
    until(lambda: log.stat().st_size)

    assert verify(log) == []
    lines = log.read_text().splitlines()
    assert all(json.loads(line)["call_id"] for line in lines)


# --- network


def test_a_taken_port_is_said(primary: SimulatedProvider, start: Any) -> None:
    """Exit code 1 and the address; no half start."""
    outwarden: Interceptor = start(rules_for(primary), running=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outwarden.launch(listen=f"127.0.0.1:{port}")
        code = outwarden.wait(60)

    assert code == 1
    assert str(port) in outwarden.output
    assert "listening on" not in outwarden.output


@pytest.fixture(scope="module")
def impostor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedProvider]:
    """A provider with a certificate of its own making, for another name."""
    with provider_thread(make_certificates(tmp_path_factory.mktemp("other"), ["other.example"])) as provider:
        yield provider


@pytest.fixture(scope="module")
def suspicious(primary: SimulatedProvider, impostor: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor that takes three hosts to servers that cannot prove to be them."""
    wrong = {
        "authority.example": {"connect_to": impostor.address, "trust": str(trusted(primary))},
        "name.example": {"connect_to": impostor.address, "trust": str(trusted(impostor))},
        "system.example": {"connect_to": primary.address},  # no trust: the system's roots, which do not know us
    }
    hosts = [{"hosts": [name], "provider": "openai", "format": "openai"} | aim for name, aim in wrong.items()]
    return start(rules_for(primary, traffic={"intercept": hosts}))


@pytest.mark.parametrize("wrong", ["authority", "name", "system"])
def test_a_wrong_upstream_certificate_is_refused(
    suspicious: Interceptor, impostor: SimulatedProvider, provider: SimulatedProvider, wrong: str
) -> None:
    """An upstream that cannot prove who it is gets nothing: a 502 in the provider's shape."""
    with suspicious.http() as client:
        url = f"https://{wrong}.example/v1/chat/completions"
        answer = client.post(url, json=chat(EMAIL), headers={"authorization": "Bearer precious-key"})

    assert answer.status_code == 502
    assert "certificate" in answer.json()["error"]["message"]
    assert [*impostor.requests, *provider.requests] == []


def test_a_client_that_does_not_trust_us_gets_nothing(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A client without our CA refuses the connection itself, and nothing was sent on."""
    with httpx.Client(proxy=outwarden.url, timeout=10) as client, pytest.raises(httpx.ConnectError):
        client.post(URL, json=chat(EMAIL))

    assert list(provider.requests) == []
