"""Who calls, from what a request shows."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.budget import Caller, CallerRule, CallerRules, Evidence, header_pattern, identify, key_id

KEY = "sk-test-4f9a2c71e6b84d03"
BY_KEY = CallerRule(api_key=key_id(KEY), fields={"user": "alice", "team": "support"})
BY_NETWORK = CallerRule(source="10.1.0.0/16", fields={"team": "research"})
BY_HEADER = CallerRule(header={"X-Team": "^(?P<team>[a-z-]+)$"})
BY_PROXY = CallerRule(proxy_user="ci*", fields={"project": "ci"})


def evidence(
    key: str | None = None, source: str = "192.0.2.1", proxy_user: str | None = None, **headers: str
) -> Evidence:
    return Evidence(key, source, proxy_user, {name.replace("_", "-"): value for name, value in headers.items()})


def who(rule: CallerRule, shown: Evidence) -> Caller:
    return identify(CallerRules((rule,)), shown)[0]


def test_key_id_is_a_digest() -> None:
    """A key is named by its SHA-256 in lower-case hex, as `outwarden key-id` prints it."""
    assert key_id("abc") == "sha256:" + sha256(b"abc").hexdigest()


def test_the_key_itself_is_nowhere() -> None:
    """Neither the caller nor its repr holds the key."""
    caller = who(BY_KEY, evidence(KEY))
    assert caller.api_key_id == key_id(KEY)
    assert KEY not in repr(caller)


def test_match_by_key() -> None:
    """The rule of a key fills its fields; another key does not match it."""
    assert who(BY_KEY, evidence(KEY)).team == "support"
    assert who(BY_KEY, evidence("sk-other")).team is None
    assert who(BY_KEY, evidence()).team is None


def test_match_by_key_in_any_case() -> None:
    """A digest written in capitals in the rules is the same key."""
    assert who(CallerRule(api_key=key_id(KEY).upper(), fields={"user": "alice"}), evidence(KEY)).user == "alice"


@pytest.mark.parametrize(
    ("source", "team"),
    [
        ("10.1.2.3", "research"),
        ("::ffff:10.1.2.3", "research"),
        ("10.2.2.3", None),
        ("2001:db8::1", None),
        ("", None),
        ("not an address", None),
    ],
)
def test_match_by_network(source: str, team: str | None) -> None:
    """An address in the network matches, also dressed as IPv6; what is no address matches nothing."""
    assert who(BY_NETWORK, evidence(source=source)).team == team


def test_match_by_ipv6_network_and_single_address() -> None:
    """A network may be IPv6, and a single address is a network of one."""
    assert who(CallerRule(source="2001:db8::/32", fields={"team": "v6"}), evidence(source="2001:db8::1")).team == "v6"
    assert who(CallerRule(source="192.0.2.1", fields={"team": "one"}), evidence(source="192.0.2.1")).team == "one"


@pytest.mark.parametrize(("value", "team"), [("blue", "blue"), ("Blue!", None), ("", None), ("a" * 5000, None)])
def test_match_by_header(value: str, team: str | None) -> None:
    """The header's named group fills the field; a value that does not match, or is endless, fills nothing."""
    assert who(BY_HEADER, evidence(x_team=value)).team == team


def test_matched_headers_are_not_forwarded() -> None:
    """A header that rules match on is ours and is taken off, whichever rule won and whatever its value."""
    rules = CallerRules((BY_KEY, BY_HEADER))
    assert identify(rules, evidence(KEY, x_team="blue", accept="*/*"))[1] == {"x-team"}
    assert identify(rules, evidence(x_team="No Team!"))[1] == {"x-team"}
    assert identify(rules, evidence(accept="*/*"))[1] == frozenset()


def test_headers_a_call_needs_are_forwarded() -> None:
    """A rule that looks at the user agent or the authorization does not take them from the call."""
    rule = CallerRule(header={"user-agent": "claude", "authorization": "Bearer"}, fields={"project": "code"})
    caller, strip = identify(CallerRules((rule,)), evidence(user_agent="claude-cli/2", authorization="Bearer x"))
    assert caller.project == "code"
    assert strip == frozenset()


@pytest.mark.parametrize(("user", "project"), [("ci", "ci"), ("ci-7", "ci"), ("bob", None), (None, None)])
def test_match_by_proxy_user(user: str | None, project: str | None) -> None:
    """The name of Proxy-Authorization is matched as a star pattern."""
    assert who(BY_PROXY, evidence(proxy_user=user)).project == project


def test_all_conditions_must_hold() -> None:
    """A rule with two conditions needs both."""
    rule = CallerRule(source="10.0.0.0/8", proxy_user="ci", fields={"team": "x"})
    assert who(rule, evidence(source="10.0.0.1", proxy_user="ci")).team == "x"
    assert who(rule, evidence(source="10.0.0.1")).team is None
    assert who(rule, evidence(proxy_user="ci")).team is None


def test_first_match_wins_also_over_a_key() -> None:
    """The order of the file decides, whatever kind of condition comes first."""
    network_first = CallerRules((CallerRule(source="192.0.2.0/24", fields={"team": "net"}), BY_KEY))
    key_first = CallerRules((BY_KEY, CallerRule(source="192.0.2.0/24", fields={"team": "net"})))
    assert identify(network_first, evidence(KEY))[0].team == "net"
    assert identify(key_first, evidence(KEY))[0].team == "support"


def test_default_fills_what_is_empty() -> None:
    """Fields that no rule filled have the default; those that one filled do not."""
    rules = CallerRules((BY_PROXY, BY_KEY), default={"team": "unassigned"})
    assert identify(rules, evidence())[0].team == "unassigned"
    assert identify(rules, evidence(proxy_user="ci"))[0] == Caller(team="unassigned", project="ci", source="192.0.2.1")
    assert identify(rules, evidence(KEY))[0].team == "support"


def test_session_headers() -> None:
    """The first session header that is there names the session, and it is forwarded."""
    rules = CallerRules(session=("X-Claude-Code-Session-Id", "session-id"))
    caller, strip = identify(rules, evidence(session_id="s2", x_claude_code_session_id="s1"))
    assert (caller.session, strip) == ("s1", frozenset())
    assert identify(rules, evidence(session_id="s2"))[0].session == "s2"
    assert identify(rules, evidence(session_id=""))[0].session is None


def test_no_rules() -> None:
    """Without rules a caller is its key and its address."""
    assert identify(CallerRules(), evidence(KEY))[0] == Caller(api_key_id=key_id(KEY), source="192.0.2.1")


@pytest.mark.parametrize("pattern", ["(", "(?P<planet>x)", r"(?=x)"])
def test_patterns_that_cannot_be_used(pattern: str) -> None:
    """A broken pattern, one that names no caller field, and one that is not linear are refused with a reason."""
    with pytest.raises(ValueError, match="pattern"):
        header_pattern(pattern)


@given(st.text(max_size=50), st.text(max_size=50), st.one_of(st.none(), st.text(max_size=20)), st.text(max_size=2000))
def test_nothing_a_request_shows_raises(key: str, source: str, proxy_user: str | None, header: str) -> None:
    """Whatever the sender writes, identification answers."""
    rules = CallerRules((BY_KEY, BY_NETWORK, BY_HEADER, BY_PROXY), session=("session-id",))
    caller, _ = identify(rules, evidence(key, source, proxy_user, x_team=header, session_id=header))
    assert caller.source == source
