"""How much of the public interface pyright knows exactly: `python scripts/type_completeness.py`; fails below 95 %."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

LEAST = 0.95


def main() -> int:
    """Prints the share and what is not known; 1 if the share is too small."""
    root = Path(__file__).resolve().parents[1]
    options = ["--pythonpath", sys.executable, "--verifytypes", "jkeras", "--ignoreexternal", "--outputjson"]
    # Where pyright looks for the package: it does not see one that was installed from its own checkout.
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "pyright", *options]
    said = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    report = json.loads(said.stdout).get("typeCompleteness")
    if report is None:
        print(said.stdout, said.stderr)
        return 1
    score = report["completenessScore"]
    count = sum(report["exportedSymbolCounts"].values())
    print(f"pyright --verifytypes: {score:.1%} of {count:,} exported symbols have exact types")
    return int(score < LEAST)


if __name__ == "__main__":
    sys.exit(main())
