"""verify.py as a module. It belongs to no package, so that the product cannot import it."""

import importlib.util
import sys
from types import ModuleType
from typing import Any

from tests.verifier.building import VERIFIER


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify", VERIFIER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify"] = module
    spec.loader.exec_module(module)
    return module


verify: Any = _loaded()
