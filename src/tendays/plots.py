"""The house style of figures.

A figure has its own white ground, so that it is legible on light and on dark pages; colours that are told apart
with any kind of colour vision; a title that states the finding, axes that are labelled, and a text for those who
cannot see it::

    plots.use()
    fig, ax = plt.subplots()
    plots.curves(ax, {"with attention": losses})
    ax.set(title="Attention halves the loss", xlabel="step", ylabel="loss, nats a token")
    plots.show(fig, alt="The loss falls from 5 to 2 nats with attention, and to 4 without.")

A picture that changes, such as a heat map while a model learns, is a list of figures: `frames`.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

# Okabe and Ito, "Color Universal Design", 2008, less yellow, which is too pale for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DPI = 144
CSS_DPI = 96  # what a browser takes an inch for
PAGE_WIDTH = 7.4  # inches, about the width of an output in JupyterLab and of a printed page
MARGIN = 0.08  # inches, around a frame
PALETTES = (32, 64, 128, 256)  # colours, of which a PNG can have up to 256 with a byte a pixel
ROUNDING = 1.0  # of 255: how far the pixels of a PNG may be off, as a root of the mean square
FRAME_WIDTH = 480  # pixels; a frame that is shown alone is sharp at this width


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
    _display(_png(_pixels(fig, DPI)), alt, fig.get_figwidth())


def frames(figures: Sequence[Figure], labels: Sequence[str], *, title: str, alt: str) -> None:
    """Show the states of one changing picture as small multiples in a single PNG; then close its figures.

    The pages of the site show one frame at a time, with a slider. They read the grid from the output's metadata,
    ``"tendays_frames"``: ``title``, ``labels``, ``columns``, and in pixels the height of the ``header``, which holds
    the title, and the ``width`` and ``height`` of a frame. Frames follow each other row by row. ::

        pictures = []
        for step in steps:
            fig, ax = plt.subplots(figsize=(3.5, 2.8))
            image = plots.heatmap(ax, weights[step])
            image.set_clim(0, 1)
            fig.colorbar(image, label="weight")
            ax.set(xlabel="source", ylabel="target")
            pictures.append(fig)
        plots.frames(pictures, [f"step {step}" for step in steps], title="…", alt="…")

    Args:
        figures: A figure for each frame, all of one size, with the same panels on the same scales. As many stand side
            by side as fit the page: two of 3.5 inches, three of 2.4 inches.
        labels: What is written above each frame, such as the training step. It takes the place of a suptitle.
        title: What the frames show together.
        alt: What the frames show, for readers who cannot see them.

    Raises:
        ValueError: There are fewer than two frames, or not one label for each; a text is empty, or two labels are the
            same; a panel lacks its axis labels; or sizes, panels or scales differ from frame to frame.
    """
    for fig in figures:
        plt.close(fig)
    _check_frames(figures, labels, title, alt)
    for fig, label in zip(figures, labels, strict=True):
        fig.suptitle(label, x=MARGIN / fig.get_figwidth(), ha="left", fontsize="medium", fontweight="bold")
        for ax in fig.axes:
            _check_labels(fig, ax)
    if get_ipython() is None:
        return
    _align(figures)
    width = figures[0].get_figwidth()
    columns = min(len(figures), max(1, int(PAGE_WIDTH / width)))
    dpi = max(DPI, math.ceil(FRAME_WIDTH / width))
    header = _header(title, columns * width, dpi)
    cells = [_pixels(fig, dpi) for fig in figures]  # each (height, width, 3)
    grid = {"title": title, "labels": list(labels), "columns": columns, "header": len(header)}
    grid |= {"width": cells[0].shape[1], "height": cells[0].shape[0]}
    _display(_png(_tile(header, cells, columns)), alt, columns * width, tendays_frames=grid)


def _check_frames(figures: Sequence[Figure], labels: Sequence[str], title: str, alt: str) -> None:
    """Raise ValueError when figures are not the frames of one picture, or are not described."""
    if len(figures) < 2:
        raise ValueError(f"figures has {len(figures)} frames; expected two or more (show is for one figure)")
    if len(set(map(id, figures))) < len(figures):
        raise ValueError("figures has the same figure twice; expected one figure for each frame")
    if len(labels) != len(figures):
        raise ValueError(f"labels has {len(labels)} texts for {len(figures)} frames")
    if len(set(labels)) < len(labels) or not all(label.strip() for label in labels):
        raise ValueError(f"labels are {list(labels)}; expected texts that are not empty and differ")
    for name, text in (("title", title), ("alt", alt)):
        if not text.strip():
            raise ValueError(f"{name} is empty: say what the frames show")
    first = figures[0]
    for fig, label in zip(figures, labels, strict=True):
        if tuple(fig.get_size_inches()) != tuple(first.get_size_inches()):
            raise ValueError(
                f"the frame {label!r} is {_size(fig)} inches, the first {_size(first)}; expected frames of one size"
            )
        if len(fig.axes) != len(first.axes):
            raise ValueError(
                f"the frame {label!r} has {len(fig.axes)} panels and colour bars, the first {len(first.axes)}"
            )
        for ax, other in zip(fig.axes, first.axes, strict=True):
            if not np.allclose(_scales(ax), _scales(other)):
                raise ValueError(
                    f"the scales of the frame {label!r} are {_scales(ax)}, of the first {_scales(other)}; "
                    "expected the same: set the limits of axes and colours"
                )


def _size(fig: Figure) -> str:
    """Width and height of a figure in inches."""
    return "{:g} × {:g}".format(*fig.get_size_inches())


def _scales(ax: Axes) -> list[tuple[float, float]]:
    """The limits of a panel's axes; those of a colour bar are the limits of its colours."""
    limits = [ax.get_xlim(), ax.get_ylim()] + ([ax.get_zlim()] if hasattr(ax, "get_zlim") else [])
    return [(float(low), float(high)) for low, high in limits]


