"""Reads Pascal VOC: an XML file for each image.

VOC counts pixels from 1, and both corners belong to the box: `xmin` 1 and `xmax` 10 are here the edges 0 and 10.
Difficult objects become crowds: they are no targets in training, and evaluation ignores them, as VOC's own evaluation
does.
"""

import math
import os
from pathlib import Path

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.annotation_files import read_annotation_file
from pix2seq_keras.data.sources.class_lists import classes_from_names, read_class_list
from pix2seq_keras.data.sources.file_finder import FileFinder, note_difference
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.image_index import IndexedImage, choose_frame, map_in_threads
from pix2seq_keras.data.sources.indexed_source import indexed_source
from pix2seq_keras.data.sources.lenient import LenientReader
from pix2seq_keras.data.sources.listing import files_below, is_image_name, names_below
from pix2seq_keras.data.sources.location import require_value, split_option
from pix2seq_keras.data.sources.objects import place_objects
from pix2seq_keras.data.sources.parse_number import parse_number
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.data.sources.split_by_hash import WHOLE, split_by_hash
from pix2seq_keras.data.sources.unused_files import may_be_missed, note_unused
from pix2seq_keras.data.sources.voc.layout import find_voc_layout, listed_names
from pix2seq_keras.data.sources.voc.pairing import pair_spellings, same_spellings
from pix2seq_keras.data.sources.voc.xml_file import check_object, parse_voc
from pix2seq_keras.errors import InputError
from pix2seq_keras.untrusted import MEGABYTE

DIFFICULT = ("crowd", "keep")
_MAX_BYTES = 16 * MEGABYTE


def folder_and_difficult(location):
    """Splits a location such as "VOC2012?difficult=keep".

    Args:
        location: str.

    Returns:
        `(folder, difficult)`, see `open_voc`.

    Raises:
        InputError: if `difficult` has another value.
    """
    return split_option(location, "difficult", DIFFICULT)


def open_location(location, split):
    """Opens one split of a source.

    Args:
        location: str, "DIR" or "DIR?difficult=keep", see `open_voc`.
        split: str, a split's name.

    Returns:
        `Source`.

    Raises:
        InputError: if it cannot be opened.
    """
    folder, difficult = folder_and_difficult(location)
    return open_voc(folder, split, difficult)


def open_voc(directory, split, difficult="crowd"):
    """Opens one split of a folder in Pascal VOC's layout, or of a plain folder of images and XML files.

    In VOC's layout `ImageSets/Main/SPLIT.txt` lists the split, its images are in `JPEGImages/` and their XML files in
    `Annotations/`; the folder may also be the parent (`VOCdevkit/` with one `VOC2012/` in it). In other layouts the
    files are side by side, or in `images/` and `annotations/`; there may be a folder for each split, inside these or
    around them. Without splits, they are those of `split_by_hash`. Classes are those of `classes.txt`, one per line;
    if there is no such file, all names in the XML files of all splits, in alphabetical order.

    Args:
        directory: path, the folder.
        split: str, "train", "val", "trainval", …
        difficult: str, "crowd" makes difficult objects crowds, "keep" treats them as any other object. Defaults to
            "crowd".

    Returns:
        `Source`. Image ids are places in the whole split, counted from 1.

    Raises:
        InputError: if the folder or the split is missing, or no image can be used.

    Example:
        >>> source = open_voc("VOCdevkit/VOC2012", "train")
        >>> source.categories.names[:3]
        ('aeroplane', 'bicycle', 'bird')
    """
    require_value("difficult", difficult, DIFFICULT)
    root = Path(directory).expanduser()
    layout = find_voc_layout(root, split)
    split = layout.split or split
    name = f"voc:{os.fspath(directory)}" + ("?difficult=keep" if difficult == "keep" else "")
    issues, reader = Issues(), LenientReader()

    categories = read_class_list([root.resolve(), *layout.class_folders])
    xml_files = dict(names_below(layout.annotations, (".xml",)))  # stem -> file name
    image_files = {}
    for file_name in filter(is_image_name, names := list(files_below(layout.images))):
        image_files.setdefault(os.path.splitext(file_name)[0], []).append(file_name)  # noqa: PTH122
    note_unused(list(filter(may_be_missed, names)), "no images by their endings", str(layout.images), issues)
    pair_spellings(xml_files, image_files, reader)
    if layout.lists is not None:
        listed = listed_names(layout, split, {*xml_files, *image_files})
        stems = _without_duplicates(same_spellings(listed, xml_files, reader), f"{split}.txt", issues)
    else:
        stems = sorted({*xml_files, *image_files})
    if not stems:
        raise InputError(f"The split {split!r} of {name} has no images.")

    finder = FileFinder(layout.images)
    read_entry = lambda stem: _read_entry(layout, finder, stem, xml_files, image_files, issues, reader)
    entries = map_in_threads(read_entry, stems)
    if not any(entries):
        raise InputError(f"None of the {len(stems)} images of {name} ({split}) can be used:\n{issues.summary()}")
    if categories is None:
        categories = classes_from_names(_all_names(layout, stems, entries), str(root), issues)

    unused = [
        file_name
        for stem, entry in zip(stems, entries, strict=True)
        if entry is not None
        for file_name in image_files.get(stem, [])
        if file_name != entry[1]
    ]
    note_unused(unused, "another image has the same XML file", str(layout.images), issues)
    class_of = {class_name: index for index, class_name in enumerate(categories.names)}
    images, rows, boxes = [], [], []
    for position, (stem, entry) in enumerate(zip(stems, entries, strict=True)):
        if entry is None:
            continue
        annotation, file_name, path, info = entry
        for repair in annotation.repairs:
            issues.add("annotation file repaired", f"{stem}.xml", f"{stem}.xml: {repair}.")
        sides = _length(annotation.width), _length(annotation.height)
        width, height, box_orientation, issue = choose_frame(info, *sides)
        issue = None if issue is None else (issue[0], file_name, f"{file_name!r:.80}: {issue[1]}")
        images.append(IndexedImage(position + 1, file_name, path, info, width, height, box_orientation, issue))
        for place, voc_object in enumerate(annotation.objects):
            where = f"{stem}.xml object[{place}] ({short_repr(voc_object.name, 40)})"
            fault = check_object(voc_object)
            object_class = None if fault else class_of.get(voc_object.name)
            if fault is None and object_class is None:
                fault = "unknown category", "no class has this name"
            if fault is not None:
                issues.add(fault[0], where, f"{where}: {fault[1]}; dropped.")
                continue
            xmin, ymin, xmax, ymax = map(parse_number, voc_object.edges)
            is_difficult = voc_object.difficult == "1"
            if voc_object.difficult not in ("0", "1"):
                is_difficult = reader.boolean(voc_object.difficult, "<difficult> of objects", lambda where=where: where)
            crowd = is_difficult and difficult == "crowd"
            rows.append((len(images) - 1, object_class, crowd, math.nan, xmin - 1, ymin - 1, xmax, ymax))
            boxes.append((where, f"({', '.join(map(str, voc_object.edges))})"))
    objects = place_objects(rows, boxes.__getitem__, images, issues)
    reader.report(issues)
    source = indexed_source(
        name,
        split if layout.splits else WHOLE,
        categories,
        images,
        objects,
        issues,
        str(layout.annotations),
        ("difficult", f"{name}?difficult=keep"),
    )
    return source if layout.splits else split_by_hash(source, split, [image.file_name for image in images])


