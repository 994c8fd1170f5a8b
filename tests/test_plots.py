import base64
import io

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
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
