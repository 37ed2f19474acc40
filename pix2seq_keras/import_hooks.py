"""Runs a function around the first import of a package."""

import functools
import importlib.abc
import importlib.machinery
import sys


def around_import(name, wrapper):
    """Lets `wrapper` run the import of a package that is not imported yet.

    Args:
        name: str, a top-level package.
        wrapper: function of (execute, module) that calls `execute(module)`, which runs the package's own code.
    """
    sys.meta_path.insert(0, _Finder(name, wrapper))


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name, wrapper):
        self.name, self.wrapper = name, wrapper

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = functools.partial(self.wrapper, spec.loader.exec_module)
        return spec
