"""What callers see while the upstream misbehaves: bounded scenes on real processes, with figures beside their goals.

    python -m loadtests.resilience [--only SCENE ...] [--quick] [--json]

A gateway and a model upstream as processes of their own, an open-loop client in this one: requests come at their rate
whether or not the ones before were answered, as they do from a storefront. Every scene ends by itself.
"""
