"""``run`` from the source to the sinks, on the fake engine: what comes in goes out, whatever it is encoded as."""

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import av
import pytest
from support.bundles.fake import FAKE, GOP, HEIGHT, WIDTH
from support.children import Child
from support.clips.moving import SHARED, encode, moving

from edge_arseg.video.sources.street_clip import write_street

VAL = sorted((SHARED / "camvid/val/images").glob("*.png"))

ENCODES = {
    "x264 defaults": ("mp4", "libx264", {}),
    "x264 GOP 250": ("mp4", "libx264", {"g": 250, "bf": 0, "refs": 1}),
    "HEVC": ("mp4", "libx265", {"x265_params": "log-level=none", "preset": "ultrafast"}),
    "VP9": ("webm", "libvpx-vp9", {"deadline": "realtime", "cpu_used": 8}),
    "MPEG-4": ("avi", "mpeg4", {}),
    "MJPEG": ("avi", "mjpeg", {"pix_fmt": "yuvj420p"}),
    "rotated": ("mp4", "libx264", {"rotation": 90}),
    "variable frame rate": ("mkv", "libx264", {"times": [n * n * 7 + 40 * n for n in range(1000)]}),
}


@pytest.fixture(scope="module")
def pictures():
    """The first pictures of the CamVid ``val`` clip, half as large; a texture where there is none."""
    if not VAL:
        return list(moving(26))
    rgb = []
    for path in VAL[:26]:
        with av.open(str(path)) as image:
            rgb.append(next(image.decode(video=0)).reformat(240, 180, "rgb24").to_ndarray())
    return rgb


def lines_in(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def frames_in(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("name", ENCODES)
def test_as_many_frames_come_out_as_go_in(run, pictures, tmp_path, name):
    ending, codec, options = ENCODES[name]
    clip = encode(tmp_path / f"in.{ending}", pictures, codec, **options)
    answer = run(clip, f"jsonl://{tmp_path}/a.jsonl", tmp_path / "a.mp4", f"masks://{tmp_path}/masks")
    assert answer.code == 0, answer.err
    lines = lines_in(tmp_path / "a.jsonl")
    assert [line["index"] for line in lines] == list(range(26))
    assert all(a["time_s"] < b["time_s"] for a, b in itertools.pairwise(lines))
    assert max(line["distance"] for line in lines) <= GOP - 1
    assert frames_in(tmp_path / "a.mp4") == len(list((tmp_path / "masks").glob("*.png"))) == 26
    assert "26 frames" in answer.err
    if name == "variable frame rate":
        assert [line["time_s"] for line in lines] == pytest.approx([t / 1000 for t in options["times"][:26]], abs=2e-3)


@pytest.mark.slow
@pytest.mark.skipif(not VAL, reason="needs the CamVid clip")
@pytest.mark.parametrize("name", ENCODES)
def test_the_whole_clip_too(run, tmp_path, name):
    def all_pictures():
        for path in VAL:
            with av.open(str(path)) as image:
                yield next(image.decode(video=0)).to_ndarray(format="rgb24")

    ending, codec, options = ENCODES[name]
    clip = encode(tmp_path / f"in.{ending}", all_pictures(), codec, rate=15, **options)
    answer = run(clip, f"jsonl://{tmp_path}/a.jsonl")
    assert answer.code == 0, answer.err
    assert len(lines_in(tmp_path / "a.jsonl")) == len(VAL)


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared clips")
def test_a_real_clip_runs_to_the_limit(run, tmp_path):
    answer = run(SHARED / "clips/highway_960x540.mp4", f"jsonl://{tmp_path}/a.jsonl", "--limit", 30)
    assert answer.code == 0, answer.err
    assert len(lines_in(tmp_path / "a.jsonl")) == 30


@pytest.mark.parametrize("scale", [0.5, 1])
def test_recoding_at_a_share_of_the_size(run, pictures, tmp_path, scale):
    clip = encode(tmp_path / "a.mp4", pictures)
    arguments = (clip, f"jsonl://{tmp_path}/a.jsonl", "--motion", "recode", "--recode-scale", scale)
    assert run(*arguments).code == 0
    assert {line["motion"] for line in lines_in(tmp_path / "a.jsonl")} == {None, "recode"}
    assert run(clip, "--recode-scale", 0.01).code == 2


def start(*arguments, **options):
    command = [sys.executable, "-m", "edge_arseg", "run", *arguments, *FAKE]
    return Child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_an_interrupt_leaves_a_playable_file(fake_bundle, tmp_path):
    source = f"test://street?size={HEIGHT}x{WIDTH}&frames=100000"
    with start(source, tmp_path / "a.mp4", "jsonl://-", "-b", fake_bundle) as process:
        lines = list(itertools.islice(process.stdout, 20))
        process.send_signal(signal.SIGINT)
        rest, error = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in error
    assert error.rstrip().endswith("interrupted")
    assert 0 <= frames_in(tmp_path / "a.mp4") - len(lines) - len(rest.splitlines()) <= 1


def test_a_reader_of_the_lines_that_goes_away_ends_it_quietly(fake_bundle):
    source = f"test://street?size={HEIGHT}x{WIDTH}&frames=100000"
    with start(source, "jsonl://-", "-b", fake_bundle) as process:
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
    assert process.returncode == 0
    assert "Traceback" not in error
    assert "Exception" not in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_lines(run):
    answer = run(f"test://street?size={HEIGHT}x{WIDTH}&frames=5", "jsonl:///dev/full")
    assert (answer.code, answer.err.splitlines()[-1]) == (
        4,
        "error: cannot write jsonl:///dev/full: the disk is full: free some space, or write to another place",
    )


@pytest.mark.parametrize("sink", ["a.mp4", "jsonl://{}/a.jsonl"])
def test_a_file_that_may_not_grow(fake_bundle, tmp_path, sink):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))

    target = sink.format(tmp_path) if "://" in sink else tmp_path / sink
    source = f"test://street?size={HEIGHT}x{WIDTH}&frames=400"
    with start(source, target, "-b", fake_bundle, preexec_fn=small_files) as process:
        error = process.communicate()[1]
    assert process.returncode == 4
    assert "Traceback" not in error
    assert "may not grow further" in error.splitlines()[-1]


