"""The engine: one Run is one answer being written, whoever watches."""
