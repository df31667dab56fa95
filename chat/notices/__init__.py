"""What administrators are told: a key that died, a budget nearly used up, a request for more."""
