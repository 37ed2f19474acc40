"""A YOLO data set of given files."""

import pytest
import yaml


@pytest.fixture
def yolo(tmp_path, save_image):
    """A function that writes images, label files and data.yaml, and returns the source."""

    def write(files, **document):
        for name, text in files.items():
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".png"):
                save_image(path, **(text or {}))
            else:
                path.write_text(text)
        (tmp_path / "set" / "data.yaml").write_text(yaml.safe_dump({"names": ["dog", "cat"], **document}))
        return f"yolo:{tmp_path}/set/data.yaml"

    return write
