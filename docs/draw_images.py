"""Draws the detections of a run on every eighth image of a split, over the ground truth (dashed), as one JPEG.

`python docs/draw_images.py RUN coco:DIR test docs/images/blood-cells.jpg`
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

from pix2seq_keras import samplers
from pix2seq_keras.data import open_source
from pix2seq_keras.inference import open_model
from pix2seq_keras.visualization import detection_panels, save_gallery


def main(run, data, split, output):
    """Writes the JPEG file `output`."""
    model, source = open_model(run), open_source(data, split)
    examples = [source.read(index) for index in range(0, len(source), 8)]
    images = [example["image"] for example in examples]
    detections = model.detect(images, num_samples=16, flip_test=True, sampler=samplers.TopP(0.8))
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "gallery.png"
        save_gallery(image, detection_panels(examples, detections, source.categories, threshold=0.4), columns=3)
        with Image.open(image) as gallery:
            gallery.convert("RGB").save(output, quality=80, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
