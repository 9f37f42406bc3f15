from __future__ import annotations

import pytest

from gateway.addresses import is_public

PUBLIC = ["93.184.216.34", "1.1.1.1", "9.255.255.255", "172.32.0.1", "2606:2800:220:1::1"]
NOT_PUBLIC = {
    "loopback": "127.0.0.1",
    "loopback, far end": "127.255.255.254",
    "this host": "0.0.0.0",
    "private 10": "10.1.2.3",
    "private 172": "172.31.255.255",
    "private 192": "192.168.0.1",
    "shared": "100.64.0.1",
    "instance metadata": "169.254.169.254",
    "container credentials": "169.254.170.2",
    "benchmarking": "198.19.0.1",
    "documentation": "203.0.113.7",
    "multicast": "224.0.0.1",
    "reserved": "250.0.0.1",
    "reserved, first": "240.0.0.0",
    "broadcast": "255.255.255.255",
    "this network": "0.1.2.3",
    "shared, last": "100.127.255.255",
    "benchmarking, first": "198.18.0.0",
    "multicast, last": "239.255.255.255",
    "protocol assignments": "192.0.0.8",
    "6to4 relay": "192.88.99.1",
    "loopback 6": "::1",
    "unspecified 6": "::",
    "mapped": "::ffff:127.0.0.1",
    "mapped public": "::ffff:1.1.1.1",
    "compatible": "::127.0.0.1",
    "NAT64": "64:ff9b::7f00:1",
    "NAT64, local": "64:ff9b:1::7f00:1",
    "6to4": "2002:7f00:1::",
    "6to4, in dots": "2002:c0a8:101::1",
    "NAT64, in dots": "64:ff9b::127.0.0.1",
    "NAT64, public": "64:ff9b::8.8.8.8",
    "Teredo": "2001:0:7f00:1::",
    "ORCHID": "2001:20::1",
    "segment routing": "5f00::1",
    "translated": "::ffff:0:127.0.0.1",
    "documentation 6": "2001:db8::1",
    "unique local": "fd00:ec2::254",
    "link local": "fe80::1",
    "link local with a zone": "fe80::1%eth0",
    "public with a zone": "2606:2800:220:1::1%1",
    "site local": "fec0::1",
    "multicast 6": "ff02::1",
    "discard": "100::1",
    "not an address": "localhost",
    "octal": "0177.0.0.1",
    "a number": "2130706433",
    "empty": "",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.promise("url-public")
@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_not_public(address: str) -> None:
    assert not is_public(address)
