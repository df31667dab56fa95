"""Where a page finds the draft that it shows, whichever process writes it."""

from chat.runs import supervisor
from chat.runs.draft import Draft


def draft_of(run_id: int) -> Draft | None:
    """The live draft of a run, or None where there is none to be read now; ``RunStarted`` tells when one comes."""
    return supervisor.draft_of(run_id)
