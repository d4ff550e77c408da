"""Try the ledger on made-up histories: many processes, faults, crashes, clocks that step.

`model` is the ledger in plain Python, shares no code with it and says what is right; `faults` stands between ledger and
database; `world` lets a history happen to both and `checks` compares them after each step; `histories` makes histories
up, `leasing` is the world of processes that lease, `playing` plays them and `shrinking` makes them short.
"""
