"""`python -m outwarden.simulate`: run a simulated provider until it is told to stop."""

import argparse
import asyncio
import signal
from pathlib import Path

from outwarden.simulate import Script, SimulatedProvider, make_certificates

NAMES = [
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
    "ollama.example",
    "localhost",
    "127.0.0.1",
]


def main() -> None:
    """Parse the command line and serve; prints ``listening on HOST:PORT`` when ready."""
    parser = argparse.ArgumentParser(prog="python -m outwarden.simulate", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="port 0 takes a free one")
    parser.add_argument("--certificates", type=Path, metavar="DIR", help="write a fresh CA and certificate here")
    parser.add_argument("--name", action="append", metavar="HOST", help=f"host names (default: {', '.join(NAMES)})")
    parser.add_argument("--plain", action="store_true", help="plain HTTP, no certificates")
    parser.add_argument("--script", type=Script.from_json, default=Script(), metavar="JSON", help="what to answer")
    options = parser.parse_args()
    if options.plain == bool(options.certificates):
        parser.error("give either --certificates DIR or --plain")
    asyncio.run(serve(options))


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    certificates = None if options.plain else make_certificates(options.certificates, options.name or NAMES)
    host, _, port = options.listen.rpartition(":")
    async with SimulatedProvider(certificates, script=options.script, host=host, port=int(port)) as provider:
        if certificates is not None:
            print(f"trust {certificates.ca}", flush=True)
        print(f"listening on {provider.address}", flush=True)
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()


if __name__ == "__main__":
    main()
