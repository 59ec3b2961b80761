"""The tutorials' programs are run by `test_tutorials.py`; they are no test modules."""

collect_ignore = ["tutorials"]
