"""Recipes of others: whatever a file holds, it is a recipe or refused in one sentence, before anything is built."""

import pytest

from pix2seq_keras import cli
from pix2seq_keras.errors import InputError
from pix2seq_keras.training import Recipe, recipe_files

LAUGHS = "\n".join(
    ["a: &a [x, x]", *(f"{new}: &{new} [{'*' + old + ', *' + old}]" for old, new in zip("abcd", "bcde", strict=True))]
)
HOSTILE = {
    "aliases": LAUGHS,
    "an alias of itself": "model: &a {preset: *a}",
    "binary": b"\x89PNG\r\n\x1a\n\0\0\xff\xfe",
    "another encoding": "data: {source: 'coco:häuser'}".encode("latin-1"),
    "deep lists": "model: " + "[" * 3000,
    "deep mappings": "model: " + "{a: " * 3000,
    "infinite": "optimizer: {learning_rate: .inf}",
    "not a number": "augmentation: {flip: .nan}",
    "a number of 5,000 digits": "steps: " + "9" * 5000,
    "a number of 80 bits": f"steps: {2**80}",
    "the same field twice": "steps: 3\nseed: 1\nsteps: 30000000",
    "a part that is the name of a file": "model: secret.yaml",
    "a part of a part that is": "evaluation: {decoding: secret.yaml}",
    "a part that is a list": "data: [1, 2]",
    "nothing in a part": "evaluation:",
    "a date": "seed: 2001-01-01",
    "an object of Python": "model: !!python/object/apply:os.system [touch secret.yaml]",
    "a set": "model: !!set {a, b}",
    "too large": "# " + "x" * 2**20,
    "a list": "- 1",
    "text": "recipe",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_recipe_is_refused_before_anything_is_made_of_it(content, tmp_path, monkeypatch, capsys):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "secret.yaml").write_text("preset: digits_tiny\n")
    monkeypatch.chdir(tmp_path)
    for maker in ("from_dict", "__post_init__"):
        monkeypatch.setattr(Recipe, maker, lambda *arguments: pytest.fail("a recipe was made"))

    with pytest.raises(InputError, match=r"mine\.yaml is not a recipe: "):
        recipe_files.load(path)
    with pytest.raises(InputError, match=r"mine\.yaml is not a recipe: "):
        recipe_files.config_text(path)
    assert cli.main(["train", "--recipe", str(path), "--output", str(tmp_path / "run")]) == 2

    printed = capsys.readouterr().err
    assert "mine.yaml is not a recipe" in printed and len(printed) < 1000
    assert not (tmp_path / "run").exists()
