import base64
import io
import re

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from tendays import plots


@pytest.fixture(autouse=True)
def house_style():
    with mpl.rc_context():
        plots.use()
        yield
    plt.close("all")


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def labelled(**changes):
    fig, ax = plt.subplots()
    ax.plot([1, 2], [3, 4])
    ax.set(**{"title": "It rises", "xlabel": "step", "ylabel": "loss, nats", **changes})
    return fig


def shown(fig, alt="A line rises."):
    with capture_output() as captured:
        plots.show(fig, alt=alt)
    return captured.outputs


def test_a_figure_is_shown_once_with_its_text(shell):
    (output,) = shown(labelled())
    assert output.data["text/plain"] == "A line rises."
    assert output.metadata["image/png"] == {"alt": "A line rises.", "width": 672}
    assert plt.get_fignums() == []


def test_the_png_is_small_sharp_and_has_its_own_ground(shell):
    (output,) = shown(labelled())
    png = base64.b64decode(output.data["image/png"])
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    assert image.size == (1008, 518)
    assert image.getpixel((0, 0)) == (255, 255, 255, 255)
    assert len(png) < 80_000


def decoded(pixels):
    """An image's pixels after it was a PNG."""
    return np.asarray(Image.open(io.BytesIO(plots._png(pixels))).convert("RGB"))


def shades(colours):
    """An image (8, 256, 3) that shades off in so many colours."""
    ramp = np.linspace(0, 255, colours).round().astype(np.uint8).repeat(256 // colours)
    return np.stack([ramp, ramp[::-1], np.roll(ramp, 7)], 1)[None].repeat(8, 0)


def test_a_png_of_few_colours_is_exact():
    assert (decoded(shades(16)) == shades(16)).all()


def test_a_png_that_shades_off_is_off_by_one_level_at_most():
    off = decoded(shades(256)).astype(float) - shades(256)
    assert 0 < (off**2).mean() ** 0.5 <= 1


def test_a_drawing_of_lines_gets_few_colours(shell):
    (output,) = shown(labelled())
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB"))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) <= 64


def test_a_png_of_many_colours_is_off_by_less_than_the_eye_sees():
    across, down = np.meshgrid(np.arange(256), np.arange(256))
    image = np.stack([across, down, 128 + 0 * down], 2).astype(np.uint8)  # 65,536 colours, the worst that there is
    assert abs(decoded(image).astype(int) - image).mean() < 4


def test_the_same_figure_is_the_same_bytes(shell):
    assert shown(labelled())[0].data == shown(labelled())[0].data


def test_outside_a_notebook_it_is_only_closed(capsys):
    plots.show(labelled(), alt="A line rises.")
    assert plt.get_fignums() == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("missing", "message"), [("title", "no title"), ("xlabel", "x axis"), ("ylabel", "y axis")])
def test_a_panel_must_say_what_it_shows(missing, message):
    with pytest.raises(ValueError, match=message):
        plots.show(labelled(**{missing: ""}), alt="A line rises.")
    assert plt.get_fignums() == []


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_the_text_must_not_be_empty(alt):
    with pytest.raises(ValueError, match="alt"):
        plots.show(labelled(), alt=alt)


def test_labels_may_be_shared_and_an_axis_may_be_off():
    fig, axes = plt.subplots(2, 2, sharex=True, sharey=True)
    for ax in axes.flat:
        ax.plot([1, 2])
    fig.suptitle("All rise")
    axes[1, 0].set(xlabel="step", ylabel="loss")
    plots.show(fig, alt="Four lines rise.")
    fig, ax = plt.subplots()
    ax.imshow(np.eye(2))
    ax.set_axis_off()
    ax.set_title("A picture")
    plots.show(fig, alt="A picture.")


def test_empty_panels_need_no_label_and_colour_bars_one():
    fig, (ax, _) = plt.subplots(1, 2)
    image = plots.heatmap(ax, np.eye(2))
    ax.set(title="One to one", xlabel="source", ylabel="target")
    bar = fig.colorbar(image)
    with pytest.raises(ValueError, match="colour bar"):
        plots.show(fig, alt="A diagonal.")
    bar.set_label("weight")
    plots.show(fig, alt="A diagonal.")


def test_figures_take_the_house_colours():
    assert len(set(plots.COLOURS)) == 7
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == list(plots.COLOURS)
    assert plt.rcParams["figure.facecolor"] == "white"


def test_heatmap_reads_from_top_to_bottom():
    _, ax = plt.subplots()
    plots.heatmap(ax, [[1, 2, 3], [4, 5, 6]], ["a", "b", "c"], ["x", "y"])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["x", "y"]
    assert ax.get_ylim() == (1.5, -0.5)


