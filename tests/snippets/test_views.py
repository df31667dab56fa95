"""The drawer with a call as code: of one's own chats only, with the settings of now or as an answer was asked."""

import html
import re
from uuid import uuid4

import pytest
from django.test import Client

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import actions
from chat.conversations.models import Conversation, Message
from chat.snippets.clients import CLIENTS
from chat.snippets.clients import Client as SnippetClient
from tests.conversations.conftest import lanes_of
from tests.factories import make_conversation, make_endpoint, make_local_endpoint, make_personal_key, make_user


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def endpoint(alice: User) -> Endpoint:
    endpoint = make_endpoint("fake", kind=Endpoint.Kind.OPENAI, base_url="https://models.example.org/v1")
    make_personal_key(alice, endpoint, secret="sk-of-alice-ab12")
    return endpoint


@pytest.fixture
def chat(alice: User, endpoint: Endpoint) -> Conversation:
    return make_conversation(alice, "org/model", endpoint=endpoint)


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def code(page: Client, address: str, **asked: str) -> str:
    """The program in the drawer, as it would be copied."""
    whole = page.get(address, asked).content.decode()
    [program] = re.findall(r"<code[^>]*>(.*?)</code></pre>", whole, re.DOTALL)[-1:]
    return html.unescape(re.sub(r"<[^>]+>", "", program))


def code_of(page: Client, chat: Conversation, **asked: str) -> str:
    return code(page, f"/lanes/{lanes_of(chat)[0].pk}/code/", **asked)


def ask(chat: Conversation, text: str) -> Message:
    actions.send_message(chat.owner, chat, text, [lane.pk for lane in lanes_of(chat)], uuid4().hex)
    return Message.objects.filter(role=Message.Role.ASSISTANT).latest("pk")


def test_code_asks_the_last_question_with_the_settings_of_now(page: Client, chat: Conversation) -> None:
    ask(chat, "First?")
    lane = lanes_of(chat)[0]
    lane.parameters, lane.system_prompt = {"temperature": 0}, "Be terse."
    lane.save()

    program = code_of(page, chat, client="openai")

    assert '{"role": "system", "content": "Be terse."}' in program
    assert '{"role": "user", "content": "First?"}' in program
    assert "temperature=0," in program
    assert "https://models.example.org/v1" in program


def test_code_before_the_first_question_asks_what_is_typed(page: Client, chat: Conversation) -> None:
    chat.composer_text = "Half a thought"
    chat.save()

    assert "Half a thought" in code_of(page, chat)


def test_code_of_an_answer_is_what_was_sent_whatever_changed_since(page: Client, chat: Conversation) -> None:
    answer = ask(chat, "First?")
    lane = lanes_of(chat)[0]
    lane.parameters, lane.model_id = {"temperature": 1.5}, "org/other"
    lane.save()

    program = code(page, f"/messages/{answer.pk}/code/", client="curl")

    assert '"model": "org/model"' in program
    assert "temperature" not in program


def test_answer_can_be_asked_for_at_once(page: Client, chat: Conversation) -> None:
    assert "stream=True" in code_of(page, chat)
    assert "stream=False" in code_of(page, chat, stream="off")


def test_provider_can_be_another_than_the_chats(page: Client, alice: User) -> None:
    chat = make_conversation(alice, "org/model", endpoint=make_endpoint())

    assert '"org/model:cheapest"' in code_of(page, chat, provider="cheapest")
    assert '"org/model"' in code_of(page, chat, provider="nobody-we-know")


def test_code_of_the_local_model_keeps_its_address_to_itself(page: Client, alice: User) -> None:
    chat = make_conversation(alice, "SmolLM2", endpoint=make_local_endpoint())

    program = code_of(page, chat, client="curl")

    assert "http://127.0.0.1:8080/v1/chat/completions" in program
    assert "Authorization" not in program


def test_key_is_in_no_program(page: Client, chat: Conversation) -> None:
    answer = ask(chat, "First?")
    for client in CLIENTS:
        for address in (f"/lanes/{lanes_of(chat)[0].pk}/code/", f"/messages/{answer.pk}/code/"):
            program = code(page, address, client=client.slug)
            assert "API_KEY" in program
            assert "sk-of-alice" not in program


@pytest.mark.parametrize("library", CLIENTS, ids=lambda library: library.slug)
def test_markup_in_a_chat_is_text_in_its_code(page: Client, chat: Conversation, library: SnippetClient) -> None:
    markup = "</code></pre><img src=x onerror=alert(1)><script>alert(1)</script>"
    ask(chat, markup)

    whole = page.get(f"/lanes/{lanes_of(chat)[0].pk}/code/", {"client": library.slug}).content.decode()

    assert "<img" not in whole
    assert "alert(1)</script>" not in whole
    assert "onerror=alert(1)" in html.unescape(re.sub(r"<[^>]+>", "", whole))


def test_code_of_others_is_not_there(client: Client, chat: Conversation) -> None:
    answer = ask(chat, "First?")
    client.force_login(make_user("charlie"))

    assert client.get(f"/lanes/{lanes_of(chat)[0].pk}/code/").status_code == 404
    assert client.get(f"/messages/{answer.pk}/code/").status_code == 404


def test_model_that_is_switched_off_says_so(page: Client, chat: Conversation, endpoint: Endpoint) -> None:
    endpoint.enabled = False
    endpoint.save()

    assert "is not available any more" in page.get(f"/lanes/{lanes_of(chat)[0].pk}/code/").content.decode()


@pytest.mark.parametrize("asked", [{"client": "nonsense"}, {"stream": "perhaps"}, {"provider": "\x00"}])
def test_nonsense_counts_as_not_asked(page: Client, chat: Conversation, asked: dict[str, str]) -> None:
    assert "huggingface_hub" in code_of(page, chat, **asked)
