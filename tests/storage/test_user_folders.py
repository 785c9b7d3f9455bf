"""Where the package keeps what it remembers."""

from pathlib import Path

import pytest

from edge_arseg.storage.user_folders import user_cache, user_configuration


@pytest.mark.parametrize("said", [{}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "cache"}, {"XDG_CACHE_HOME": "./x"}])
def test_only_an_absolute_path_moves_the_cache(said):
    """With another one each folder that a command was typed in got a cache of its own."""
    assert user_cache(environment=said, home=Path("/home/me")) == Path("/home/me/.cache/edge-arseg")
    moved = {"XDG_CACHE_HOME": "/var/cache", "XDG_CONFIG_HOME": "config"}
    assert user_cache(environment=moved, home=Path("/home/me")) == Path("/var/cache/edge-arseg")
    assert user_configuration(environment=moved, home=Path("/home/me")) == Path("/home/me/.config/edge-arseg")
