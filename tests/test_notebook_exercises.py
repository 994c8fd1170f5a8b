"""Exercises of the notebooks: stubs and typical wrong answers fail their `check`, equivalent right answers pass.

Of a notebook only the imports, the cells that an exercise builds on, and the exercise itself are run.
"""

import ast
import math
from functools import cache

import nbformat
import pytest
import torch
from places import ROOT

from tendays.exercises import check

# For each notebook: the beginnings of definitions that its exercises build on.
BUILDS_ON = {
    "01_energy_based_models": [],
    "02_latent_variable_ebms": ["rho = torch.tensor", "z_grid = ", "def softmin", "def alignments"],
}


@cache
def cells(notebook):
    """The sources of a notebook's code cells behind the set-up, and the tags of each."""
    nb = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", 4)
    found = [(cell.source, cell.metadata.get("tags", [])) for cell in nb.cells if cell.cell_type == "code"]
    return found[1:]


@cache
def basis(notebook):
    """The names that exercises use: what is imported, and single statements that they build on."""
    names = {}
    for source, tags in cells(notebook):
        if "solution" in tags:
            continue
        for node in ast.parse(source).body:
            text = ast.get_source_segment(source, node)
            if isinstance(node, ast.Import | ast.ImportFrom) or text.startswith(tuple(BUILDS_ON[notebook])):
                exec(text, names)
    return names


@cache
def exercise(notebook, name):
    """The names of an exercise, and the call of `check` that is made of an answer: a function of the answer."""
    sources = [source for source, tags in cells(notebook) if "solution" not in tags]
    (start,) = [index for index, source in enumerate(sources) if f"def {name}(" in source]
    before = sources[start - 1]
    helper = [before] if before.startswith("def ") and "check(" not in before else []
    names, calls = dict(basis(notebook)), []
    names["check"] = lambda answer, *rest, **options: calls.append((answer, rest, options))
    for source in helper + sources[start : start + 3]:
        if not calls:  # what stands behind the call belongs to the next exercise
            exec(source, names)
    ((stub, rest, options),) = calls
    return names, stub, rest, options


def judged(notebook, name, answer):
    """Whether `check` accepts an answer, a function's source; the notebook's own stub for None."""
    names, stub, rest, options = exercise(notebook, name)
    if answer is None:
        return bool(check(stub, *rest, **options))
    space = names | {"math": math, "torch": torch}
    exec(answer, space)
    wrap = WRAPPED.get(name)
    return bool(check(space[wrap](space[name]) if wrap else space[name], *rest, **options))


WRAPPED = {"with_energy": "softmax_and_energy"}
FIRST, SECOND = BUILDS_ON

