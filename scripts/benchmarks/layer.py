"""What the call layer costs when nothing fails, and how fast a call that failed is on its way again.

Without redaction and without budgets: the interceptor with routes, the same without, and plain mitmdump, in turn and on
one core. Each round gives each of them the same time; CPU time per call is what a busy machine cannot falsify. Then the
time between an upstream's failure and the arrival of the next attempt, as the two upstreams see it.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from overhead import CONNECTIONS, HOST, Client, Proxy, free_port, fresh, serve_upstream, small, streamed, wait_for

from outwarden.simulate import Received, Script, make_certificates, provider_thread
from replaying.process import write_rules

WORKLOADS = {"2 KB prompt": small, "stream of 200 events": streamed}
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# How each kind of failure is played; what is waited for on purpose is none of ours.
FAILURES: dict[str, dict[str, Any]] = {
    "503": {"status": 503},
    "reset": {"reset": True},
    "error event": {"error_after": 0},
    "stream cut at once": {"cut_after": 0},
}


def cpu_s(pid: int) -> float:
    """The CPU time that a process has taken (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


class Contestant:
    """A proxy, its clients, and what was measured of it."""

    def __init__(self, name: str, proxy: Proxy, ca: Path) -> None:
        self.name, self.proxy, self.ca = name, proxy, ca
        self.pid = proxy._process.pid
        self.clients: list[Client] = []
        self.clear()

    def clear(self) -> None:
        """Forget what was measured."""
        self.rates: list[float] = []
        self.cpu_ms: list[float] = []
        self.times_ms: list[float] = []

    async def run(self, make: Callable[[], Iterator[bytes]], seconds: float, counts: bool) -> None:
        """One slice: calls one after the other, then on all connections at once."""
        alone, calls = [], make()
        end = time.perf_counter() + seconds / 2
        while time.perf_counter() < end:
            alone.append(min(await self.clients[0].call(next(calls))) * 1000)
        begin, before, done = time.perf_counter(), cpu_s(self.pid), 0

        async def work(client: Client) -> None:
            nonlocal done
            calls = make()
            while time.perf_counter() < begin + seconds:
                await client.call(next(calls))
                done += 1

        await asyncio.gather(*map(work, self.clients))
        if counts:
            self.times_ms += alone
            self.rates.append(done / (time.perf_counter() - begin))
            self.cpu_ms.append((cpu_s(self.pid) - before) / done * 1000)


async def measure(contestants: list[Contestant], port: int, seconds: float, rounds: int) -> None:
    """All workloads over all contestants in turn; the first round warms up."""
    for name, workload in WORKLOADS.items():
        make = partial(fresh, workload, random.Random(name))  # noqa: S311  # benchmark text
        for one in contestants:
            one.clear()
            one.clients = [await Client(one.proxy.port, port, one.ca).open() for _ in range(CONNECTIONS)]
        for round_ in range(rounds + 1):
            for one in random.sample(contestants, len(contestants)):
                await one.run(make, seconds, counts=round_ > 0)
        for one in contestants:
            for client in one.clients:
                client.close()
        report(name, contestants)


def report(name: str, contestants: list[Contestant]) -> None:
    """Print one workload; the first contestant is what the others are compared with."""
    print(f"\n{name}")
    base, *_ = contestants
    for one in contestants:
        rate, p50 = statistics.median(one.rates), statistics.median(one.times_ms)
        told = f"{rate:7.0f} calls/s   p50 {p50:6.2f} ms   CPU {min(one.cpu_ms):6.2f} ms a call"
        against = f"throughput {rate / statistics.median(base.rates):.2f}x"
        against += (
            f"  p50 {p50 - statistics.median(base.times_ms):+.2f} ms  CPU {min(one.cpu_ms) / min(base.cpu_ms):.2f}x"
        )
        print(f"  {one.name:15} {told}   {against}", flush=True)


# -- from failure to the next attempt --------------------------------------------------------------


class Stopwatch:
    """When the first upstream had failed, and when the second was asked, for each call."""

    def __init__(self) -> None:
        self.failed: dict[int, float] = {}
        self.asked: dict[int, float] = {}

    def first(self, fault: dict[str, Any]) -> Callable[[Received], Script]:
        """What the first upstream does: it fails, and that moment counts."""

        def script(received: Received) -> Script:
            self.failed[len(self.failed)] = time.perf_counter()
            return Script(**fault)

        return script

    def second(self, received: Received) -> Script:
        """What the second upstream does."""
        self.asked[len(self.failed) - 1] = time.perf_counter()
        return Script(text="well")


async def failures(folder: Path, certificates: Any, calls: int) -> None:
    """One call after the other over a first upstream that always fails; no retries, so no backoff."""
    print("\nfrom a failure to the next attempt, on connections that are open")
    for number, (name, fault) in enumerate(FAILURES.items()):
        watch = Stopwatch()
        with ExitStack() as stack:
            first = stack.enter_context(provider_thread(certificates, script=watch.first(fault), http2=False))
            second = stack.enter_context(provider_thread(certificates, script=watch.second, http2=False))
            rules = routed(certificates.ca, first.port, second.port)
            proxy = ours(folder / f"failing{number}", rules)
            stack.callback(proxy.stop)
            ca = folder / f"failing{number}" / "state" / "ca" / "outwarden-ca-cert.pem"
            client = await Client(proxy.port, first.port, ca).open()
            make = streamed(random.Random(name))  # noqa: S311  # benchmark text
            for _ in range(calls):
                await client.call(next(make))
            client.close()
        took = [(watch.asked[n] - watch.failed[n]) * 1000 for n in watch.asked][10:]
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        print(f"  {name:20} least {min(took):6.2f}  p50 {p50:6.2f}  p99 {p99:6.2f} ms   of {len(took)}", flush=True)


def ours(folder: Path, rules: dict[str, Any]) -> Proxy:
    """The interceptor under these rules."""
    folder.mkdir()
    write_rules(folder / "rules", rules)
    command = [sys.executable, "-m", "outwarden", "run", "--listen", "127.0.0.1:0"]
    return Proxy([*command, "--rules", str(folder / "rules"), "--state", str(folder / "state")], None)


def bare(ca: Path) -> dict[str, Any]:
    """Rules under which calls are read and recorded, and nothing else."""
    host = {"hosts": [HOST], "provider": "openai", "format": "openai", "trust": str(ca)}
    return {"traffic": {"intercept": [host]}, "pii": {"entities": [], "ner": {"model": "off"}}}


def routed(ca: Path, *ports: int) -> dict[str, Any]:
    """The same, with a route; where there is a second port, to there."""
    more = {"provider": "openai", "format": "openai", "auth": "keep", "trust": str(ca)}
    spare = {"url": f"https://{HOST}:{ports[-1]}/v1"} | more
    route = {"name": "all", "match": {"model": "*"}, "targets": ["original", "spare"]}
    route |= {"breaker": {"max_fails": 1000, "within": "1s", "cooldown": "1s"}}
    return bare(ca) | {"routes": {"upstreams": {"spare": spare}, "routes": [route]}}


def main() -> None:
    """Start everything, measure, stop everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each slice")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--failures", type=int, default=200, metavar="CALLS", help="calls that fail, of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        certificates = make_certificates(folder / "upstream", [HOST, "127.0.0.1"])
        if options.rounds:
            port = serve_upstream(certificates.chain, certificates.key)
            dump_port = free_port()
            dump = [str(Path(sys.executable).parent / "mitmdump"), "-q", "--listen-host", "127.0.0.1"]
            dump += ["--listen-port", str(dump_port), "--set", f"confdir={folder / 'dump'}", "--set", "flow_detail=0"]
            dump += ["--set", "connection_strategy=lazy", "--set", "stream_large_bodies=1"]
            dump += ["--set", f"ssl_verify_upstream_trusted_ca={certificates.ca}"]
            plain = Proxy(dump, dump_port)
            stack.callback(plain.stop)
            wait_for(dump_port, folder / "dump" / "mitmproxy-ca-cert.pem")
            contestants = [Contestant("mitmdump", plain, folder / "dump" / "mitmproxy-ca-cert.pem")]
            for each, rules in (
                ("without routes", bare(certificates.ca)),
                ("with routes", routed(certificates.ca, port)),
            ):
                proxy = ours(folder / each, rules)
                stack.callback(proxy.stop)
                contestants.append(Contestant(each, proxy, folder / each / "state" / "ca" / "outwarden-ca-cert.pem"))
            asyncio.run(measure(contestants, port, options.seconds, options.rounds))
        if options.failures:
            asyncio.run(failures(folder, certificates, options.failures))


if __name__ == "__main__":
    main()
