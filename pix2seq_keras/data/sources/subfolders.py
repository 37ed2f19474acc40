"""Images whose annotations give the bare name, while the files lie in sub-folders."""

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.sources.file_finder import FoundFile
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.listing import files_below
from pix2seq_keras.data.sources.short_repr import short_repr


class SubfolderIndex:
    """Finds files in the sub-folders of a folder by the end of their names. It is not for several threads.

    Args:
        folder: `Path`, the resolved folder; it is listed at the first look-up.

    Example:
        >>> SubfolderIndex(Path("/data")).find("a.jpg")  # the only a.jpg below /data
        FoundFile(wanted='a.jpg', name='camera1/a.jpg', …)
    """

    def __init__(self, folder):
        self._folder, self._names = folder, None

    def find(self, file_name):
        """Finds the one file that has this name within any sub-folder.

        Args:
            file_name: str, a name such as "a.jpg" or "b/a.jpg", without "..".

        Returns:
            `FoundFile`, or None if there is no such file.

        Raises:
            ImageError: if there are several ("ambiguous file name"), or the file is a link to another folder.
        """
        if self._names is None:
            self._names = {}
            for name in files_below(self._folder):
                self._names.setdefault(name.rpartition("/")[2], []).append(name)
        wanted = file_name.removeprefix("./")
        found = [name for name in self._names.get(wanted.rpartition("/")[2], ()) if f"/{name}".endswith(f"/{wanted}")]
        if len(found) > 1:
            named = ", ".join(short_repr(name) for name in found[:5]) + (", …" if len(found) > 5 else "")
            raise ImageError(
                f"There are {len(found)} images of the name {short_repr(file_name)}: {named}.",
                kind="ambiguous file name",
            )
        return FoundFile(file_name, found[0], file_inside(self._folder, found[0]), "in sub-folders") if found else None
