"""Texts in which nothing is personal, and much looks like it: what coding agents read and write all day."""

import random
import string
from collections.abc import Callable, Iterator

from evaluating.invented.labelled import Invented

_HEX = "0123456789abcdef"


class Maker:
    """Makes the parts that the frames name."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.parts: dict[str, Callable[[], str]] = {
            "sha": lambda: self._of(_HEX, 40),
            "sha256": lambda: self._of(_HEX, 64),
            "short": lambda: self._of(_HEX, rng.choice((7, 8, 10, 12))),
            "uuid": self._uuid,
            "id6": lambda: self._digits(6),
            "id8": lambda: self._digits(8),
            "id9": lambda: self._digits(9),
            "id10": lambda: self._digits(10),
            "id12": lambda: self._digits(12),
            "id18": lambda: self._digits(18),
            "epoch": lambda: str(rng.randrange(1_600_000_000, 1_800_000_000)),
            "millis": lambda: str(rng.randrange(1_600_000_000_000, 1_800_000_000_000)),
            "iso": lambda: f"{self._date()}T{self._time()}.{rng.randrange(1000):03d}Z",
            "date": self._date,
            "slashed": lambda: f"{rng.randint(1, 12):02d}/{rng.randint(1, 28):02d}/{rng.randint(2019, 2026)}",
            "dotted": lambda: f"{rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}.{rng.randint(2019, 2026)}",
            "time": self._time,
            "semver": lambda: ".".join(str(rng.randint(0, 40)) for _ in range(3)),
            "four": lambda: ".".join(str(rng.randint(0, 250)) for _ in range(4)),
            "n": lambda: str(rng.randint(1, 999)),
            "k": lambda: str(rng.randint(1000, 99999)),
            "big": lambda: f"{rng.randint(1, 999)},{rng.randint(0, 999):03d},{rng.randint(0, 999):03d}",
            "spaced": lambda: f"{rng.randint(1, 999)} {rng.randint(0, 999):03d} {rng.randint(0, 999):03d}",
            "price": lambda: f"{rng.randint(1, 9999)}.{rng.randint(0, 99):02d}",
            "float": lambda: f"{rng.random() * rng.choice((1, 10, 1000)):.{rng.randint(4, 16)}f}",
            "lat": lambda: f"{rng.uniform(-90, 90):.{rng.randint(4, 7)}f}",
            "lon": lambda: f"{rng.uniform(-180, 180):.{rng.randint(4, 7)}f}",
            "isbn": self._isbn,
            "ean": lambda: self._digits(13),
            "track": self._track,
            "part": lambda: f"{self._of(string.ascii_uppercase, rng.randint(2, 4))}-{self._digits(rng.randint(3, 6))}",
            "sku": lambda: f"{self._of(string.ascii_uppercase + string.digits, rng.randint(8, 12))}",
            "addr": lambda: f"0x{self._of(_HEX, rng.choice((8, 12, 16)))}",
            "b64": lambda: self._of(string.ascii_letters + string.digits + "+/", rng.choice((24, 32, 44, 64))),
            "ray": lambda: f"{self._of(_HEX, 16)}-{self._of(string.ascii_uppercase, 3)}",
            "name": lambda: rng.choice(("parse", "render", "load", "fetch", "apply", "merge", "split", "retry", "resolve")),
            "file": lambda: f"{rng.choice(('main', 'app', 'utils', 'config', 'index', 'views'))}.{rng.choice(('py', 'ts', 'go', 'rs', 'sh', 'me'))}",
        }  # fmt: skip

    def fill(self, frame: str) -> str:
        """Put a part wherever the frame names one: ``<sha>``."""
        pieces = frame.split("<")
        made = [pieces[0]]
        for piece in pieces[1:]:
            name, closed, rest = piece.partition(">")
            made.append(self.parts[name]() + rest if closed and name in self.parts else f"<{piece}")
        return "".join(made)

    def _of(self, characters: str, length: int) -> str:
        return "".join(self._rng.choices(characters, k=length))

    def _digits(self, length: int) -> str:
        return str(self._rng.randint(1, 9)) + self._of(string.digits, length - 1)

    def _date(self) -> str:
        return f"{self._rng.randint(2019, 2026)}-{self._rng.randint(1, 12):02d}-{self._rng.randint(1, 28):02d}"

    def _time(self) -> str:
        return f"{self._rng.randrange(24):02d}:{self._rng.randrange(60):02d}:{self._rng.randrange(60):02d}"

    def _uuid(self) -> str:
        return "-".join(self._of(_HEX, length) for length in (8, 4, 4, 4, 12))

    def _isbn(self) -> str:
        return f"978-{self._rng.randint(0, 9)}-{self._digits(4)}-{self._digits(4)}-{self._rng.randint(0, 9)}"

    def _track(self) -> str:
        styles = (
            lambda: f"1Z{self._of(string.ascii_uppercase + string.digits, 6)}{self._digits(10)}",
            lambda: f"{self._digits(4)} {self._digits(4)} {self._digits(4)}",
            lambda: f"RR{self._digits(9)}DE",
            lambda: self._digits(12),
        )
        return self._rng.choice(styles)()


# What stands in logs, tool results, source, tables and mails about things.
FRAMES: dict[str, tuple[str, ...]] = {
    "log": (
        "<iso> INFO worker-<n> job <id10> finished in <n>ms status=200",
        "[<date> <time>] production.ERROR: SQLSTATE[42S02] query_id=<id12> took <float>s",
        "<date> <time>,<n> [pool-<n>-thread-<n>] WARN c.a.s.Main - retry <n>/5 for order <id8>",
        "level=info ts=<epoch>.<n> caller=main.go:<n> msg=\"request done\" req=<uuid> bytes=<k>",
        "kernel: [<k>.<id6>] usb 1-<n>: new high-speed device number <n>",
        "Jan  4 <time> host sshd[<k>]: session opened pid=<k> uid=0",
        "\"GET /api/v2/items/<id9>?page=<n>&ts=<millis> HTTP/1.1\" 200 <k>",
        "slack message ts <epoch>.<id6> channel C0<sku>",
        "trace_id=<sha256> span_id=<short> parent=<short>",
        "CF-RAY: <ray>\nx-request-id: <uuid>\netag: W/\"<short>\"",
        "I<n> <time>.<id6> <k> reflector.go:<n>] resourceVersion=<id9>",
        "container <sha256> exited with 137 after <n> minutes",
        "commit <sha>\nMerge: <short> <short>\nDate: <date>",
        "ticks 96 192 384 768 1536 3072 6144\n<n> <n> <n> <n> <n>",
        "heap <spaced> bytes, peak <spaced> bytes, <n> GCs",
        "uptime <k>s, load 0.<n> 1.<n> 2.<n>, mem <id8>/<id9>",
        "[<millis>] offset=<id12> partition=<n> lag=<k>",
        "call_<short><short> returned tool output in <n> ms",
        "error code: -<id10>, port <k>, errno <n>",
        "drwxr-xr-x  <n> root root  <k> Jan  4 12:<n> build-<id8>",
    ),
    "code": (
        "def <name>(x: int) -> int:\n    return x * <id6> + 0x<short>  # see issue #<k>",
        "Traceback (most recent call last):\n  File \"/srv/app/<file>\", line <n>, in <name>\n    raise ValueError(\"bad id <id10>\")",
        "assert <name>(<n>, <n>) == <float>",
        "const SEED = <id10>; const MASK = <addr>; export default SEED;",
        "+++ b/src/<file>\n@@ -<n>,<n> +<n>,<n> @@ func <name>() error {",
        "    at <name> (/app/node_modules/pkg/lib/index.js:<n>:<n>)",
        "pip install 'numpy==<semver>' 'urllib3>=<semver>,<3'",
        "version = \"<semver>.<n>\"\nrelease <four>\n",
        "\"integrity\": \"sha512-<b64><b64>==\"",
        "color: #<id6>; margin: <n>px <n>px <n>px <n>px;",
        "values = [<n>, <n>, <n>, <n>, <k>, <k>, <id6>, <float>]",
        "UPDATE items SET stock = <n> WHERE sku = '<sku>' AND batch = <id9>;",
        "const re = /^\\d{3}-\\d{2}-\\d{4}$/; // shape only",
        "array[<n>:<n>], matrix[:, ::<n>], std::vector<n>::size_type",
        "git checkout <short> && git cherry-pick <short>..<short>",
        "docker pull registry.local/app@sha256:<sha256>",
        "for (let i = 0; i < <k>; i++) sum += table[i] * <float>;",
        "import { <name> } from './<file>'; // eslint-disable-line",
        "password = os.environ[\"DB_PASSWORD\"]\ntoken = get_token()\nsecret: str = settings.SECRET_KEY",
        "api_key = config.get(\"API_KEY\")  # never commit\nauth_token: Optional[str] = None",
        "uint32_t crc = <addr>; size_t n = <k>UL; // RFC <k>, section <n>.<n>.<n>.<n>",
        "<?xml version=\"1.0\"?><svg viewBox=\"0 0 <n> <n>\"><path d=\"M<n> <n>L<n>.<n> <n>-<n>\"/></svg>",
        "@pytest.mark.parametrize(\"n\", [<k>, <id6>, <id9>])",
        "\"next_page_token\": null, \"max_tokens\": <k>, \"token_limit\": 128000",
        "secret_name: projects/<n>/secrets/db-password/versions/<n>",
        "tokens: <k> in, <n> out; token count is <k>; secret santa list",
        "if token is None or token.kind != Token.NAME: raise ParseError('token %s', token)",
        "password = getpass.getpass(); pwd = os.getcwd(); secret = secrets.token_hex(32)",
        "idempotency_key=<uuid> cache_key=<sha>",
        "mail = f\"{user}@{domain}\"\nname@<name>\n@app.route(\"/call\")",
    ),
    "business": (
        "Your order <id9> has shipped, tracking <track>.",
        "Order no. <id10> was placed on <date>, total $<price>.",
        "Invoice <part> of <dotted>: 3 items, <price> EUR, due <dotted>",
        "ISBN <isbn>, first edition <n> pages",
        "EAN <ean>, SKU <sku>, <n> in stock",
        "Ticket #<id8> is a duplicate of #<id8>",
        "Part number <part>-<part> replaces <part>",
        "Case <id8> was closed on <slashed>",
        "Flight LH<n> departs <time>, gate B<n>, seat <n>A",
        "coordinates <lat>, <lon>",
        "POINT(<lon> <lat>) elevation <n> m",
        "The city has <spaced> inhabitants and <big> cars.",
        "Revenue grew from <big> to <big> between 2019 and 2023.",
        "The call lasted <n> minutes and <n> people dialled in.",
        "Meeting id: <n> <n> <k>, call starts at <time>",
        "Version <semver> was released on <date>; build <id8>.",
        "Total: <price>\nTax: <price>\nReference: <id10>",
        "Page <n> of <n>, chapter <n>.<n>.<n>, figure <n>",
        "between <date> and <date> we had <k> sign-ups",
        "The tax form needs line <n>, box <n>, and schedule <n>.",
        "Batch <id6>, lot <sku>, expires <slashed>",
        "serial <sku>, model <part>, firmware <four>",
        "Score 21-15, 15-21, 21-<n>; attendance <big>",
        "The account has <k> followers and <n> posts.",
        "Results <date>: A <n> 98.<n>, B <n> 97.<n>, C <n> 12.<n>",
        "Room <n>, floor <n>, desk <n>-<n>",
        "Contact support through the portal, quoting request <id9>.",
        "The patient portal went live on <date>; 1,204 records were migrated.",
        "Passport control opens at <time>; flight number <n>.",
        "The password policy asks for 12 characters; a password Reset2 form is at /login.",
        "Your API key expires on <date>. Access token lifetime: 3600 seconds.",
        "Policy update: section <n>.<n> takes effect on <date>.",
        "My number one wish for 2025 is <n> more hours a day.",
    ),
    "table": (
        "| id | value | at |\n|---|---|---|\n| <id9> | <float> | <date> |\n| <id9> | <float> | <date> |",
        "id,amount,ts\n<id8>,<price>,<epoch>\n<id8>,<price>,<epoch>",
        "<n>\t<k>\t<id6>\t<float>\n<n>\t<k>\t<id6>\t<float>",
        "{\"id\": <id18>, \"created_at\": <epoch>, \"etag\": \"<short>\", \"size\": <k>}",
        "{\"model\": \"m-<semver>\", \"usage\": {\"input\": <k>, \"output\": <n>}, \"id\": \"chatcmpl-<short><short>\"}",
        "Q1 <spaced>  Q2 <spaced>  Q3 <spaced>  Q4 <spaced>",
        "Grand Total, <spaced>\nNet Income, <spaced>",
        "2019 2020 2021 2022\n<k> <k> <k> <k>",
        "Width Height Depth\n<n> <n> <n>\n<n> <n> <n>",
    ),
}  # fmt: skip


def harmless(rng: random.Random, each: int = 12) -> Iterator[Invented]:
    """So many texts of each frame."""
    maker = Maker(rng)
    for category, frames in FRAMES.items():
        for frame in frames:
            for _ in range(each):
                yield Invented(maker.fill(frame), category)
