"""What Outwarden adds: against plain mitmdump and against the upstream itself, interleaved, in one run.

The proxies run on one core, the upstream and the load on the others. Every prompt is new text, so nothing is remembered
but what a real conversation repeats. Redaction, two budgets and the audit log are on. All TLS, on both sides.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from outwarden.simulate import make_certificates

HOST = "localhost"
CONNECTIONS = 8
WORDS = ["the", "of", "invoice", "ledger", "shipment", "station", "river", "quiet", "amber", "report", "review"]
WORDS += ["market", "module", "vector", "signal", "harbour"]
ANSWER = {
    "id": "chatcmpl-bench",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 60}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 500, "completion_tokens": 60, "total_tokens": 560},
}
STREAM_EVENTS = 200


def chunk(delta: dict[str, str], **more: object) -> bytes:
    """One event of a chat stream."""
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    choices = [{"index": 0, "delta": delta, "finish_reason": None}]
    return b"data: " + json.dumps(body | {"choices": choices} | more, separators=(",", ":")).encode() + b"\n\n"


def stream_events() -> list[bytes]:
    """A chat stream of 200 content events, as a provider sends them: one per write."""
    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"content": f" {WORDS[i % len(WORDS)]}"}) for i in range(STREAM_EVENTS)]
    usage = {"prompt_tokens": 500, "completion_tokens": STREAM_EVENTS, "total_tokens": 500 + STREAM_EVENTS}
    events.append(chunk({}, choices=[], usage=usage))
    return [*events, b"data: [DONE]\n\n"]


# -- the upstream ----------------------------------------------------------------------------------


async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer chat calls on one connection, as fast as it can be done here."""
    whole = json.dumps(ANSWER).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(whole)
    events = stream_events()
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            length = int(request.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            if b'"stream":true' not in body[:200]:
                writer.write(head + whole)
                await writer.drain()
                continue
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for event in events:
                writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                await asyncio.sleep(0.001)
            writer.write(b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


# -- the client ------------------------------------------------------------------------------------


class Client:
    """One keep-alive connection, through a proxy or straight to the upstream."""

    def __init__(self, proxy: int | None, port: int, trust: Path) -> None:
        self._proxy, self._port = proxy, port
        self._context = ssl.create_default_context(cafile=str(trust))

    async def open(self) -> "Client":
        """Connect; through the proxy by CONNECT."""
        if self._proxy is None:
            self._reader, self._writer = await asyncio.open_connection(HOST, self._port, ssl=self._context)
            return self
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._proxy)
        target = f"{HOST}:{self._port}"
        self._writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        await self._reader.readuntil(b"\r\n\r\n")
        await self._writer.start_tls(self._context, server_hostname=HOST)
        return self

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()

    async def call(self, body: bytes) -> tuple[float, float]:
        """Send one call; return (seconds to the first byte of the body, seconds in all)."""
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {HOST}:{self._port}\r\nauthorization: Bearer sk-bench\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        started = time.perf_counter()
        self._writer.write(head.encode() + body)
        reply = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not reply.startswith(b"http/1.1 200"):
            raise RuntimeError(f"unexpected answer: {reply[:80]!r} {await self._reader.read(500)!r}")
        if b"chunked" not in reply:
            await self._reader.readexactly(int(reply.split(b"content-length:")[1].split(b"\r\n")[0]))
            done = time.perf_counter() - started
            return done, done
        first = 0.0
        while size := int(await self._reader.readline(), 16):
            await self._reader.readexactly(size + 2)
            first = first or time.perf_counter() - started
        await self._reader.readline()
        return first, time.perf_counter() - started


# -- the workloads ---------------------------------------------------------------------------------


def prose(rng: random.Random, size: int) -> str:
    """Text of about ``size`` bytes that nobody saw before."""
    return " ".join(rng.choices(WORDS, k=size // 7))


def ticket(rng: random.Random, size: int) -> str:
    """Prose with one address in it."""
    words = prose(rng, size).split()
    words[rng.randrange(len(words))] = f"anna.{rng.randrange(10**9)}@kestrel-freight.com"
    return " ".join(words)


def small(rng: random.Random) -> Iterator[bytes]:
    """A 2 KB prompt, new each time."""
    while True:
        yield body([{"role": "user", "content": ticket(rng, 1900)}])


def streamed(rng: random.Random) -> Iterator[bytes]:
    """A 2 KB prompt whose answer streams."""
    while True:
        yield body([{"role": "user", "content": ticket(rng, 1900)}], stream=True)


def agent_first(rng: random.Random) -> Iterator[bytes]:
    """An agent's 48 KB request at first sight: system prompt, 20 tools, a few messages, all new."""
    while True:
        yield body(conversation(rng), tools=tools(rng))


def agent_next(rng: random.Random) -> Iterator[bytes]:
    """The same conversation, one turn longer each time; a new one after 20 turns."""
    while True:
        messages, offered = conversation(rng), tools(rng)
        for _ in range(20):
            messages.append({"role": "assistant", "content": prose(rng, 300)})
            messages.append({"role": "user", "content": ticket(rng, 300)})
            yield body(messages, tools=offered)


def conversation(rng: random.Random) -> list[dict[str, str]]:
    """A system prompt of 14 KB and 8 messages of 1 KB."""
    messages = [{"role": "system", "content": prose(rng, 14_000)}]
    return messages + [{"role": "user" if i % 2 else "assistant", "content": ticket(rng, 1000)} for i in range(8)]


def tools(rng: random.Random) -> list[dict[str, object]]:
    """20 tools of 1.2 KB."""
    parameter = {"type": "string", "description": prose(rng, 120)}
    return [
        {
            "type": "function",
            "function": {
                "name": f"tool_{i}",
                "description": prose(rng, 600),
                "parameters": {
                    "type": "object",
                    "properties": dict.fromkeys(WORDS[:3], parameter),
                    "required": WORDS[:3],
                },
            },
        }
        for i in range(20)
    ]


def body(messages: list[dict[str, str]], **more: object) -> bytes:
    """A chat request; ``stream`` early, where the upstream looks for it."""
    request: dict[str, object] = {"model": "gpt-4o", "stream": more.pop("stream", False), "max_tokens": 1000}
    if request["stream"]:
        request["stream_options"] = {"include_usage": True}
    return json.dumps(request | more | {"messages": messages}, separators=(",", ":")).encode()


# -- the proxies -----------------------------------------------------------------------------------


class Proxy:
    """A proxy process on the first core; ``port`` is where it listens."""

    def __init__(self, command: list[str], port: int | None) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())  # noqa: S603  # our own commands
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, {0})
        self.port = port or self._announced()

    def _announced(self) -> int:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if "listening on" not in line:
            raise RuntimeError("the interceptor did not start")
        return int(line.rsplit(":", 1)[1])

    def stop(self) -> None:
        """End the process."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(40)


def environment() -> dict[str, str]:
    """Our own source first, and nobody's proxy settings."""
    kept = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2] / "addons")}


