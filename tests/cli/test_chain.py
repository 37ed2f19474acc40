"""Training, evaluation and prediction by command, one after the other, and what they refuse of a run."""

import json
import re
import shutil
import zipfile

import pytest
from PIL import Image
from pycocotools.coco import COCO

from pix2seq_keras import cli

SCORES = {"AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"}
KEYS = SCORES | {"per_class", "num_images", "num_objects", "seconds", "unreadable_images"}


def test_train_writes_a_run_folder_by_its_flags_and_reports_bad_images(trained):
    from pix2seq_keras.training import recipe_files

    run, process = trained
    resolved = recipe_files.load(run / "recipe.yaml")
    assert (resolved.steps, resolved.model.image_size, resolved.sequence.max_objects) == (4, (32, 32), 4)
    assert (
        resolved.optimizer.warmup_steps == 100
    )  # of the recipe, which is given after --steps and before the other flags
    assert {"best.keras", "last.keras", "metrics.csv", "curves.png", "gallery.png"} <= {p.name for p in run.iterdir()}
    assert "training: 4/4" in process.stderr
    assert "image outside the folder: 1" in process.stdout and "../x.png" in process.stdout
    assert "unreadable image: 1" in process.stdout and "1.png" in process.stdout


def test_evaluate_writes_a_page_about_the_errors(trained, tmp_path, capsys):
    run, _ = trained
    page = tmp_path / "report.html"
    target = tmp_path / "scores.json"
    arguments = ["--split", "val", "--batch_size", 2, "--sampler", "greedy", "--report", page, "--json", target]
    assert cli.main(["evaluate", "--model", str(run), *map(str, arguments)]) == 0
    printed = capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    result = json.loads(target.read_text())
    assert str(page) in printed
    assert set(result) == KEYS  # the page adds nothing to it
    for words in (str(run), "sampler greedy, batch_size 2", "<h2>Errors</h2>", "1: val/0.png", "red"):
        assert words in text
    for name in SCORES:
        value = "—" if result[name] is None else f"{result[name]:.3f}"
        assert re.search(rf"<td>{name}</td><td>[^<]*</td><td>{value}</td>", text)
    assert text.count("<img ") == 1 + 3  # the curves, and each image once
    assert "<script" not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "scores.json"]


def test_evaluate_uses_the_data_of_the_run_and_writes_every_score(trained, tmp_path, capsys):
    run, _ = trained
    assert cli.main(["evaluate", "--model", str(run), "--split", "val", "--json", str(tmp_path / "scores.json")]) == 0
    result = json.loads((tmp_path / "scores.json").read_text())
    assert set(result) == KEYS
    assert all(value is None or 0 <= value <= 1 for value in (result[name] for name in SCORES))
    assert set(result["per_class"]) == {"red", "green", "blue"}
    assert all(set(scores) == {"AP", "AP50"} for scores in result["per_class"].values())
    assert (result["num_images"], result["num_objects"], result["unreadable_images"]) == (3, 9, 0)
    assert "3 images, 9 objects" in capsys.readouterr().out


def test_predict_skips_unreadable_images_and_names_them_at_the_end(pix2seq, trained, mixed_images, tmp_path):
    output = tmp_path / "out"
    options = ["--threshold", 0, "--num-samples", 2, "--flip-test", "true", "--sampler", "{name: top_p, p: 0.8}"]
    process = pix2seq("predict", "--model", trained[0], mixed_images, "--output", output, *options)
    good = {path.stem for path in mixed_images.iterdir() if not path.name.startswith("bad")}

    coco = COCO(output / "predictions.json")
    images = coco.loadImgs(coco.getImgIds())

    assert {path.stem for path in output.glob("*.png")} == good
    assert {record["annotated"] for record in images} == {f"{name}.png" for name in good}
    sizes = {record["annotated"]: (record["width"], record["height"]) for record in images}
    assert sizes.pop("turned.png") == (30, 40)  # upright
    assert set(sizes.values()) == {(40, 30)}
    tail = process.stdout[process.stdout.index("3 images were left out") :]
    assert all(name in tail for name in ("bad_cut.jpg", "bad_text.jpg", "bad_empty.png"))


