"""Fuzz targets: `python -m tests.fuzz.binary -max_total_time=300`, with libFuzzer's options.

They end when the time is over, or at an input that raised, hung or took too much memory, which is
then written to .cache/fuzz.
"""
