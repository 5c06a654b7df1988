"""Whatever fits the OpenAPI document, or just does not, is answered: never with 500."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

with warnings.catch_warnings():  # of what it imports, which is not ours
    warnings.simplefilter("ignore")
    import schemathesis

from rig.core.roles import Role
from tests.web.houses import copied, let_in, visited

# Endless, or it makes an account that shuts everybody out.
LEFT_OUT = ("/api/live", "/api/users", "/api/sign-in")
FAST, LONG = 2, 60


@pytest.fixture
def admin(finished: Path, tmp_path: Path) -> Iterator[TestClient]:
    url = copied(finished, tmp_path)
    key = let_in(url, "ada", Role.ADMIN)
    with visited(url) as (client, _):
        client.headers |= key
        yield client


def try_everything(client: TestClient, examples: int) -> int:
    """Send so many requests to each operation that the document describes; return how many in all."""
    document = client.get("/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document).exclude(path_regex="|".join(LEFT_OUT))
    generated = settings(
        max_examples=examples,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    count = 0

    def send(case: schemathesis.Case) -> None:
        nonlocal count
        count += 1
        sent = case.as_transport_kwargs(base_url="http://127.0.0.1:8000")
        headers = dict(sent.pop("headers", None) or {}) | dict(client.headers)
        sent.pop("cookies", None)
        answer = client.request(**sent, headers=headers)
        assert answer.status_code < 500, f"{case.method} {case.path}: {answer.text}"

    for operation in schema.get_all_operations():
        generated(given(case=operation.ok().as_strategy())(send))()
    return count


def test_no_request_that_the_document_allows_is_answered_with_500(admin: TestClient) -> None:
    assert try_everything(admin, FAST) > 30


@pytest.mark.slow
def test_no_request_of_very_many_is_answered_with_500(admin: TestClient) -> None:
    assert try_everything(admin, LONG) > 1000
