"""The interceptor as a real process, the rules it runs under, and clients that go through it."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import httpx
import httpx2
import openai
from google import genai
from google.genai import types

from outwarden.budget import Ledger, open_store
from outwarden.rules import StateFolder
from outwarden.simulate import SimulatedProvider
from outwarden.simulate.faults import decoded
from replaying.client import trusting
from replaying.process import Process, program_environment

OPENAI, ANTHROPIC, GEMINI = "api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com"
OLLAMA = "ollama.example"
BEDROCK = "bedrock-runtime.us-east-1.amazonaws.com"
HOSTS = [OPENAI, ANTHROPIC, GEMINI, OLLAMA, BEDROCK]

# Invented, and of kinds that every rule set here takes out. None of it may ever leave or stay behind.
EMAIL = "ada.quill@brightquill-mail.com"
EMAIL_2 = "bo.fennick@brightquill-mail.com"
CARD = "4716 9083 1125 6045"
IBAN = "DE65500105178842907316"
RECORD = "MRN-7733109"
PLANTED = [EMAIL, EMAIL_2, CARD, CARD.replace(" ", ""), IBAN, RECORD]


def rules_for(provider: SimulatedProvider, **files: Mapping[str, Any]) -> dict[str, Any]:
    """Rule files that send every host of ours to ``provider``; further files (or keys of traffic) by name."""
    aim = {"connect_to": provider.address, "trust": str(trusted(provider))}
    intercept: list[Any] = [{"hosts": [host], **aim} for host in (OPENAI, ANTHROPIC, GEMINI, BEDROCK)]
    intercept.append({"hosts": [OLLAMA], "provider": "ollama", "format": "ollama", **aim})
    rules: dict[str, Any] = {
        "traffic": {"intercept": intercept} | dict(files.pop("traffic", {})),
        "pii": pii_rules(),
        "prices": {"prices": [{"provider": "ollama", "model": "*", "input_mtok": 1, "output_mtok": 2}]},
    }
    return rules | {name: dict(content) for name, content in files.items()}


def pii_rules(**changes: Any) -> dict[str, Any]:
    """Take out the planted kinds, without the slow model for names."""
    custom = {"entity": "MEDICAL_RECORD_NUMBER", "pattern": r"MRN-\d{7}", "match": [RECORD], "no_match": ["MRN-12"]}
    return {
        "request": {"default": "pseudonymize", "API_KEY": "refuse"},
        "response": {"default": "mask"},
        "restore": True,
        "entities": "all",
        "ner": {"model": "off"},
        "custom": [custom],
    } | changes


def trusted(provider: SimulatedProvider) -> Path:
    """The CA file of a simulated provider."""
    if provider.certificates is None:
        raise ValueError("this provider speaks without TLS")
    return provider.certificates.ca


class Interceptor(Process):
    """`outwarden run`, what it leaves behind, and clients that go through it."""

    def __init__(self, folder: Path, rules: Mapping[str, Any]) -> None:
        super().__init__(folder, rules)
        self.planted = list(PLANTED)

    # --- what it leaves behind

    def record(self, response_or_id: Any, seconds: float = 15.0) -> dict[str, Any]:
        """The audit record of a call, by its id or by a response that carries it; waits for it."""
        headers = getattr(response_or_id, "headers", None)
        call_id = headers["x-outwarden-call-id"] if headers is not None else response_or_id
        return until(lambda: next((r for r in self.records() if r.get("call_id") == call_id), None), seconds)

    def new_records(self, seen: int, count: int = 1, seconds: float = 15.0) -> list[dict[str, Any]]:
        """The records after the first ``seen``, once there are ``count`` of them."""
        return until(lambda: r if len(r := self.records()[seen:]) >= count else None, seconds)

    def count_records(self) -> int:
        """How many records there are, once each call that was answered has its own: they are written after the reply.

        A call that is refused at once, and reaches nobody, has its record behind theirs; it is counted, too.
        """
        with self.http() as client:
            kind = {"content-type": "application/grpc"}
            self.record(client.post(f"https://{OPENAI}/mark", content=b"\0\0\0\0\0", headers=kind))
        return len(self.records())

    def budgets(self) -> list[dict[str, Any]]:
        """What `outwarden budgets --json` prints, read here: a new process costs seconds."""
        ledger = Ledger(open_store(StateFolder(self.state).database_url))
        try:
            return [state.as_json() for state in ledger.states()]
        finally:
            ledger.close()

    def printed_budgets(self) -> list[dict[str, Any]]:
        """What `outwarden budgets --json` prints."""
        command = [sys.executable, "-m", "outwarden", "budgets", "--json"]
        command += ["--rules", str(self.rules), "--state", str(self.state)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=True, env=program_environment()
        )
        return list(json.loads(done.stdout))

    def leaks(self) -> list[str]:
        """Where a planted value shows up in what the process wrote: its output, and every file of its state."""
        found = [f"output: {value}" for value in self.planted if value in self.output]
        for file in self.state.rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                found += [f"{file.name}: {value}" for value in self.planted if value.encode() in data]
        return found

    # --- clients

    def trust(self, *, http2: bool = False) -> ssl.SSLContext:
        """A client context that trusts the interceptor's CA and nothing else."""
        return trusting(self.ca, http2=http2)

    def environment(self) -> dict[str, str]:
        """What a host sets so that its programs go through the interceptor."""
        return {"HTTPS_PROXY": self.url, "SSL_CERT_FILE": str(self.ca), "REQUESTS_CA_BUNDLE": str(self.ca)}

    def http(self, *, http2: bool = False, timeout: float = 20.0, **options: Any) -> httpx.Client:
        """An HTTP client."""
        return httpx.Client(proxy=self.url, verify=self.trust(http2=http2), http2=http2, timeout=timeout, **options)

    def openai(self, **options: Any) -> openai.OpenAI:
        """The OpenAI SDK."""
        client = httpx2.Client(proxy=self.url, verify=self.trust(), timeout=20)
        return openai.OpenAI(**{"api_key": "simulated-key", "http_client": client, "max_retries": 0} | options)

    def async_openai(self, **options: Any) -> openai.AsyncOpenAI:
        """The asynchronous OpenAI SDK."""
        client = httpx2.AsyncClient(proxy=self.url, verify=self.trust(), timeout=20)
        return openai.AsyncOpenAI(**{"api_key": "simulated-key", "http_client": client, "max_retries": 0} | options)

    def anthropic(self, **options: Any) -> anthropic.Anthropic:
        """The Anthropic SDK."""
        client = httpx2.Client(proxy=self.url, verify=self.trust(), timeout=20)
        return anthropic.Anthropic(**{"api_key": "simulated-key", "http_client": client, "max_retries": 0} | options)

    def async_anthropic(self) -> anthropic.AsyncAnthropic:
        """The asynchronous Anthropic SDK."""
        client = httpx2.AsyncClient(proxy=self.url, verify=self.trust(), timeout=20)
        return anthropic.AsyncAnthropic(api_key="simulated-key", http_client=client, max_retries=0)

    def gemini(self) -> genai.Client:
        """The Google SDK, synchronous and (``.aio``) asynchronous."""
        args = {"proxy": self.url, "verify": self.trust()}
        options = types.HttpOptions(
            client_args=args, async_client_args=args, retry_options=types.HttpRetryOptions(attempts=1)
        )
        return genai.Client(api_key="simulated-key", http_options=options)


