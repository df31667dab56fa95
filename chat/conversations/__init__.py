"""Chats: conversations, their lanes, turns and message trees, and what a person can do with them."""
