"""What people upload by mistake: each ends `failed` with a problem they understand, and work goes on."""

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.e2e.conftest import Stack
from tests.e2e.phone import Phone

Maker = Callable[[Path, Path], None]


def nothing(path: Path, climb: Path) -> None:
    path.write_bytes(b"")


def text(path: Path, climb: Path) -> None:
    path.write_text("This is my beta for the red route.\n" * 50)


def truncated(path: Path, climb: Path) -> None:
    path.write_bytes(climb.read_bytes()[:3000])


def audio_only(path: Path, climb: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 44100
        for packet in [*stream.encode(silence), *stream.encode(None)]:
            container.mux(packet)


def film(path: Path, size: int, seconds: float, rate: int) -> None:
    """A film of noise: nobody is in it."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (size, size, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(int(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def nobody(path: Path, climb: Path) -> None:
    film(path, 320, 2, 15)


def ten_minutes(path: Path, climb: Path) -> None:
    film(path, 128, 600, 2)


def one_pixel(path: Path, climb: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=10)
        stream.width = stream.height = 1
        stream.pix_fmt = "rgb24"
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((1, 1, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


BAD_FILES: list[tuple[str, Maker, set[str]]] = [
    ("empty.mp4", nothing, {"empty-file"}),
    ("text.mp4", text, {"not-a-video"}),
    ("truncated.mp4", truncated, {"not-a-video", "damaged-video"}),
    ("audio.mp4", audio_only, {"no-video-stream"}),
    ("nobody.mp4", nobody, {"no-climber"}),
    ("long.mp4", ten_minutes, {"video-too-long"}),
    ("pixel.mp4", one_pixel, {"video-too-small"}),
]


def in_queues(stack: Stack) -> int:
    """Messages waiting or being handled in the upload queue and its dead-letter queue."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    total = 0
    for url in (stack.upload_queue_url, stack.upload_dlq_url):
        attributes = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        total += sum(int(attributes[name]) for name in names)
    return total


def settled(stack: Stack) -> bool:
    """Whether the queues are empty within a few seconds (a handled message is deleted just after its job is over)."""
    for _ in range(50):
        if in_queues(stack) == 0:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize(("name", "make", "types"), BAD_FILES, ids=[name for name, _, _ in BAD_FILES])
def test_a_bad_file_fails_with_a_problem_the_user_understands(
    stack: Stack, phone: Phone, climb: Path, tmp_path: Path, name: str, make: Maker, types: set[str]
) -> None:
    make(tmp_path / name, climb)
    with phone.listening() as listener:
        job_id = phone.analyse(tmp_path / name)
        told = listener.wait_for(job_id, "analysis:failed", "analysis:completed")
    job = phone.job(job_id)
    assert job["status"] == "failed"
    assert job["result"] is None
    assert job["error"]["type"] in types
    assert told["data"] == {"type": job["error"]["type"], "detail": job["error"]["detail"]}
    assert job["error"]["detail"].endswith(".")
    assert settled(stack)


def test_more_bytes_than_announced_are_refused_by_the_signature(phone: Phone, climb: Path) -> None:
    announced = phone.request_upload(climb, announced_size=1000)
    assert phone.put(climb, announced["upload"]).status_code == 403


def test_an_object_larger_than_announced_that_got_in_all_the_same_fails(
    stack: Stack, phone: Phone, climb: Path
) -> None:
    announced = phone.request_upload(climb, announced_size=1000, start={"options": {}})
    (video,) = stack.rows("SELECT object_key FROM videos WHERE id = %s", announced["video_id"])
    stack.client("s3").upload_file(str(climb), stack.bucket, video["object_key"])
    job = phone.wait(announced["job_id"])
    assert (job["status"], job["error"]["type"]) == ("failed", "larger-than-announced")


def test_after_all_that_a_good_video_is_still_analysed(phone: Phone, climb: Path) -> None:
    assert phone.wait(phone.analyse(climb))["status"] == "completed"
