"""Pascal VOC: an XML file beside every image.

Corners are counted as VOC counts them: pixels from 1, both corners belonging to the box. The box of pixels 1…10 is
`xmin` 1 and `xmax` 10, here the edges 0 and 10. Objects marked difficult are taken as crowds: like these they are
neither trained on nor counted when missed or found, which is what VOC's own evaluation does with them.
"""

import math
import os
from pathlib import Path

from pix2seq_keras.data.images.read_image import ImageError, inspect_image
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.annotation_files import MEGABYTE, read_annotation_file
from pix2seq_keras.data.sources.class_lists import listed_classes, met_classes
from pix2seq_keras.data.sources.folder import file_inside
from pix2seq_keras.data.sources.image_index import IndexedImage, choose_frame, look_at_all
from pix2seq_keras.data.sources.indexed_source import indexed_source
from pix2seq_keras.data.sources.listing import IMAGE_SUFFIXES, names_below
from pix2seq_keras.data.sources.numbers_in_text import number
from pix2seq_keras.data.sources.objects import place_objects
from pix2seq_keras.data.sources.showing import shown
from pix2seq_keras.data.sources.splits import made_split
from pix2seq_keras.data.sources.voc.layout import find_voc_layout, listed_names
from pix2seq_keras.data.sources.voc.xml_file import object_faults, parse_voc
from pix2seq_keras.errors import InputError

_MAX_BYTES = 16 * MEGABYTE


def open_voc(directory, split, difficult="crowd"):
    """Opens one split of a folder in Pascal VOC's layout, or of a plain folder of images and XML files.

    With `ImageSets/Main/SPLIT.txt` that is the split, its images are in `JPEGImages/` and their XML files in
    `Annotations/`; the folder may also be the one above (`VOCdevkit/` with one `VOC2012/` in it). Without, the files
    lie side by side or in `images/` and `annotations/`, which may have a folder for every split in them or be in one;
    if there is none, the splits are those of `made_split`. Classes are those of `classes.txt`, one a line; where
    there is no such file, all names met in the XML files of all splits, in alphabetical order.

    Args:
        directory: path, the folder.
        split: str, "train", "val", "trainval", …
        difficult: str, "crowd" to take difficult objects as crowds, "keep" as any other object.

    Returns:
        A `Source`. Image ids are places in the whole split, counted from 1.

    Raises:
        InputError: if the folder or the split is missing, or not one image can be used.

    Example:
        >>> source = open_voc("VOCdevkit/VOC2012", "train")
        >>> source.categories.names[:3]
        ('aeroplane', 'bicycle', 'bird')
    """
    if difficult not in ("crowd", "keep"):
        raise InputError(f"Difficult objects are taken as 'crowd' or kept by 'keep'. Received: difficult={difficult!r}")
    root = Path(directory).expanduser()
    layout = find_voc_layout(root, split)
    name = f"voc:{os.fspath(directory)}" + ("?difficult=keep" if difficult == "keep" else "")
    issues = Issues()

    categories = listed_classes([root.resolve(), *layout.tables])
    xml_files = dict(names_below(layout.annotations, (".xml",)))  # stem -> file name
    image_files: dict[str, list[str]] = {}
    for stem, file_name in names_below(layout.images, IMAGE_SUFFIXES):
        image_files.setdefault(stem, []).append(file_name)
    if layout.lists is not None:
        stems = _unrepeated(listed_names(layout, split), f"{split}.txt", issues)
    else:
        stems = sorted({*xml_files, *image_files})
    if not stems:
        raise InputError(f"The split {split!r} of {name} lists no images.")

    looks = look_at_all(lambda stem: _look(layout, stem, xml_files, image_files, issues), stems)
    if categories is None:
        categories = met_classes(_all_names(layout, stems, looks), str(root))

    class_of = {class_name: index for index, class_name in enumerate(categories.names)}
    images, rows, boxes = [], [], []
    for position, (stem, seen) in enumerate(zip(stems, looks, strict=True)):
        if seen is None:
            continue
        annotation, file_name, path, info = seen
        width, height, turn, issue = choose_frame(info, _length(annotation.width), _length(annotation.height))
        if issue is not None:
            issues.add(issue[0], file_name, f"{file_name!r:.80}: {issue[1]}")
        images.append(IndexedImage(position + 1, file_name, path, info, width, height, turn))
        for place, found in enumerate(annotation.objects):
            where = f"{stem}.xml object[{place}] ({shown(found.name, 40)})"
            fault = object_faults(found)
            object_class = None if fault else class_of.get(found.name)
            if fault is None and object_class is None:
                fault = "unknown category", "no class has this name"
            if fault is not None:
                issues.add(fault[0], where, f"{where}: {fault[1]}; dropped.")
                continue
            xmin, ymin, xmax, ymax = map(number, found.edges)
            crowd = found.difficult == "1" and difficult == "crowd"
            rows.append((len(images) - 1, object_class, crowd, math.nan, xmin - 1, ymin - 1, xmax, ymax))
            boxes.append((where, f"({', '.join(map(str, found.edges))})"))
    if not images:
        raise InputError(f"None of the {len(stems)} images of {name} ({split}) can be used:\n{issues.summary()}")
    objects = place_objects(rows, boxes.__getitem__, images, issues)
    source = indexed_source(
        name, split if layout.splits else "all", categories, images, objects, issues, str(layout.annotations)
    )
    return source if layout.splits else made_split(source, split, [image.file_name for image in images])