@pytest.mark.parametrize("sink", ["/proc/nowhere/a.mp4", "masks:///proc/nowhere", "jsonl:///proc/nowhere"])
def test_a_place_that_cannot_be_written_to(run, sink):
    answer = run(f"test://street?size={HEIGHT}x{WIDTH}&frames=5", sink)
    assert answer.code == 4
    assert answer.err.splitlines()[-1].startswith(f"error: cannot write {sink}: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(run, tmp_path):
    tmp_path.chmod(0o500)
    answer = run(f"test://street?size={HEIGHT}x{WIDTH}&frames=5", tmp_path / "a.mp4")
    assert (answer.code, "permission denied" in answer.err) == (4, True)


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_the_source_is_not_overwritten(run, tmp_path, form):
    clip = encode(tmp_path / "a.mp4", moving(3))
    before = clip.read_bytes()
    answer = run(form.format(clip), tmp_path / "." / "a.mp4")
    assert (answer.code, "it is the source" in answer.err) == (4, True)
    assert clip.read_bytes() == before


def test_python_has_it_too(fake_bundle, tmp_path):
    """The surface that the README shows: a path in, results out."""
    from edge_arseg import Segmenter

    write_street(tmp_path / "clip.mp4", size=(HEIGHT, WIDTH), count=6, gop=GOP)
    with Segmenter(str(fake_bundle), backend="fake", fusion="graph") as segmenter:
        for source in (str(tmp_path / "clip.mp4"), tmp_path / "clip.mp4"):
            seen = [f"{result.branch.value} {result.distance}" for result in segmenter.stream(source)]
            assert seen == ["hr 0", "lr 1", "lr 2", "lr 3", "hr 0", "lr 1"]
    stream = Segmenter(fake_bundle, backend="fake", fusion="graph").stream(tmp_path / "clip.mp4")
    assert next(stream).class_map.shape == (HEIGHT, WIDTH)
    stream.close()


@pytest.mark.parametrize(("ending", "codec"), [("webm", "vp9"), ("avi", "h264"), ("MKV", "h264"), ("gif", "gif")])
def test_overlays_are_written_as_their_endings_say(run, tmp_path, ending, codec):
    video = tmp_path / f"overlay.{ending}"
    answer = run("test://street?size=48x64&frames=9", video)
    assert answer.code == 0, answer.err
    with av.open(str(video)) as container:
        assert container.streams.video[0].codec_context.name == codec
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 9
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert steps == pytest.approx([steps[0]] * 8, abs=0.0101 if ending == "gif" else 0.002)
    assert 1 / 31 < steps[0] < 1 / 14


def test_raw_ids_on_the_standard_output_have_the_size_of_the_source(fake_bundle):
    command = [sys.executable, "-m", "edge_arseg", "run", "test://street?size=96x130&frames=3", "raw://-"]
    done = subprocess.run([*command, "-b", str(fake_bundle), *FAKE], capture_output=True, timeout=120, check=True)
    assert len(done.stdout) == 3 * 96 * 130