@pytest.mark.usefixtures("eagerly")
def test_real_blood_cells_go_from_training_to_predictions(tiny_flags, bccd_dir, tmp_path):
    folder = tmp_path / "bccd"
    (folder / "annotations").mkdir(parents=True)
    for split, count in (("train", 3), ("val", 2)):
        name = f"annotations/instances_{split}.json"
        document = json.loads((bccd_dir / name).read_text())
        images = document["images"][:count]
        ids = {image["id"] for image in images}
        records = [record for record in document["annotations"] if record["image_id"] in ids]
        (folder / name).write_text(json.dumps({**document, "images": images, "annotations": records}))
        (folder / split).mkdir()
        for image in images:
            shutil.copy(bccd_dir / split / image["file_name"], folder / split)
    flags = ["--data.source", f"coco:{folder}", "--steps", "2", "--epoch_steps", "2"]
    assert cli.main(["train", "--recipe", "bccd", "--output", str(tmp_path / "run"), *flags, *tiny_flags]) == 0
    image = next((folder / "val").iterdir())
    arguments = ["--model", str(tmp_path / "run"), "--output", str(tmp_path / "out")]
    assert cli.main(["predict", str(image), *arguments]) == 0
    categories = {record["name"] for record in COCO(tmp_path / "out" / "predictions.json").dataset["categories"]}
    assert categories == {"RBC", "WBC", "Platelets"}
    assert Image.open(tmp_path / "out" / f"{image.stem}.png").size == (640, 480)


# === Refusals ===


def test_a_run_is_neither_overwritten_nor_resumed_with_another_recipe(refused, trained):
    assert "already holds a run" in refused("train", "--recipe", "bccd", "--output", trained[0])
    message = refused("train", "--output", trained[0], "--resume", "--steps", "77", "--seed", "8")
    assert "but for `steps`. Received: another value of seed." in message
    message = refused("train", "--output", trained[0], "--resume", "--steps", "3")
    assert "must be at least its own" in message and "is trained for 4. Received: steps=3" in message


def test_evaluate_refuses_what_it_cannot_use(refused, trained, tmp_path):
    run, _ = trained
    assert "There is no model 'none'" in refused("evaluate", "--model", "none", "--split", "val")
    assert "'night'" in refused("evaluate", "--model", run, "--split", "night")
    target = tmp_path / "missing" / "scores.json"
    assert "scores.json" in refused("evaluate", "--model", run, "--split", "val", "--json", target)
    for page, words in (
        (tmp_path / "missing" / "report.html", "cannot be written to"),
        (tmp_path / "report.pdf", "`--report` must end in .html or .htm. Received: --report"),
        (tmp_path, "must end in .html"),
    ):  # before anything is opened: there is no such model
        assert words in refused("evaluate", "--model", "none", "--split", "val", "--report", page)
    both = tmp_path / "both.html"
    message = refused("evaluate", "--model", "none", "--split", "val", "--report", both, "--json", both)
    assert "must be two files" in message
    image = tmp_path / "coco" / "val" / "0.png"
    shutil.copytree(trained[0].parent / "coco", tmp_path / "coco")
    for flag, name in (("--json", "0.png"), ("--report", "page.html")):
        (image.parent / "page.html").symlink_to(image) if flag == "--report" else None
        data = ("--data", f"coco:{tmp_path / 'coco'}")
        message = refused("evaluate", "--model", run, "--split", "val", *data, flag, image.parent / name)
        assert "would overwrite 1 of the images themselves" in message
    assert "--data is required unless" in refused("evaluate", "--model", run / "best.keras", "--split", "val")
    assert "max_objects" in refused("evaluate", "--model", run, "--split", "val", "--max_objects", "9")
    equal = ("--num_samples", "2", "--sampler", "greedy")
    assert "a sampler that draws" in refused("evaluate", "--model", run, "--split", "val", *equal)


def test_a_damaged_model_is_named(refused, trained, tmp_path):
    damaged = tmp_path / "damaged.keras"
    content = bytearray((trained[0] / "best.keras").read_bytes())
    with zipfile.ZipFile(trained[0] / "best.keras") as archive:
        place = archive.getinfo("model.weights.h5").header_offset + 20_000
    content[place] ^= 0xFF
    damaged.write_bytes(content)
    assert "damaged.keras" in refused("evaluate", "--model", damaged, "--data", "coco:x", "--split", "val")


def test_predict_refuses_what_it_cannot_use(refused, trained, mixed_images, tmp_path):
    run, output = trained[0], tmp_path / "out"
    assert "missing.png" in refused("predict", "--model", run, "missing.png", "--output", output)
    (tmp_path / "file").touch()
    assert "cannot be written" in refused("predict", "--model", run, mixed_images, "--output", tmp_path / "file")
    message = refused("predict", "--model", run, mixed_images / "bad_text.jpg", "--output", output)
    assert message.splitlines()[-1] == "pix2seq: None of the 1 images could be read."


def test_a_full_disk_gives_one_message(refused, trained, monkeypatch, tmp_path):
    import errno
    import os

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    message = refused("evaluate", "--model", trained[0], "--split", "val", "--json", tmp_path / "scores.json")
    assert "scores.json cannot be written: No space left on device" in message
    monkeypatch.setattr("pix2seq_keras.inference.open_model", full)  # anywhere in the command
    assert "No space left on device" in refused("evaluate", "--model", trained[0], "--split", "val")
