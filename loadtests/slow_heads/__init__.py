"""Slowloris: thousands of connections whose heads never end, and what other callers notice of them, by the clock.

    python -m loadtests.slow_heads [--sockets 2000] [--rounds 4] [--json]

Three processes: `gateway serve`, the real thing, with a head timeout of 5 s; a caller, this program, who ranks the same
100 items over and over, with a pause of 2 ms (its frame is in memory: all of its time is the gateway's own); and the
attacker, who opens all sockets within a second, evenly, sends the beginning of a head on each, and one more byte a
second, evenly again.

A real attacker brings a machine of his own. Ours shares two cores with the gateway it attacks, so its own work is kept
out of the figures as well as can be: it is a bare loop over system calls, at a bounded rate, nice to all others; the
gateway has one core, attacker and caller share the others (where cores can be chosen, and there is more than one); and
there is a control. Every round has

    alone       no attack
    elsewhere   (control) the same attack on a port where nobody takes the connections: what this machine makes of
                having an attacker on it, whomever he attacks
    attack      the attack on the gateway, from its first socket until after the last one is culled; also told in its
                three parts: while they are opened, while all of them are there, while they are culled

A ranking's time is from its first byte to the last one of its answer, by the clock; beside it stands the CPU time that
the gateway's process spent meanwhile, on whatever. Figures are the medians of the rounds. Ratios are of the 99th
percentiles of one round, their median with the range, since a ratio within the range of nothing at all says nothing.

Takes 90 s and ends by itself; exit code 1 if a slow connection was not culled in time, or if the p99 by the clock under
the whole attack is more than 1.2 times that beside the attack elsewhere.
"""