WRONG = {
    (FIRST, "beta_for"): [
        "def beta_for(gap, p): return -math.log(1 - p) / gap",
        "def beta_for(gap, p): return gap / math.log(p / (1 - p))",
    ],
    (FIRST, "slopes_of_mee"): [
        # the gradient of the NLL; β left out; the sign
        """def slopes_of_mee(energies, target, beta):
    slopes = -(-beta * energies).softmax(0); slopes[target] += 1; return slopes""",
        """def slopes_of_mee(energies, target, beta):
    P = (-beta * energies).softmax(0); slopes = -P[target] * P; slopes[target] += P[target]; return slopes""",
        """def slopes_of_mee(energies, target, beta):
    P = (-beta * energies).softmax(0); slopes = beta * P[target] * P; slopes[target] -= beta * P[target]
    return slopes""",
    ],
    (FIRST, "variance_of_chain"): [
        # the limit of small steps; no square; negative beyond the stable step
        "def variance_of_chain(curvature, step_size, s): return s**2 / (2 * step_size * curvature)",
        "def variance_of_chain(curvature, step_size, s): return s**2 / (step_size * curvature)",
        "def variance_of_chain(curvature, step_size, s): return s**2 / (1 - (1 - step_size * curvature) ** 2)",
    ],
    (FIRST, "with_energy"): [
        "def with_energy(logits, energy): return logits - energy[:, None]",
        "def with_energy(logits, energy): return logits.log_softmax(1) + energy[:, None]",
    ],
    (FIRST, "longest_step"): [
        "def longest_step(A): return 2 / torch.linalg.eigvalsh(A).max()",
        "def longest_step(A): return 2 / 11 / A.diagonal().max()",
    ],
    (SECOND, "cold_on_the_axis"): [
        "def cold_on_the_axis(y_1): return (y_1 - 2) ** 2",
        """def cold_on_the_axis(y_1):
    c = min(1.0, y_1 / 2); return (y_1 - 2 * c) ** 2 + 2.25 * (1 - c**2)""",
    ],
    (SECOND, "pull"): [
        # the sign; a factor β too many; the nearest point, whatever β
        """def pull(y, w, beta):
    y, w = torch.tensor(y).double(), torch.tensor(w).double()
    P = gibbs_distribution(ellipse.energies(y, w, z_grid), beta)
    return 2 * (P @ ellipse.decode(z_grid, w) - y)""",
        """def pull(y, w, beta):
    y, w = torch.tensor(y).double(), torch.tensor(w).double()
    P = gibbs_distribution(ellipse.energies(y, w, z_grid), beta)
    return 2 * beta * (y - P @ ellipse.decode(z_grid, w))""",
        """def pull(y, w, beta):
    y, w = torch.tensor(y).double(), torch.tensor(w).double()
    return 2 * (y - ellipse.decode(z_grid[ellipse.energies(y, w, z_grid).argmin()], w))""",
    ],
    (SECOND, "critical_beta"): [
        "def critical_beta(rho_1, rho_2, sigma): return 1 / (rho_1**2 + 2 * sigma**2)",
        "def critical_beta(rho_1, rho_2, sigma): return 1 / (max(rho_1, rho_2) ** 2 + sigma**2)",
    ],
    (SECOND, "arc_gradients"): [
        # the gradient of the perceptron loss; the probability in place of one minus it; β left out
        "def arc_gradients(correct, other, beta): return 1.0, -1.0, 0.0",
        """def arc_gradients(correct, other, beta):
    p = 1 / (1 + math.exp(beta * (correct - other))); return p, -p, 0.0""",
        """def arc_gradients(correct, other, beta):
    missed = 1 / (1 + math.exp(other - correct)); return missed, -missed, 0.0""",
    ],
    (SECOND, "count_alignments"): [
        "def count_alignments(T, K, m): return math.comb(T, K)",
        "def count_alignments(T, K, m): return math.comb(max(T - K * (m - 1), 0), K)",
    ],
}
RIGHT = {
    (FIRST, "beta_for"): [
        "def beta_for(gap, p): return torch.logit(torch.tensor(p, dtype=torch.float64)) / gap",
        "def beta_for(gap, p): return 2 * math.atanh(2 * p - 1) / gap",
    ],
    (FIRST, "slopes_of_mee"): [
        """def slopes_of_mee(energies, target, beta):
    weights = [math.exp(-beta * e) for e in energies.tolist()]
    P = [w / sum(weights) for w in weights]
    return [beta * P[target] * ((i == target) - p) for i, p in enumerate(P)]""",
    ],
    (FIRST, "variance_of_chain"): [
        """def variance_of_chain(curvature, step_size, s):
    if step_size * curvature >= 2: return math.inf
    temperature = s**2 / (2 * step_size)
    return temperature / curvature / (1 - step_size * curvature / 2)""",
    ],
    (FIRST, "with_energy"): [
        "def with_energy(logits, energy): return logits - (energy + logits.logsumexp(1))[:, None]",
    ],
    (FIRST, "longest_step"): [
        "def longest_step(A): return 2 * (1 - 1 / 1.1) * torch.linalg.eigvalsh(torch.linalg.inv(A)).min()",
    ],
    (SECOND, "cold_on_the_axis"): [
        "def cold_on_the_axis(y_1): return 2.25 - y_1**2 * 2.25 / 1.75 if y_1 < 0.875 else (y_1 - 2) ** 2",
    ],
    (SECOND, "pull"): [
        """def pull(y, w, beta):
    angles = z_grid.tolist()
    E = [(y[0] - w[0] * math.cos(t)) ** 2 + (y[1] - w[1] * math.sin(t)) ** 2 for t in angles]
    low = min(E)
    p = [float(e == low) if beta == math.inf else math.exp(-beta * (e - low)) for e in E]
    c, s = (sum(q * f(t) for q, t in zip(p, angles)) / sum(p) for f in (math.cos, math.sin))
    return [2 * (y[0] - w[0] * c), 2 * (y[1] - w[1] * s)]""",
    ],
    (SECOND, "critical_beta"): [
        """def critical_beta(rho_1, rho_2, sigma):
    return torch.tensor([0.5 / (r * r / 2 + sigma**2) for r in (rho_1, rho_2)]).double().amin()""",
    ],
    (SECOND, "arc_gradients"): [
        """def arc_gradients(correct, other, beta):
    p = torch.softmax(-beta * torch.tensor([correct, other], dtype=torch.float64), 0)
    return torch.stack([1 - p[0], -p[1], 0 * p[0]])""",
    ],
    (SECOND, "count_alignments"): [
        "def count_alignments(T, K, m): return math.comb(max(T - (K - 1) * (m - 1), 0), K)",
    ],
}


def cases(answers):
    return [
        pytest.param(*place, answer, id=f"{place[1]}-{index}")
        for place, several in answers.items()
        for index, answer in enumerate(several)
    ]


@pytest.mark.parametrize(("notebook", "name"), WRONG, ids=[name for _, name in WRONG])
def test_a_stub_is_not_right(notebook, name):
    assert not judged(notebook, name, None)


@pytest.mark.parametrize(("notebook", "name", "answer"), cases(WRONG))
def test_a_typical_wrong_answer_is_refused(notebook, name, answer):
    assert not judged(notebook, name, answer)


@pytest.mark.parametrize(("notebook", "name", "answer"), cases(RIGHT))
def test_an_equivalent_right_answer_is_accepted(notebook, name, answer):
    assert judged(notebook, name, answer)


@pytest.mark.parametrize("notebook", BUILDS_ON)
def test_every_exercise_of_the_notebook_is_tried(notebook):
    stubs = [source for source, tags in cells(notebook) if "solution" not in tags and "return ...  # your" in source]
    assert len(stubs) == len([name for place, name in WRONG if place == notebook]) == 5
    assert set(WRONG) == set(RIGHT)
