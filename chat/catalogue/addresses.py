"""Which addresses may be an endpoint's; owns the rules and their words, reads no database and resolves no name.

The admin form is the caller. What a name resolves to is checked where the connection is made, not here.
"""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError

from chat.providers.reach import Address, ForbiddenAddress, PrivateAddress, Reach, forbid_address

METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data"})


def validate_base_url(value: str) -> None:
    """Raise ValidationError, with one sentence, unless ``value`` is an http(s) address that may be an endpoint's."""
    if not value.isascii() or not value.isprintable() or set(value) & set(" \\<>\"'`"):
        raise ValidationError("The address holds characters that no web address has.")
    parts = _split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("The address must begin with http:// or https:// and name a host.")
    if "@" in parts.netloc:
        raise ValidationError(
            "The address must not hold a user name or a password. Add a key for the endpoint instead."
        )
    if "#" in value:
        raise ValidationError("The address must not hold a fragment (#…).")
    if is_metadata_host(parts.hostname):
        raise ValidationError("This address belongs to the machine's own network set-up, not to a model.")


def is_metadata_host(hostname: str) -> bool:
    """Tell whether a host, as written, is link-local or a cloud's metadata server, in any spelling of the address."""
    name = hostname.rstrip(".").lower()
    address = _literal(name)
    if address is None:
        return name in METADATA_HOSTS
    try:
        forbid_address(str(address), Reach.PRIVATE)
    except ForbiddenAddress:
        return True
    return False


def is_private_host(url: str) -> bool:
    """Tell whether the host in ``url``, as written, can only be this machine or one in a private network.

    A name that leads there is found out when it is looked up, for every connection.
    """
    name = (urlsplit(url).hostname or "").rstrip(".").lower()
    address = _literal(name)
    if address is None:
        return name == "localhost" or name.endswith(".localhost")
    try:
        forbid_address(str(address), Reach.PUBLIC)
    except PrivateAddress:
        return True
    return False


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        # Reading the port is what checks it.
        if parts.port == 0:
            raise ValueError("port 0")
    except ValueError as error:
        raise ValidationError("This is not a web address.") from error
    return parts


def _literal(name: str) -> Address | None:
    """The address that ``name`` spells, decimal, octal and hexadecimal IPv4 included."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return _loosely_written(name)


def _loosely_written(name: str) -> Address | None:
    """What the C library takes for an IPv4 address: ``2852039166``, ``0xa9.0xfe.1`` (inet_aton(3))."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name))
    except OSError:
        return None
