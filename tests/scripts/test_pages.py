"""The tables of the page about scripts are those of the code."""

import pages


def test_the_tables_are_up_to_date():
    assert pages.PAGE.read_text().endswith(pages.BEGIN + "\n" + pages.tables()), "python tests/scripts/pages.py"
