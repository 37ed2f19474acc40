"""The command, as a user types it: a whole way through it in processes of its own, and what it says to bad input."""

import json
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from pix2seq_keras import cli
from pix2seq_keras.inference import open_model
from pix2seq_keras.training import recipe as recipes

TINY = """\
--model.image_size [32,32] --model.stem_widths [8,16] --model.num_bins 32 --sequence.max_objects 4
 --model.encoder_dim 16 --model.encoder_heads 2 --model.encoder_mlp_dim 32 --model.encoder_layers 1
 --model.decoder_dim 16 --model.decoder_heads 2 --model.decoder_mlp_dim 32 --model.decoder_layers 1
 --batch_size 2 --evaluation.batch_size 2 --evaluation.sampler greedy --evaluation.gallery_images 2""".split()  # noqa: SIM905
SCORES = {"AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"}
KEYS = SCORES | {"per_class", "num_images", "num_objects", "seconds", "unreadable_images"}


def pix2seq(*arguments, status=0):
    """Runs the command in a process; a traceback is never an answer."""
    command = [sys.executable, "-m", "pix2seq_keras", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in run.stderr, run.stderr
    assert run.returncode == status, run.stderr
    return run


@pytest.fixture(scope="module")
def folder(write_rectangles, edit_annotations, tmp_path_factory):
    """Rectangles; among the pictures to train on is one that leads out of the folder, and one that is cut short."""
    folder = write_rectangles(tmp_path_factory.mktemp("cli") / "coco", {"train": 5, "val": 3})
    edit_annotations(folder, "train", lambda document: document["images"][0].update(file_name="../x.png"))
    picture = folder / "train" / "1.png"
    picture.write_bytes(picture.read_bytes()[:-60])
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """A run of four steps made by the command, and what the command said."""
    run = folder.parent / "run"
    data = ["--data.source", f"coco:{folder}"]
    return run, pix2seq(
        "train", "--steps", 4, "--recipe", "digits_demo", *data, "--output", run, "--epoch_steps", 4, *TINY
    )


# === From training to predictions ===


def test_train_leaves_a_run_that_followed_the_flags_and_reports_bad_pictures(trained):
    from pix2seq_keras.training import recipe

    run, said = trained
    resolved = recipe.load(run / "recipe.yaml")
    assert (resolved.steps, resolved.model.image_size, resolved.sequence.max_objects) == (4, (32, 32), 4)
    assert resolved.optimizer.warmup_steps == 100  # of the recipe, which stands after --steps and before the others
    assert {"best.keras", "last.keras", "metrics.csv", "curves.png", "gallery.png"} <= {p.name for p in run.iterdir()}
    assert "training: 4/4" in said.stderr
    assert "picture outside the folder: 1" in said.stdout and "../x.png" in said.stdout
    assert "unreadable picture: 1" in said.stdout and "1.png" in said.stdout


def test_evaluate_writes_a_page_about_the_errors(trained, tmp_path, capsys):
    run, _ = trained
    page = tmp_path / "report.html"
    target = tmp_path / "scores.json"
    arguments = ["--split", "val", "--batch_size", 2, "--sampler", "greedy", "--report", page, "--json", target]
    assert cli.main(["evaluate", "--model", str(run), *map(str, arguments)]) == 0
    said = capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    result = json.loads(target.read_text())
    assert str(page) in said
    assert set(result) == KEYS  # the page adds nothing to it
    for words in (str(run), "sampler greedy, batch_size 2", "Where the errors come from", "1: val/0.png", "red"):
        assert words in text
    for name in SCORES:
        value = "—" if result[name] is None else f"{result[name]:.3f}"
        assert re.search(rf"<td>{name}</td><td>[^<]*</td><td>{value}</td>", text)
    assert text.count("<img ") == 1 + 3  # the curves, and each picture once
    assert "<script" not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "scores.json"]


def test_evaluate_uses_the_data_of_the_run_and_writes_every_score(trained, tmp_path):
    run, _ = trained
    said = pix2seq("evaluate", "--model", run, "--split", "val", "--json", tmp_path / "scores.json")
    result = json.loads((tmp_path / "scores.json").read_text())
    assert set(result) == KEYS
    assert all(value is None or 0 <= value <= 1 for value in (result[name] for name in SCORES))
    assert set(result["per_class"]) == {"red", "green", "blue"}
    assert all(set(scores) == {"AP", "AP50"} for scores in result["per_class"].values())
    assert (result["num_images"], result["num_objects"], result["unreadable_images"]) == (3, 9, 0)
    assert "3 pictures, 9 objects" in said.stdout


