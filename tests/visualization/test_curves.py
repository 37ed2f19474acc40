import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.errors import InputError
from pix2seq_keras.visualization import curves, save_curves

HEADER = "epoch,accuracy,learning_rate,loss,val_AP,val_AP50,val_AP75\n"


@pytest.fixture
def metrics(tmp_path):
    def write(text):
        (tmp_path / "metrics.csv").write_text(text)
        return tmp_path / "metrics.csv"

    return write


def test_curves_are_written_as_a_png_file(metrics, tmp_path):
    path = metrics(HEADER + "".join(f"{i},0.{i},0.001,{5 - i},0.1,0.2,0.1\n" for i in range(5)))

    save_curves(path, tmp_path / "plots" / "curves.png")

    image = np.asarray(Image.open(tmp_path / "plots" / "curves.png"))
    assert image.min() < 100 and image.max() == 255
    assert [file.name for file in (tmp_path / "plots").iterdir()] == ["curves.png"]


def test_every_number_becomes_a_point_of_its_panel(metrics, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(curves, "_draw_panel", lambda axis, title, points: drawn.update({title: points}))
    path = metrics(
        HEADER
        + "0,0.1,0.001,5.0,nan,nan,nan\n"
        + "1,0.2,,4.0,0.25,0.5,0.125\n"
        + "2,0.9,inf,9.0,,,\n"
        + HEADER  # a resumed training wrote its header again, and repeats epoch 2
        + "2,0.3,0.002,3.0,,,\n"
        + "3,0.4"  # and was killed while it wrote
    )

    save_curves(path, tmp_path / "curves.png")

    assert drawn == {
        "loss": {"loss": [(0, 5.0), (1, 4.0), (2, 3.0)]},
        "token accuracy": {"accuracy": [(0, 0.1), (1, 0.2), (2, 0.3), (3, 0.4)]},
        "average precision": {"val_AP": [(1, 0.25)], "val_AP50": [(1, 0.5)], "val_AP75": [(1, 0.125)]},
        "learning rate": {"learning_rate": [(0, 0.001), (2, 0.002)]},
    }


def test_a_single_column_is_enough(metrics, tmp_path):
    save_curves(metrics("step,loss\n100,2.5\n"), tmp_path / "curves.png")

    assert (tmp_path / "curves.png").stat().st_size > 0


def test_files_that_are_missing_or_have_no_numbers_are_refused(metrics, tmp_path):
    with pytest.raises(InputError, match=r"gone\.csv cannot be read"):
        save_curves(tmp_path / "gone.csv", tmp_path / "curves.png")
    with pytest.raises(InputError, match="empty"):
        save_curves(metrics(""), tmp_path / "curves.png")
    with pytest.raises(InputError, match="empty"):
        save_curves(metrics(HEADER), tmp_path / "curves.png")
    with pytest.raises(InputError, match="must have a number"):
        save_curves(metrics("epoch,loss\n0,nan\n"), tmp_path / "curves.png")

    assert not (tmp_path / "curves.png").exists()
