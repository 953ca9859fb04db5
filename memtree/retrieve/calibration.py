"""Weights of `memtree.retrieve.evidence`. Written by a program: do not edit.

Written by    python benchmarks/calibrate.py --write
on            2026-11-22, memtree 6e5fb30-dirty, seed 5
fitted on     2201 questions, 1297 with answer,
              to trees of 1 to 10000 entries:
              atlas 87, cranfield 61, cranfield foreign 55, grown 153, lihua 132, lihua foreign 58,
              lihua small 328, lihua small, near 27, locomo 367, locomo foreign 67, locomo other
              140, locomo small 198, locomo small, near 34, markdown 290, musique 47, musique
              foreign 60, musique small 74, musique small, near 23

By cross-validation, on questions that were not fitted on:
fulltext      AUROC 0.909, calibration error 0.021; found 83% at 18% false answers, 72% at 10%
semantic      AUROC 0.912, calibration error 0.020; found 83% at 18% false answers, 72% at 10%

`PRESENT` tells whether the scope speaks of what is asked, `RIGHT` whether the first hit
is right; those with `MEANT` are for a tier that has vectors. Each maps the name of a
measure of `Evidence.measures` to its weight in a logistic. Hot: literals alone.
"""

PRESENT = {
    "constant": -3.591,
    "together": 3.624,
    "known": 2.370,
    "words": -0.173,
    "size": -1.439,
    "words x size": 1.068,
    "pairs": 0.727,
}

RIGHT = {
    "constant": -0.518,
    "first together": 1.641,
    "first coverage": 1.081,
    "margin": 4.832,
    "first words": -0.891,
    "size": -0.597,
    "asked": 0.880,
}

PRESENT_MEANT = {
    "constant": -5.281,
    "together": 1.960,
    "known": 1.952,
    "words": 0.899,
    "size": -0.602,
    "words x size": 0.079,
    "pairs": 1.361,
    "height": 2.914,
}

RIGHT_MEANT = {
    "constant": -0.563,
    "first together": 1.543,
    "first coverage": 1.105,
    "margin": 4.776,
    "first words": -0.808,
    "size": -0.567,
    "asked": 1.031,
    "height": -0.643,
}
