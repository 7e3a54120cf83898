"""Which peers can be trusted. How their headers are read is tested over a socket (test_addresses.py)."""

import pytest

from covet.server import SettingsError
from covet.server.proxies import check_proxies


def test_addresses_networks_unix_and_star_are_accepted():
    check_proxies(["10.0.0.1", "10.0.0.0/8", "10.1.2.3/8", "::1", "2001:db8::/32", "unix", "*"])


@pytest.mark.parametrize("entry", ["proxy.example", "10.0.0.0/99", "", "10.0.0"])
def test_anything_else_is_a_usage_error(entry):
    with pytest.raises(SettingsError, match="--trusted-proxies") as error:
        check_proxies([entry])
    assert error.value.code == 2
