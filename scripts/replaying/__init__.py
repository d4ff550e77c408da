"""Recorded exchanges played through the running interceptor: a replay upstream, a client, and what to compare.

``exchanges`` reads a folder of recordings, ``upstream`` answers with them, ``client`` sends them through a proxy,
``planting`` puts values into requests and replies, ``comparing`` tells what differs and why, ``reporting`` prints it.
The command is ``scripts/replay``; the end-to-end tests use the same parts. It knows APIs by their recorded bytes only:
what it expects is written from the notes on the recordings and not with the code under test.
"""
