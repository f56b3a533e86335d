"""All benchmarks in one run, and one report: every goal of the project with its measured figure, met or not.

    python -m loadtests.bench [--out bench] [--only PART ...] [--list]        (make bench: sets up, then this)
    python -m loadtests.bench --again bench/report.json --readme README.md   (no run: the report and the README anew)

Each part is a program of its own under `loadtests/`, run one after the other, never two at once, each with a limit on
its time. `report.json` has all that they found, `report.html` the goals, the plots and the tables in one file without
any reference to the outside. A part that fails or takes too long is told as such: its goals are not met.
"""