@pytest.mark.parametrize("words", [{"xlabels": ["a"]}, {"ylabels": ["a", "b"]}])
def test_heatmap_wants_a_word_for_each_place(words):
    with pytest.raises(ValueError, match=next(iter(words))):
        plots.heatmap(plt.subplots()[1], [[1, 2]], **words)


def test_curves_of_seeds_are_a_mean_and_a_range():
    _, ax = plt.subplots()
    plots.curves(ax, {"one": [1, 2, 3], "two seeds": [[0, 2, 4], [2, 4, 8]]}, x=[10, 20, 30])
    one, two = ax.get_lines()
    assert (list(one.get_xdata()), list(one.get_ydata())) == ([10, 20, 30], [1, 2, 3])
    assert list(two.get_ydata()) == [1, 3, 6]
    (band,) = ax.collections
    assert (band.get_datalim(ax.transData).y0, band.get_datalim(ax.transData).y1) == (0, 8)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two seeds"]


# --- frames -----------------------------------------------------------------------------------------------------------

WORDS = {"title": "The square changes", "alt": "A square in several colours."}


def square(colour, *, size=(3.5, 2.8), **changes):
    """A frame that is filled with one colour but for its labels."""
    fig, ax = plt.subplots(figsize=size)
    ax.set_facecolor(colour)
    ax.plot([1, 2], [3, 4], alpha=0)
    ax.grid(False)
    ax.set(**{"xlabel": "column", "ylabel": "row", **changes})
    return fig


def turned(figures, labels, **words):
    """What `plots.frames` shows: the image as (rows, columns, 3), and its metadata."""
    with capture_output() as captured:
        plots.frames(figures, labels, **{**WORDS, **words})
    (output,) = captured.outputs
    png = base64.b64decode(output.data["image/png"])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")), output.metadata["image/png"]


def cells(image, grid):
    """The frames of an image, cut out by its metadata."""
    corners = [divmod(index, grid["columns"]) for index in range(len(grid["labels"]))]
    return [
        image[grid["header"] + row * grid["height"] :, column * grid["width"] :][: grid["height"], : grid["width"]]
        for row, column in corners
    ]


@pytest.mark.parametrize(
    ("size", "columns", "cell", "width"),
    [((3.5, 2.8), 2, (504, 403), 672), ((2.4, 2.2), 3, (480, 440), 691), ((7, 2), 1, (1008, 288), 672)],
)
def test_as_many_frames_stand_side_by_side_as_fit_the_page(shell, size, columns, cell, width):
    image, metadata = turned([square(colour, size=size) for colour in "rgbcm"], ["a", "b", "c", "d", "e"])
    grid = metadata["tendays_frames"]
    assert (grid["columns"], (grid["width"], grid["height"]), metadata["width"]) == (columns, cell, width)
    rows = -(-5 // columns)
    assert image.shape == (grid["header"] + rows * cell[1], columns * cell[0], 3)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("size", [(3.5, 2.8), (3.333, 2.777), (2.41, 1.999), (1.703, 1.3)])
def test_metadata_say_where_each_frame_is(shell, size):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255)]
    labels = [f"step {step}" for step in (0, 10, 30, 100, 1000)]
    figures = [square(np.array(colour) / 255, size=size) for colour in colours]
    image, metadata = turned(figures, labels)
    grid = metadata["tendays_frames"]
    assert grid["labels"] == labels
    assert grid["title"] == "The square changes"
    for cell, colour in zip(cells(image, grid), colours, strict=True):
        found = {tuple(int(part) for part in pixel) for pixel in cell.reshape(-1, 3)}
        assert colour in found
        assert not found & ({*colours} - {colour})
        assert (cell[:, 0] == 255).all()  # what belongs to a frame is inside of it
        assert (cell[:, -1] == 255).all()


def test_only_the_data_move_from_frame_to_frame(shell):
    short, long = square("red"), square("red")
    long.axes[0].set_yticks([3, 4], ["a long word", "4"])
    image, metadata = turned([short, long], ["before", "after"])
    filled = [(cell == (255, 0, 0)).all(axis=2) for cell in cells(image, metadata["tendays_frames"])]
    spans = [[axis.nonzero()[0][[0, -1]].tolist() for axis in (mask.any(0), mask.any(1))] for mask in filled]
    assert spans[0] == spans[1]


