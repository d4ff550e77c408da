"""Bodies in flight are bounded together: what has no room is refused, and what ends makes room again."""

import gc
import gzip
import json
from collections.abc import Callable, Iterator

import pytest
from playbook import Playbook, request, response, response_head
from talk import DONE, PATH, ROLE, STOP, asks, chat, piece, record, said

from outwarden.flow.room import Share, fits, held_bytes
from outwarden.flow.services import Services

KIB = 1024
LIMIT = 100 * KIB


before = 0  # what calls of other tests, which nobody answered, may still hold


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Whatever happens in a test, in the end nothing is held."""
    global before
    gc.collect()  # now, and not during the test: it gives back what those held that nobody refers to any more
    before = held_bytes()
    yield
    assert held() == 0


def held() -> int:
    """What the calls of this test hold."""
    return held_bytes() - before


@pytest.fixture(scope="module")
def narrow(open_services: Callable[..., Services]) -> Services:
    """Room for 100 KiB."""
    return open_services(traffic={"max_in_flight_mib": LIMIT / (1 << 20), "max_body_mib": 1})


@pytest.fixture
def play(open_play: Callable[..., Playbook], narrow: Services) -> Playbook:
    """A connection."""
    return open_play(narrow)


def sized(size: int) -> bytes:
    """A request whose body has so many bytes."""
    bare = len(chat(text=""))
    return asks(text="x" * (size - bare))


def code(play: Playbook) -> str:
    """The code of the error that the client got."""
    return str(json.loads(play.answer.body)["error"]["code"])


def begin(play: Playbook, size: int, part: int) -> bytes:
    """Send the head and a part of a body; return the rest."""
    whole = sized(size)
    cut = whole.index(b"\r\n\r\n") + 4 + part
    play.says(whole[:cut])
    return whole[cut:]


def test_calls_at_once_share_the_room(open_play: Callable[..., Playbook], narrow: Services, play: Playbook) -> None:
    """One waits for its answer; a second one of the same size has no room, and has it once the first is answered."""
    second = open_play(narrow)
    play.says(sized(60 * KIB))
    assert held() == 60 * KIB
    second.says(sized(60 * KIB))

    assert second.answer.status == 503
    assert code(second) == "too_many_bodies"
    assert second.answer.headers["retry-after"] == "1"
    assert second.upstreams == []
    assert (record(narrow)["verdict"], record(narrow)["rule"]) == ("refused", "max_in_flight_mib")
    assert 'outwarden_refusals_total{rule="max_in_flight_mib"} 1' in narrow.metrics.text()
    play.upstream.says(response(200, said("one")))
    assert held() == 0
    second.client_got = b""
    second.says(sized(60 * KIB))
    second.upstream.says(response(200, said("two")))
    assert second.answer.status == 200


def test_an_announced_body_without_room_is_refused_unread(
    open_play: Callable[..., Playbook], narrow: Services, play: Playbook
) -> None:
    """It takes no room either: announcing a long body keeps nobody else out."""
    second = open_play(narrow)
    rest = begin(play, 90 * KIB, 60 * KIB)
    assert held() == 60 * KIB
    begin(second, 50 * KIB, 0)
    assert second.answer.status == 503
    assert held() == 60 * KIB

    third = open_play(narrow)
    third.says(sized(20 * KIB))
    third.upstream.says(response(200, said("small")))
    play.says(rest)
    play.upstream.says(response(200, said("long")))
    assert (third.answer.status, play.answer.status) == (200, 200)


def test_a_body_that_says_no_length_is_refused_where_it_grows(play: Playbook) -> None:
    body = chat(text="x" * 2 * LIMIT)
    head = asks().partition(b"content-length")[0] + b"transfer-encoding: chunked\r\n\r\n"
    play.says(head)
    for at in range(0, len(body), 10 * KIB):
        chunk = body[at : at + 10 * KIB]
        play.says(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    play.says(b"0\r\n\r\n")

    assert play.answer.status == 503
    assert code(play) == "too_many_bodies"
    assert play.upstreams == []


def test_what_a_body_unpacks_to_counts(play: Playbook) -> None:
    """A small body may be a long one."""
    body = gzip.compress(chat(text="x" * 2 * LIMIT))
    play.says(request(PATH, body, {"content-encoding": "gzip"}))

    assert play.answer.status == 503
    assert code(play) == "too_many_bodies"


def test_a_client_that_leaves_makes_room(play: Playbook) -> None:
    begin(play, 90 * KIB, 60 * KIB)
    assert held() == 60 * KIB
    play.leaves()
    assert held() == 0


def test_a_reply_without_room_is_refused(play: Playbook, narrow: Services) -> None:
    """In the caller's own format; what was collected is given back."""
    play.says(sized(60 * KIB))
    play.upstream.says(response(200, said("x" * 50 * KIB)))

    assert play.answer.status == 503
    assert code(play) == "too_many_bodies"
    assert (record(narrow)["verdict"], record(narrow)["rule"]) == ("refused", "max_in_flight_mib")


def test_the_reply_of_an_attempt_that_was_left_is_given_back(play: Playbook) -> None:
    """Two failures of 60 KiB each never lie in the room together."""
    play.says(sized(10 * KIB))
    head = response_head(200, {"content-type": "application/json", "content-length": str(80 * KIB)})
    play.upstream.says(head + b"x" * 60 * KIB)
    assert held() == 70 * KIB
    play.upstream.breaks()
    assert held() == 10 * KIB
    play.upstream.says(response(200, said("x" * 60 * KIB)))

    assert play.answer.status == 200


def test_a_stream_is_not_collected(play: Playbook) -> None:
    """It may be longer than the room: only what the request holds counts."""
    play.says(asks(stream=True))
    asked = held()
    play.upstream.streams(ROLE, *[piece("word " * 1000)] * 50, STOP, DONE)
    assert held() == asked
    play.upstream.chunk(b"")

    assert play.answer.complete
    assert len(play.answer.body) > 2 * LIMIT


def test_a_call_that_somebody_kills_makes_room(play: Playbook) -> None:
    """Another addon, or whoever looks at mitmweb."""
    play.before = lambda name, flow: flow.kill() if name == "responseheaders" else None
    play.says(sized(10 * KIB))
    assert held() == 10 * KIB
    play.upstream.says(response(200, said("hi")))
    assert held() == 0


def test_other_traffic_is_not_counted(play: Playbook) -> None:
    play.says(request("/anything", b"x" * 2 * LIMIT, host="elsewhere.example"))
    assert held() == 0
    play.upstream.says(response(200, b"fine"))
    assert play.answer.body == b"fine"


def test_a_share_that_nobody_gives_back_ends_with_its_call() -> None:
    share, limit = Share(), before + 1000
    assert share.take(1000, limit)
    assert not share.take(1, limit)
    assert not fits(1, limit)
    share.give_back(400)
    assert held() == 600
    del share
    assert held() == 0
