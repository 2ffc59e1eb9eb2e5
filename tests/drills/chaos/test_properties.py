"""The properties of the planner and the guard, with many more examples than in `make test`.

They are the same ones each time. `PROPERTY_RANDOM=1 PROPERTY_EXAMPLES=500 pytest tests/unit/core/test_properties.py`
looks elsewhere.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = 150


@pytest.mark.parametrize("module", ["test_properties", "test_deletion_properties", "test_claims"])
def test_properties_hold_for_many_racks(module: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/unit/core/{module}.py"]
    environment = {**os.environ, "PROPERTY_EXAMPLES": str(EXAMPLES)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:]
