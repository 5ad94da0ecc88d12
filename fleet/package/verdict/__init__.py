"""Function and facts → verdict with reasons. Pure."""
