"""The serving process: what happens before it listens, while it does, and when it is told to end.

``preparation`` brings data directory and database in order, ``server`` is daphne with an orderly end,
``background`` holds the tasks that live as long as the process. ``manage.py serve`` is the only caller.
"""