def write_rules(folder: Path, ca: Path) -> None:
    """Redaction as shipped, two budgets, audit: what a first installation has."""
    folder.mkdir()
    (folder / "traffic.yml").write_text(
        f"intercept:\n  - hosts: [{HOST}]\n    provider: openai\n    format: openai\n    trust: {ca}\n"
    )
    (folder / "budgets.yml").write_text(
        "budgets:\n"
        "  - {name: key-day, scope: api_key, limit_usd: 1000000, window: day}\n"
        "  - {name: all-month, scope: all, limit_usd: 1000000, window: month}\n"
    )


def free_port() -> int:
    """A port that is free now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- measuring -------------------------------------------------------------------------------------


async def latencies(client: Client, calls: Iterator[bytes], seconds: float) -> tuple[list[float], list[float]]:
    """Call one after the other; return first-byte and total times."""
    first, total = [], []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        a, b = await client.call(next(calls))
        first.append(a)
        total.append(b)
    return first, total


async def throughput(clients: list[Client], make: Callable[[], Iterator[bytes]], seconds: float) -> float:
    """Calls per second over all clients at once."""
    done = 0
    end = time.perf_counter() + seconds

    async def work(client: Client) -> None:
        nonlocal done
        calls = make()
        while time.perf_counter() < end:
            await client.call(next(calls))
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(work(client) for client in clients))
    return done / (time.perf_counter() - started)


WORKLOADS = {
    "2 KB prompt": small,
    "48 KB agent, first sight": agent_first,
    "48 KB agent, next turn": agent_next,
    "stream of 200 events": streamed,
}


async def measure(routes: dict[str, tuple[int | None, Path]], port: int, seconds: float, rounds: int) -> None:
    """Measure every workload on every route in turn, and print the table."""
    for name, workload in WORKLOADS.items():
        rates: dict[str, list[float]] = {route: [] for route in routes}
        firsts: dict[str, list[float]] = {route: [] for route in routes}
        totals: dict[str, list[float]] = {route: [] for route in routes}
        pools = {r: [await Client(p, port, ca).open() for _ in range(CONNECTIONS)] for r, (p, ca) in routes.items()}
        seed = random.Random(name)  # noqa: S311  # benchmark text
        make = partial(fresh, workload, seed)
        for round_ in range(rounds + 1):
            for route, clients in pools.items():
                first, total = await latencies(clients[0], make(), seconds)
                rate = await throughput(clients, make, seconds)
                if round_:  # the first round warms up
                    firsts[route] += first
                    totals[route] += total
                    rates[route].append(rate)
        for clients in pools.values():
            for client in clients:
                client.close()
        report(name, rates, firsts if "stream" in name else totals, "first byte" if "stream" in name else "latency")


def fresh(workload: Callable[[random.Random], Iterator[bytes]], seed: random.Random) -> Iterator[bytes]:
    """Begin a workload with texts that nobody saw before."""
    return workload(random.Random(seed.random()))  # noqa: S311  # benchmark text


def report(name: str, rates: dict[str, list[float]], times: dict[str, list[float]], what: str) -> None:
    """Print one workload."""
    rate = {route: statistics.median(values) for route, values in rates.items()}
    p50 = {route: statistics.median(values) * 1000 for route, values in times.items()}
    p99 = {route: statistics.quantiles(values, n=100)[98] * 1000 for route, values in times.items()}
    print(f"\n{name}")
    for route in rates:
        added = f"  added to upstream: p50 {p50[route] - p50['upstream']:+.2f} ms" if route != "upstream" else ""
        print(
            f"  {route:10} {rate[route]:8.0f} calls/s   {what} p50 {p50[route]:6.2f}  p99 {p99[route]:6.2f} ms{added}"
        )
    print(
        f"  outwarden : mitmdump   throughput {rate['outwarden'] / rate['mitmdump']:.2f}x   "
        f"{what} p50 {p50['outwarden'] - p50['mitmdump']:+.2f} ms   p99 {p99['outwarden'] - p99['mitmdump']:+.2f} ms"
    )


def main() -> None:
    """Start everything, measure, stop everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each slice")
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}  {machine}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificates = make_certificates(folder / "upstream", [HOST])
        port = serve_upstream(certificates.chain, certificates.key)
        write_rules(folder / "rules", certificates.ca)
        tools_ = Path(sys.executable).parent
        dump_port = free_port()
        dump = [str(tools_ / "mitmdump"), "-q", "--listen-host", "127.0.0.1", "--listen-port", str(dump_port)]
        dump += ["--set", f"confdir={folder / 'dump'}", "--set", "connection_strategy=lazy", "--set", "flow_detail=0"]
        dump += ["--set", f"ssl_verify_upstream_trusted_ca={certificates.ca}", "--set", "stream_large_bodies=1"]
        ours = [sys.executable, "-m", "outwarden", "run", "--listen", "127.0.0.1:0"]
        ours += ["--rules", str(folder / "rules"), "--state", str(folder / "state")]
        proxies = [Proxy(dump, dump_port), Proxy(ours, None)]
        try:
            wait_for(dump_port, folder / "dump" / "mitmproxy-ca-cert.pem")
            routes = {
                "upstream": (None, certificates.ca),
                "mitmdump": (proxies[0].port, folder / "dump" / "mitmproxy-ca-cert.pem"),
                "outwarden": (proxies[1].port, folder / "state" / "ca" / "outwarden-ca-cert.pem"),
            }
            asyncio.run(measure(routes, port, options.seconds, options.rounds))
        finally:
            for proxy in proxies:
                proxy.stop()


def wait_for(port: int, certificate: Path) -> None:
    """Wait until mitmdump listens; it does not say so."""
    import socket

    for _ in range(600):
        with socket.socket() as probe:
            if certificate.exists() and probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("mitmdump did not start")


def serve_upstream(chain: Path, key: Path) -> int:
    """Serve the upstream from a thread; return its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    ready: list[int] = []
    started = threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(upstream, "localhost", 0, ssl=context, limit=1 << 20, family=2)
        ready.append(server.sockets[0].getsockname()[1])
        started.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    started.wait(10)
    return ready[0]


if __name__ == "__main__":
    main()
