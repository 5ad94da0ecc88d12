"""How one function moves, and how it comes back."""
