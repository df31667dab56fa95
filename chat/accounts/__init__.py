"""People: the custom user, one-time links, invitations, and the sockets that end with a session."""
