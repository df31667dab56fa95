"""The playground. The path of a message, from a keystroke to the database and back to every page:

 1. ``templates/chat/conversations/_composer.html`` is a form. ``static/js/connection.js`` keeps the socket
    over which htmx sends it as JSON; without a socket it is posted (``chat/conversations/verb_views.py``),
    and pages ask for what is new.
 2. ``chat/request_ids.py`` names the request and ``chat/origin.py`` looks at the socket's page;
    ``chat/consumers.py`` asks on every frame whether the person may still be here, and hands it to
    ``chat/conversations/verbs.py``, where a Django form (``chat/conversations/forms.py``) validates it.
 3. ``chat/conversations/actions.py`` stores the turn and a message in each lane, in one transaction;
    ``chat/conversations/asking.py`` freezes the request of each lane, from its own tree alone
    (``chat/conversations/history.py``), with the key that pays (``chat/keys/choose.py``), into a queued run
    (``chat/runs/models.py``); ``chat/keys/quota.py`` reserves of every limit what it may take.
 4. After the commit ``chat/runs/supervisor.py`` starts a task that outlives the tab: ``chat/runs/worker.py``
    claims the run by a guarded update and opens the key (``chat/keys/vault.py``) as late as it can.
 5. ``chat/providers/payload.py`` built the request and shows it as it is sent; ``chat/providers/client.py``
    sends it and closes the connection however the answer ends.
 6. ``chat/providers/sse.py`` turns bytes into events and ``chat/providers/decoding.py`` these into the few
    dataclasses of ``chat/providers/events.py``, whoever answers.
 7. ``chat/runs/draft.py`` folds them into the answer in memory and wakes who watches.
    ``chat/markdown/stream.py`` makes safe HTML of it, block by block.
 8. ``chat/runs/journal.py`` writes the new text of all live runs every 300 ms. At the end
    ``chat/runs/outcome.py`` sums up, and ``chat/runs/actions.py`` stores text, figures and usage
    (``chat/usage/metering.py``) in one transaction. ``chat/runs/reaper.py`` does it for processes that died.
 9. ``chat/runs/broadcast.py`` tells who shows the chat that something happened, in other processes through
    ``chat/relay.py``. There ``chat/runs/watch.py`` keeps a copy of the draft, fed by its owner
    (``chat/runs/lending.py``).
10. Each page has a ``chat/pump.py``, which reads the draft through cursors
    (``chat/conversations/watching.py``) and sends what is new (``chat/conversations/frames.py``), at its own
    pace and no more than the page takes (``chat/flow.py``).

The database is the truth and a socket is a hint: all that is lost on the way, a reload shows.
"""
