"""What the engine tells the packages above it, which it must not import."""

from django.dispatch import Signal

# Sent inside the transaction that stores a run's last state. Arguments: run (a Run with its final fields).
run_ended = Signal()
