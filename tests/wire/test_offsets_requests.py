"""A request that carries an earlier reply back carries the offsets that the provider gave: into what it saw."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.pii import Vault
from outwarden.pii.engine import PiiEngine
from outwarden.pii.policy import PiiPolicy
from outwarden.wire.body import Memory, rewrite_json
from outwarden.wire.formats import format_named

ENGINE = PiiEngine(PiiPolicy(), b"a secret of this test's own")
ADDRESS = "anna.kestrel@kestrel-freight.com"


def responses(text, a, b):
    notes = [{"type": "url_citation", "start_index": a, "end_index": b, "url": "https://x.example", "title": "X"}]
    notes.append({"type": "file_citation", "index": b, "file_id": "file-1", "filename": "a.txt"})
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    message["content"][0]["annotations"] = notes
    return message


def chat(text, a, b):
    cited = {"start_index": a, "end_index": b, "url": "https://x.example", "title": "X"}
    note = {"type": "url_citation", "url_citation": cited}
    return {"role": "assistant", "content": text, "annotations": [note]}


def cohere(text, a, b):
    cited = {"start": a, "end": b, "text": text[a:b], "content_index": 0, "type": "TEXT_CONTENT"}
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "citations": [cited]}


def interactions(text, a, b):
    start, end = len(text[:a].encode()), len(text[:b].encode())
    note = {"type": "url_citation", "start_index": start, "end_index": end, "url": "https://x.example"}
    return {"role": "model", "content": [{"type": "text", "text": text, "annotations": [note]}]}


def thread(text, a, b):
    note = {"type": "file_citation", "text": text[a:b], "start_index": a, "end_index": b}
    return {"role": "assistant", "content": [{"type": "text", "text": {"value": text, "annotations": [note]}}]}


# Format, path of the request, what a reply's message looks like there, and the list of the request it goes back in.
QUOTED = [
    ("openai", "/v1/responses", responses, "input"),
    ("openai", "/v1/chat/completions", chat, "messages"),
    ("cohere", "/v2/chat", cohere, "messages"),
    ("gemini", "/v1beta/interactions", interactions, "input"),
    ("openai", "/v1/threads", thread, "messages"),
]
IDS = [message.__name__ for _, _, message, _ in QUOTED]


def rules_of(format, path):
    one = format_named(format)
    return one.text_rules(one.identify("POST", path))


def placeholder_and_vault(rules):
    """What stands for the address in a call that says it, and the vault that knows it."""
    vault = Vault()
    sent = rewrite_json(json.dumps({"messages": [ADDRESS]}).encode(), rules, ENGINE.request(vault)).body
    return json.loads(sent)["messages"][0], vault


@pytest.mark.parametrize(("format", "path", "message", "key"), QUOTED, ids=IDS)
@settings(max_examples=20, deadline=None)
@given(
    before=st.sampled_from(["", "é, ", "See 😀 "]),
    between=st.sampled_from([" says: ", " ß "]),
    cited=st.sampled_from(["the river", "déjà vu", "x"]),
    remembered=st.booleans(),
)
def test_offsets_go_back_as_the_provider_said_them(format, path, message, key, before, between, cited, remembered):
    """Restored, they point into the text the caller reads; sent back, into the text the provider saw: same bytes."""
    rules = rules_of(format, path)
    stand_in, vault = placeholder_and_vault(rules)
    text = f"{before}{stand_in}{between}{cited}."
    start = len(text) - len(cited) - 1
    said = json.dumps({key: [{"role": "user", "content": "hi"}, message(text, start, start + len(cited))]}).encode()

    shown = rewrite_json(said, rules, ENGINE.reply(vault)).body
    plain = f"{before}{ADDRESS}{between}{cited}."
    start = len(plain) - len(cited) - 1
    assert json.loads(shown)[key][1] == message(plain, start, start + len(cited))

    memory = Memory(10**6) if remembered else None
    for _ in range(2):
        sent = rewrite_json(shown, rules, ENGINE.request(Vault()), memory=memory, memory_key=b"request").body
        assert sent == said


def anthropic(document, a, b):
    source = {"type": "text", "media_type": "text/plain", "data": document}
    asked = {"role": "user", "content": [{"type": "document", "source": source, "citations": {"enabled": True}}]}
    place = {"type": "char_location", "document_index": 0, "start_char_index": a, "end_char_index": b}
    answer = {"type": "text", "text": "So it is.", "citations": [place | {"cited_text": document[a:b]}]}
    return {"messages": [asked, {"role": "assistant", "content": [answer]}]}


def bedrock(document, a, b):
    inner = {"format": "txt", "name": "notes", "source": {"text": document}, "citations": {"enabled": True}}
    place = {"documentChar": {"documentIndex": 0, "start": a, "end": b}}
    cited = {"location": place, "sourceContent": [{"text": document[a:b]}]}
    answer = {"citationsContent": {"content": [{"text": "So it is."}], "citations": [cited]}}
    return {
        "messages": [
            {"role": "user", "content": [{"document": inner}]},
            {"role": "assistant", "content": [answer]},
        ]
    }


@pytest.mark.parametrize(
    ("format", "path", "talk"),
    [("anthropic", "/v1/messages", anthropic), ("bedrock", "/model/anthropic.claude/converse", bedrock)],
    ids=["anthropic", "bedrock"],
)
@pytest.mark.parametrize("cited", ["The river is quiet.", "Write to {} today."])
def test_offsets_into_a_document_point_into_what_the_provider_saw(format, path, talk, cited):
    """Citations of a document that the call itself sent: numbers and quotation fit the document, turn after turn."""
    rules = rules_of(format, path)
    stand_in, vault = placeholder_and_vault(rules)
    document = "Ask {} ß é. The river is quiet. Write to {} today. End."
    seen, own = document.replace("{}", stand_in), document.replace("{}", ADDRESS)
    start = seen.index(cited.replace("{}", stand_in))
    end = start + len(cited.replace("{}", stand_in))
    said = json.dumps(talk(seen, start, end)).encode()

    shown = rewrite_json(said, rules, ENGINE.reply(vault)).body
    assert json.dumps(own) in shown.decode()
    assert cited.replace("{}", ADDRESS) in shown.decode()
    for _ in range(2):
        assert rewrite_json(shown, rules, ENGINE.request(Vault())).body == said
