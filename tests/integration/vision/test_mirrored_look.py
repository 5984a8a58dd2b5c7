"""The network sees the same body in a mirror: left stays left, in the picture and in space."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from ascension_vision.pose.blazepose import BlazePose
from ascension_vision.pose.roi import whole_frame
from ascension_vision.pose.scouting import torso_length

_JOINTS = [11, 12, 13, 14, 23, 24, 25, 26]


def test_a_mirrored_look_reads_the_same_body(real_images: list[npt.NDArray[np.uint8]], pose: BlazePose) -> None:
    found = pose.detect(real_images, [whole_frame(image) for image in real_images])
    views = [(image, people[0].roi) for image, people in zip(real_images, found, strict=True) if people]
    images, rois = [image for image, _ in views], [roi for _, roi in views]
    plain = pose.landmarks(images, rois)
    mirrored = pose.landmarks(images, [replace(roi, mirrored=True) for roi in rois])
    sure = [(one, other) for one, other in zip(plain, mirrored, strict=True) if one.flag > 0.9]
    assert len(sure) >= 5
    apart = [np.linalg.norm(a.points[_JOINTS, :2] - b.points[_JOINTS, :2], axis=1) / torso_length(a) for a, b in sure]
    in_space = [np.linalg.norm(a.world[_JOINTS] - b.world[_JOINTS], axis=1) for a, b in sure]
    visible = [np.abs(a.visibility[_JOINTS] - b.visibility[_JOINTS]) for a, b in sure]
    assert np.median(apart) < 0.08
    assert np.median(in_space) < 0.06
    assert np.median(visible) < 0.1
