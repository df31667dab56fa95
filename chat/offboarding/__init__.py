"""Somebody leaves: everything that let them in, and everything they were given, ends in one action."""
