"""The partials about use, in every state, for ``/patterns/``."""

from datetime import date

from chat.pattern import Pattern
from chat.usage.chart import chart
from chat.usage.reports import Line
from chat.usage.spans import days_of
from chat.usage.waits import Percentiles

BEGINS, ENDS = date(2026, 10, 1), date(2026, 11, 1)
WAITS = Percentiles(0.31, 2.4)
# As usual, with estimates in it, and failed or without a known price.
LINES = [
    Line(214, tokens_in=81_000, tokens_out=40_200, nanodollars=412_000_000, model_id="org/usual", waits=WAITS),
    Line(12, estimated=3, tokens_in=900, tokens_out=4_100, nanodollars=2_000_000, model_id="org/silent", waits=WAITS),
    Line(9, failures=2, unpriced=7, tokens_in=700, tokens_out=300, model_id="org/unpriced"),
]
MODELS = ("Llama-3.1-8B-Instruct", "DeepSeek-R1", "gpt-oss-120b")


def usage_patterns() -> list[Pattern]:
    uses = [
        (BEGINS.replace(day=day), MODELS[day % 3], Line(requests=day, nanodollars=day * 9_000_000, tokens_in=day * 900))
        for day in range(2, 29)
    ]
    drawn = {
        "money": chart(uses, days_of(BEGINS, ENDS)),
        "tokens": chart([(BEGINS, "SmolLM2", Line(requests=1, tokens_in=900))], days_of(BEGINS, ENDS)),
    }
    return [
        *(
            Pattern(f"Use by day: {name}", "chat/usage/_chart.html", {"chart": found, "title": "October 2026"})
            for name, found in drawn.items()
        ),
        Pattern("Use by model", "chat/usage/_table.html", {"lines": LINES, "first": "Model"}),
    ]