@pytest.fixture
def motley(tmp_path):
    """Pictures of every kind, in names that say which; `bad_…` cannot be read."""
    folder = tmp_path / "motley"
    folder.mkdir()
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (30, 40, 3), np.uint8))
    colours.save(folder / "rgb.png")
    colours.convert("L").save(folder / "grey.png")
    colours.convert("P").save(folder / "palette.png")
    colours.convert("RGBA").save(folder / "alpha.png")
    Image.fromarray(rng.integers(0, 65536, (30, 40), np.uint16)).save(folder / "sixteen.png")
    colours.convert("CMYK").save(folder / "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    colours.save(folder / "turned.jpg", exif=exif)
    colours.save(folder / "bad_cut.jpg")
    (folder / "bad_cut.jpg").write_bytes((folder / "bad_cut.jpg").read_bytes()[:-300])
    (folder / "bad_text.jpg").write_text("This is no picture.")
    (folder / "bad_empty.png").touch()
    return folder


def test_predict_goes_on_past_bad_pictures_and_names_them_at_its_end(trained, motley, tmp_path):
    output = tmp_path / "out"
    how = ["--threshold", 0, "--readings", 2, "--mirror", "true", "--top_p", 0.8]
    said = pix2seq("predict", "--model", trained[0], motley, "--output", output, *how)
    good = {path.stem for path in motley.iterdir() if not path.name.startswith("bad")}

    coco = COCO(output / "predictions.json")
    images = coco.loadImgs(coco.getImgIds())

    assert {path.stem for path in output.glob("*.png")} == good
    assert {record["annotated"] for record in images} == {f"{name}.png" for name in good}
    sizes = {record["annotated"]: (record["width"], record["height"]) for record in images}
    assert sizes.pop("turned.png") == (30, 40)  # upright
    assert set(sizes.values()) == {(40, 30)}
    tail = said.stdout[said.stdout.index("3 pictures were left out") :]
    assert all(name in tail for name in ("bad_cut.jpg", "bad_text.jpg", "bad_empty.png"))


def test_real_blood_cells_go_from_training_to_predictions(bccd_dir, tmp_path):
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
    assert cli.main(["train", "--recipe", "bccd", "--output", str(tmp_path / "run"), *flags, *TINY]) == 0
    picture = next((folder / "val").iterdir())
    arguments = ["--model", str(tmp_path / "run"), "--output", str(tmp_path / "out")]
    assert cli.main(["predict", str(picture), *arguments]) == 0
    categories = {record["name"] for record in COCO(tmp_path / "out" / "predictions.json").dataset["categories"]}
    assert categories == {"RBC", "WBC", "Platelets"}
    assert Image.open(tmp_path / "out" / f"{picture.stem}.png").size == (640, 480)


# === Bad input: status 2, a sentence, no traceback ===


def test_a_missing_folder_is_a_sentence_for_the_whole_process(tmp_path):
    said = pix2seq("train", "--recipe", "bccd", "--data.source", "coco:none", "--output", tmp_path / "run", status=2)
    (line,) = said.stderr.strip().splitlines()
    assert line.startswith("pix2seq: There is no folder 'none'. A coco source is a folder that holds annotations/")


@pytest.fixture
def refused(capsys):
    """Runs the command here and gives back what it says on standard error when it ends with status 2."""

    def run(*arguments):
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        said = capsys.readouterr()
        assert status == 2, said.err
        assert "Traceback" not in said.err and said.err.strip()
        return said.err

    return run


def test_data_without_annotations_is_a_sentence(refused, folder, edit_annotations, tmp_path):
    shutil.copytree(folder, tmp_path / "coco")
    edit_annotations(tmp_path / "coco", "train", lambda document: document.update(annotations=[]))
    data = ["--data.source", f"coco:{tmp_path / 'coco'}"]
    said = refused("train", "--recipe", "digits_demo", *data, "--output", tmp_path / "run", *TINY)
    assert said.startswith("pix2seq: Nothing to train on")


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--recipe", "cocoa"], "There is no recipe 'cocoa'. Use one of"),
        (["--recipe"], "There is no recipe ''"),
        ([], "Name a recipe"),
        (["--recipe", "bccd", "--stepz", "3"], "stepz"),
        (["--recipe", "bccd", "--steps", "many"], "steps"),
        (["--recipe", "bccd", "--steps", "0"], "steps must be at least 1"),
        (["--recipe", "bccd", "--augmentation.flip", "3"], "flip must lie in [0, 1]"),
        (["--recipe", "bccd", "--evaluation.sampler", "bottom_p"], "Unknown sampler: 'bottom_p'"),
        (["--recipe", "bccd", "--seed", "-1"], "seed must lie between"),
        (["--resume"], "There is no run to resume"),
        (["--recipe", "bccd", "--data.source", "zip:x"], "Unknown data source: 'zip:x'"),
    ],
)
def test_train_refuses_what_it_cannot_use(refused, tmp_path, flags, said):
    assert said in refused("train", "--output", tmp_path / "run", *flags)


