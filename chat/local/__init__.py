"""The embedded model: weights on this machine behind a server of their own, in a child process.

``python -m chat.local`` is the child (it loads no Django); ``supervisor`` keeps it alive and says how it is doing;
``weights`` finds the file. Nothing here knows of runs or pages: they ask
``supervisor.ready`` and ``supervisor.status``.
"""
