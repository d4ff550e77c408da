"""Recorded traffic played through the running interceptor: a replay upstream, a client, and what to compare.

``reading`` reads a folder of recordings into ``exchanges``, ``sessions`` (WebSocket) and ``grpc_calls``, ``ways`` plays
them in every way, each in a process of its own by ``playing``, ``session_play`` and ``negatives``; ``upstream`` answers
with them, ``client`` sends them through a proxy, ``planting`` and ``forms`` put values into requests and replies,
``comparing`` tells what differs and why (``faults``: what is wrong with a record itself), ``reporting`` prints it.
The command is ``scripts/replay``; the end-to-end tests use the same parts. It knows APIs by their recorded bytes only:
what it expects is written from the notes on the recordings and not with the code under test.
"""
