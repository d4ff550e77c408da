"""What is personal does not leave, wherever it stands and however it is packed; what holds nothing is left alone."""

import asyncio
import gzip
import json
import re
import threading
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playbook import Playbook, request, response
from talk import EMAIL, PATH, asks, chat, record, said

from outwarden.flow.aside import INLINE_BYTES_MAX, Work
from outwarden.flow.services import Services
from outwarden.load_rules import Shelf
from outwarden.redact_pii import RedactPii

CARD = "4716 9083 1125 6045"


def got(play: Playbook, sent: bytes) -> bytes:
    """Send a request; what reached the upstream, its body decoded."""
    play.says(sent)
    return play.upstream.got


def test_every_string_of_a_body(play: Playbook, services: Services) -> None:
    """System texts, tool arguments (JSON in a string), keys and unknown fields: all of it is text."""
    body = json.dumps(
        {
            "model": "gpt-4o",
            "messages": [
                {"role": "system", "content": f"about {EMAIL}"},
                {"role": "assistant", "tool_calls": [{"function": {"arguments": json.dumps({"to": EMAIL})}}]},
                {"role": "user", "content": [{"type": "text", "text": f"card {CARD}"}]},
            ],
            "metadata": {EMAIL: {"brand_new_field": [EMAIL]}},
        }
    ).encode()
    sent = got(play, request(PATH, body))

    assert EMAIL.encode() not in sent
    assert CARD.encode() not in sent
    json.loads(json.loads(sent.partition(b"\r\n\r\n")[2])["messages"][1]["tool_calls"][0]["function"]["arguments"])
    play.upstream.says(response(200, said("hi")))
    assert record(services)["redactions"]["request"] == {"EMAIL_ADDRESS": 4, "CREDIT_CARD": 1}


def test_a_body_without_a_finding_is_the_same_bytes(play: Playbook) -> None:
    """Numbers, order, escapes and spacing leave as they came, and the length with them."""
    body = b'{ "model":"gpt-4o" , "seed":12345678901234567890, "messages":[{"role":"user","content":"\\u00e9\\/"}]}'

    assert got(play, request(PATH, body)).endswith(b"\r\n\r\n" + body)


def test_the_same_value_has_the_same_name_for_ever(play: Playbook) -> None:
    """Prompt caches stay warm: the second call's text is the first's, byte for byte."""
    first = got(play, asks(text=f"to {EMAIL}"))
    play.upstream.says(response(200, said("hi")))
    second = got(play, asks(text=f"to {EMAIL}"))[len(first) :]

    assert second.partition(b"\r\n\r\n")[2] == first.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        (f"/v1/chat/completions?user={EMAIL}", False),
        (f"/v1/chat/completions?user={quote(EMAIL)}&a=1", False),
        (f"/v1/users/{EMAIL}/chat/completions", False),
        (f"/v1/users/{quote(EMAIL, safe='')}", False),
        (f"/v1/cards/{CARD.replace(' ', '')}/chat/completions", False),
        ("/v1/projects/123456789012/locations/eu/chat/completions", True),
        ("/v1/chat/completions?a=1&b=%20x&c", True),
        ("/v1/threads/thread_abc123/messages?limit=20", True),
    ],
)
def test_path_and_query(play: Playbook, path: str, clean: bool) -> None:
    """A target without a finding stays as it is spelled; with one, the value is gone."""
    line = got(play, request(path, chat())).partition(b"\r\n")[0].decode()

    assert EMAIL not in line
    assert quote(EMAIL, safe="") not in line
    assert CARD.replace(" ", "") not in line
    assert (path in line) is clean
    assert ("EMAIL_ADDRESS" in line or "CREDIT_CARD" in line) is not clean


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("helicone-user-id", EMAIL),
        ("x-portkey-metadata", json.dumps({"_user": EMAIL})),
        ("cf-aig-metadata", json.dumps({"card": CARD.replace(" ", "")})),
        ("baggage", f"userId={quote(EMAIL, safe='')},level=3"),
        ("http-referer", f"https://app.example/inbox?of={EMAIL}"),
        ("x-title", f"Support for {EMAIL}"),
        ("x-card", CARD.replace(" ", "")),
    ],
)
def test_headers_that_callers_fill(play: Playbook, services: Services, name: str, value: str) -> None:
    """What gateways and applications put beside a call is text as well; JSON stays JSON."""
    sent = got(play, request(PATH, chat(), {name: value}))
    (line,) = [line for line in sent.split(b"\r\n") if line.startswith(name.encode() + b": ")]
    left = line.decode().partition(": ")[2]

    assert EMAIL not in left
    assert quote(EMAIL, safe="") not in left
    assert CARD.replace(" ", "") not in left
    assert value.startswith("{") is left.startswith("{")
    if left.startswith("{"):
        json.loads(left)
    play.upstream.says(response(200, said("hi")))
    assert sum(record(services)["redactions"]["request"].values()) == 1