def until[T](ask: Callable[[], T | None], seconds: float = 15.0) -> T:
    """Ask again until there is an answer. Raises AssertionError when none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.02)


def chat(text: str, **more: Any) -> dict[str, Any]:
    """A chat completions body."""
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]} | more


def message(text: str, **more: Any) -> dict[str, Any]:
    """An Anthropic messages body."""
    return {"model": "claude-opus-5", "max_tokens": 200, "messages": [{"role": "user", "content": text}]} | more


def contents(text: str, **more: Any) -> dict[str, Any]:
    """A Gemini generateContent body."""
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]} | more


def assert_clean(provider: SimulatedProvider, values: Iterable[str] = PLANTED) -> None:
    """No request that reached the provider holds a planted value, in body, path, headers or WebSocket messages."""
    for seen in provider.requests:
        said = b"".join(m.encode() if isinstance(m, str) else m for m in seen.messages)
        body = seen.body + decoded(seen.body, (seen.header("content-encoding") or "").lower())
        sent = body + seen.path.encode() + repr(seen.headers).encode() + said
        for value in values:
            assert value.encode() not in sent, f"{value} reached {seen.path}"


def in_parallel[T](work: Callable[[int], T], count: int, threads: int = 16) -> list[T]:
    """Do ``work(0..count-1)`` with a few threads; results in order."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(count)))


def run_async[T](work: Any) -> T:
    """Run a coroutine from a synchronous test."""
    result: T = asyncio.run(work)
    return result


def drop_file_powers() -> None:
    """In a child process: let file permissions bind root too, so that "read-only" means it."""
    if os.geteuid() != 0:
        return
    drop_from_bounding_set, dac_override = 24, 1  # prctl(2): PR_CAPBSET_DROP; capabilities(7): CAP_DAC_OVERRIDE
    ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override, 0, 0, 0)
