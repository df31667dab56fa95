"""Why an action did not happen.

Refused
├── NoKey      no usable key for a lane's model
└── OverLimit  a key that may not be used for that, or not so much
"""


class Refused(Exception):
    """The action cannot be done. ``sentence`` is for the person, ``field`` the form field it belongs beside."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class NoKey(Refused):
    """This model needs a key and the person has none that fits."""


class OverLimit(Refused):
    """What lets the person use a key does not reach so far; they can ask for more."""
