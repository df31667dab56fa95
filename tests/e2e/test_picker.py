"""The model picker: found by name, chosen by hand or by keyboard, and a missing key pasted on the spot."""

from collections.abc import Callable, Iterator

import pytest
from playwright.async_api import expect

from tests.e2e.browser import IN_BROWSER, Complaints, Provider
from tests.e2e.chat_page import ChatPage
from tests.e2e.conftest import Person

pytestmark = IN_BROWSER


async def test_typed_id_and_enter_pick_exactly_that(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("plain")
    await chat.begin("fake/echo")
    await chat.open_picker()

    await chat.search_box.fill(model)
    await chat.search_box.press("Enter")

    await expect(chat.picker).to_be_hidden()
    await expect(chat.lane(0)).to_have_accessible_name("plain")
    await chat.ask("Hello.")
    await chat.ended()
    assert len(await provider.bodies(model)) == 1


async def test_search_finds_by_part_of_a_name(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.open_picker()

    await chat.search_box.press_sequentially("gemma")

    await expect(chat.picker.get_by_role("button", name="Llama-3.1-8B-Instruct")).to_have_count(0)
    await chat.picker.get_by_role("button", name="gemma-3-27b-it").click()
    await expect(chat.lane(0)).to_have_accessible_name("gemma-3-27b-it")


async def test_arrow_keys_walk_the_list_and_enter_picks(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.open_picker()
    await chat.search_box.press_sequentially("deepseek")
    row = chat.picker.get_by_role("button", name="DeepSeek-R1")
    await expect(chat.picker.get_by_role("button", name="gemma-3-27b-it")).to_have_count(0)
    await expect(row).to_be_visible()

    await chat.search_box.press("ArrowDown")
    await expect(row).to_be_focused()
    await chat.page.keyboard.press("Enter")

    await expect(chat.lane(0)).to_have_accessible_name("DeepSeek-R1")


async def test_provider_is_chosen_from_those_of_a_model(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.open_picker()
    await chat.search_box.press_sequentially("llama")
    row = chat.picker.get_by_role("button", name="Llama-3.1-8B-Instruct")
    await expect(chat.picker.get_by_role("button", name="gemma-3-27b-it")).to_have_count(0)

    await row.focus()
    await chat.page.keyboard.press("ArrowRight")
    await chat.picker.get_by_role("button", name="novita").click()

    await expect(chat.lane(0)).to_have_accessible_name("Llama-3.1-8B-Instruct")
    await expect(chat.lane(0).get_by_text("novita")).to_be_visible()


async def test_unknown_name_can_be_used_as_typed(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.open_picker()

    await chat.search_box.press_sequentially("llma")
    await expect(chat.picker).to_contain_text("Nothing named ‘llma’")
    await chat.picker.get_by_role("button", name="Use it as typed?").click()

    await expect(chat.lane(0)).to_have_accessible_name("llma")


async def test_what_cannot_be_a_model_is_said_in_the_picker(chat: ChatPage, complaints: Complaints) -> None:
    complaints.allow(r"422")
    await chat.begin("fake/plain")
    await chat.open_picker()

    await chat.search_box.fill("hf_abcdefghijklmnopqrstuvwxyz012345")
    await chat.search_box.press("Enter")

    await expect(chat.picker.get_by_role("alert")).to_have_text(
        "This is a token, not a model. Add it under Keys instead."
    )
    await expect(chat.picker).to_be_visible()
    await expect(chat.lane(0)).to_have_accessible_name("plain")


async def test_filter_narrows_the_list(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.open_picker()
    await expect(chat.picker.get_by_role("button", name="Qwen3-32B")).to_be_visible()

    await chat.picker.get_by_text("Vision", exact=True).click()

    await expect(chat.picker.get_by_role("button", name="Qwen3-32B")).to_have_count(0)
    await expect(chat.picker.get_by_role("button", name="gemma-3-27b-it")).to_be_visible()


async def test_escape_closes_and_changes_nothing(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.open_picker()

    await chat.page.keyboard.press("Escape")

    await expect(chat.picker).to_be_hidden()
    await expect(chat.lane(0)).to_have_accessible_name("plain")
    await expect(chat.lane(0).get_by_role("button", name="Change model")).to_be_focused()


class TestWithoutAKey:
    """Somebody whom nobody has granted a key."""

    @pytest.fixture
    def person(self, keyless: Iterator[Person]) -> Person:
        return next(keyless)

    async def test_sending_says_what_is_missing_and_keeps_the_prompt(
        self, chat: ChatPage, complaints: Complaints
    ) -> None:
        await chat.begin("meta-llama/Llama-3.1-8B-Instruct")

        await chat.box.fill("Tell me about the sea.")
        await chat.box.press("Enter")

        await expect(chat.page.get_by_text("This model needs a Hugging Face token.")).to_be_visible()
        await expect(chat.box).to_have_value("Tell me about the sea.")

    async def test_pasted_key_unlocks_the_models(self, chat: ChatPage) -> None:
        await chat.begin("meta-llama/Llama-3.1-8B-Instruct")
        await chat.open_picker()
        await expect(chat.picker.get_by_text("needs a key").first).to_be_visible()

        await chat.picker.get_by_label("Some models need a Hugging Face token.").fill("hf_good_of_my_own_xy89")
        await chat.picker.get_by_role("button", name="Check").click()

        await expect(chat.picker.get_by_text("Saved as …xy89")).to_be_visible()
        await expect(chat.picker.get_by_text("needs a key")).to_have_count(0)
        await chat.picker.get_by_role("button", name="Llama-3.1-8B-Instruct").first.click()
        await expect(chat.page.get_by_role("combobox", name="Key that pays")).to_contain_text("xy89")
        await chat.ask("Hello.")
        await chat.ended()

    async def test_wrong_key_is_refused_in_words_and_not_kept(self, chat: ChatPage, complaints: Complaints) -> None:
        complaints.allow(r"422")
        await chat.begin("meta-llama/Llama-3.1-8B-Instruct")
        await chat.open_picker()

        await chat.picker.get_by_label("Some models need a Hugging Face token.").fill("hf_bad_token_zz00")
        await chat.picker.get_by_role("button", name="Check").click()

        await expect(chat.picker.get_by_role("alert")).to_be_visible()
        await expect(chat.picker.get_by_text("needs a key").first).to_be_visible()
        assert "hf_bad" not in await chat.page.content()


async def test_double_click_on_add_model_leaves_the_picker_open(chat: ChatPage) -> None:
    await chat.begin("fake/plain")

    await chat.page.get_by_role("button", name="Add model").dblclick()

    await expect(chat.search_box).to_be_focused()
    await chat.page.mouse.click(5, 5)
    await expect(chat.picker).to_be_hidden()
