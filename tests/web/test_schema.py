"""Whatever fits the OpenAPI document, or just does not, is answered: never with 500."""

from __future__ import annotations

import itertools
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

FAST, LONG = 2, 60


@pytest.fixture
def admin(finished: Path, tmp_path: Path) -> Iterator[TestClient]:
    url = copied(finished, tmp_path)
    key = let_in(url, "ada", Role.ADMIN)
    with visited(url) as (client, house):
        house.live.close()  # the live stream would never end; so it ends as it does with the house
        client.headers |= key
        yield client


def try_everything(client: TestClient, examples: int) -> int:
    """Send so many requests to each operation that the document describes; return how many in all."""
    document = client.get("/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
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
        client.cookies.clear()  # of whoever has just signed in
        answer = client.request(**sent, headers=headers)
        assert answer.status_code < 500, f"{case.method} {case.path}: {answer.text}"

    tried = set()
    for operation in schema.get_all_operations():
        generated(given(case=operation.ok().as_strategy())(send))()
        tried.add((operation.ok().method.upper(), operation.ok().path))
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert tried == described  # nothing is left out
    return count


def test_no_request_that_the_document_allows_is_answered_with_500(admin: TestClient) -> None:
    assert try_everything(admin, FAST) > 30


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_request_of_very_many_is_answered_with_500(admin: TestClient) -> None:
    assert try_everything(admin, LONG) > 1000


# What no schema makes: not JSON, not UTF-8, not text, nothing, or far too much of it.
ODD = {
    "nothing": b"",
    "no json": b"name=ada&password=x",
    "no utf-8": b'{"name": "\xff\xfe", "password": "\xc3\x28"}',
    "half a character": b'{"name": "\\ud800", "password": "\\udfff"}',
    "a nul": b'{"name": "a\\u0000da", "password": "\\u0000"}',
    "a list": b"[1, 2, 3]",
    "null": b"null",
    "not a number": b'{"name": NaN, "password": Infinity}',
    "a number beyond all": b'{"name": "ada", "password": 1e999}',
    "deep": b"[" * 20_000,
    "a long name": b'{"name": "' + b"a" * 5_000 + b'", "password": "x"}',
    "a long password": b'{"name": "ada", "password": "' + b"p" * 500_000 + b'"}',
    "more than fits": b"[" + b"1," * 600_000 + b"1]",
}


def test_what_is_no_request_at_all_is_refused_at_the_door_and_behind_it(admin: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    doors = (
        ("POST", "/api/sign-in"),
        ("POST", "/api/users"),
        ("PUT", "/api/users/ada/password"),
        ("POST", "/api/tokens"),
        ("POST", "/api/orders"),
    )
    for (method, path), (odd, content) in itertools.product(doors, ODD.items()):
        answer = admin.request(method, path, content=content, headers=headers)
        assert 400 <= answer.status_code < 500, f"{method} {path}, {odd}: {answer.text[:300]}"


def test_the_live_stream_answers_whatever_is_asked_of_it(admin: TestClient) -> None:
    queries = ("?last=1", "?rig=%00", "?%ff=%fe", "?" + "x" * 9_000)
    odd = ({}, {"Last-Event-ID": "\x7f" * 100}, {"Accept": "nothing/at-all"})
    for query, headers in itertools.product(queries, odd):
        assert admin.get(f"/api/live{query}", headers=headers).status_code < 500, query
