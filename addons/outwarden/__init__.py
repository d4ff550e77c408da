"""Outwarden: a transparent interceptor for LLM traffic at the edge of a network.

Hosts set ``HTTPS_PROXY`` and trust one certificate authority; for each call to a known LLM host Outwarden takes
personal data and secrets out, holds money before the call leaves and settles it after, and moves the call to another
upstream when the first fails. Everything else passes unread.

The map. Rooms are nouns: each knows one thing. Addons are verbs: each is one class with mitmproxy's events as methods.

    errors      every error a caller may want to tell apart, as a tree
    wire        what bytes mean: formats, codecs, edits that touch only what must change, translation between formats
    pii         text in, spans out; redact and restore, whole or streamed
    pricing     usage times price; token counts; the bound before a call
    budget      limits, windows, holds, and the stores that keep them
    routing     upstreams, breakers, retries: outcomes so far → next attempt; what processes know together
    content     patterns that refuse or flag
    audit       one chained record per call
    rules       ``rules/*.yml`` → frozen objects of the rooms, errors with file and line
    observe     metrics, and messages to webhooks
    web         the status page
    flow        the only room that knows mitmproxy: per-call state, guard, call layer, services
    (addons)    load_rules, watch_upstreams, pass_through, serve_status, identify_call, enforce_content, redact_pii,
                restore_pii, charge_budget, route_call, stream_reply, write_audit
    chain       the one place that names concrete classes; its docstring is the hook table
    simulate    a provider that is not there, for the demo and the tests
    cli         ``outwarden …``

A room imports only what stands above it here (`simulate` imports none, and only `cli` imports it); mitmproxy is
imported by ``flow`` and the addons alone. A test holds the house to this.
"""
