"""Which addresses an administrator may enter."""

import pytest
from django.core.exceptions import ValidationError

from chat.catalogue.addresses import is_private_host, validate_base_url


@pytest.mark.parametrize(
    "url",
    [
        "https://abc.eu-west-1.aws.endpoints.huggingface.cloud",
        "https://abc.us-east-1.aws.endpoints.huggingface.cloud/v1/",
        "http://gpu-box:8080/v1/chat/completions?project=1",
        "http://10.0.0.7:8080",
        "http://[fd12::7]:8080/v1",
    ],
)
def test_address_of_an_endpoint_is_accepted(url: str) -> None:
    validate_base_url(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://host/v1", "http:// or https://"),
        ("javascript:alert(1)", "http:// or https://"),
        ("host/v1", "http:// or https://"),
        ("https://", "name a host"),
        ("https://hf_secret@host/v1", "user name"),
        ("https://user:pass@host/v1", "user name"),
        ("https://host/v1#part", "fragment"),
        ("https://host/v1#", "fragment"),
        ("https://host:99999/v1", "not a web address"),
        ("https://host:0/v1", "not a web address"),
        ("https://[::1/v1", "not a web address"),
        ("https://good\\@evil/v1", "characters"),
        ("https://host/a b", "characters"),
        ("https://höst/v1", "characters"),
        ("https://host/\nv1", "characters"),
    ],
)
def test_what_is_no_address_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        validate_base_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.1.1",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ],
)
def test_addresses_of_metadata_are_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(ValidationError, match="network set-up"):
        validate_base_url(f"http://{host}/latest/")


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("127.1", True),
        ("0x7f000001", True),
        ("10.0.0.7", True),
        ("100.64.0.1", True),
        ("[::1]", True),
        ("[::ffff:8.8.8.8]", True),
        ("[2002:808:808::1]", True),
        ("[64:ff9b::1.1.1.1]", True),
        ("8.8.8.8", False),
        ("[2606:4700::6810:1]", False),
        ("gpu-box", False),
        ("endpoints.huggingface.cloud", False),
    ],
)
def test_addresses_that_can_only_be_private_are_known_in_every_spelling(host: str, private: bool) -> None:
    assert is_private_host(f"http://{host}:8080/v1") is private
