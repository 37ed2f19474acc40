"""Packages that import a file when one of its names is first used: `pix2seq --help` need not wait for TensorFlow."""

import importlib
import importlib.util
import sys
from types import ModuleType


def lazy_exports(package, modules):
    """Makes the exports of a package lazy; called once, in its `__init__.py`.

    Args:
        package: str, the package's `__name__`.
        modules: dict of str to list of str, the names that the package hands on, by the module that defines them. An
            empty list hands on the module itself, under its last name.

    Returns:
        Sorted list of str, for the package's `__all__`.

    Example:
        >>> __all__ = lazy_exports(__name__, {"pix2seq_keras.vocabulary": ["Vocabulary"]})
    """
    exports = {name: (module, name) for module, names in modules.items() for name in names}
    exports |= {module.rpartition(".")[2]: (module, None) for module, names in modules.items() if not names}
    sys.modules[package].__class__ = _LazyPackage
    sys.modules[package]._exports = exports
    return sorted(exports)


class _LazyPackage(ModuleType):
    """A package whose `_exports` says where each of its names is: (module, name), or (module, `None`) for all of it."""

    def __getattr__(self, name):  # called only for names that the package does not have yet
        if name in vars(self).get("_exports", {}):
            module, attribute = self._exports[name]
        elif not name.startswith("_") and importlib.util.find_spec(f"{self.__name__}.{name}"):
            module, attribute = f"{self.__name__}.{name}", None
        else:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = importlib.import_module(module)
        setattr(self, name, value if attribute is None else getattr(value, attribute))
        return vars(self)[name]

    def __setattr__(self, name, value):
        """Keeps an exported name where a file has it too, as `training.train` is the function of `training/train.py`.

        After importing a file, Python assigns its module to the package.
        """
        if isinstance(value, ModuleType) and (value.__name__, name) == vars(self).get("_exports", {}).get(name):
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self):
        return sorted({*vars(self), *self._exports})
