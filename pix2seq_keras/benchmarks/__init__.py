"""Timed comparisons: programs of their own, never tests."""
