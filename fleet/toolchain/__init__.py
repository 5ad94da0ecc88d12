"""Other people's programs, run and built behind walls."""
