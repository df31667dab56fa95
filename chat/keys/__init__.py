"""Credentials at rest: who may use which key, and the only place that opens one."""
