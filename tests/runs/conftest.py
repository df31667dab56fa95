"""The engine's tests use the chats and the engine of the conversations' tests."""

from tests.conversations.conftest import alice, chat, comparison, endpoint, engine, fake_provider, settled

__all__ = ["alice", "chat", "comparison", "endpoint", "engine", "fake_provider", "settled"]
