"""Passkeys with a device that Chromium plays: made, signed in with alone, asked for after a password and once more."""

import itertools
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import IN_BROWSER, Complaints
from tests.e2e.conftest import PATIENCE
from tests.factories import PASSWORD
from tests.playground_process import PlaygroundProcess

pytestmark = IN_BROWSER
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
AGE = """
from django.contrib.sessions.models import Session
from chat.accounts.fresh import SIGNED_IN_AT
for row in Session.objects.all():
    values = row.get_decoded()
    if values.get("_auth_user_id") == str({pk}):
        values[SIGNED_IN_AT] -= 1000
        row.session_data = Session.objects.encode(values)
        row.save()
"""
numbers = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, served: PlaygroundProcess) -> AsyncIterator[Page]:
    """A browser with a device, at a name: an address of numbers has no passkeys."""
    address = served.url.replace("127.0.0.1", "localhost")
    context = await browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    complaints = Complaints(address)
    complaints.listen(context)
    page = await context.new_page()
    device = await context.new_cdp_session(page)
    await device.send("WebAuthn.enable")
    await device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield page
    await context.close()
    assert complaints.unexpected == []


def make_person(served: PlaygroundProcess, kind: str = "user") -> tuple[str, int]:
    name = f"passkeys{next(numbers)}"
    program = f"from tests.factories import make_{kind} as make; print(make({name!r}).pk)"
    return name, int(served.run(program))


async def sign_in(page: Page, name: str) -> None:
    await page.goto("/accounts/login/")
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def sign_out(page: Page) -> None:
    await page.goto("/accounts/logout/")
    await page.get_by_role("main").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def add_passkey(page: Page, *, alone: bool) -> None:
    """From the settings, as a person would."""
    await page.goto("/settings/")
    await page.get_by_role("link", name="Second factors").click()
    await page.get_by_role("link", name="Add a passkey").click()
    await page.get_by_label("Name").fill("Phone")
    await page.get_by_label("Sign in with it alone").set_checked(alone)
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


async def test_a_passkey_signs_in_alone(page: Page, served: PlaygroundProcess) -> None:
    name, _ = make_person(served)
    await sign_in(page, name)
    await add_passkey(page, alone=True)
    await sign_out(page)

    await page.get_by_role("button", name="Sign in with a passkey").click()

    await expect(page.get_by_role("button", name=name)).to_be_visible()
    await page.goto("/accounts/2fa/webauthn/")
    await expect(page.get_by_role("main")).to_contain_text("Signs you in alone.")
    await expect(page.get_by_role("main")).to_contain_text("last used")


async def test_a_passkey_is_asked_for_after_the_password(page: Page, served: PlaygroundProcess) -> None:
    name, _ = make_person(served)
    await sign_in(page, name)
    await add_passkey(page, alone=False)
    await sign_out(page)

    await sign_in(page, name)
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await page.goto("/")
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await page.get_by_role("button", name="Use a passkey").click()

    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()


async def test_a_device_that_does_not_know_the_person_is_refused_in_words(
    page: Page, served: PlaygroundProcess
) -> None:
    await page.goto("/accounts/login/")

    await page.get_by_role("button", name="Sign in with a passkey").click()

    await expect(page.get_by_role("alert")).to_contain_text("The device did not confirm.")


async def test_an_administrator_goes_on_with_a_passkey(page: Page, served: PlaygroundProcess) -> None:
    name, pk = make_person(served, "administrator")
    await sign_in(page, name)
    await add_passkey(page, alone=True)
    await page.goto("/admin/chat/invitation/add/")
    await page.get_by_label("Label").fill("For Dora")
    served.run(AGE.format(pk=pk))

    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("link", name="Use a security key").click()
    await page.get_by_role("button", name="Use a passkey").click()

    await expect(page.get_by_text("/join/")).to_be_visible()
    await expect(page.get_by_role("link", name="For Dora").first).to_be_visible()
