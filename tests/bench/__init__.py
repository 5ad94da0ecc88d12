"""`make bench`: the speed figures of fleet, as ratios within one run, median of several.

    python -m tests.bench               everything, and docs/benchmarks.md written anew
    python -m tests.bench help pages    some of it, printed only
    python -m tests.bench memory-all    what takes too long for every run

No figure passes or fails anything: a figure that misses its target says so, and one that could
not be measured says why, beside the others. Both sides of a ratio take turns in the same run, so
whatever else slows the machine slows both. What is compared, and what is in each figure, stands
with it; `canned` tells what the server answers, `sides.floor` what the floor is.
"""
