"""The `"images"` of a COCO file: checks them and decides in which frame their boxes are drawn."""

import os

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.sources.file_finder import FileFinder, files_of_several_names, note_difference
from pix2seq_keras.data.sources.image_index import IndexedImage, choose_frame, map_in_threads
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.data.sources.subfolders import SubfolderIndex
from pix2seq_keras.data.sources.unused_files import note_unused, unlisted_files


def check_images(records, folder, issues, reader, whole_folder=True):
    """Checks all image records and the headers of their files.

    A file that is not found as it is named is sought by `FileFinder`: Objects365 names "images/v1/patch8/a.jpg" what
    most people unpack to `patch8/a.jpg`.

    Args:
        records: list, the `"images"`, unchecked.
        folder: `Path`, the resolved folder of the images.
        issues: `Issues`; every record that is left out or doubtful is reported.
        reader: `LenientReader`, of ids, sizes and file names.
        whole_folder: bool, whether the folder has only the images of this file; others are noted then. Defaults to
            True.

    Returns:
        `(images, known_ids)`: list of `IndexedImage`, the usable images in the file's order, and a frozenset of the
        ids of all image records, usable or not.
    """
    named = {}  # id -> (where, file name, record)
    for position, record in enumerate(records):
        where = f"images[{position}]"
        if not isinstance(record, dict):
            issues.add("unusable image record", where, f"{where} is {short_repr(record)}, not a dictionary.")
            continue
        image_id, file_name = record.get("id"), record.get("file_name")
        where = f"{where} (id {short_repr(image_id, 40)}, {short_repr(file_name)})"
        image_id = reader.integer(image_id, '"id" of images', lambda where=where: where)
        if image_id is None:
            issues.add("unusable image record", where, f'{where}: "id" must be an integer of 64 bits.')
        elif image_id in named:
            issues.add("duplicate image id", where, f"{where}: {named[image_id][0]} has this id already; it is kept.")
        else:
            named[image_id] = (where, file_name, record)

    finder = FileFinder(folder)

    def inspect(file_name):
        try:
            if not isinstance(file_name, str):
                raise ImageError('"file_name" must be a string.', kind="unusable image record")
            file = finder.find(file_name)
            return file, inspect_image(file.path)
        except ImageError as error:
            return error

    found = map_in_threads(inspect, [file_name for _, file_name, _ in named.values()])
    found = _look_in_subfolders(folder, named, found)
    shared = files_of_several_names(entry[0] for entry in found if not isinstance(entry, ImageError))

    images = []
    for (image_id, (where, file_name, record)), entry in zip(named.items(), found, strict=True):
        if not isinstance(entry, ImageError) and entry[0].difference and entry[0].path in shared:
            entry = ImageError(
                f"There is no image {short_repr(file_name)}; the similar {short_repr(entry[0].name)} fits several "
                "records.",
                kind="missing image",
            )
        if isinstance(entry, ImageError):
            issues.add(entry.kind, where, f"{where}: {entry} The image is left out.")
            continue
        file, info = entry
        note_difference(file, reader)
        sides = (_length(record.get(side), side, where, reader) for side in ("width", "height"))
        width, height, box_orientation, issue = choose_frame(info, *sides)
        issue = None if issue is None else (issue[0], where, f"{where}: {issue[1]}")
        images.append(IndexedImage(image_id, file_name, file.path, info, width, height, box_orientation, issue))
    files = [entry[0] for entry in found if not isinstance(entry, ImageError)]
    _note_unused(files, records, folder, whole_folder, issues)
    return images, frozenset(named)


def _look_in_subfolders(folder, named, found):
    """What was found, with images of sub-folders for names that no image has."""
    index, entries = SubfolderIndex(folder), []
    for (_, file_name, _), entry in zip(named.values(), found, strict=True):
        if isinstance(entry, ImageError) and entry.kind == "missing image":
            try:
                file = index.find(file_name)
                entry = entry if file is None else (file, inspect_image(file.path))
            except ImageError as error:
                entry = error
        entries.append(entry)
    return entries


def _note_unused(files, records, folder, whole_folder, issues):
    """Notes the files beside the images that no record names. Folders without any image of a record are not listed."""
    used = {str(file.path) for file in files}  # where names are links, these are the files
    names = (record.get("file_name") for record in records if isinstance(record, dict))
    names = (name for name in names if isinstance(name, str))
    used.update(os.path.normpath(os.path.join(folder, name)) for name in names)  # noqa: PTH118 (as fast as possible)
    images, others = unlisted_files({file.path.parent for file in files}, used)
    if whole_folder:
        note_unused([os.path.relpath(path, folder) for path in images], "images in no record", str(folder), issues)
    note_unused([os.path.relpath(path, folder) for path in others], "no images by their endings", str(folder), issues)


def _length(value, side, where, reader):
    """A width or height; text is read leniently, and returned as it is if it is no number."""
    if not isinstance(value, str):
        return value
    length = reader.integer(value, f'"{side}" of images', lambda: where)
    return value if length is None else length