def test_headers_that_are_no_text(play: Playbook) -> None:
    """Credentials, what HTTP and SDKs define, ids and words: the same bytes."""
    headers = {
        "authorization": "Bearer sk-proj-Zk3JmQ9vT2xLr8WnBd5YpGh7ScAeUf4M1oN6iKqRtXyVbCjD",
        "x-portkey-api-key": "sk-proj-Zk3JmQ9vT2xLr8WnBd5YpGh7ScAeUf4M1oN6iKqRtXyVbCjD",
        "user-agent": "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/120.0.0.0 anna.quartz@kestrel-freight.com",
        "x-stainless-runtime-version": "3.12.1",
        "x-request-id": "0f8b1c9e-5b1d-4c57-9d6e-3b0a9f2d7c11",
        "anthropic-beta": "interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14",
        "x-claude-code-session-id": "d4f1a2b3-0000-4000-8000-123456789abc",
        "x-datadog-trace-id": "4611686018427387904",
    }
    sent = got(play, request(PATH, chat(), headers))

    for name, value in headers.items():
        assert f"{name}: {value}\r\n".encode() in sent


def test_a_signed_call_whose_header_holds_a_value_is_refused(play: Playbook) -> None:
    """Its signature may cover the header."""
    play.says(request(PATH, chat(), SIGNED | {"x-title": f"for {EMAIL}"}))

    assert play.answer.status == 403
    assert b"headers" in play.answer.body
    assert play.upstreams == []


def test_a_key_in_the_query_is_no_text(play: Playbook) -> None:
    """Google's callers sign in with ``?key=``: it is a credential, not a secret in a text."""
    key = "AIza" + "Sy0" * 11 + "ab"
    path = f"/v1beta/models/gemini-2.5-pro:generateContent?key={key}"
    body = json.dumps({"contents": [{"parts": [{"text": "hello"}]}]}).encode()
    line = got(play, request(path, body, host="generativelanguage.googleapis.com")).partition(b"\r\n")[0].decode()

    assert path in line


def test_a_secret_is_refused_and_does_not_leave(play: Playbook, services: Services) -> None:
    """``refuse``: 403 with the entity's name, never the value."""
    secret = "sk-proj-" + "aB3" * 16
    play.says(asks(text=f"my key is {secret}"))

    error = json.loads(play.answer.body)["error"]
    assert (play.answer.status, error["code"]) == (403, "pii_refused")
    assert "API_KEY" in error["message"]
    assert secret.encode() not in play.client_got
    assert play.upstreams == []
    assert record(services)["rule"] == "pii API_KEY"


def test_a_compressed_body_leaves_unpacked_where_it_changed(play: Playbook) -> None:
    """Length and encoding fit what leaves."""
    sent = got(play, request(PATH, gzip.compress(chat(text=f"to {EMAIL}")), {"content-encoding": "gzip"}))
    head, _, body = sent.partition(b"\r\n\r\n")

    assert b"content-encoding" not in head
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body)


SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu/bedrock/aws4_request, Signature=0"}


@pytest.mark.parametrize("text", ["hello", f"to {EMAIL}"])
def test_a_signed_body_is_left_alone_or_refused(play: Playbook, text: str) -> None:
    """Bodies under AWS SigV4 cannot be edited: without a finding they pass, with one the call is refused."""
    play.says(asks(text=text, headers=SIGNED))

    if EMAIL in text:
        assert play.answer.status == 403
        assert b"SigV4" in play.answer.body
        assert b"traffic.yml, sign" in play.answer.body
        assert play.upstreams == []
    else:
        assert play.upstream.got.endswith(chat(text=text))


def test_a_form_with_a_file(play: Playbook) -> None:
    """Text parts are read, the picture stays byte for byte."""
    picture = bytes(range(256))
    body = (
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\ndraw ' + EMAIL.encode() + b"\r\n"
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + picture + b"\r\n--b--\r\n"
    )
    sent = got(play, request("/v1/files", body, {"content-type": "multipart/form-data; boundary=b"}))

    assert EMAIL.encode() not in sent
    assert picture in sent


@pytest.mark.parametrize("rule", ["flag", "refuse"])
def test_a_file_that_nobody_reads(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services], rule: str
) -> None:
    """``unread_body``: on record, or refused."""
    services = open_services(traffic={"unread_body": rule})
    play = open_play(services)
    play.says(request("/v1/files", b"%PDF-1.7 " + EMAIL.encode(), {"content-type": "application/pdf"}))

    assert (len(play.upstreams) == 1) is (rule == "flag")
    if rule == "refuse":
        assert (play.answer.status, json.loads(play.answer.body)["error"]["code"]) == (403, "unread_body_refused")
        assert record(services)["rule"] == "unread_body"


