"""A function's package again, built from the source that its own binaries name."""
