"""A storm for a running interceptor: upstreams that fail in all ways at once, clients that judge every answer.

calls      what is asked, by whom and how, drawn from a seed
weather    what the upstreams do with it: moods that change as the calls go on
upstreams  simulated providers in that weather, and what they say they served
client     one connection in HTTP/1.1 or HTTP/2, which may be left at any moment
judging    whether a reply is whole, an explicit error, or neither
books      whether ledger and audit log agree with what was served
storm      all of it together, against `outwarden run`
"""
