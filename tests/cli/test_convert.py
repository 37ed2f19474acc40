"""`pix2seq convert`."""

import numpy as np
import pytest

from pix2seq_keras import cli
from pix2seq_keras.inference import open_model


@pytest.fixture
def run(capsys):
    """Runs the command in this process, and returns what it printed."""

    def run(*arguments):
        assert cli.main([str(argument) for argument in arguments]) == 0
        return "".join(capsys.readouterr())

    return run


def test_a_converted_model_computes_the_published_logits(run, shared_dir, tmp_path):
    reference = shared_dir / "reference" / "vit"
    output = tmp_path / "new" / "vit.keras"
    source = ["--config", reference / "config.json", "--checkpoint", reference, "--categories", "coco"]

    printed = run("convert", *source, "--output", output)

    golden = np.load(reference / "golden.npz")
    logits = open_model(output)({"images": golden["image"], "tokens": golden["input_seq"]})
    np.testing.assert_allclose(logits, golden["logits"], rtol=0, atol=1e-4)
    assert "105 weights" in printed
    assert open_model(output).categories.ids[-1] == 90


def test_unusable_arguments_are_refused(refused, shared_dir, tmp_path):
    reference = shared_dir / "reference" / "vit"
    config = ["--config", reference / "config.json"]
    output = ["--output", tmp_path / "vit.keras"]

    assert "--preset NAME or --config FILE must say" in refused("convert", "--checkpoint", reference, *output)
    assert "There is no checkpoint at" in refused("convert", *config, "--checkpoint", tmp_path, *output)
    assert "ending in .keras" in refused("convert", *config, "--checkpoint", reference, "--output", tmp_path / "vit")
    assert "--categories requires --config" in refused(
        "convert", "--preset", "vit_b_640", "--categories", "coco", "--checkpoint", reference, *output
    )
    unknown = ["--categories", tmp_path / "names.json"]
    assert "--categories must be coco, objects365 or" in refused(
        "convert", *config, *unknown, "--checkpoint", reference, *output
    )
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    where = ["--output", tmp_path / "file" / "vit.keras"]
    assert "cannot be written" in refused("convert", *config, "--checkpoint", reference, *where)


def test_the_finetune_recipe_trains_a_converted_model_on_real_images(run, shared_dir, bccd_dir, tmp_path):
    reference = shared_dir / "reference" / "vit"
    run(
        *("convert", "--config", reference / "config.json", "--checkpoint", reference),
        *("--output", tmp_path / "vit.keras"),
    )

    # One epoch: 41 steps of 5 of the 205 images; random weights need a higher rate than trained ones.
    printed = run(
        *("train", "--recipe", "finetune", "--model", tmp_path / "vit.keras", "--data.source", f"coco:{bccd_dir}"),
        *("--output", tmp_path / "run", "--steps", 41, "--epoch_steps", 8, "--batch_size", 5, "--precision", "float32"),
        *("--sequence.max_objects", 10, "--optimizer.learning_rate", 1e-3, "--optimizer.warmup_steps", 5),
        *("--evaluation.max_images", 2, "--evaluation.every", 6, "--evaluation.gallery_images", 2),
    )

    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    losses = [float(row.split(",")[rows[0].split(",").index("loss")]) for row in rows[1:]]
    assert len(losses) == 6 and losses[-1] < 0.9 * losses[0]
    assert "more objects than max_objects" in printed
    assert open_model(tmp_path / "run").categories.names == ("RBC", "WBC", "Platelets")
