"""The records of the published models."""

import inspect

import pytest

from pix2seq_keras import InputError, Vocabulary
from pix2seq_keras.data.transforms.pad import pad_to_canvas
from pix2seq_keras.presets import published_models

COCO_AP = {
    "resnet50": (39.1, 41.7, 42.6),
    "resnet50_c4": (44.7, 46.9, 47.3),
    "vit_b": (44.2, 46.5, 47.1),
    "vit_l": (47.6, 49.2, 50.0),
}
SCRATCH_AP = {"resnet50": 43.0, "resnet101": 44.5, "resnet50_dc5": 43.2, "resnet101_dc5": 45.0}
# name: (dim, mlp, heads, layers) of the encoder, then of the decoder
SIZES = {
    "resnet50_640": ((256, 1024, 8, 6), (256, 1024, 8, 6)),
    "resnet50_c4_640": ((512, 2048, 16, 12), (512, 2048, 16, 8)),
    "vit_b_640": ((768, 3072, 12, 12), (512, 2048, 16, 6)),
    "vit_l_640": ((1024, 4096, 16, 24), (512, 2048, 16, 8)),
}
ENCODER = ("dim_att", "dim_mlp", "num_heads", "num_encoder_layers")
DECODER = ("dim_att_dec", "dim_mlp_dec", "num_heads_dec", "num_decoder_layers")

all_presets = pytest.mark.parametrize(
    "preset", [published_models.get(name) for name in published_models.names()], ids=lambda preset: preset.name
)


def test_there_are_sixteen_checkpoints_and_four_models_of_the_paper():
    presets = [published_models.get(name) for name in published_models.names()]

    assert len({preset.name for preset in presets}) == 20
    assert len({preset.source for preset in presets} - {None}) == 16
    assert [preset.name for preset in presets if preset.source is None] == [
        f"{name}_1333_scratch" for name in SCRATCH_AP
    ]


@pytest.mark.parametrize("architecture", COCO_AP)
def test_published_scores(architecture):
    coco = [published_models.get(f"{architecture}_{size}").ap for size in (640, 1024, 1333)]

    assert tuple(coco) == COCO_AP[architecture]
    assert published_models.get(f"{architecture}_640_objects365").ap is None


@pytest.mark.parametrize("architecture", SCRATCH_AP)
def test_models_from_scratch_have_the_papers_scores_and_2000_bins(architecture):
    preset = published_models.get(f"{architecture}_1333_scratch")

    assert preset.ap == SCRATCH_AP[architecture]
    assert preset.vocabulary == Vocabulary.published(2000, 1000, 3000, preset.categories.ids)
    assert preset.config["resnet_depth"] == (101 if "101" in architecture else 50)
    assert preset.config["resnet_variant"] == ("dc5" if "dc5" in architecture else "standard")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("resnet50_640", "gs://pix2seq/coco_det_finetune/resnet_640x640"),
        ("resnet50_c4_1024", "gs://pix2seq/coco_det_finetune/resnetc_1024x1024"),
        ("vit_l_1333", "gs://pix2seq/coco_det_finetune/vit_l_1333x1333"),
        ("vit_b_640_objects365", "gs://pix2seq/obj365_pretrain/vit_b_640x640_b256_s400k"),
        ("resnet50_c4_640_objects365", "gs://pix2seq/obj365_pretrain/resnetc_640x640_b256_s400k"),
    ],
)
def test_the_source_of_the_weights(name, source):
    assert published_models.get(name).source == source


@pytest.mark.parametrize("name", SIZES)
def test_published_sizes(name):
    config = published_models.get(name).config

    assert (tuple(config[key] for key in ENCODER), tuple(config[key] for key in DECODER)) == SIZES[name]


@all_presets
def test_a_configuration_is_consistent(preset):
    config = preset.config

    assert config["dim_att"] % config["num_heads"] == 0
    assert config["dim_att_dec"] % config["num_heads_dec"] == 0
    assert config["dim_mlp"] == 4 * config["dim_att"] and config["dim_mlp_dec"] == 4 * config["dim_att_dec"]
    assert config["dim_att"] % 4 == config["dim_att_dec"] % 4 == 0  # the 2-D sine code
    side = next(int(word) for word in preset.name.split("_") if word in {"640", "1024", "1333"})
    assert config["image_size"] == [side, side]
    assert config["max_seq_len"] == 512 and config["vocab_size"] == 3000 and config["coord_vocab_shift"] == 1000
    assert ("resnet_depth" in config) == (config["resnet_variant"] != "c1")


@all_presets
def test_categories_fit_the_label_slots(preset):
    vocabulary = preset.vocabulary

    assert vocabulary.labels == preset.categories.ids
    assert min(preset.categories.ids) == 1
    assert max(vocabulary.class_tokens) < vocabulary.coord_shift
    assert preset.categories.ids[-1] == (365 if preset.name.endswith("objects365") else 90)


def test_categories_are_those_of_their_data_sets():
    coco, objects365 = published_models.categories("coco"), published_models.categories("objects365")

    assert len(coco) == 80 and len(objects365) == 365
    unused = sorted(set(range(1, 91)) - set(coco.ids))
    assert unused == [12, 26, 29, 30, 45, 66, 68, 69, 71, 83]
    assert [coco.names[coco.class_of(i)] for i in (1, 13, 44, 67, 90)] == [
        "person", "stop sign", "bottle", "dining table", "toothbrush"
    ]  # fmt: skip
    assert objects365.ids == tuple(range(1, 366))
    assert [objects365.names[i - 1] for i in (1, 2, 101, 365)] == ["Person", "Sneakers", "Hanger", "Table Tennis"]


@all_presets
def test_preprocessing_is_what_detect_does(preset):
    padding = inspect.signature(pad_to_canvas).parameters["pad_value"].default

    assert preset.preprocessing["pad_value"] == padding == 0.3
    assert preset.preprocessing["value_range"] == [0, 1]
    assert preset.preprocessing["mean"] is preset.preprocessing["std"] is None


def test_changing_a_record_changes_no_other():
    published_models.get("vit_b_640").config["dim_att"] = 3

    assert published_models.get("vit_b_640").config["dim_att"] == 768


def test_an_unknown_name_is_refused_with_a_summary_of_the_names():
    with pytest.raises(InputError, match=r"no published model 'vit_h'.*vit_b or vit_l with _640, _1024 or _1333;"):
        published_models.get("vit_h")
    assert len(published_models.summary()) < 250
