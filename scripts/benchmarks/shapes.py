"""What reading and rewriting a whole body costs, by its shape: 1 MB with 100 findings (and 2, 4, 8 MB with `--sizes`).

Shapes that clients send, and those that somebody would make up to be slow: deep, in a million pieces, escaped, in each
other, broken. CPU times of this process, the least of several rounds; the yardstick, json.loads and one pattern over
the bytes, runs in turn with ours.
"""

import argparse
import base64
import gc
import json
import platform
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from outwarden.errors import BodyError
from outwarden.flow.body import Body, Kind, classify
from outwarden.flow.texts import rewrite_body
from outwarden.pii import Vault
from outwarden.pii.engine import PiiEngine
from outwarden.pii.policy import PiiPolicy
from outwarden.wire.formats import format_named
from outwarden.wire.memory import Memory

MEGABYTE = 1_000_000
FINDINGS = 100
WORDS = ["the", "of", "invoice", "ledger", "shipment", "station", "river", "quiet", "amber", "report", "review"]
EMAIL = re.compile(rb"(?<![\w.+-])[\w.+-]+@[\w-]+\.\w+")  # without the first part `re` takes minutes for base64
DEEP = 90  # of two levels each: as deep as is read
engine = PiiEngine(PiiPolicy(), b"a secret of this benchmark's own")
rng = random.Random(1)  # noqa: S311  # benchmark text


def address(number: int) -> str:
    """One of the findings."""
    return f"anna.{number}@kestrel-freight.com"


