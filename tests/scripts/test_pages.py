"""The tables of the page about scripts are those of the code."""

from tests.scripts import pages


def test_the_tables_are_up_to_date():
    assert pages.PAGE.read_text().endswith(pages.BEGIN + "\n" + pages.tables()), "python -m tests.scripts.pages"
