"""Measures the product's speed as a person meets it; ``make bench`` runs it, tests never do.

It owns the load (a fake upstream, pages that only count, a seeded database) and the arithmetic. It uses the product
through its addresses, its sockets and its command line, and is imported by nothing.
"""
