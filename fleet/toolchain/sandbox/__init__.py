"""Walls around programs that are not ours."""