def test_what_was_scanned_is_remembered_within_its_rules(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services]
) -> None:
    """New rules are in force for texts that were seen under the old ones."""
    services = open_services()
    play = open_play(services)
    first = got(play, asks(text=f"to {EMAIL}"))
    assert b"[EMAIL_ADDRESS_" in first
    play.upstream.says(response(200, said("hi")))
    rules = {"request": {"default": "mask"}, "ner": {"model": "off"}}
    (services._file.folder / "pii.yml").write_text(json.dumps(rules))
    services.reload()

    assert b"to [EMAIL_ADDRESS]" in got(play, asks(text=f"to {EMAIL}"))[len(first) :]


def test_two_callers_names_do_not_mix(open_play: Callable[..., Playbook]) -> None:
    """A placeholder that another call made is not restored in mine."""
    one, two = open_play(), open_play()
    sent = got(one, asks(text=f"to {EMAIL}"))
    placeholder = sent.partition(b"to ")[2].partition(b'"')[0].decode()
    assert placeholder.startswith("[EMAIL_ADDRESS_")
    got(two, asks(text=f"what is {placeholder}"))
    two.upstream.says(response(200, said(f"it is {placeholder}")))

    assert EMAIL.encode() not in two.client_got
    assert placeholder.encode() in two.answer.body


def test_what_a_provider_keeps_comes_back_to_its_caller(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services]
) -> None:
    """A thread is written by one call and read by the next: restored for the same key, for no other."""
    services = open_services()
    one, same, other = open_play(services), open_play(services), open_play(services)
    key = {"authorization": "Bearer one"}
    sent = got(one, request("/v1/threads/t/messages", json.dumps({"content": f"to {EMAIL}"}).encode(), key))
    kept = sent.partition(b"\r\n\r\n")[2]
    assert EMAIL.encode() not in kept
    one.upstream.says(response(200, kept))

    for play, headers in ((same, key), (other, {"authorization": "Bearer two"})):
        play.says(request("/v1/threads/t/messages", b"", headers, method="GET"))
        play.upstream.says(response(200, kept))
        assert (EMAIL.encode() in play.answer.body) is (play is same)


async def test_a_long_message_of_a_session_is_read_beside_the_loop(open_services: Callable[..., Services]) -> None:
    """The loop turns meanwhile: the work ends only when the loop has let it."""
    shelf = Shelf()
    shelf.fill(open_services(pii={"ner": {"model": "bundled"}}))
    turned, seen = threading.Event(), []
    work = Work(lambda: seen.append(turned.wait(10)), INLINE_BYTES_MAX + 1)
    task = asyncio.create_task(RedactPii(shelf).read_aside(work))
    while not task.done():
        await asyncio.sleep(0)
        turned.set()
    await task

    assert seen == [True]
    work.outcome()


BARE = "281440067"  # a number of which nothing says what it is, but the words around it elsewhere
EXPLAINED = f"my ssn is {BARE}"


