"""A go1.x package becomes one that a custom runtime starts; proof that nothing else changed."""