def test_frames_are_labelled_and_have_one_title(shell):
    figures = [square("white"), square("white")]
    image, metadata = turned(figures, ["step 0", "step 10"])
    grid = metadata["tendays_frames"]
    first, second = cells(image, grid)
    assert [fig.get_suptitle() for fig in figures] == ["step 0", "step 10"]
    assert (first[:60] != second[:60]).any()  # the labels
    assert (first[60:] == second[60:]).all()
    assert 0 < (image[: grid["header"]] < 128).mean() < 0.1
    long, metadata = turned([square("red"), square("red")], ["a", "b"], title=" ".join(["word"] * 40))
    header = long[: metadata["tendays_frames"]["header"]]
    assert len(header) > 2 * grid["header"]
    assert (header[:, -2:] == 255).all()  # its lines are not longer than the image is wide


def test_frames_are_small_and_the_same_bytes_each_time(shell):
    def heatmaps():
        for seed in range(5):
            fig, ax = plt.subplots(figsize=(3.5, 2.8))
            image = plots.heatmap(ax, np.random.default_rng(seed).random((7, 5)))
            image.set_clim(0, 1)
            fig.colorbar(image, label="occupancy")
            ax.set(xlabel="letter", ylabel="phoneme")
            yield fig

    with capture_output() as captured:
        for _ in range(2):
            plots.frames(list(heatmaps()), list("abcde"), **WORDS)
    one, two = captured.outputs
    assert one.data == two.data
    assert len(base64.b64decode(one.data["image/png"])) < 100_000


def test_metadata_survive_in_a_notebook_file(shell, tmp_path):
    with capture_output() as captured:
        plots.frames([square("red"), square("blue")], ["a", "b"], **WORDS)
    (shown,) = captured.outputs
    output = new_output("display_data", dict(shown.data), metadata=shown.metadata)
    nbformat.write(new_notebook(cells=[new_code_cell("", outputs=[output])]), tmp_path / "x.ipynb")
    read = nbformat.read(tmp_path / "x.ipynb", as_version=4)
    nbformat.validate(read)
    assert read.cells[0].outputs[0].metadata == shown.metadata
    assert shown.metadata["image/png"]["alt"] == shown.data["text/plain"] == WORDS["alt"]


def test_frames_may_have_three_dimensions(shell):
    figures = [plt.figure(figsize=(3.5, 3.2)) for _ in range(3)]
    for angle, fig in enumerate(figures):
        ax = fig.add_subplot(projection="3d")
        ax.plot([0, 1], [0, 1], [0, angle / 3])
        ax.set(xlabel="x", ylabel="y", zlabel="z", zlim=(0, 1))
    assert turned(figures, ["a", "b", "c"])[1]["tendays_frames"]["columns"] == 2


def test_outside_a_notebook_frames_are_only_checked_and_closed(capsys):
    plots.frames([square("red"), square("blue")], ["a", "b"], **WORDS)
    assert plt.get_fignums() == []
    assert capsys.readouterr().out == ""


def coloured(limit):
    fig = square("red")
    image = plots.heatmap(fig.axes[0], [[0, limit]])
    fig.colorbar(image, label="weight")
    return fig


@pytest.mark.parametrize(
    ("make", "labels", "words", "message"),
    [
        (lambda: [square("red")], ["a"], {}, "figures has 1 frames; expected two or more"),
        (lambda: [square("red")] * 2, ["a", "b"], {}, "the same figure twice"),
        (lambda: [square("red"), square("red")], ["a"], {}, "labels has 1 texts for 2 frames"),
        (lambda: [square("red"), square("red")], ["a", "a"], {}, "labels are ['a', 'a']; expected texts that"),
        (lambda: [square("red"), square("red")], ["a", " "], {}, "labels are ['a', ' ']; expected texts that"),
        (lambda: [square("red"), square("red")], ["a", "b"], {"alt": " "}, "alt is empty"),
        (lambda: [square("red"), square("red")], ["a", "b"], {"title": ""}, "title is empty"),
        (lambda: [square("red"), square("red", xlabel="")], ["a", "b"], {}, "the panel 'b' has no label on its x axis"),
        (
            lambda: [square("red"), square("red", size=(3, 2))],
            ["a", "b"],
            {},
            "'b' is 3 × 2 inches, the first 3.5 × 2.8",
        ),
        (lambda: [square("red"), square("red", ylim=(0, 9))], ["a", "b"], {}, "scales of the frame 'b'"),
        (lambda: [coloured(1), coloured(2)], ["a", "b"], {}, "scales of the frame 'b'"),
        (lambda: [square("red"), coloured(1)], ["a", "b"], {}, "'b' has 2 panels and colour bars, the first 1"),
    ],
)
def test_frames_that_do_not_belong_together_are_rejected(make, labels, words, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        plots.frames(make(), labels, **{**WORDS, **words})
    assert plt.get_fignums() == []
