"""``rig serve`` with a certificate: what it takes, what it refuses, and what it never says of secrets."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest
import trustme

from rig.core.errors import BadInput
from rig.core.roles import Role
from rig.web.encryption import require_key_pair
from tests.web.browsing import rig_serve
from tests.web.houses import PASSWORD, copied, let_in

SECRET = "rig_a-token-that-somebody-has-put-in-the-address"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def pair(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    """The lab's certificate for this computer, and its key."""
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "rig.pem", tmp_path / "rig.key"
    issued.private_key_pem.write_to_path(str(key))
    for part in issued.cert_chain_pems:
        part.write_to_path(str(certificate), append=True)
    return certificate, key


def test_https_is_served_with_cookies_that_never_leave_it_and_nothing_secret_is_said(
    finished: Path, tmp_path: Path, authority: trustme.CA, pair: tuple[Path, Path]
) -> None:
    token = let_in(copied(finished, tmp_path), "ada", Role.ADMIN)
    trust, said = ssl.create_default_context(), list[str]()
    authority.configure_trust(trust)
    options = ("--observe", "--certificate", str(pair[0]), "--key", str(pair[1]))
    with rig_serve(tmp_path, *options, said=said) as address:
        assert address.startswith("https://127.0.0.1:")
        with httpx.Client(base_url=address, verify=trust, timeout=60) as client:
            assert client.get("/").status_code == 200
            signed_in = client.post("/api/sign-in", json={"name": "ada", "password": PASSWORD})
            cookie = signed_in.headers["set-cookie"]
            assert "secure" in cookie.lower().split("; ")
            csrf = {"X-CSRF-Token": signed_in.json()["csrf"]}
            assert client.get("/api/users").status_code == 200  # the cookie came back
            asked = {"verb": "stop", "reason": "a test"}
            assert client.post("/api/runs/last/orders", json=asked, headers=csrf).is_success
            client.post("/api/sign-in", json={"name": "ada", "password": f"{PASSWORD}!"})
            client.get(f"/api/channels?token={SECRET}")
            client.get("/api/users", headers=token)
        with pytest.raises(httpx.HTTPError):  # in the clear there is nothing to hear
            httpx.get(address.replace("https", "http") + "/healthz", timeout=60)
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{address}/healthz", timeout=60)  # whom nobody vouches for
    log = "".join(said)
    assert "is closed" in log  # it was the whole log
    secrets = (PASSWORD, SECRET, cookie.partition("=")[2].partition(";")[0], *csrf.values())
    for secret in (*secrets, token["Authorization"].split()[1]):
        assert secret not in log


def test_a_key_that_is_anothers_or_not_there_or_no_key_is_told_before_anything_begins(
    authority: trustme.CA, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = map(str, pair)
    require_key_pair(certificate, key)
    other = tmp_path / "other.key"
    authority.issue_cert("labpc9").private_key_pem.write_to_path(str(other))
    with pytest.raises(BadInput, match="the key is another certificate's"):
        require_key_pair(certificate, str(other))
    with pytest.raises(BadInput, match="No such file"):
        require_key_pair(certificate, str(tmp_path / "nothing.key"))
    other.write_text("no key at all\n", encoding="ascii")
    with pytest.raises(BadInput, match="each in PEM"):
        require_key_pair(certificate, str(other))


def test_a_key_with_a_password_is_refused_and_asks_nobody(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a password"),
        )
    )
    with pytest.raises(BadInput, match="wants a password"):
        require_key_pair(str(pair[0]), str(locked))