def prose(size: int, findings: int = 0) -> str:
    """Text of about ``size`` characters with so many addresses in it."""
    words = rng.choices(WORDS, k=max(size // 7, findings))
    for number in range(findings):
        words[number * len(words) // findings] = address(number)
    return " ".join(words)


def compact(value: object) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def among[T](items: list[T], finding: Callable[[str], T]) -> list[T]:
    """Put the findings among ``items``, each in its own place."""
    for number in range(FINDINGS):
        items[number * len(items) // FINDINGS] = finding(address(number))
    return items


def listed(item: str, size: int, finding: Callable[[str], str]) -> str:
    """A list of so many bytes of one piece of JSON, findings among it."""
    return "[" + ",".join(among([item] * (size // (len(item) + 1)), finding)) + "]"


def request(messages: str) -> str:
    """The body of a call."""
    return f'{{"model":"gpt-4o","messages":{messages}}}'


def said(content: str) -> str:
    """The body of a call with one message."""
    return request(compact([{"role": "user", "content": content}]))


def called(arguments: str) -> str:
    """The body of a call with one call of a tool."""
    function = {"name": "write_file", "arguments": arguments}
    return request(compact([{"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}]))


def pieces(piece: str, size: int) -> str:
    """A text that is one piece again and again, and the findings."""
    each = piece * (size // FINDINGS // len(piece.encode()))
    return "".join(f"{each} {address(number)} " for number in range(FINDINGS))


def deep(opening: str, closing: str, levels: int) -> Callable[[str], str]:
    """A string within so many levels."""
    return lambda text: opening * levels + compact(text) + closing * levels


def packed(size: int) -> str:
    """JSON in a string in a string in a string."""
    text = listed('"x"', size // 9, compact)
    for _ in range(3):
        text = compact([text])
    return text


def in_base64(kind: str, data: str) -> str:
    """The body of a call with a file."""
    url = f"data:{kind};base64,{base64.b64encode(data.encode()).decode()}"
    file = {"type": "input_file", "filename": "notes.txt", "file_data": url}
    return request(compact([{"role": "user", "content": [file]}]))


NESTED = deep('{"a":[', "]}", DEEP)
LISTS = deep("[", "]", 2 * DEEP)
MESSAGE = '{{"role":"user","content":"{}"}}'.format
PART = '{{"type":"text","text":"{}"}}'.format

JSON: dict[str, Callable[[int], str]] = {
    "conversation": lambda size: request(
        compact([{"role": "user", "content": prose(10_000, 1)} for _ in range(size // 10_000)])
    ),
    "one string": lambda size: said(prose(size, FINDINGS)),
    "strings of 1": lambda size: request(listed('"x"', size, compact)),
    "objects 180 deep": lambda size: request(listed(NESTED("to somebody"), size, NESTED)),
    "180 deep, all found": lambda size: request(listed(NESTED(address(0)), size, NESTED)),
    "lists 180 deep": lambda size: request(listed(LISTS("x"), size, LISTS)),
    "100,000 levels": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "one object of keys": lambda size: request(
        f"[{{{','.join(among([f'"k{n:x}":{n % 7}' for n in range(size // 10)], lambda a: f'"{a}":1'))}}}]"
    ),
    "one key many times": lambda size: f"{{{listed('"a":"b"', size, lambda a: f'"a":"{a}"')[1:-1]}}}",
    "small messages": lambda size: request(listed(MESSAGE("x"), size, MESSAGE)),
    "small parts": lambda size: request(f'[{{"role":"user","content":{listed(PART("x"), size, PART)}}}]'),
    "empty containers": lambda size: request(listed("{},[]", size, compact)),
    "numbers in lists": lambda size: request(listed("[1.5,[2]]", size, compact)),
    "numbers": lambda size: compact({"input": [round(rng.random(), 6) for _ in range(size // 9)]}),
    "spaces": lambda size: request(listed(" " * 9000 + '"x"', size, lambda a: " " * 9000 + compact(a))),
    "line ends": lambda size: said(pieces('"\n\\', size // 2)),
    "\\u of ASCII": lambda size: said("").replace('""', f'"{pieces(r"\u0061", size)}"'),
    "\\u of emoji": lambda size: said(pieces("😀", size // 3)),
    "emoji": lambda size: json.dumps(json.loads(said(pieces("é😀漢", size))), ensure_ascii=False),
    "JSON in JSON in JSON": lambda size: said(packed(size)),
    "tool: strings of 1": lambda size: called(listed('"x"', size * 2 // 3, compact)),
    "tool: 180 deep": lambda size: called(listed(NESTED("to somebody"), size * 3 // 4, NESTED)),
    "tool: cut short": lambda size: called(listed('"x"', size * 2 // 3, compact)[:-1]),
    "documents in strings": lambda size: request(
        listed(compact('{"a":"b"}'), size, lambda a: compact(compact({"a": a})))
    ),
    "other documents": lambda size: request(
        compact(among([compact({"a": f"b{n:x}"}) for n in range(size // 20)], lambda a: compact({"a": a})))
    ),
    "lines of a log": lambda size: request(
        compact(
            among([f"[INFO] the worker {n:x} is ready" for n in range(size // 33)], lambda a: f"[WARN] {a} is away")
        )
    ),
    "a file in base64": lambda size: in_base64("text/plain", prose(size * 3 // 4, FINDINGS)),
    "JSON in base64": lambda size: in_base64("application/json", listed('"x"', size * 3 // 4, compact)),
    "a picture": lambda size: in_base64("image/png", rng.randbytes(size // 2).decode("latin-1")),
}
OTHERS: dict[str, tuple[Kind, str, Callable[[int], str]]] = {
    "text": ("text", "text/plain", lambda size: prose(size, FINDINGS)),
    "lines of 10 bytes": (
        "lines",
        "application/jsonl",
        lambda size: "\n".join(among(['{"a":"b"}'] * (size // 10), lambda a: compact({"a": a}))),
    ),
    "lines of a batch": (
        "lines",
        "application/jsonl",
        lambda size: "\n".join(
            compact(
                {"custom_id": f"r{n}", "body": {"messages": [{"role": "user", "content": prose(2000, n < FINDINGS)}]}}
            )
            for n in range(size // 2000)
        ),
    ),
    "pairs": (
        "form",
        "application/x-www-form-urlencoded",
        lambda size: "&".join(among([f"a{n:x}=b" for n in range(size // 8)], lambda a: f"a={a}")),
    ),
    "parts": (
        "multipart",
        "multipart/form-data; boundary=b",
        lambda size: (
            "".join(f"--b\r\n\r\n{part}\r\n" for part in among([prose(size // 5000) for _ in range(5000)], str))
            + "--b--\r\n"
        ),
    ),
}


def bodies(size: int) -> dict[str, tuple[Body, str]]:
    """Every shape of about ``size`` bytes, with its content type."""
    found = {name: (Body("json", make(size).encode()), "application/json") for name, make in JSON.items()}
    return found | {name: (Body(kind, make(size).encode()), mime) for name, (kind, mime, make) in OTHERS.items()}


def time_body(body: Body, content_type: str) -> tuple[float, int]:
    """CPU time in milliseconds, and the edits; -1: refused."""
    known = format_named("openai")
    rules = known.text_rules(known.identify("POST", "/v1/chat/completions"))
    rewriter = engine.request(Vault())
    gc.collect()
    started = time.process_time()
    try:
        edits = rewrite_body(body, content_type, rules, rewriter, find_known=rewriter.known).edits
    except BodyError:
        edits = -1
    return (time.process_time() - started) * 1000, edits


def time_plain(body: Body) -> float:
    """CPU time in milliseconds of parsing a body, line by line if it is lines, and searching it once."""
    gc.collect()
    started = time.process_time()
    try:
        if body.kind in ("json", "lines"):
            for document in body.data.split(b"\n") if body.kind == "lines" else [body.data]:
                json.loads(document)
    except RecursionError:
        pass  # too deep, as for us
    EMAIL.findall(body.data)
    return (time.process_time() - started) * 1000


def measure_bodies(rounds: int, megabytes: list[float], only: str = "") -> None:
    """Print a line for each shape and size."""
    print("bodies, every text read, findings looked for everywhere; CPU time, the least of the rounds")
    for size in megabytes:
        for name, (body, content_type) in bodies(int(size * MEGABYTE)).items():
            if only not in name:
                continue
            runs = [(time_body(body, content_type), time_plain(body)) for _ in range(rounds)]
            (ours, edits), plain = min(run[0] for run in runs), min(run[1] for run in runs)
            size_mb = len(body.data) / MEGABYTE
            print(
                f"  {name:20} {size_mb:5.2f} MB {edits:6} edits {ours:8.1f} ms   json.loads + re {plain:7.1f} ms"
                f"   {ours / plain:6.2f}x   {ours / size_mb:7.1f} ms/MB",
                flush=True,
            )


def time_path(body: Body, content_type: str) -> list[float]:
    """CPU times in milliseconds of a request's way: what it is, its facts, its texts with a memory, and once more."""
    known = format_named("openai")
    operation = known.identify("POST", "/v1/chat/completions")
    memory = Memory(1 << 28)

    def rewrite() -> object:
        rewriter = engine.request(Vault())
        rules = known.text_rules(operation)
        return rewrite_body(body, content_type, rules, rewriter, memory=memory, find_known=rewriter.known)

    steps = (
        lambda: classify(body.data, content_type),
        lambda: known.read_request(operation, body.json),
        rewrite,
        rewrite,
    )
    times = []
    for step in steps:
        gc.collect()
        started = time.process_time()
        step()
        times.append((time.process_time() - started) * 1000)
    return times


def measure_paths(rounds: int, only: str = "") -> None:
    """Print a line for each shape of JSON."""
    print("the way of a request of 1 MB: ms for its kind, its facts, its texts (pieces remembered), the same again")
    for name, (body, content_type) in bodies(MEGABYTE).items():
        if body.kind != "json" or only not in name or name == "100,000 levels":
            continue
        parsed = classify(body.data, content_type)
        runs = [time_path(parsed, content_type) for _ in range(rounds)]
        print(f"  {name:20}", *(f"{min(times):8.1f}" for times in zip(*runs, strict=True)), flush=True)


def main() -> None:
    """Measure all shapes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1.0], help="in MB")
    parser.add_argument("--only", default="", help="shapes with this in their name")
    parser.add_argument("--path", action="store_true", help="all that is done with a request, as in the proxy")
    options = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}")
    if options.path:
        measure_paths(options.rounds, options.only)
    else:
        measure_bodies(options.rounds, options.sizes, options.only)


if __name__ == "__main__":
    main()
