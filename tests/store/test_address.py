"""Database URLs as they may be shown, and what they are."""

from __future__ import annotations

import pytest

from rig.store.address import is_server, without_password

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://maria:s3cret@labpc3/cells", "postgresql://maria:***@labpc3/cells"),
        ("postgres://maria:s3cret@labpc3:5433/cells", "postgres://maria:***@labpc3:5433/cells"),
        ("postgresql://maria:x?s3cret@labpc3/cells", "postgresql://maria:***@labpc3/cells"),
        ("postgresql://maria:s3@cr/s3cret@labpc3/cells", "postgresql://maria:***@labpc3/cells"),
        ("postgresql:///cells?user=m&password=s3cret", "postgresql:///cells?user=m&password=***"),
        ("postgresql://m:s3cret@/cells?host=/tmp/a@b", "postgresql://m:***@/cells?host=/tmp/a@b"),
        ("mysql://maria:s3cret@[", "mysql://maria:***@["),
    ],
)
def test_a_password_is_never_shown_even_where_the_url_is_none(url, shown):
    assert without_password(url) == shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    "url",
    ["sqlite:///rig.db", "sqlite:////tmp/a:b@c.db", "postgresql://labpc3:5433/cells", "", "rig.db"],
)
def test_a_url_without_a_password_stays_as_it_is(url):
    assert without_password(url) == url


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("postgresql://labpc3/cells", True),
        ("postgres://labpc3/cells", True),
        ("postgresql+psycopg://labpc3/cells", True),
        ("sqlite:///postgresql.db", False),
        ("postgresql", True),
        ("rig.db", False),
    ],
)
def test_what_is_a_server_is_told_by_its_first_word(url, server):
    assert is_server(url) is server
