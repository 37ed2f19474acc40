r"""Finds the files that annotations name, also where a tool wrote the name in another way; never outside the folder.

Windows writes `\` for `/`, servers write their own absolute paths, macOS decomposes "é", web tools write "%20", and
other systems ignore the case of letters. A name that exists as it is written always wins. Otherwise the longest tail of
the name is taken that exists inside the folder, and all spellings of a name count as the same.
"""

import os
import posixpath
import re
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.sources.folder import file_inside, leaves_folder
from pix2seq_keras.data.sources.short_repr import short_repr

_MAX_PARTS = 32  # of a name that is not found as it is; hostile ones have thousands
_MAX_MATCHES = 8
_SEPARATOR = re.compile(r"[/\\]|\?d=")  # Label Studio serves local files as /data/local-files/?d=images/a.jpg
_ENCODINGS = ("cp1252", "cp437", "gb18030", "shift_jis")  # of names in archives from Windows
KIND = "file name read leniently"


@dataclass(frozen=True)
class FoundFile:
    """A file of a data set.

    Args:
        wanted: str, its name in the annotations.
        name: str, its name relative to the folder, with forward slashes.
        path: `Path`, resolved, inside the folder. It does not exist if nothing was found.
        difference: str, how its name differs from the one wanted; "" if it does not.
    """

    wanted: str
    name: str
    path: Path
    difference: str = ""


class FileFinder:
    r"""Finds files in a folder by the names in annotations. Threads may share an instance.

    Folders are listed only if a name is not found as it is, each of them once, and none outside the folder.

    Args:
        folder: `Path`, resolved.

    Example:
        >>> FileFinder(Path("/data/train")).find("C:\\Users\\me\\photos\\a.JPG").name
        'photos/a.jpg'
    """

    def __init__(self, folder):
        self.folder = folder
        self._listings = {}
        self._lock = threading.Lock()

    def find(self, wanted, what="image", tails=True):
        """Finds a file.

        Args:
            wanted: str, its name in the annotations.
            what: str, what the file is, for the kind of the error; "split" may be a folder. Defaults to "image".
            tails: bool, whether leading folders of the name may be left out. Defaults to True.

        Returns:
            `FoundFile`.

        Raises:
            ImageError: as `file_inside`, for names outside the folder of which no tail exists inside, and of the kind
                "ambiguous file name" if several files fit equally well.
        """
        name = wanted[len(f"{self.folder}/") :] if wanted.startswith(f"{self.folder}/") else wanted
        try:
            path, refusal = file_inside(self.folder, name, what), None
            if os.path.exists(path):  # noqa: PTH110 (False where Path.exists raises: a name that is too long)
                return FoundFile(wanted, name, path)
        except ImageError as error:
            if error.kind != f"{what} outside the folder" or not leaves_folder(name):
                raise  # no file can have this name, or it is a link to another folder
            path, refusal = None, error
        found = self._search(wanted, name, what, tails)
        if found is not None:
            return found
        if refusal is not None:
            raise refusal
        return FoundFile(wanted, name, path)

    def _search(self, wanted, name, what, tails):
        for spelling in dict.fromkeys((name, unquote(name, errors="surrogateescape"))):
            parts = _parts(spelling)
            for start in range(max(0, len(parts) - _MAX_PARTS), len(parts) if tails else 1):
                tail = parts[start:]
                usable = self._usable(tail, what)
                exact = [match for match in usable if match[0] == "/".join(tail)]
                if len({path for _, path in exact or usable}) > 1:
                    names = " and ".join(short_repr(match) for match, _ in usable[:2])
                    raise ImageError(
                        f"There is no file {short_repr(wanted)}, and {names} fit it equally well.",
                        kind="ambiguous file name",
                    )
                if usable:
                    found, path = (exact or usable)[0]
                    return FoundFile(wanted, found, path, _difference(name, found, start > 0))
        return None

    def _usable(self, parts, what):
        """The files of these spellings that are in the folder: list of (name, path)."""
        matches = [""]
        for part in parts:
            matches = [f"{inside}{name}/" for inside in matches for name in self._names(inside, part)][:_MAX_MATCHES]
        usable = []
        for match in matches:
            try:
                path = file_inside(self.folder, match.rstrip("/"), what)
            except ImageError:  # a link to another folder
                continue
            if path.is_file() or (what == "split" and path.is_dir()):
                usable.append((match.rstrip("/"), path))
        return usable

    def _names(self, inside, part):
        """All spellings of a name in a folder, the exact one first."""
        with self._lock:
            if inside not in self._listings:
                self._listings[inside] = self._list(inside)
            names = self._listings[inside].get(spelling_key(part), [])
        return sorted(names, key=lambda name: (name != part, name))

    def _list(self, inside):
        folder = Path(os.path.realpath(self.folder / inside))
        if not folder.is_relative_to(self.folder):
            return {}
        listing = {}
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    for key in {spelling_key(name) for name in _decodings(entry.name)}:
                        listing.setdefault(key, []).append(entry.name)
        except OSError:  # a file, or a folder that is not readable
            return {}
        return listing


def note_difference(found, reader):
    """Notes that a file was found by another name than its own.

    Args:
        found: `FoundFile`.
        reader: `LenientReader`.
    """
    if found.difference:
        text = f"{short_repr(found.wanted)} is read as {short_repr(found.name)}."
        reader.note(KIND, f"file names {found.difference}", lambda: text)


def files_of_several_names(found):
    """The files that several different names lead to: a/1.jpg and b/1.jpg cannot both be 1.jpg.

    Args:
        found: iterable of `FoundFile`.

    Returns:
        set of `Path`.
    """
    names = {}
    for file in found:
        names.setdefault(file.path, set()).add(file.wanted)
    return {path for path, wanted in names.items() if len(wanted) > 1}


def spelling_key(name):
    """A key that all spellings of a name share: Unicode form, percent-encoding, case of letters, blanks around it.

    Args:
        name: str.

    Returns:
        str.

    Example:
        >>> spelling_key("My%20Photo.JPG") == spelling_key("my photo.jpg")
        True
    """
    name = (unquote(name, errors="surrogateescape") if "%" in name else name).strip()
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _decodings(name):
    """The name, and what it may mean if its bytes are not UTF-8."""
    names = [name]
    if not name.isascii():
        data = os.fsencode(name)
        try:
            data.decode()
        except UnicodeDecodeError:
            names += [data.decode(encoding, "replace") for encoding in _ENCODINGS]
    return names


def _parts(name):
    parts = posixpath.normpath("/".join(_SEPARATOR.split(name))).split("/")
    parts = [part for part in parts if part not in ("", ".", "..")]
    if parts and re.match("[A-Za-z]:", parts[0]):  # a drive of Windows
        parts[0] = parts[0][2:]
    return list(filter(None, parts))


def _difference(wanted, found, skipped):
    differences = []
    if "\\" in wanted:
        differences.append(r"with '\' for '/'")
    if skipped or leaves_folder(wanted.replace("\\", "/")):
        differences.append("with other leading folders")
    same_depth = _parts(wanted)[-1 - found.count("/") :]
    if "/".join(same_depth) != found:
        ours, theirs = (unicodedata.normalize("NFC", name) for name in ("/".join(same_depth), found))
        if ours == theirs or ours.casefold() == theirs.casefold():
            differences.append("in another Unicode form" if ours == theirs else "in another case of letters")
        else:
            differences.append("in another encoding")
    return ", ".join(differences) or "in another spelling"
