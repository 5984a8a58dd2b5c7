"""A rendered climb as files: the video and, beside it, its truth."""

import json
from collections.abc import Callable
from pathlib import Path

import av

from ascension_vision.scene.options import SceneOptions
from ascension_vision.scene.plan import plan_scene
from ascension_vision.scene.render import Renderer
from ascension_vision.scene.truth import describe


def write_sample(
    directory: Path, options: SceneOptions, progress: Callable[[float], None] | None = None
) -> tuple[Path, Path]:
    """Render ``sample.mp4`` (H.264, yuv420p, faststart) and ``truth.json`` into ``directory``; returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    video, truth = directory / "sample.mp4", directory / "truth.json"
    scene = plan_scene(options)
    visible = []
    with av.open(str(video), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=options.fps, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = options.width, options.height, "yuv420p"
        for frame in Renderer(scene).frames():
            visible.append(frame.visible)
            picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
            picture.pts = frame.index
            container.mux(stream.encode(picture))
            if progress:
                progress((frame.index + 1) / options.frame_count)
        container.mux(stream.encode())
    truth.write_text(json.dumps(describe(scene, visible), separators=(",", ":")))
    return video, truth
