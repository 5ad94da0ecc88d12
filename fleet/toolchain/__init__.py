"""Other people's programs, run in a sandbox."""
