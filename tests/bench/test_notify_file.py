"""``notify:`` of a bench file: what is wrong at its place, what is secret nowhere."""

from __future__ import annotations

import json

import pytest

from rig.bench.file import parse_bench
from rig.bench.notify_file import load_notify, masked
from rig.core.alarms import Severity
from rig.core.errors import BadInput

BENCH = """bench: 1
instruments:
  smu-1: {driver: keithley.smu2450, connect: sim}
channels:
  A1: {cell: smu-1}
notify:
"""
URL = "json://rig:s3cret@127.0.0.1:8080/hook/t0ken"


def problems_of(entries: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_bench(BENCH + entries, "b.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_those_who_are_told_are_read_with_the_severity_from_which_on() -> None:
    bench = parse_bench(f"{BENCH}  - {{url: {URL}, from: critical}}\n  - url: {URL}\n", "b.yaml")
    first, second = bench.notify
    assert (first.url, first.lowest) == (URL, Severity.CRITICAL)
    assert second.lowest is Severity.WARNING
    assert (first.label, second.label) == ("json (b.yaml:7:11)", "json (b.yaml:8:10)")


def test_a_bench_that_names_nobody_tells_nobody() -> None:
    assert parse_bench(BENCH.replace("notify:\n", ""), "b.yaml").notify == ()


@pytest.mark.parametrize("written", ["$RIG_NOTIFY_URL", "${RIG_NOTIFY_URL}"])
def test_a_url_may_come_from_the_environment(monkeypatch, written) -> None:
    monkeypatch.setenv("RIG_NOTIFY_URL", URL)
    bench = parse_bench(f"{BENCH}  - {{url: '{written}'}}\n", "b.yaml")
    assert bench.notify[0].url == URL
    assert bench.plain["notify"] == [{"url": written}]


def test_a_secret_is_in_nothing_that_is_kept_or_shown() -> None:
    bench = parse_bench(f"{BENCH}  - {{url: {URL}}}\n", "b.yaml")
    for text in (json.dumps(bench.plain), repr(bench), bench.notify[0].label):
        assert "s3cret" not in text
        assert "t0ken" not in text
    assert bench.plain["notify"] == [{"url": "json://****"}]


def test_what_is_no_url_at_all_is_masked_whole() -> None:
    assert masked({"notify": [{"url": "s3cret"}]}) == {"notify": [{"url": "****"}]}
    assert masked({"bench": 1}) == {"bench": 1}


@pytest.mark.parametrize(
    ("entries", "where", "words"),
    [
        ("  - {url: $RIG_NOBODY}\n", "7:11", "the environment has no variable $RIG_NOBODY"),
        ("  - {url: s3cret}\n", "7:11", "no URL of the form service://"),
        ("  - {url: 'jsn://s3cret'}\n", "7:11", "there is no service jsn://; did you mean 'json'"),
        ("  - {url: 'slack://s3cret'}\n", "7:11", "slack:// cannot be used"),
        ("  - {url: [s3cret]}\n", "7:11", "needs a url"),
        ("  - {from: alarm}\n", "7:5", "needs a url"),
        (f"  - {{url: {URL}, from: alram}}\n", "7:62", "did you mean 'alarm'"),
        (f"  - {{url: {URL}, form: alarm}}\n", "7:56", "did you mean 'from'"),
        ("  - s3cret\n", "7:5", "expected a url and a severity"),
        ("  s3cret: 1\n", "7:3", "expected a list of those who are told"),
    ],
)
def test_one_thing_wrong_is_told_with_its_place_and_without_the_secret(
    entries: str, where: str, words: str
) -> None:
    (problem,) = problems_of(entries)
    assert problem.startswith(f"b.yaml:{where}: "), problem
    assert words in problem
    assert "s3cret" not in problem.removeprefix("b.yaml")
    assert "t0ken" not in problem


def test_everything_wrong_is_told_at_once() -> None:
    entries = f"  - {{url: nothing}}\n  - {{url: {URL}, from: x}}\n"
    assert len(problems_of(entries)) == 2


def test_an_entry_may_have_a_name_that_rules_call_it_by() -> None:
    bench = parse_bench(f"{BENCH}  - {{url: {URL}, name: maria}}\n  - url: {URL}\n", "b.yaml")
    assert [entry.name for entry in bench.notify] == ["maria", ""]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (f"  - {{url: {URL}, name: [maria]}}\n", "expected a name"),
        (
            f"  - {{url: {URL}, name: maria}}\n  - {{url: {URL}, name: maria}}\n",
            "b.yaml:8:62: somebody else is called 'maria', too",
        ),
    ],
)
def test_a_name_is_a_word_and_nobody_elses(entries, words) -> None:
    assert words in "\n".join(problems_of(entries))


def test_who_has_no_bench_names_those_who_are_told_in_a_file_of_its_own(tmp_path) -> None:
    path = tmp_path / "notify.yaml"
    path.write_text(f"notify: [{{url: {URL}, name: lab, from: alarm}}]\n", encoding="utf-8")
    (entry,) = load_notify(str(path))
    assert (entry.name, entry.url, entry.lowest) == ("lab", URL, Severity.ALARM)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read: No such file"),
        ("bench: 1\n", "has no key 'bench'"),
        ("{}\n", "names nobody"),
        ("notify: [{url: gopher-no-url}]\n", "no URL of the form"),
    ],
)
def test_what_is_wrong_with_that_file_is_said_at_its_place(tmp_path, text, words) -> None:
    path = tmp_path / "notify.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=words):
        load_notify(str(path))
