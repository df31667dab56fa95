"""Why an action did not happen.

Refused
└── NoKey   no usable key for a lane's model
"""


class Refused(Exception):
    """The action cannot be done. ``sentence`` is for the person, ``field`` the form field it belongs beside."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class NoKey(Refused):
    """This model needs a key and the person has none that fits."""
