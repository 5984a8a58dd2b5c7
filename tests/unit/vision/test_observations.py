"""What is kept of a video for later corrections comes back as it was."""

import numpy as np
import pytest
from ascension_vision.camera.track import CameraTrack, ReferenceView
from ascension_vision.holds.correction import ellipse
from ascension_vision.holds.hold import Hold
from ascension_vision.observations import Observations
from ascension_vision.pose.following import Poses


def observed(*, with_wall: bool) -> Observations:
    rng = np.random.default_rng(3)
    points = rng.uniform(0, 500, (6, 33, 3))
    points[2] = np.nan
    poses = Poses(
        t=np.array([0.0, 0.033, 0.067, 0.1, 0.134, 0.1671]),
        points=points,
        visibility=rng.uniform(0, 1, (6, 33)),
        world=rng.normal(0, 0.5, (6, 33, 3)),
        width=320,
        height=240,
        shots=np.array([0, 0, 0, 1, 1, 1]),
    )
    box = (10.0, 20.0, 50.0, 40.0)
    to_reference = np.tile(np.eye(3), (6, 1, 1))
    to_reference[4] = np.nan
    wall = {
        "track": CameraTrack(to_reference, 0, False),
        "view": ReferenceView(
            np.full((240, 320, 3), 90, np.uint8), (-4.0, 2.5), np.arange(240 * 320).reshape(240, 320) % 7 > 0
        ),
        "holds": [Hold(5, "hold", "jug", 0.8, 0.9, box, ellipse(box), "red", 1, (0.5, 1.25, 0.0), 4.0)],
    }
    return Observations(
        video={"width": 320, "height": 240, "fps": 29.97, "duration_s": 0.2},
        warnings=("The last second is broken.",),
        poses=poses,
        models={"pose": "blazepose-full", "holds": "ascension-holds/1"},
        **(wall if with_wall else {"track": None, "view": None, "holds": None}),
        next_hold_id=6,
        revision=2,
        thumbnail=b"\xff\xd8 not really a picture",
    )


@pytest.mark.parametrize("with_wall", [True, False])
def test_kept_observations_come_back_as_they_were(with_wall: bool) -> None:
    kept = observed(with_wall=with_wall)
    back = Observations.unpack(kept.pack())
    assert (back.video, back.warnings, back.models, back.next_hold_id, back.revision) == (
        kept.video,
        kept.warnings,
        kept.models,
        6,
        2,
    )
    assert back.thumbnail == kept.thumbnail
    assert np.array_equal(back.poses.t, kept.poses.t)
    assert np.array_equal(back.poses.seen, kept.poses.seen)
    assert np.nanmax(np.abs(back.poses.points - kept.poses.points)) < 1e-3
    assert np.array_equal(back.poses.shots, kept.poses.shots)  # type: ignore[arg-type]
    if not with_wall:
        assert [back.track, back.view, back.holds] == [None, None, None]
        return
    assert back.track is not None
    assert back.view is not None
    assert back.holds is not None
    assert np.array_equal(back.track.known, [True, True, True, True, False, True])
    assert back.view.origin == (-4.0, 2.5)
    assert np.array_equal(back.view.seen, kept.view.seen)  # type: ignore[union-attr]
    assert np.abs(back.view.image.astype(int) - 90).max() <= 2
    hold, original = back.holds[0], kept.holds[0]  # type: ignore[index]
    assert (hold.id, hold.type, hold.box, hold.wall_m, hold.color) == (5, "jug", original.box, (0.5, 1.25, 0.0), "red")
    assert np.abs(hold.outline - original.outline).max() <= 0.005


def test_a_correction_is_the_next_revision_of_the_same_video() -> None:
    next_one = observed(with_wall=True).corrected([], 9)
    assert (next_one.revision, next_one.next_hold_id, next_one.holds) == (3, 9, [])
