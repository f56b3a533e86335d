"""A fast campaign endpoint that can misbehave: a true softmax of known logits, faults on demand, and numbers.

For tests of the whole gateway and for load tests that share two cores with it. As a fixture: `listening()` in `server`.
As a process: `python -m tests.support.model_upstream --port 0`. What it can do wrong stands in `faults` and `plays`.
"""
