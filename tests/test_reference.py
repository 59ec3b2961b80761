"""The reference has an entry for every public name, and docstrings say what users need."""

import functools
import re

from scripts.reference import names, pages


@functools.cache
def site():
    return pages.pages()


def test_every_public_name_has_an_anchor():
    anchors = set().union(*map(pages.anchors, site().values()))
    assert not set(names.public_paths()) - anchors


def test_anchors_are_unique_and_links_lead_to_pages():
    for path, markdown in site().items():
        found = re.findall(r"\{ #([\w.]+) \}|<a id=\"([\w.]+)\">", markdown)
        assert len(found) == len(set(found)), path
        for file in re.findall(r"\]\((\w+\.md)\)", markdown):
            assert f"{path.rpartition('/')[0]}/{file}" in site()


def test_every_page_is_in_the_navigation_once():
    listed = re.findall(r"'(reference/[^']+\.md)'", repr(pages.navigation()))
    assert sorted(listed) == sorted(site())


def test_an_entry_has_types_and_real_defaults():
    page = site()["reference/layers/LSTM.md"]
    assert "**`units`**" in page and "(`int`, required)" in page and 'default `"tanh"`' in page
    assert page.count("required") == 1
    page = site()["reference/callbacks/EarlyStopping.md"].partition("\n## ")[0]
    assert "required" not in page and "(`int`, default `0`)" in page
