"""The picker's fragments and the page of models over HTTP: who may, what they show, and that names stay text."""

import pytest
from django.test import Client
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.actions import record_sync_error, remember_choice
from chat.catalogue.models import Endpoint, ModelChoice
from chat.picker.listing import TINY, clock
from chat.picker.recommended import RECOMMENDED
from tests.catalogue.lists import LLAMA, QWEN, SMOL, answer, fill, fill_local, model, provider
from tests.factories import make_endpoint, make_local_endpoint, make_personal_key, make_user

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PAGES = ["/models/", "/models/picker/", "/models/picker/more/", "/models/offers/?model=hf@a/b", "/models/refresh/"]
HOSTILE = "org/<img/src=x>"


@pytest.fixture
def alice() -> User:
    return make_user()


@pytest.fixture
def router() -> Endpoint:
    return fill(make_endpoint("hf"))


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def picker(browser: Client, query: str = "") -> str:
    return browser.get(f"/models/picker/?{query}", headers=HTMX).text


@pytest.mark.parametrize("url", PAGES)
def test_stranger_is_sent_to_sign_in(client: Client, url: str) -> None:
    response = client.get(url)

    assert (response.status_code, response.headers["Location"].startswith("/accounts/login/")) == (302, True)


@pytest.mark.parametrize("url", PAGES[:4])
def test_lists_are_only_read(browser: Client, router: Endpoint, url: str) -> None:
    assert browser.post(url).status_code == 405


def test_picker_without_htmx_is_the_page_of_models(browser: Client) -> None:
    assert browser.get("/models/picker/?q=a&filter=tools").headers["Location"] == "/models/?q=a&filter=tools"


def test_picker_has_sections_in_order(browser: Client, router: Endpoint, alice: User) -> None:
    fill_local(make_local_endpoint())
    remember_choice(alice, ModelChoice(router.pk, QWEN, "novita"))

    html = picker(browser)

    assert html.index(">Yours<") < html.index(">On this machine<") < html.index(">All<")
    assert TINY in html and f'value="local@{SMOL}"' in html and f'value="hf@{QWEN}:novita"' in html


def test_models_to_begin_with_have_a_reason_each(browser: Client, router: Endpoint) -> None:
    html = picker(browser)

    assert html.index(">Recommended<") < html.index(RECOMMENDED[LLAMA]) < html.index(">All<")
    assert "DeepSeek-R1" not in html


def test_models_that_were_used_are_recommended_no_more(browser: Client, router: Endpoint, alice: User) -> None:
    remember_choice(alice, ModelChoice(router.pk, LLAMA, "novita"))

    assert ">Recommended<" not in picker(browser)


def test_nothing_is_recommended_to_somebody_who_looks_for_something(browser: Client, router: Endpoint) -> None:
    assert ">Recommended<" not in picker(browser, "q=llama")


def test_recent_choices_of_others_are_not_shown(browser: Client, router: Endpoint) -> None:
    remember_choice(make_user("bob"), ModelChoice(router.pk, "bobs/own-model"))

    assert "own-model" not in picker(browser)


def test_model_without_a_key_is_greyed_and_not_hidden(browser: Client, router: Endpoint) -> None:
    html = picker(browser)

    assert f'value="hf@{LLAMA}"' in html and "data-needs-key" in html and "needs a key" in html


def test_model_with_a_key_is_not_greyed(browser: Client, router: Endpoint, alice: User) -> None:
    make_personal_key(alice, router)

    assert "needs a key" not in picker(browser)


def test_key_of_somebody_else_does_not_count(browser: Client, router: Endpoint) -> None:
    make_personal_key(make_user("bob"), router)

    assert "needs a key" in picker(browser)


def test_nothing_found_offers_to_use_it_as_typed(browser: Client, router: Endpoint) -> None:
    html = picker(browser, "q=llma")

    assert "Nothing named ‘llma’" in html and "Use it as typed?" in html


def test_disabled_endpoint_is_not_listed(browser: Client, router: Endpoint) -> None:
    Endpoint.objects.update(enabled=False)

    assert LLAMA not in picker(browser)


def test_markup_in_names_stays_text(browser: Client, alice: User) -> None:
    router = fill(make_endpoint("hf", label="<b>hub</b>"), answer(model(HOSTILE, provider("a"))))
    remember_choice(alice, ModelChoice(router.pk, HOSTILE))
    record_sync_error(router, "<script>alert(1)</script>")

    pages = [
        picker(browser),
        picker(browser, "q=%3Cimg/src%3Dx%3E"),
        picker(browser, "q=%3Cscript%3E"),
        browser.get("/models/", {"q": "<img/src=x>"}).text,
        browser.get("/models/offers/", {"model": f"hf@{HOSTILE}"}, headers=HTMX).text,
    ]

    assert not any(tag in page for page in pages for tag in ("<img", "<script>", "<b>hub"))


