"""What pages are made of: nothing from elsewhere, nothing inline, nothing that is not in the list."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from starlette.testclient import TestClient

ASSETS = resources.files("rig.web.pages").joinpath("assets")
PAGES = [
    "/",
    "/channel/C1",
    "/run/last",
    "/start",
    "/runs",
    "/alerts",
    "/health",
    "/bench",
    "/sign-in",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_and_everything_that_it_names_is_there(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert "script-src" not in page.headers["content-security-policy"]  # default-src 'self' rules
    assert "<script>" not in page.text
    names = re.findall(r"/assets/([\w.-]+)", page.text)
    assert len(names) >= 6
    for name in names:
        assert client.get(f"/assets/{name}").status_code == 200, name


def test_every_import_of_every_script_is_there() -> None:
    scripts = {one.name: one.read_text("utf-8") for one in ASSETS.iterdir() if ".js" in one.name}
    for name, text in scripts.items():
        for wanted in re.findall(r'from "\./([\w.-]+)"', text):
            assert wanted in scripts, f"{name} imports {wanted}"


def test_what_a_script_exports_another_one_imports() -> None:
    """The rest is oxlint's: what it is told of in .oxlintrc.json, unused exports not among it."""
    scripts = {one.name: one.read_text("utf-8") for one in ASSETS.iterdir() if ".js" in one.name}
    lines = re.findall(r'import \{([^}]*)\} from "\./([\w.-]+)"', "".join(scripts.values()))
    imported = {
        (file, word.split()[0])
        for names, file in lines
        for word in names.split(",")
        if word.strip()
    }
    declared = r"(?m)^export (?:async )?(?:function|const|let|class) (\w+)"
    exported = {
        (file, name) for file, text in scripts.items() for name in re.findall(declared, text)
    }
    assert exported - imported == set()


def test_nothing_is_loaded_from_another_computer() -> None:
    for one in ASSETS.iterdir():
        text = one.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")  # a name
        assert "//" not in re.sub(r"(?m)(^|\s)//.*$", "", text).replace('"//"', ""), one.name


def test_text_is_never_put_in_as_html() -> None:
    for one in ASSETS.iterdir():
        assert not re.search(r"innerHTML|insertAdjacentHTML|\beval\b|new Function", one.read_text())


def test_a_file_is_sent_again_only_when_it_has_changed(client: TestClient) -> None:
    first = client.get("/assets/plotly.min.js")
    assert first.headers["content-encoding"] == "gzip"
    again = client.get("/assets/plotly.min.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = client.get("/assets/base.css", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == client.get("/assets/base.css").text


@pytest.mark.parametrize("name", ["..%2Fpage.html", "page.html", "__init__.py", "nothing.js"])
def test_what_is_not_in_the_list_is_not_there(client: TestClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404
