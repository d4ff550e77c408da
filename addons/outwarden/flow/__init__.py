"""The only room that knows mitmproxy: per-call state, the guard, the call layer, and the services that addons share.

It knows flows, layers and options, and applies what the other rooms decide. Where text is, what is personal, what a
call costs and where it goes next is theirs. The addons import its modules by name; importing the room alone loads
nothing of mitmproxy.
"""