def _read_entry(layout, finder, stem, xml_files, image_files, issues, reader):
    """The annotation, file name, path and header of one image; None, and an issue, if it cannot be used."""
    where = f"{short_repr(stem)}"
    try:
        if stem not in xml_files:
            raise ImageError(
                f"There is no {stem[:80]}.xml for the image {stem[:80]!r}.", kind="image without annotation file"
            )
        annotation = _parse(layout.annotations, xml_files[stem])
        file_name = _image_file(finder, stem, annotation, xml_files, image_files, reader)
        path = file_inside(layout.images, file_name)
        return annotation, file_name, path, inspect_image(path)
    except ImageError as error:
        issues.add(error.kind, where, f"{error} The image is left out.")
    except InputError as error:
        issues.add("unusable annotation file", where, f"{error} The image is left out.")
    return None


def _image_file(finder, stem, annotation, xml_files, image_files, reader):
    candidates = image_files.get(stem, [])
    declared = annotation.filename or ""
    folder = stem.rpartition("/")[0]
    declared = f"{folder}/{declared}" if folder and declared else declared
    if declared in candidates:
        return declared
    if candidates:
        return candidates[0]
    # <filename> is often wrong, because files were renamed or copied. So it is used only if no image has the name of
    # the XML file, and not for an image that has an XML file of its own.
    file = finder.find(declared) if declared else None
    has_own_file = file is not None and os.path.splitext(file.name)[0] in xml_files  # noqa: PTH122
    if file is None or has_own_file or not file.path.is_file():
        raise ImageError(
            f"There is no image for {stem[:80]}.xml, which names {declared[:80]!r}.",
            kind="annotation file without an image",
        )
    note_difference(file, reader)
    return file.name


def _parse(folder, file_name):
    path = file_inside(folder, file_name, "annotation file")
    return parse_voc(read_annotation_file(path, _MAX_BYTES), file_name)


def _all_names(layout, stems, entries):
    """The class names in all readable XML files of all splits."""
    done = set()
    for stem, entry in zip(stems, entries, strict=True):
        if entry is not None:
            done.add((layout.annotations, f"{stem}.xml"))
            yield from (voc_object.name for voc_object in entry[0].objects)
    for folder in layout.class_folders:
        for _, file_name in names_below(folder, (".xml",)):
            if (folder, file_name) not in done:
                try:
                    yield from (voc_object.name for voc_object in _parse(folder, file_name).objects)
                except InputError:
                    continue  # reported when its own split is opened


def _length(text):
    value = parse_number(text)
    return text if value is None else value


def _without_duplicates(names, list_name, issues):
    positions = {}
    for position, name in enumerate(names):
        if name in positions:
            where = f"{list_name}[{position}] ({name!r:.80})"
            issues.add("duplicate image id", where, f"{where}: listed at {positions[name]} too; it is kept once.")
        else:
            positions[name] = position
    return list(positions)
