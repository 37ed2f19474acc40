"""The package imports where Python has no modules of Unix, as on Windows."""

import subprocess
import sys

PROGRAM = """
import builtins, importlib, pkgutil, sys

UNIX = {"fcntl", "grp", "posix", "pwd", "resource", "termios", "tty"}
real = builtins.__import__


def without_unix(name, namespace=None, *arguments, **keywords):
    importer = (namespace or {}).get("__name__", "")
    if name in UNIX and importer.partition(".")[0] == "pix2seq_keras":  # other libraries have their own ways
        raise ImportError(f"{importer} imports {name}")
    return real(name, namespace, *arguments, **keywords)


builtins.__import__ = without_unix
import pix2seq_keras

names = [one.name for one in pkgutil.walk_packages(pix2seq_keras.__path__, "pix2seq_keras.")]
for name in names:
    if name != "pix2seq_keras.__main__":
        importlib.import_module(name)
assert len(names) > 150, names
from pix2seq_keras import file_lock

assert file_lock.fcntl is None  # so the imports were refused
"""


def test_every_module_is_imported_without_the_modules_of_unix():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
