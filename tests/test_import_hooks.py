"""Something happens around the import of another package."""

import importlib
import sys

import pytest

from pix2seq_keras.import_hooks import around_import


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A package that can be imported as `a_library`, and no hook left afterwards."""
    (tmp_path / "a_library.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield "a_library"
    sys.modules.pop("a_library", None)


def test_the_wrapper_runs_the_import(library):
    seen = []

    def wrapper(execute, module):
        assert not hasattr(module, "value")
        execute(module)
        seen.append(module.value)

    around_import(library, wrapper)
    assert importlib.import_module(library).value == 3
    importlib.import_module(library)
    assert seen == [3]


def test_two_wrappers_of_different_packages_do_not_meet(library):
    around_import("another_library", lambda execute, module: pytest.fail("not imported"))
    around_import(library, lambda execute, module: execute(module))
    assert importlib.import_module(library).value == 3
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("another_library")
