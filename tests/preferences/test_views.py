"""The settings page and the theme switch: everybody's own, whole or not at all."""

from typing import Any

import pytest
from django.test import Client

from chat.accounts.models import User
from chat.catalogue.choices import default_choice
from chat.catalogue.models import Endpoint, ModelChoice
from tests.catalogue.lists import LLAMA, SMOL, fill, fill_local
from tests.factories import make_endpoint, make_local_endpoint, make_user

pytestmark = pytest.mark.django_db
FILLED = {
    "default_model": f"{LLAMA}:cerebras",
    "default_system_prompt": "  You are terse.\r\nVery.",
    "theme": "dark",
    "enter_sends": "no",
    "temperature": "0",
    "stop": "END",
}


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


def stored(user: User) -> dict[str, Any]:
    names = ("default_model", "default_system_prompt", "theme", "enter_sends", "default_parameters")
    fresh = User.objects.get(pk=user.pk)
    return {name: getattr(fresh, name) for name in names}


@pytest.mark.parametrize(
    ("method", "url"), [("get", "/settings/"), ("post", "/settings/"), ("post", "/settings/theme/")]
)
def test_stranger_is_sent_to_sign_in(client: Client, method: str, url: str) -> None:
    response = getattr(client, method)(url)

    assert (response.status_code, response.headers["Location"].startswith("/accounts/login/")) == (302, True)


def test_settings_are_saved_and_shown_again(browser: Client, alice: User, router: Endpoint) -> None:
    response = browser.post("/settings/", FILLED)

    assert response.headers["Location"] == "/settings/"
    assert stored(alice) == {
        "default_model": f"{LLAMA}:cerebras",
        "default_system_prompt": "  You are terse.\nVery.",
        "theme": "dark",
        "enter_sends": False,
        "default_parameters": {"temperature": 0.0, "stop": ["END"]},
    }
    html = browser.get("/settings/").text
    assert f'value="{LLAMA}:cerebras"' in html and "You are terse." in html and "Saved." in html
    assert 'name="temperature" value="0"' in html and ">END</textarea>" in html


def test_new_chat_starts_with_the_default(browser: Client, alice: User, router: Endpoint) -> None:
    browser.post("/settings/", FILLED)

    fresh = User.objects.get(pk=alice.pk)
    assert default_choice(fresh, has_key=False) == ModelChoice(router.pk, LLAMA, "cerebras")


def test_settings_of_others_stay_as_they_are(browser: Client, router: Endpoint) -> None:
    bob = make_user("bob")
    before = stored(bob)

    browser.post("/settings/", FILLED)

    assert stored(bob) == before


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"default_model": "llma"}, "Nothing is named &#x27;llma&#x27;. To use it all the same, write hf@llma."),
        ({"default_model": "nowhere@a/b"}, "No endpoint is called"),
        ({"default_model": "two words"}, "one word"),
        ({"default_model": "hf_abcdefghijklmnopqrstuvwxyz012345"}, "This is a token"),
        ({"temperature": "9"}, "Temperature must be between 0 and 2."),
        ({"extra_body": '{"a"'}, "Extra body fields"),
        ({"theme": "pink"}, "pink is not one of the available choices"),
        ({"enter_sends": ""}, "This field is required"),
        ({"default_system_prompt": "x" * 200_001}, "at most 200000 characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    browser: Client, alice: User, router: Endpoint, wrong: dict[str, str], words: str
) -> None:
    before = stored(alice)

    response = browser.post("/settings/", FILLED | wrong)

    assert response.status_code == 422
    assert words in response.text and "You are terse." in response.text or "x" * 999 in response.text
    assert stored(alice) == before


def test_all_that_is_wrong_is_said_at_once_with_what_was_typed(browser: Client, router: Endpoint) -> None:
    html = browser.post("/settings/", FILLED | {"default_model": "llma", "temperature": "hot"}).text

    assert 'value="llma"' in html and 'value="hot"' in html
    assert "Nothing is named" in html and "must be a number" in html


def test_model_is_stored_so_that_it_means_the_same_later(browser: Client, alice: User, router: Endpoint) -> None:
    fill_local(make_local_endpoint())

    browser.post("/settings/", FILLED | {"default_model": SMOL})

    assert stored(alice)["default_model"] == f"local@{SMOL}"


@pytest.mark.parametrize("theme", ["", "light", "dark"])
def test_theme_is_switched_alone(browser: Client, alice: User, theme: str) -> None:
    before = stored(alice)

    response = browser.post("/settings/theme/", {"theme": theme}, headers={"HX-Request": "true"})

    assert response.status_code == 204
    assert stored(alice) == before | {"theme": theme}


def test_unknown_theme_is_refused(browser: Client, alice: User) -> None:
    assert browser.post("/settings/theme/", {"theme": "pink"}).status_code == 400
    assert stored(alice)["theme"] == ""


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/c/1/", "http://testserver/c/1/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_without_htmx_one_comes_back_to_ones_own_page_only(browser: Client, referer: str, back: str) -> None:
    response = browser.post("/settings/theme/", {"theme": "dark"}, headers={"Referer": referer})

    assert response.headers["Location"] == back


def test_theme_is_not_switched_by_a_link(browser: Client) -> None:
    assert browser.get("/settings/theme/?theme=dark").status_code == 405
