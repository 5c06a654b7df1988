"""Pages of other sites, wrong hosts, too much at once: turned away before any route."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from rig.core.errors import BadInput
from rig.core.roles import Role
from rig.web.address import Address, is_loopback_name, listen
from rig.web.guard import MOST_BYTES
from tests.web.houses import let_in, visited

ORDER = {"verb": "stop", "everything": True}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""]
)
def test_an_open_house_answers_to_its_own_names_only(client: TestClient, host: str) -> None:
    """DNS rebinding: the browser believes that evil.example is this computer."""
    answer = client.get("/api/channels", headers={"Host": host})
    assert answer.status_code == 400
    assert "C1" not in answer.text


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_the_names_of_this_computer_are_its_own(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_with_accounts_any_name_will_do_behind_a_proxy(url: str) -> None:
    key = let_in(url, "ada", Role.ADMIN)
    with visited(url) as (client, _):
        answer = client.get("/api/me", headers=key | {"Host": "rig.lab.example"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_can_write_nothing(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.post("/api/orders", json=ORDER, headers=headers).status_code == 403
    assert client.get("/api/journal").json()["journal"] == []


def test_our_own_page_and_a_program_may_write(client: TestClient) -> None:
    ours = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    for headers in (ours, {}):
        answer = client.post("/api/runs/last/orders", json={"verb": "pause"}, headers=headers)
        assert answer.status_code == 409  # the run is finished


def test_a_form_is_not_taken_for_json(client: TestClient) -> None:
    """The one kind of write that a browser sends to other sites without asking."""
    plain = {"Content-Type": "text/plain"}
    body = '{"verb": "stop", "everything": true}'
    assert client.post("/api/orders", content=body, headers=plain).status_code == 422


def test_no_other_site_may_read_or_frame_the_answers(client: TestClient) -> None:
    headers = client.get("/api/channels", headers={"Origin": "http://evil.example"}).headers
    assert "access-control-allow-origin" not in headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_socket_of_another_site_is_closed(client: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/anything", headers={"Origin": "http://evil.example"}),
    ):
        pass


def test_too_much_is_refused_announced_or_not(client: TestClient) -> None:
    announced = client.post("/api/check", content=b"x" * (MOST_BYTES + 1))
    assert announced.status_code == 413

    def drop_by_drop():
        for _ in range(30):
            yield b"x" * (MOST_BYTES // 20)

    assert client.post("/api/check", content=drop_by_drop()).status_code == 413


def test_a_yaml_bomb_is_answered_at_once(client: TestClient) -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    answer = client.post("/api/check", json={"text": "protocol: 1\n" + "\n".join(layers)})
    assert answer.status_code == 422
    assert len(answer.content) < 100_000


def test_which_addresses_are_this_computer() -> None:
    assert all(map(is_loopback_name, ["localhost", "127.0.0.1", "127.8.0.1", "::1"]))
    assert not any(map(is_loopback_name, ["", "0.0.0.0", "::", "10.0.0.1", "localhost.evil.com"]))


def test_a_whole_network_is_let_in_only_with_accounts_or_by_word(url: str) -> None:
    everywhere = Address("0.0.0.0", 8000)
    with pytest.raises(BadInput, match="nobody has an account"), visited(url, address=everywhere):
        pass
    with visited(url, address=everywhere, may_be_open=True) as (client, _):
        assert client.get("/api/me").json()["role"] == "operator"
    key = let_in(url, "ada", Role.ADMIN)
    with visited(url, address=everywhere) as (client, _):
        assert client.get("/api/me").status_code == 401
        assert client.get("/api/me", headers=key).status_code == 200


def test_a_port_that_is_taken_is_bad_input_with_another_one() -> None:
    taken = listen("127.0.0.1", 0)
    try:
        with pytest.raises(BadInput, match="cannot listen on"):
            listen("127.0.0.1", taken.getsockname()[1])
    finally:
        taken.close()