def test_providers_of_a_model_are_listed_fastest_first(browser: Client, router: Endpoint) -> None:
    html = browser.get("/models/offers/", {"model": f"hf@{LLAMA}"}, headers=HTMX).text

    assert html.index(">cerebras") < html.index(">together") and f'value="hf@{LLAMA}:cerebras"' in html
    assert (
        f'value="hf@{LLAMA}:fastest"' in html and "2,000 tok/s" in html and "$0.10 / $0.10" in html and "free" in html
    )


def test_provider_that_fails_is_listed_last_and_said_to_fail(browser: Client, router: Endpoint) -> None:
    fill(router, answer(model(LLAMA, provider("broken", throughput=9000.0, status="error"), provider("working"))))

    html = browser.get("/models/offers/", {"model": f"hf@{LLAMA}"}, headers=HTMX).text

    assert html.index(">working") < html.index(">broken") < html.index(">failing<")


@pytest.mark.parametrize("typed", ["", "llma", "nowhere@a/b", "https://else.example/"])
def test_providers_of_what_names_no_model_are_not_found(browser: Client, router: Endpoint, typed: str) -> None:
    assert browser.get("/models/offers/", {"model": typed}, headers=HTMX).status_code == 404


def test_later_rows_come_when_one_scrolls(browser: Client, router: Endpoint) -> None:
    fill(router, answer(*(model(f"org/model-{number:03}", provider("a")) for number in range(70))))

    first = picker(browser, "sort=name")
    second = browser.get("/models/picker/more/?sort=name&page=1", headers=HTMX).text

    assert "/models/picker/more/?sort=name&amp;page=1" in first and "model-059" in first and "model-060" not in first
    assert "model-060" in second and "model-059" not in second and "More models" not in second


def test_list_takes_the_same_few_queries_however_long_it_is(
    browser: Client, router: Endpoint, django_assert_max_num_queries: object
) -> None:
    names = [f"provider-{number}" for number in range(5)]
    fill(router, answer(*(model(f"org/model-{number}", *map(provider, names)) for number in range(300))))

    with django_assert_max_num_queries(9):  # type: ignore[operator]
        picker(browser, "q=model")


def test_list_says_how_old_it_is(browser: Client, router: Endpoint) -> None:
    assert f"List as of {timezone.localtime(router.synced_at):%H:%M}" in picker(browser)


def test_list_that_could_not_be_read_says_so_with_its_date(browser: Client, router: Endpoint) -> None:
    record_sync_error(router, "Nothing answers.")

    words = f"Could not reach Hugging Face; this list is from {timezone.localtime(router.synced_at):%H:%M}."
    assert words in picker(browser)


def test_list_of_another_day_says_which() -> None:
    assert clock(timezone.now().replace(year=2024, month=3, day=5, hour=12)).startswith("5 Mar, ")


def test_refresh_waits_for_nothing(browser: Client, router: Endpoint) -> None:
    response = browser.post("/models/refresh/", headers=HTMX)

    assert response.status_code == 200 and "List as of" in response.text


def test_refresh_is_asked_about_until_the_list_has_come(browser: Client, router: Endpoint) -> None:
    assert router.synced_at is not None
    query = {"since": router.synced_at.isoformat(), "left": "3"}
    waiting = browser.get("/models/refresh/", query, headers=HTMX)
    fill(router)
    done = browser.get("/models/refresh/", query, headers=HTMX)

    assert "left=2" in waiting.text and "HX-Trigger" not in waiting.headers
    assert "left=" not in done.text and done.headers["HX-Trigger"]


def test_refresh_is_not_asked_about_for_ever(browser: Client, router: Endpoint) -> None:
    assert router.synced_at is not None
    query = {"since": router.synced_at.isoformat(), "left": "0"}

    assert "left=" not in browser.get("/models/refresh/", query, headers=HTMX).text


def test_refresh_without_htmx_leads_to_the_page(browser: Client) -> None:
    assert browser.post("/models/refresh/").headers["Location"] == "/models/"


def test_page_of_models_lists_all_with_links_to_chat(browser: Client, router: Endpoint) -> None:
    fill_local(make_local_endpoint())

    html = browser.get("/models/").text

    assert "/?model=hf%40meta-llama%2FLlama-3.1-8B-Instruct" in html and f"https://huggingface.co/{QWEN}" in html
    assert "SmolLM2-135M-Instruct" in html and "List as of" in html


def test_page_of_models_is_filtered_without_script(browser: Client, router: Endpoint) -> None:
    html = browser.get("/models/?filter=vision&provider=novita").text

    assert QWEN in html and LLAMA not in html
    assert 'value="vision" checked' in html and '<option value="novita" selected>' in html


def test_page_of_models_has_pages(browser: Client, router: Endpoint) -> None:
    fill(router, answer(*(model(f"org/model-{number:03}", provider("a")) for number in range(130))))

    first, second = browser.get("/models/?sort=name").text, browser.get("/models/?sort=name&page=1").text

    assert "/models/?sort=name&amp;page=1" in first and "model-100" not in first
    assert "model-100" in second and 'href="/models/?sort=name"' in second
