"""Which image belongs to an XML file whose name is spelled in another way: Unicode form, case, percent-encoding."""

from pix2seq_keras.data.sources.file_finder import KIND, spelling_key
from pix2seq_keras.data.sources.short_repr import short_repr


def pair_spellings(xml_files, image_files, reader):
    """Gives the images without an XML file of their own name to the one XML file of the same spelling, if it has none.

    Args:
        xml_files: dict of stem to the name of an XML file.
        image_files: dict of stem to the names of its images; images that are paired get the stem of the XML file.
        reader: `LenientReader`; what is paired is noted.
    """
    lonely = {}  # key -> stems of XML files without an image, stems of images without an XML file
    for stems, others, side in ((xml_files, image_files, 0), (image_files, xml_files, 1)):
        for stem in stems:
            if stem not in others:
                lonely.setdefault(spelling_key(stem), ([], []))[side].append(stem)
    for xml_stems, image_stems in lonely.values():
        if len(xml_stems) == len(image_stems) == 1:
            image_files[xml_stems[0]] = image_files.pop(image_stems[0])
            text = f"{short_repr(image_stems[0])} is the image of {short_repr(xml_files[xml_stems[0]])}."
            reader.note(KIND, "images spelled otherwise than their XML files", lambda text=text: text)


def same_spellings(names, stems, reader):
    """Names of a list -> stems of files: a name that is no stem is the one stem of the same spelling.

    Args:
        names: list of str, of a split.
        stems: collection of str, of the files.
        reader: `LenientReader`; names that are spelled otherwise are noted.

    Returns:
        List of str, as long as `names`.
    """
    if all(name in stems for name in names):
        return names
    by_key = {}
    for stem in stems:
        by_key.setdefault(spelling_key(stem), []).append(stem)
    found = []
    for name in names:
        fitting = [name] if name in stems else by_key.get(spelling_key(name), [])
        found.append(fitting[0] if len(fitting) == 1 else name)
        if found[-1] != name:
            text = f"{short_repr(name)} is read as {short_repr(found[-1])}."
            reader.note(KIND, "names in lists spelled otherwise than the files", lambda text=text: text)
    return found
