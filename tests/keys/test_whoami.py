"""Every shape that the Hub, or whoever stands there, can answer with gives words and never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.catalogue.models import Endpoint
from chat.keys.check import Outcome, report_on
from chat.keys.whoami import read_whoami
from tests.keys.hub import fine_grained, whoami

ROUTER = Endpoint(kind=Endpoint.Kind.ROUTER, base_url="https://router.huggingface.co/v1")
DEDICATED = Endpoint(kind=Endpoint.Kind.INFERENCE_ENDPOINT, base_url="https://x.endpoints.huggingface.cloud")
PROVIDERS, INFER, MANAGE = "inference.serverless.write", "inference.endpoints.infer.write", "inference.endpoints.write"
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                [
                    "auth",
                    "accessToken",
                    "role",
                    "orgs",
                    "name",
                    "fineGrained",
                    "scoped",
                    "global",
                    "entity",
                    "permissions",
                ]
            )
            | st.text(),
            inner,
        )
    ),
)


@pytest.mark.parametrize(
    ("answer", "outcome", "sentence"),
    [
        (whoami(role="read"), Outcome.WORKS, "Belongs to anna. May call Inference Providers and Inference Endpoints."),
        (whoami(role="write"), Outcome.WORKS, "Belongs to anna. May call Inference Providers and Inference Endpoints."),
        (
            fine_grained(PROVIDERS),
            Outcome.WORKS,
            "Belongs to anna. May call Inference Providers, but not Inference Endpoints.",
        ),
        (
            fine_grained(INFER),
            Outcome.LACKS_RIGHTS,
            "Belongs to anna. May call Inference Endpoints, but not Inference Providers.",
        ),
        (
            fine_grained(),
            Outcome.LACKS_RIGHTS,
            "Belongs to anna. May not call Inference Providers or Inference Endpoints.",
        ),
        (
            fine_grained(orgs={"lab": [PROVIDERS]}),
            Outcome.WORKS,
            "Belongs to anna. May call Inference Providers (paid by lab), but not Inference Endpoints.",
        ),
        (
            whoami(role="app"),
            Outcome.ACCEPTED,
            "Belongs to anna. What it may call cannot be told for this kind of token.",
        ),
        (
            (200, {}),
            Outcome.ACCEPTED,
            "Hugging Face accepts it. What it may call cannot be told for this kind of token.",
        ),
    ],
)
def test_the_router_needs_the_right_to_call_providers(
    answer: tuple[int, object], outcome: Outcome, sentence: str
) -> None:
    report = report_on(read_whoami(answer[1]), ROUTER)

    assert (report.outcome, report.sentence) == (outcome, sentence)


@pytest.mark.parametrize(
    ("rights", "outcome"),
    [((INFER,), Outcome.WORKS), ((MANAGE,), Outcome.WORKS), ((PROVIDERS,), Outcome.LACKS_RIGHTS)],
)
def test_a_dedicated_endpoint_needs_the_right_to_call_endpoints(rights: tuple[str, ...], outcome: Outcome) -> None:
    report = report_on(read_whoami(fine_grained(*rights)[1]), DEDICATED)

    assert report.outcome is outcome


def test_a_right_for_everything_counts() -> None:
    _, body = fine_grained()
    body["auth"]["accessToken"]["fineGrained"]["global"] = [PROVIDERS]

    assert report_on(read_whoami(body), ROUTER).passed


def test_an_organisation_that_alone_has_the_right_must_pay() -> None:
    only_lab = report_on(read_whoami(fine_grained(orgs={"lab": [PROVIDERS]})[1]), ROUTER)
    both = report_on(read_whoami(fine_grained(PROVIDERS, orgs={"lab": [PROVIDERS]})[1]), ROUTER)

    assert (only_lab.bill_to, both.bill_to) == ("lab", "")
    assert both.organisations == ("lab",)


@given(ANY_JSON)
def test_any_answer_gives_a_sentence(body: object) -> None:
    report = report_on(read_whoami(body), ROUTER)

    assert report.sentence.endswith(".")
    assert all(0 < len(name) <= 100 for name in report.organisations)
