"""Addresses of schedulers, as they are typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matting.cluster_options import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("render-pc", Address("tcp", "render-pc")),
        ("192.168.1.20:8786", Address("tcp", "192.168.1.20")),
        ("TLS://Render_PC:9000/", Address("tls", "Render_PC", 9000)),
        ("tcp://[::1]:99", Address("tcp", "::1", 99)),
        ("[fe80::1]", Address("tcp", "fe80::1")),
    ],
)
def test_an_address_is_read_as_it_is_typed(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    assert Address.parse(str(address)) == address


@given(text=st.text("tcp://[]:a1.f-%s", max_size=14))
def test_whatever_is_read_can_be_read_again(text: str) -> None:
    try:
        address = Address.parse(text)
    except ValueError:
        return
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST"])
def test_this_computer_alone_is_on_the_loopback(host: str) -> None:
    assert Address("tcp", host).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "fe80::1", "localhost.example.org"])
def test_others_are_not(host: str) -> None:
    assert not Address("tcp", host).is_loopback
