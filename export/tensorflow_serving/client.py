"""Detects objects with a served model: takes images or folders, writes annotated images and a JSON in COCO's format.

    python client.py --server grpc://localhost:8500/digits images/ --output boxes/
    python client.py --server http://localhost:8501/v1/models/digits a.png b.jpg --output boxes/

Images are checked, and rotated by their EXIF orientation, before they are sent. Those that cannot be read are reported
and skipped. Requests to a server that is starting or overloaded are retried, with exponential backoff, until the
deadline.
"""

import argparse
import sys

from pix2seq_keras import InputError
from pix2seq_keras.inference import RetryPolicy, open_model
from pix2seq_keras.inference.predict import predict_images


def main(arguments=None):
    """Runs the client.

    Args:
        arguments: list of str, or `None` for those of the process.

    Returns:
        int, the exit status: 0, 1 if images were skipped, or 2 if there is no result.
    """
    options = _parser().parse_args(arguments)
    try:
        if "://" not in options.server:
            raise InputError(f"--server must be a URL, grpc://… or http://…. Received: --server {options.server}")
        if not 0 <= options.threshold <= 1:
            raise InputError(f"--threshold must be between 0 and 1. Received: --threshold {options.threshold}")
        if options.batch_size < 1:
            raise InputError(f"--batch-size must be at least 1. Received: --batch-size {options.batch_size}")
        retry_policy = RetryPolicy(deadline_s=options.deadline, connect_timeout_s=options.deadline)
        detector = open_model(options.server, retry_policy)
        result, problems = predict_images(
            detector, options.images, options.output, options.json, options.threshold, options.batch_size
        )
    except InputError as error:
        print(f"client.py: {error}", file=sys.stderr)
        return 2
    names = {record["id"]: record["name"] for record in result["categories"]}
    for image in result["images"]:
        print(f"{image['file_name']} ({image['width']}×{image['height']})")
        for detection in (record for record in result["annotations"] if record["image_id"] == image["id"]):
            x, y, width, height = detection["bbox"]
            label = f"{names[detection['category_id']]} {detection['score']:.2f}"
            print(f"  {label}: x {x:.1f}, y {y:.1f}, width {width:.1f}, height {height:.1f}")
    for problem in problems:
        print(f"skipped: {problem}", file=sys.stderr)
    print(f"{len(result['annotations'])} objects in {len(result['images'])} images: {options.output}")
    if not result["images"]:
        return 2
    return 1 if problems else 0


def _parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("images", nargs="+", help="images or folders of images")
    parser.add_argument("--server", required=True, help="grpc://HOST:PORT/NAME or http://HOST:PORT/v1/models/NAME")
    parser.add_argument("--output", required=True, help="folder for the annotated images and predictions.json")
    parser.add_argument("--json", help="path of the JSON, instead of predictions.json in the output folder")
    parser.add_argument("--threshold", type=float, default=0.5, help="minimum score of a detection (0.5)")
    parser.add_argument("--batch-size", type=int, default=8, help="images per request (8)")
    parser.add_argument("--deadline", type=float, default=60.0, help="seconds per request, retries included (60)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
