"""Images of an evaluation, drawn with detections and ground truth."""

from pix2seq_keras.reports import build_evaluation_report
from pix2seq_keras.reports.errors.evaluated_images import EvaluatedImages

TOP, BOTTOM = (0.0, 0.0, 0.4, 0.4), (0.5, 0.0, 0.9, 0.4)


def test_detections_are_drawn_at_their_coordinates_and_only_above_the_threshold(evaluated):
    found = [(TOP, 0, 0.9), (BOTTOM, 0, 0.2)]
    evaluator, result, source = evaluated([([(TOP, 0)], found)], size=(400, 200))
    report = build_evaluation_report(evaluator, result, source, {})

    drawn = EvaluatedImages(report).draw(100).astype(int)  # (400, 200, 3), the image is black

    assert report.classes[0].point.threshold == 0.9
    assert drawn.shape == (400, 200, 3)
    assert drawn[100, 0].tolist() == drawn[160, 40].tolist() == [230, 159, 0]  # left and lower edge of TOP, orange
    assert not drawn[201:].any()  # BOTTOM is below the threshold
    assert not drawn[60:155, 10:75].any()  # inside


def test_a_small_image_is_enlarged_by_an_integer_factor(evaluated):
    evaluator, result, source = evaluated([([(TOP, 0)], [])], size=(100, 60))

    drawn = EvaluatedImages(build_evaluation_report(evaluator, result, source, {})).draw(100)

    assert drawn.shape == (600, 360, 3)
