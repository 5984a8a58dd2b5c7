"""What request headers mean for the answer."""

import pytest
from ascension_api.representation import accepts_gzip, matches


@pytest.mark.parametrize("header", ["gzip", "GZIP", "br, gzip", "gzip;q=0.1", "*", "deflate, *;q=0.5", "x-gzip"])
def test_clients_that_read_gzip(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize(
    "header", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0", "*;q=0", "gzip;q=x", "*, gzip;q=0"]
)
def test_clients_that_do_not(header: str) -> None:
    assert not accepts_gzip(header)


@pytest.mark.parametrize("header", ['"abc"', '"x", "abc"', 'W/"abc"', '"abc-gzip"', "*", ' "abc" '])
def test_tags_that_the_client_has(header: str) -> None:
    assert matches(header, "abc")


@pytest.mark.parametrize("header", ["", '"ab"', '"abcd"', '"x"'])
def test_tags_that_it_has_not(header: str) -> None:
    assert not matches(header, "abc")
