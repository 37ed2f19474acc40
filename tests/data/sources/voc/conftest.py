"""VOC folders: images with a white box, and the XML text that describes it."""

import pytest

WIDTH, HEIGHT = 60, 40


@pytest.fixture
def obj():
    """A function that returns the XML text of an object; by default of the white box."""

    def make(name="cat", corners=(34, 5, 57, 14), more=""):
        edges = "".join(
            f"<{tag}>{value}</{tag}>" for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
        )
        return f"<object><name>{name}</name>{more}<bndbox>{edges}</bndbox></object>"

    return make


@pytest.fixture
def xml():
    """A function that returns the XML text of an image with some objects."""

    def make(*objects, filename="a.png", size=(WIDTH, HEIGHT)):
        width, height = size
        return (
            f"<annotation><filename>{filename}</filename><size><width>{width}</width><height>{height}</height></size>"
            f"{''.join(objects)}</annotation>"
        )

    return make


@pytest.fixture
def add(tmp_path, save_image):
    """A function that adds an image and its XML text to a folder in the layout of VOC."""
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (tmp_path / part).mkdir(parents=True)

    def add_to(split, name, text, **image):
        save_image(tmp_path / "JPEGImages" / f"{name}.png", **image)
        (tmp_path / "Annotations" / f"{name}.xml").write_text(text)
        with (tmp_path / "ImageSets" / "Main" / f"{split}.txt").open("a") as file:
            file.write(f"{name}\n")

    return add_to
