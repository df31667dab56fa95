"""Proving who one is: second factors, and a fresh sign-in before what is delicate."""