def test_unknown_keys_in_a_recipe_file_are_named(refused, tmp_path):
    (tmp_path / "mine.yaml").write_text("steps: 3\nmodel: {layers: 4}\n")
    assert "layers" in refused("train", "--recipe", tmp_path / "mine.yaml", "--output", tmp_path / "run")


def test_an_unknown_strategy_is_a_sentence(refused, folder, tmp_path):
    flags = ["--data.source", f"coco:{folder}", "--strategy", "both"]
    assert "Unknown strategy: 'both'" in refused("train", "--recipe", "bccd", "--output", tmp_path / "run", *flags)


def test_a_run_is_not_overwritten_nor_resumed_as_another(refused, trained):
    assert "already holds a run" in refused("train", "--recipe", "bccd", "--output", trained[0])
    assert "about steps" in refused("train", "--output", trained[0], "--resume", "--steps", "77")


def test_evaluate_refuses_what_it_cannot_use(refused, trained, tmp_path):
    run, _ = trained
    assert "There is no model 'none'" in refused("evaluate", "--model", "none", "--split", "val")
    assert "'night'" in refused("evaluate", "--model", run, "--split", "night")
    target = tmp_path / "missing" / "scores.json"
    assert "scores.json" in refused("evaluate", "--model", run, "--split", "val", "--json", target)
    for page, words in (
        (tmp_path / "missing" / "report.html", "cannot be written to"),
        (tmp_path / "report.pdf", "must end in .html or .htm. Received: --report"),
        (tmp_path, "must end in .html"),
    ):  # before anything is opened: there is no such model
        assert words in refused("evaluate", "--model", "none", "--split", "val", "--report", page)
    both = tmp_path / "both.html"
    said = refused("evaluate", "--model", "none", "--split", "val", "--report", both, "--json", both)
    assert "would both write" in said
    assert "give --data" in refused("evaluate", "--model", run / "best.keras", "--split", "val")
    assert "max_objects" in refused("evaluate", "--model", run, "--split", "val", "--max_objects", "9")
    alike = ("--readings", "2", "--sampler", "greedy")
    assert "a sampler that draws" in refused("evaluate", "--model", run, "--split", "val", *alike)


def test_a_damaged_model_is_named(refused, trained, tmp_path):
    damaged = tmp_path / "damaged.keras"
    content = bytearray((trained[0] / "best.keras").read_bytes())
    with zipfile.ZipFile(trained[0] / "best.keras") as archive:
        place = archive.getinfo("model.weights.h5").header_offset + 20_000
    content[place] ^= 0xFF
    damaged.write_bytes(content)
    assert "damaged.keras" in refused("evaluate", "--model", damaged, "--data", "coco:x", "--split", "val")


def test_predict_refuses_what_it_cannot_use(refused, trained, motley, tmp_path):
    run, output = trained[0], tmp_path / "out"
    assert "missing.png" in refused("predict", "--model", run, "missing.png", "--output", output)
    (tmp_path / "file").touch()
    assert "cannot be written" in refused("predict", "--model", run, motley, "--output", tmp_path / "file")
    said = refused("predict", "--model", run, motley / "bad_text.jpg", "--output", output)
    assert said.splitlines()[-1] == "pix2seq: None of the 1 pictures could be read."


def test_a_disk_that_fills_up_is_a_sentence(refused, trained, monkeypatch, tmp_path):
    import errno
    import os

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    said = refused("evaluate", "--model", trained[0], "--split", "val", "--json", tmp_path / "scores.json")
    assert "scores.json cannot be written: No space left on device" in said
    monkeypatch.setattr("pix2seq_keras.commands.evaluate.open_model", full)  # wherever it is met
    assert "No space left on device" in refused("evaluate", "--model", trained[0], "--split", "val")


def test_an_interruption_is_told_without_a_traceback(monkeypatch, capsys, tmp_path):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pix2seq_keras.commands.evaluate.open_model", interrupted)
    monkeypatch.setattr("pix2seq_keras.commands.train.train", interrupted)
    assert cli.main(["evaluate", "--model", "m", "--split", "val"]) == 130
    assert capsys.readouterr().err == "pix2seq: stopped.\n"
    assert cli.main(["train", "--recipe", "bccd", "--output", str(tmp_path / "run")]) == 130
    assert "--resume" in capsys.readouterr().err


# === Published checkpoints ===


