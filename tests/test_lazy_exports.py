"""Importing the package is cheap, and its names are all there."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import pix2seq_keras
from pix2seq_keras.lazy_exports import lazy_exports

HEAVY = {"tensorflow", "keras", "numpy"}
# Not needed by a model in Python.
UNNEEDED = {"grpc", "keras_cv", "matplotlib", "pycocotools", "sklearn", "tensorflow_datasets", "tensorflow_serving"}
PUBLIC = """Augmentation Categories DecodingOptions InputError Pix2Seq SequenceOptions Vocabulary data evaluate
    list_presets open_model open_source samplers""".split()  # noqa: SIM905


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `shelf` with the files `book.py`, which has the function `book`, and `broken.py`."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "book.py").write_text("def book(): return 'read'\nPAGES = 3\n")
    (folder / "broken.py").write_text("import no_such_library\n")
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("shelf")
    module.__all__ = lazy_exports("shelf", {"shelf.book": ["PAGES", "book"], "json.decoder": []})
    yield module
    for name in [name for name in sys.modules if name.partition(".")[0] == "shelf"]:
        del sys.modules[name]


def loaded_after(statements):
    """The top-level modules that a new process has after these statements."""
    program = (
        f"import json, sys\n{statements}\nprint(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout))


def test_a_name_imports_its_module_when_it_is_used(package):
    assert "shelf.book" not in sys.modules
    assert package.PAGES == 3
    assert "shelf.book" in sys.modules
    assert package.__all__ == ["PAGES", "book", "decoder"]


def test_a_module_can_be_exported_under_its_last_name(package):
    assert package.decoder is importlib.import_module("json.decoder")


def test_an_exported_function_keeps_its_name_when_the_file_of_that_name_is_imported(package):
    module = importlib.import_module("shelf.book")
    assert package.book is module.book
    assert package.book() == "read"


def test_an_unknown_name_is_an_attribute_error_and_a_failing_import_is_not_hidden(package):
    with pytest.raises(AttributeError, match="module 'shelf' has no attribute 'film'"):
        package.film  # noqa: B018
    assert not hasattr(package, "__wrapped__")
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        package.broken  # noqa: B018


def test_dir_lists_the_exports(package):
    assert {"PAGES", "book", "decoder", "__name__"} <= set(dir(package))


def test_the_package_itself_imports_neither_tensorflow_nor_keras_nor_numpy():
    assert not HEAVY & loaded_after("import pix2seq_keras")


def test_importing_the_package_and_using_its_names_loads_no_library_for_servers_plots_scores_or_data_sets():
    by_keras = loaded_after("import keras")  # Keras imports Matplotlib and scikit-learn where they are installed
    assert not UNNEEDED & loaded_after("import pix2seq_keras")
    loaded = loaded_after("import pix2seq_keras\nfor name in pix2seq_keras.__all__: getattr(pix2seq_keras, name)")
    assert loaded >= HEAVY
    assert not UNNEEDED & (loaded - by_keras)


def test_the_public_names_are_those_of_the_documentation():
    assert sorted(pix2seq_keras.__all__) == sorted(PUBLIC)


def test_editors_see_the_same_public_names():
    tree = ast.parse(Path(pix2seq_keras.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    names = {alias.asname: node.module for node in block.body for alias in node.names}
    assert sorted(names) == sorted(pix2seq_keras.__all__)
    for name, module in names.items():
        assert getattr(importlib.import_module(module), name) is getattr(pix2seq_keras, name)


def test_every_package_has_the_names_it_exports():
    packages = [
        name for _, name, is_package in pkgutil.walk_packages(pix2seq_keras.__path__, "pix2seq_keras.") if is_package
    ]
    assert len(packages) > 10
    for name in packages:
        package = importlib.import_module(name)
        for exported in getattr(package, "__all__", []):
            assert getattr(package, exported) is not None, f"{name}.{exported}"
