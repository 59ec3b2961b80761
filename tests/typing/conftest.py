"""The samples are read by the checkers, not run."""

collect_ignore = ["mistakes.py", "exact.py"]