def test_convert_gives_a_detector_with_the_published_numbers(shared_dir, tmp_path):
    reference = shared_dir / "reference" / "vit"
    output = tmp_path / "new" / "vit.keras"
    source = ["--config", reference / "config.json", "--checkpoint", reference, "--categories", "coco"]

    said = pix2seq("convert", *source, "--output", output)

    golden = np.load(reference / "golden.npz")
    logits = open_model(output)({"images": golden["image"], "tokens": golden["input_seq"]})
    np.testing.assert_allclose(logits, golden["logits"], rtol=0, atol=1e-4)
    assert "105 weights" in said.stdout
    assert open_model(output).categories.ids[-1] == 90


def test_convert_refuses_what_it_cannot_use(refused, shared_dir, tmp_path):
    reference = shared_dir / "reference" / "vit"
    config = ["--config", reference / "config.json"]
    output = ["--output", tmp_path / "vit.keras"]

    assert "either --preset NAME or --config" in refused("convert", "--checkpoint", reference, *output)
    assert "There is no checkpoint at" in refused("convert", *config, "--checkpoint", tmp_path, *output)
    assert "ending in .keras" in refused("convert", *config, "--checkpoint", reference, "--output", tmp_path / "vit")
    assert "goes with --config" in refused(
        "convert", "--preset", "vit_b_640", "--categories", "coco", "--checkpoint", reference, *output
    )
    unknown = ["--categories", tmp_path / "names.json"]
    assert "neither coco nor objects365" in refused("convert", *config, *unknown, "--checkpoint", reference, *output)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    where = ["--output", tmp_path / "file" / "vit.keras"]
    assert "cannot be written" in refused("convert", *config, "--checkpoint", reference, *where)


def test_a_converted_model_learns_real_blood_cells_by_the_finetune_recipe(shared_dir, bccd_dir, tmp_path):
    reference = shared_dir / "reference" / "vit"
    pix2seq(
        *("convert", "--config", reference / "config.json", "--checkpoint", reference),
        *("--output", tmp_path / "vit.keras"),
    )

    # One epoch: 41 steps of 5 of the 205 pictures; random weights need a higher rate than trained ones.
    run = pix2seq(
        *("train", "--recipe", "finetune", "--model", tmp_path / "vit.keras", "--data.source", f"coco:{bccd_dir}"),
        *("--output", tmp_path / "run", "--steps", 41, "--epoch_steps", 8, "--batch_size", 5, "--precision", "float32"),
        *("--sequence.max_objects", 10, "--optimizer.learning_rate", 1e-3, "--optimizer.warmup_steps", 5),
        *("--evaluation.max_images", 2, "--evaluation.every", 6, "--evaluation.gallery_images", 2),
    )

    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    losses = [float(row.split(",")[rows[0].split(",").index("loss")]) for row in rows[1:]]
    assert len(losses) == 6 and losses[-1] < 0.9 * losses[0]
    assert "more objects than fit" in run.stderr + run.stdout
    assert open_model(tmp_path / "run").categories.names == ("RBC", "WBC", "Platelets")


# === Flags ===


@pytest.mark.parametrize("before", [True, False])
def test_flags_override_the_recipe_wherever_they_stand(monkeypatch, before, tmp_path):
    seen = []
    monkeypatch.setattr(
        "pix2seq_keras.commands.train.train", lambda recipe, output, resume: seen.append((recipe, output, resume))
    )
    flags, recipe = ["--steps", "7", "--optimizer.clipnorm", "null"], ["--recipe=digits_demo"]
    arguments = [*flags, *recipe] if before else [*recipe, *flags]
    assert cli.main(["train", "--output", "run", *arguments]) == 0
    ((got, output, resume),) = seen
    assert (got.steps, got.optimizer.clipnorm, got.epoch_steps, got.data.source) == (7, None, 100, "digits:64")
    assert (output, resume) == ("run", False)


def test_the_same_command_with_resume_hands_on_its_recipe_and_resume_alone_none(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "pix2seq_keras.commands.train.train", lambda recipe, output, resume: seen.append((recipe, resume))
    )
    cli.main(["train", "--output", "run", "--resume"])
    cli.main(["train", "--output", "run", "--resume", "--recipe", "digits_demo"])
    assert seen[0] == (None, True)
    assert seen[1] == (recipes.load(recipes.find("digits_demo")), True)


def test_help_lists_the_commands_and_a_flag_for_every_field(capsys):
    for arguments, words in ((["--help"], ("train", "evaluate", "predict")), (["train", "--help"], ("digits_tiny",))):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        text = capsys.readouterr().out
        assert stop.value.code == 0
        assert all(word in text for word in words)
    assert "--model.stem_widths" in text and "--evaluation.every" in text
