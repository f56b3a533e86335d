"""Everything at once, from one seed: upstream and cache break at random under load; afterwards the history is checked.

    python -m loadtests.chaos [--seed 1] [--seconds 600] [--callers 8] [--history FILE] [--json]

A gateway, a model upstream and a Valkey as processes of their own. The seed gives the schedule (which fault, of what
strength, when and for how long) and what every caller asks for; what was answered is written down as it came. Only
then it is judged (`verdict`): every candidate once, the order of this very user's tastes, in time, and flagged where it
is not whole. The same seed plays the same faults and the same questions again.

An answer that came late while the machine stood still for longer (`stillness`) is told by itself: it is no broken
promise of the gateway's, and no proof of anything either. A machine of its own has none.
"""
