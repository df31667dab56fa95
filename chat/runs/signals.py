"""What the engine tells the packages above it, which it must not import."""

from django.dispatch import Signal

# Sent in a database thread once a run's last state is committed. Arguments: run (a Run with its final fields).
run_ended = Signal()
