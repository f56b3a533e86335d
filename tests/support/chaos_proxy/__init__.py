"""A TCP proxy that hurts what passes through it: late, in pieces, cut off, not at all, or to the wrong client.

`schedule` says when what is done to whom, as values that depend on a seed alone; `toxics` is the table of what can be
done; `proxy` does it. As a fixture: `proxying()`. As a process:

    python -m tests.support.chaos_proxy --target 127.0.0.1:8080 --schedule "latency:delay_s=0.1@0-5;reset@5-6%0.5"
"""
