"""How much of everything a load takes: calls, quotas, cores, pods, Redis, money. The runbook's sizing, as a program.

    python -m loadtests.capacity --rankings-per-s 1000 --candidates 10000 --warm-share 0.95
    python -m loadtests.capacity --figures bench/report.json --keep     the figures of a `make bench`, from now on
    python -m loadtests.capacity --write                                the table in deploy/RUNBOOK.md anew

model     arithmetic: a load, figures, limits and prices -> what is needed
figures   CPU of a ranking by its size, as measured; they stand in `figures.json`, with where they come from
examples  the table in the runbook
"""
