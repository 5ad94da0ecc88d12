"""How many functions move, and when."""
