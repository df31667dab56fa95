"""Where requests may go: which addresses are public, and that what is checked is what is connected to."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from chat.providers.client import close_client, get_json
from chat.providers.credential import Credential
from chat.providers.errors import ProviderError
from chat.providers.reach import ForbiddenAddress, PrivateAddress, Reach, forbid_address
from tests.fake_provider import FakeProvider
from tests.providers.conftest import collect, question

pytestmark = pytest.mark.usefixtures("closing_client")
PUBLIC = "93.184.215.14"
NEVER = (
    *("169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1"),
    *("fd00:ec2::254", "100.100.100.200", "168.63.129.16"),
    # The same, wrapped: mapped, compatible, translated, 6to4, NAT64, Teredo.
    *("::ffff:169.254.1.1", "::169.254.169.254", "::ffff:0:169.254.169.254", "2002:a9fe:a9fe::1"),
    *("64:ff9b::169.254.169.254", "64:ff9b:1::169.254.169.254", "2001:0:a9fe:a9fe::1"),
)
PRIVATE = (
    *("127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.0.1", "172.31.255.255", "192.168.1.2", "100.64.0.1", "0.1.2.3"),
    *("192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
    *("::1", "fd12::1", "fc00::1", "fec0::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1"),
    # What carries an IPv4 address, even a public one, goes where nobody can tell.
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "2002:7f00:1::1", "2002:808:808::1"),
    *("64:ff9b::8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2001:0:808:808::1"),
)


@pytest.mark.parametrize("reach", Reach)
@pytest.mark.parametrize("address", NEVER)
def test_addresses_where_clouds_keep_secrets_are_forbidden_to_all(address: str, reach: Reach) -> None:
    with pytest.raises(ForbiddenAddress, match="not an address of a model endpoint"):
        forbid_address(address, reach)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_for_those_who_may(address: str) -> None:
    with pytest.raises(PrivateAddress):
        forbid_address(address, Reach.PUBLIC)

    forbid_address(address, Reach.PRIVATE)


@pytest.mark.parametrize("address", ["8.8.8.8", PUBLIC, "2606:4700::6810:1", "2a00:1450:4001::200e"])
def test_public_addresses_are_for_all(address: str) -> None:
    for reach in Reach:
        forbid_address(address, reach)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "localhost",
            "localhost.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.1",
        ),
        *("[::1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[::ffff:7f00:1]"),
    ],
)
async def test_this_machine_is_not_reached_in_any_spelling(fake_provider: FakeProvider, host: str) -> None:
    key = Credential("hf_goodSecretOfTheTeam1234", f"{host}:{fake_provider.port}", "Team key", "1234")
    url = f"http://{host}:{fake_provider.port}/v1"

    answer = await collect(question(url), key, reach=Reach.PUBLIC)
    with pytest.raises(ProviderError) as caught:
        await get_json(f"{url}/models")

    assert answer.error and answer.error.kind in ("private_address", "bad_address", "host_mismatch", "dns")
    assert caught.value.kind in ("private_address", "bad_address", "dns")
    assert fake_provider.requests == []


async def test_this_machine_is_reached_where_that_is_allowed(fake_provider: FakeProvider) -> None:
    answer = await collect(question(fake_provider.base_url), reach=Reach.PRIVATE)

    assert answer.error is None and len(fake_provider.chats) == 1


async def test_a_refusal_says_what_an_administrator_can_do(fake_provider: FakeProvider) -> None:
    answer = await collect(question(fake_provider.base_url), reach=Reach.PUBLIC)

    assert answer.error and answer.error.kind == "private_address"
    assert "An administrator can allow that for this endpoint." in answer.error.sentence


async def test_an_open_connection_of_those_who_may_is_no_way_in(fake_provider: FakeProvider) -> None:
    await get_json(f"{fake_provider.base_url}/models", reach=Reach.PRIVATE)

    with pytest.raises(ProviderError) as caught:
        await get_json(f"{fake_provider.base_url}/models", reach=Reach.PUBLIC)

    assert caught.value.kind == "private_address"
    assert len(fake_provider.requests) == 1


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Say what a name leads to, one answer after the other; gives the list of addresses that are connected to."""

    def lead(*answers: tuple[str, ...]) -> list[str]:
        left, connected, connect = list(answers), [], socket.socket.connect

        def look_up(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
            found = left.pop(0) if len(left) > 1 else left[0]
            return [
                (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, int(port or 0)))
                for ip in found
            ]

        def recorded(self: socket.socket, address: Any) -> Any:
            connected.append(address[0])
            if address[0] == PUBLIC:
                raise ConnectionRefusedError(111, "Connection refused")
            return connect(self, address)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr(socket.socket, "connect", recorded)
        return connected

    return lead


async def test_a_name_that_changes_its_mind_reaches_nothing_that_was_not_checked(
    fake_provider: FakeProvider, names: Callable[..., list[str]]
) -> None:
    connected = names((PUBLIC,), ("127.0.0.1",))
    url = f"http://rebind.example:{fake_provider.port}/v1"

    kinds = []
    for _ in range(3):
        answer = await collect(question(url), reach=Reach.PUBLIC)
        kinds.append(answer.error and answer.error.kind)
        # What was looked up is remembered for a while, by a client.
        await close_client()

    assert kinds == ["refused_connection", "private_address", "private_address"]
    assert connected == [PUBLIC]
    assert fake_provider.requests == []


async def test_of_several_addresses_only_public_ones_are_tried(
    fake_provider: FakeProvider, names: Callable[..., list[str]]
) -> None:
    connected = names(("::1", PUBLIC, "127.0.0.1", "10.0.0.1"))

    answer = await collect(question(f"http://mixed.example:{fake_provider.port}/v1"), reach=Reach.PUBLIC)

    assert answer.error and connected == [PUBLIC]
    assert fake_provider.requests == []


async def test_several_private_addresses_are_told_as_one(names: Callable[..., list[str]]) -> None:
    connected = names(("::1", "127.0.0.1", "10.0.0.1"))

    answer = await collect(question("http://both.example:1/v1"), reach=Reach.PUBLIC)

    assert answer.error and answer.error.kind == "private_address"
    assert connected == []


async def test_proxies_of_the_environment_are_not_asked(
    fake_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    answer = await collect(question(fake_provider.base_url), reach=Reach.PRIVATE)

    assert answer.error is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_takes_the_key_nowhere(fake_provider: FakeProvider, key: Credential, status: int) -> None:
    async with FakeProvider() as other:
        fake_provider.redirect = (status, f"{other.base_url}/chat/completions")

        answer = await collect(question(fake_provider.base_url), key, reach=Reach.PRIVATE)
        with pytest.raises(ProviderError) as caught:
            await get_json(f"{fake_provider.base_url}/models", key, reach=Reach.PRIVATE)

        assert answer.error and (answer.error.kind, caught.value.kind) == ("redirected", "redirected")
        assert len(fake_provider.requests) == 2 and other.requests == []
