"""Which addresses a request may be sent to: the rule alone, asked for every socket right before it connects.

An address that the rule does not know is refused: lists of what is forbidden rot, so the public ones are listed.
`transport` asks; what people type is checked early, with the same rule, by `chat.catalogue.addresses`.
"""

import ipaddress
from collections.abc import Iterator
from enum import Enum

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Where clouds hand credentials to whoever asks from inside; link-local ranges are refused as a whole.
METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254")))
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Within it: what carries an IPv4 address to somewhere else, and what is for books.
_NOT_PUBLIC = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_RELAYS_OF_6TO4 = ipaddress.IPv4Network("192.88.99.0/24")
# The last 32 bits are an IPv4 address: compatible, translated (SIIT), NAT64 with its well-known and local prefixes.
_ENDS_IN_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))


class Reach(Enum):
    """How far a request may go: public addresses only, or also to this machine and its private networks."""

    PUBLIC = "public"
    PRIVATE = "private"


class ForbiddenAddress(OSError):
    """An address where no model can be, but a cloud's secrets may."""

    def __init__(self) -> None:
        # The same words for every address: where a name has several, all refusals then count as one.
        super().__init__("not an address of a model endpoint")


class PrivateAddress(ForbiddenAddress):
    """An address of this machine or of a private network, where this request may not go."""

    def __init__(self) -> None:
        OSError.__init__(self, "an address in a private network, which is not allowed for this endpoint")


def forbid_address(text: str, reach: Reach) -> None:
    """Raise ForbiddenAddress or PrivateAddress unless a request of this reach may go to the numeric address `text`."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if any(_never(meant) for meant in _meanings(address)):
        raise ForbiddenAddress
    if reach is Reach.PUBLIC and not is_public(address):
        raise PrivateAddress


def is_public(address: Address) -> bool:
    """Whether `address` belongs to one machine on the internet, and can only be read so."""
    if isinstance(address, ipaddress.IPv4Address):
        reserved = address.is_multicast or address in _RELAYS_OF_6TO4
        return address.is_global and not reserved and address not in METADATA
    return address in _GLOBAL_UNICAST and address.is_global and not any(address in net for net in _NOT_PUBLIC)


def _never(address: Address) -> bool:
    return address.is_link_local or address.is_multicast or address.is_unspecified or address in METADATA


def _meanings(address: Address) -> Iterator[Address]:
    """The address and every IPv4 address that it may be taken for on its way."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    # ::1 is itself and not 0.0.0.1.
    if any(address in network for network in _ENDS_IN_IPV4) and int(address) > 0xFFFF:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    yield from filter(None, inner)
