"""YAML text -> nodes with places."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.core.errors import BadInput
from rig.protocol.source import read_source


def test_every_value_and_key_knows_its_line_and_column():
    root = read_source("a: 1\nb:\n  - {c: 4.2 V}\n", "f.yaml")
    assert root.child("a").where == "f.yaml:1:4"
    assert root.child("b", 0, "c").where == "f.yaml:3:9"
    assert root.child("b", 0, "c").key_where == "f.yaml:3:6"
    assert root.child("b", 0, "nothing").where == "f.yaml:3:5"
    assert root.plain() == {"a": 1, "b": [{"c": "4.2 V"}]}


def test_scalars_mean_what_yaml_1_2_says():
    text = "[1, -2, 1.5, 1e3, true, null, '5', on, yes, 12:30, C/2, 010]"
    values = [1, -2, 1.5, 1000.0, True, None, "5", "on", "yes", "12:30", "C/2", 10]
    assert read_source(text, "f.yaml").plain() == values


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a: 1\na: 2", "f.yaml:2:1", "the key 'a' stands twice, first at f.yaml:1:1"),
        ("a:\n\t- b", "f.yaml:2:1", "a tab"),
        ("a: [1, 2", "f.yaml:1:9", "not YAML"),
        ("a: b: c", "f.yaml:1:5", "mapping values are not allowed here"),
        ("a: \x00", "f.yaml:1:4", "not YAML: character"),
        ("a: &x 1\nb: *x", "f.yaml:1:4", "the anchor '&x' is not part"),
        ("{a: &x [*x]}", "f.yaml:1:5", "the anchor '&x' is not part"),
        ("a: !!python/object:os.system x", "f.yaml:1:4", "the tag"),
        ("? [a]\n: b", "f.yaml:1:3", "not a word"),
        ("- a\n---\n- b", "f.yaml:2:1", "single document"),
        ("", "f.yaml:1:1", "the file is empty"),
        ("[" * 1200, "f.yaml:1:1", "nested too deeply"),
    ],
)
def test_what_is_not_our_yaml_is_refused_with_its_place(text: str, where: str, message: str):
    with pytest.raises(BadInput, match=message) as refusal:
        read_source(text, "f.yaml")
    assert refusal.value.problems[0].where == where


@given(st.text(max_size=200) | st.text("ab:-[]{}&*!?|>'\"#%@,. \n\t\\xU9", max_size=60))
def test_any_text_is_a_tree_or_bad_input(text: str):
    with contextlib.suppress(BadInput):
        read_source(text, "f.yaml").plain()
