"""The house style of figures.

A figure has its own white ground, so that it is legible on light and on dark pages; colours that are told apart
with any kind of colour vision; a title that states the finding, axes that are labelled, and a text for those who
cannot see it::

    plots.use()
    fig, ax = plt.subplots()
    plots.curves(ax, {"with attention": losses})
    ax.set(title="Attention halves the loss", xlabel="step", ylabel="loss, nats a token")
    plots.show(fig, alt="The loss falls from 5 to 2 nats with attention, and to 4 without.")
"""

import base64
import io
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

# Okabe and Ito, "Color Universal Design", 2008, less yellow, which is too pale for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DPI = 144
CSS_DPI = 96  # what a browser takes an inch for


def use() -> None:
    """Make the house style the style of every figure from here on."""
    plt.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=COLOURS),
            "axes.grid": True,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "figure.figsize": (7.0, 3.6),
            "font.size": 10.0,
            "grid.alpha": 0.3,
            "image.cmap": "cividis",
            "legend.frameon": False,
            "lines.linewidth": 1.6,
        }
    )


def show(fig: Figure, *, alt: str) -> None:
    """Show a finished figure in a notebook, once, as a PNG with a text alternative; then close it.

    Outside IPython it is only checked and closed.

    Args:
        fig: The figure.
        alt: What the figure shows, for readers who cannot see it.

    Raises:
        ValueError: The text is empty, or a panel with data lacks its title or a label.
    """
    plt.close(fig)  # first, so that a figure that is refused is not shown at the end of the cell all the same
    if not alt.strip():
        raise ValueError("alt is empty: say what the figure shows")
    for ax in fig.axes:
        _check_labels(fig, ax)
    if get_ipython() is None:
        return
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"optimize": True})
    data = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": alt}
    width = round(fig.get_figwidth() * CSS_DPI)
    display(data, metadata={"image/png": {"alt": alt, "width": width}}, raw=True)


def _check_labels(fig: Figure, ax: Axes) -> None:
    """Raise ValueError when a panel with data does not say what it shows."""
    if not (ax.get_visible() and ax.has_data()):
        return
    if ax.get_label() == "<colorbar>":
        if not (ax.get_xlabel() or ax.get_ylabel()):
            raise ValueError("a colour bar has no label")
        return
    title = ax.get_title("left") or ax.get_title() or ax.get_title("right") or fig.get_suptitle()
    if not title:
        raise ValueError("a panel has no title: state what it shows")
    if not ax.axison:
        return
    # Panels that share an axis may leave the label to one of them, and a figure may label it for all.
    row, column = ax.get_shared_y_axes().get_siblings(ax), ax.get_shared_x_axes().get_siblings(ax)
    if not (fig.get_supxlabel() or any(sibling.get_xlabel() for sibling in column)):
        raise ValueError(f"the panel {title!r} has no label on its x axis")
    if not (fig.get_supylabel() or any(sibling.get_ylabel() for sibling in row)):
        raise ValueError(f"the panel {title!r} has no label on its y axis")


def curves(ax: Axes, series: Mapping[str, Sequence], *, x: Sequence | None = None) -> None:
    """Draw named curves with a legend; several seeds of one curve as their mean and, shaded, their range.

    Args:
        ax: The panel.
        series: For each name a sequence of ``T`` values, or one of ``(seeds, T)``.
        x: The ``T`` places along the x axis; 1 … ``T`` without.
    """
    for name, values in series.items():
        seeds = np.atleast_2d(np.asarray(values, dtype=float))
        places = np.arange(1, seeds.shape[1] + 1) if x is None else np.asarray(x)
        (line,) = ax.plot(places, seeds.mean(axis=0), label=name)
        if len(seeds) > 1:
            ax.fill_between(places, seeds.min(axis=0), seeds.max(axis=0), color=line.get_color(), alpha=0.2, lw=0)
    ax.legend()


def heatmap(ax: Axes, matrix: Sequence, xlabels: Sequence[str] = (), ylabels: Sequence[str] = ()) -> AxesImage:
    """Draw a matrix with its rows from top to bottom, as attention and alignment are read.

    Args:
        ax: The panel.
        matrix: Values of shape ``(rows, columns)``.
        xlabels: One word for each column, or none.
        ylabels: One word for each row, or none.

    Returns:
        The image, to make a colour bar for.

    Raises:
        ValueError: There are labels, but not one for each column or row.
    """
    values = np.asarray(matrix, dtype=float)
    image = ax.imshow(values, aspect="auto")
    ax.grid(False)
    for name, axis, words, size in (("xlabels", ax.xaxis, xlabels, 1), ("ylabels", ax.yaxis, ylabels, 0)):
        if words and len(words) != values.shape[size]:
            raise ValueError(f"{name} has {len(words)} words for {values.shape[size]} places")
        if words:
            axis.set_ticks(range(len(words)), words, rotation=90 if axis is ax.xaxis else 0)
    return image
