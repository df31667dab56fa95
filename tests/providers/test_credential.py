"""Keys go to their own host only, and their secrets nowhere else."""

import pytest

from chat.providers.credential import Credential, contains_token, mask_tokens
from chat.providers.errors import CredentialHostMismatch, KeyRefused

SECRET = "hf_abcdefghijklmnopqrstuv"


def credential(host: str = "router.huggingface.co", secret: str = SECRET) -> Credential:
    return Credential(secret, host, "Team key", secret[-4:])


def test_secret_is_not_in_the_representation() -> None:
    assert SECRET not in f"{credential()!r}{credential()!s}"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("router.huggingface.co", "https://router.huggingface.co/v1/models"),
        ("router.huggingface.co", "https://ROUTER.huggingface.co:443/v1"),
        ("Router.HuggingFace.co:443", "https://router.huggingface.co/v1"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("[::1]:8080", "http://[::1]:8080/v1"),
        ("tgi.lan", "http://tgi.lan/v1"),
    ],
)
def test_own_host_gets_the_header(host: str, url: str) -> None:
    assert credential(host).headers(url) == {"Authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1",
        "https://router.huggingface.co.evil.example/v1",
        "https://router.huggingface.co@evil.example/v1",
        "https://evil.example\\@router.huggingface.co/v1",
        "https://router.huggingface.co:8443/v1",
        "https://evil.example/router.huggingface.co",
        "https://evil.example#@router.huggingface.co",
        "//router.huggingface.co/v1",
        "ftp://router.huggingface.co/v1",
        "https:router.huggingface.co/v1",
        "https://[router.huggingface.co/v1",
        "",
    ],
)
def test_any_other_host_gets_nothing(url: str) -> None:
    with pytest.raises(CredentialHostMismatch) as caught:
        credential().headers(url)

    assert SECRET not in str(caught.value)


def test_token_of_hugging_face_never_travels_unencrypted() -> None:
    with pytest.raises(CredentialHostMismatch):
        credential().headers("http://router.huggingface.co/v1")


@pytest.mark.parametrize("secret", ["a b", "a\nb", "schlüssel", "a\x00"])
def test_secret_that_no_header_can_carry_is_refused(secret: str) -> None:
    with pytest.raises(KeyRefused):
        credential(secret=secret).headers("https://router.huggingface.co/v1")


def test_masking_hides_the_secret_and_every_token() -> None:
    masked = credential(secret="sk-1234567890").mask("sk-1234567890 hf_oauth_abcdefgh api_org_abcdefgh keep")

    assert masked == "••• ••• ••• keep"


def test_masking_without_a_secret_leaves_ordinary_text() -> None:
    assert mask_tokens("hf_hub and half_hf_words") == "hf_hub and half_hf_words"
    assert Credential("", "h", "none", "").mask("text") == "text"


def test_only_a_real_token_is_taken_for_one() -> None:
    assert contains_token(f"X-Key: {SECRET}")
    assert not contains_token("use hf_transfer")
