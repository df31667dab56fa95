"""Full-text search over a person's own chats: ``hits`` answers, ``index`` is kept, ``words`` are typed."""
