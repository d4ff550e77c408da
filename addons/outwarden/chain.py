"""The chain of addons: the one place that names concrete classes.

mitmproxy calls the addons in this order for requests and for replies alike.

| addon | hooks | what it does |
|---|---|---|
| `LoadRules` | load, configure, running, done | options, rule files, stores; reloads rules that changed |
| `WatchUpstreams` | running, done | probes upstreams; tells other processes how they do, and hears it from them |
| `PassThrough` | http_connect, tls_clienthello, requestheaders, responseheaders | opens only known hosts |
| `ServeStatus` | load, configure, running, request, done | the status page, through the proxy and on the admin port |
| `IdentifyCall` | http_connect, requestheaders, request, responseheaders, websocket_start | what call, and whose |
| `EnforceContent` | request, websocket_start | refuses or flags what a content rule names |
| `RedactPii` | request, websocket_start, read_aside | takes personal data and secrets out of the request |
| `RestorePii` | request, response, error, websocket_start | restores the caller's own values, masks new ones |
| `ChargeBudget` | request, response, call_end, error, websocket_start | holds money before the call, settles it after |
| `RouteCall` | request, websocket_start | chooses the first upstream |
| `StreamReply` | next_layer, tls_start_server, server_connect_error, server_disconnected, client_disconnected | ↓ |
| `WriteAudit` | requestheaders, response, call_end, error, websocket_start | one audit record per call |

`StreamReply` only puts our HTTP layer in place: it holds replies, fails over, streams through stages, and drains.
`call_end` is a hook of ours: it comes after `response`, once the client has its answer, so that nobody waits for it.
`read_aside` is one, too: a long message of a WebSocket is read beside the event loop.
"""

from typing import Any

from outwarden.charge_budget import ChargeBudget
from outwarden.enforce_content import EnforceContent
from outwarden.identify_call import IdentifyCall
from outwarden.load_rules import LoadRules, Shelf
from outwarden.pass_through import PassThrough
from outwarden.redact_pii import RedactPii
from outwarden.restore_pii import RestorePii
from outwarden.route_call import RouteCall
from outwarden.serve_status import ServeStatus
from outwarden.stream_reply import StreamReply
from outwarden.watch_upstreams import WatchUpstreams
from outwarden.write_audit import WriteAudit


def chain() -> list[Any]:
    """Build the addons, in order, around one shelf of services."""
    shelf = Shelf()
    return [
        LoadRules(shelf),
        WatchUpstreams(shelf),
        PassThrough(shelf),
        ServeStatus(shelf),
        IdentifyCall(shelf),
        EnforceContent(shelf),
        RedactPii(shelf),
        RestorePii(shelf),
        ChargeBudget(shelf),
        RouteCall(shelf),
        StreamReply(),
        WriteAudit(shelf),
    ]