def _look(layout, stem, xml_files, image_files, issues):
    """The annotation, file name, path and header of one image; None, and an issue, where it cannot be used."""
    where = f"{shown(stem)}"
    try:
        if stem not in xml_files:
            raise ImageError(
                f"There is no {stem[:80]}.xml for the image {stem[:80]!r}.", kind="image without annotation file"
            )
        annotation = _parse(layout.annotations, xml_files[stem])
        file_name = _image_file(layout, stem, annotation, xml_files, image_files)
        path = file_inside(layout.images, file_name)
        return annotation, file_name, path, inspect_image(path)
    except ImageError as error:
        issues.add(error.kind, where, f"{error} The image is left out.")
    except InputError as error:
        issues.add("unusable annotation file", where, f"{error} The image is left out.")
    return None


def _image_file(layout, stem, annotation, xml_files, image_files):
    candidates = image_files.get(stem, [])
    said = annotation.filename or ""
    folder = stem.rpartition("/")[0]
    said = f"{folder}/{said}" if folder and said else said
    if said in candidates:
        return said
    if candidates:
        return candidates[0]
    # <filename> is often wrong, of files that were renamed or copied: it decides only where the names do not, and not
    # for an image that has an XML file of its own.
    claimed = os.path.splitext(said)[0] in xml_files  # noqa: PTH122
    if not said or claimed or not os.path.isfile(file_inside(layout.images, said)):  # noqa: PTH113
        raise ImageError(
            f"There is no image for {stem[:80]}.xml, which names {said[:80]!r}.",
            kind="annotation file without an image",
        )
    return said


def _parse(folder, file_name):
    path = file_inside(folder, file_name, "annotation file")
    return parse_voc(read_annotation_file(path, _MAX_BYTES), file_name)


def _all_names(layout, stems, looks):
    """The class names in all XML files of all splits, those that cannot be read left out."""
    seen = set()
    for stem, look in zip(stems, looks, strict=True):
        if look is not None:
            seen.add((layout.annotations, f"{stem}.xml"))
            yield from (found.name for found in look[0].objects)
    for folder in layout.tables:
        for _, file_name in names_below(folder, (".xml",)):
            if (folder, file_name) not in seen:
                try:
                    yield from (found.name for found in _parse(folder, file_name).objects)
                except InputError:
                    continue  # told when its own split is opened


def _length(text):
    value = number(text)
    return text if value is None else value


def _unrepeated(names, list_name, issues):
    """Each name once."""
    seen = {}
    for position, name in enumerate(names):
        if name in seen:
            where = f"{list_name}[{position}] ({name!r:.80})"
            issues.add("duplicate image id", where, f"{where}: listed before at {seen[name]}; it is kept once.")
        else:
            seen[name] = position
    return list(seen)