def _align(figures: Sequence[Figure]) -> None:
    """Give each panel the same place in all figures, so that nothing but the data moves from frame to frame."""
    for fig in figures:
        fig.set_layout_engine("constrained", w_pad=MARGIN, h_pad=MARGIN)
        fig.draw_without_rendering()  # runs the layout engine
        fig.set_layout_engine("none")
    for panels in zip(*(fig.axes for fig in figures), strict=True):
        places = np.array([ax.get_position(original=True).extents for ax in panels])  # (N, 4)
        left, bottom = places[:, :2].max(axis=0)
        right, top = places[:, 2:].min(axis=0)
        for ax in panels:
            ax.set_position((left, bottom, right - left, top - bottom))


def _header(title: str, width: float, dpi: int) -> np.ndarray:
    """A strip of ``(rows, columns, 3)`` pixels with a title, which is broken into lines where it is long."""
    strip = Figure(figsize=(width, 1), dpi=dpi, facecolor="white")
    text = strip.text(MARGIN / width, 0.5, title, va="center", fontsize="large", wrap=True)
    strip.set_figheight(text.get_window_extent().height / dpi + 2 * MARGIN)
    return _pixels(strip, dpi)


def _tile(header: np.ndarray, cells: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """The header, and below it cells of one size, row by row, on white."""
    height, width, _ = cells[0].shape
    rows = math.ceil(len(cells) / columns)
    image = np.full((len(header) + rows * height, columns * width, 3), 255, dtype=np.uint8)
    image[: len(header), : header.shape[1]] = header[:, : columns * width]
    for index, cell in enumerate(cells):
        row, column = divmod(index, columns)
        top, left = len(header) + row * height, column * width
        image[top : top + height, left : left + width] = cell
    return image


def _pixels(fig: Figure, dpi: int) -> np.ndarray:
    """A figure as pixels of shape ``(rows, columns, 3)``."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=dpi, pil_kwargs={"compress_level": 1})
    return np.asarray(Image.open(buffer).convert("RGB"))


def _png(pixels: np.ndarray) -> bytes:
    """The PNG of an image of shape ``(rows, columns, 3)``, in as few colours as show no difference.

    A palette makes a notebook less than half as large. A drawing of lines needs few colours, a map that shades off
    needs many. An image of at most 32 colours is exact.
    """
    image = Image.fromarray(pixels)
    for colours in PALETTES:
        few = image.quantize(colours, kmeans=1, dither=Image.Dither.NONE)
        off = np.asarray(few.convert("RGB"), dtype=np.float32) - pixels
        if np.sqrt(np.square(off).mean()) <= ROUNDING:
            break
    buffer = io.BytesIO()
    few.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _display(png: bytes, alt: str, width: float, **metadata: object) -> None:
    """Show a PNG that is so many inches wide, with a text alternative and what else its metadata are to hold."""
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": alt}
    display(data, metadata={"image/png": {"alt": alt, "width": round(width * CSS_DPI), **metadata}}, raw=True)


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