def line(text: str) -> bytes:
    """One call of a batch."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
    return json.dumps({"custom_id": "c", "method": "POST", "url": PATH, "body": body}).encode() + b"\n"


def part(content: bytes, disposition: str, content_type: str = "") -> bytes:
    """A part of a form."""
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    head = f"--frontier\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n"
    return head.encode() + content + b"\r\n"


def upload(*parts: bytes) -> bytes:
    """A file on its way to the provider."""
    headers = {"content-type": "multipart/form-data; boundary=frontier"}
    return request("/v1/files", b"".join(parts) + b"--frontier--\r\n", headers)


@pytest.mark.parametrize("explained_first", [True, False])
@pytest.mark.parametrize("form", ["lines", "multipart"])
def test_a_value_is_known_in_every_line(
    play: Playbook, services: Services, form: str, *, explained_first: bool
) -> None:
    """What one line explains is taken out of all others, before it and after it, under the same name."""
    lines = [line(EXPLAINED), line(f"thanks for {BARE}, bye"), line("nothing here"), line(f"({BARE})")]
    body = b"".join(lines if explained_first else reversed(lines))
    whole = upload(part(b"batch", 'name="purpose"'), part(body, 'name="file"; filename="b.jsonl"', "application/jsonl"))
    sent = got(play, request("/v1/files", body) if form == "lines" else whole)

    assert BARE.encode() not in sent
    names = set(re.findall(rb"\[US_SSN_\w+\]", sent))
    assert len(names) == 1
    assert sent.count(names.pop()) == 3
    assert line("nothing here") in sent
    play.upstream.says(response(200, b'{"id": "file-1"}'))
    assert record(services)["redactions"]["request"] == {"US_SSN": 3}


def test_a_value_is_known_in_every_part_of_a_form(play: Playbook) -> None:
    """In text fields, in files of any kind that is read, in their names, and in other charsets."""
    sent = got(
        play,
        upload(
            part(f"about {BARE}".encode(), 'name="purpose"'),
            part(line(EXPLAINED), f'name="file"; filename="{BARE}.jsonl"', "application/jsonl"),
            part(f"see {BARE}".encode("utf-16"), 'name="other"; filename="n.txt"', "text/plain; charset=utf-16"),
            part(json.dumps({"n": [f"x {BARE} y"]}).encode(), 'name="more"', "application/json"),
        ),
    )
    name = re.search(rb"\[US_SSN_\w+\]", sent)

    assert name
    assert BARE.encode() not in sent
    assert BARE.encode("utf-16-le") not in sent
    assert sent.count(name[0]) == 4
    assert sent.count(name[0].decode().encode("utf-16-le")) == 1


def test_a_value_is_known_in_a_form_of_pairs(play: Playbook) -> None:
    """Spelled in their way."""
    body = f"a={EXPLAINED.replace(' ', '+')}&b=%32{BARE[1:]}&c=plain".encode()
    sent = got(play, request("/v1/files", body, {"content-type": "application/x-www-form-urlencoded"}))

    assert BARE[1:].encode() not in sent
    assert sent.endswith(b"&c=plain")


def test_lines_without_a_finding_are_the_same_bytes(play: Playbook) -> None:
    body = b'{"a" : 1.50, "b":"\\u00e9"}\n\n{"c":[ ]}\r\n'
    assert got(play, request("/v1/files", body)).endswith(b"\r\n\r\n" + body)


def test_what_is_done_depends_on_caller_and_field(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services]
) -> None:
    """The same value at once in several fields, from two teams; also when the message is remembered, and in forms."""
    services = open_services(
        pii={
            "request": {"default": "pseudonymize"},
            "response": {"default": "mask"},
            "ner": {"model": "off"},
            "for": [
                {"field": "tool_result", "request": {"EMAIL_ADDRESS": "mask"}},
                {"team": "support", "request": {"default": "flag"}, "response": {"default": "allow"}},
                {"field": ["header", "file_name"], "request": {"default": "hash"}},
            ],
        },
        callers={"callers": [{"match": {"header": {"x-team": "^(?P<team>[a-z]+)$"}}}]},
    )
    messages = [
        {"role": "user", "content": f"to {EMAIL}"},
        {"role": "tool", "content": f"to {EMAIL}", "tool_call_id": "c"},
    ]
    body = json.dumps({"model": "gpt-4o", "messages": messages}).encode()
    said_by = {}
    for team in ("support", "sales", "support", "sales"):
        play = open_play(services)
        sent = got(play, request(PATH, body, {"x-team": team, "x-title": f"for {EMAIL}"}))
        play.upstream.says(response(200, said(f"{EMAIL} new@quarzbach.de")))
        texts = [message["content"] for message in json.loads(sent.partition(b"\r\n\r\n")[2])["messages"]]
        title = next(line for line in sent.split(b"\r\n") if line.lower().startswith(b"x-title"))
        answer = json.loads(play.answer.body)["choices"][0]["message"]["content"]
        assert said_by.setdefault(team, (texts, title, answer)) == (texts, title, answer)

    (support, support_title, support_answer), (sales, sales_title, sales_answer) = said_by["support"], said_by["sales"]
    assert support == [f"to {EMAIL}", "to [EMAIL_ADDRESS]"]
    assert sales[0].startswith("to [EMAIL_ADDRESS_")
    assert sales[1] == "to [EMAIL_ADDRESS]"
    assert EMAIL.encode() in support_title
    assert EMAIL.encode() not in sales_title
    assert len(sales_title) > len(b"x-title: for [EMAIL_ADDRESS_123456]")
    assert (support_answer, sales_answer) == (f"{EMAIL} new@quarzbach.de", f"{EMAIL} [EMAIL_ADDRESS]")
    assert record(services)["redactions"] == {"request": {"EMAIL_ADDRESS": 3}, "response": {"EMAIL_ADDRESS": 1}}


def test_a_refusal_names_the_rule_that_refuses(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services]
) -> None:
    """By its line, where it stands under `for`."""
    rule = {"field": "file_name", "request": {"EMAIL_ADDRESS": "refuse"}}
    services = open_services(pii={"ner": {"model": "off"}, "for": [rule]})
    play = open_play(services)
    head = b'content-disposition: form-data; name=file; filename="%s.txt"' % EMAIL.encode()
    form = b"--b\r\n" + head + b"\r\n\r\nhi\r\n--b--\r\n"
    play.says(request("/v1/files", form, {"content-type": "multipart/form-data; boundary=b"}))

    assert play.answer.status == 403
    assert b"pii.yml:1, for, request: EMAIL_ADDRESS: refuse" in play.answer.body
