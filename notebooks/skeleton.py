# %% [markdown]
# # @TITLE@
#
# @BADGE@
#
# **Question.** TODO: the question of this notebook, in one sentence?
#
# **Time.** TODO: how long it takes to read, and to run on two cores of a laptop.
#
# **Before you start.** TODO: what a reader should know already.

# %%
# @SETUP@

# %% [markdown]
# TODO: why the question is worth an evening. (Everything below runs, on a toy: a line through noisy points. Replace it piece by piece. *TODO* marks what is to be written; the tests find what is left.)

# %%
import matplotlib.pyplot as plt
import torch

from tendays import plots
from tendays.exercises import check
from tendays.results import at_least, at_most, claim
from tendays.scale import pick

plots.use()

# %% [markdown]
# ## The idea in one picture
#
# TODO: the idea, for someone who reads only this far. A cell that only draws is tagged `hide-input`, and the pages fold it.

# %%
torch.manual_seed(1)
N = pick(full=1000, smoke=100)
x = torch.rand(N, dtype=torch.float64)
y = 2 * x + 1 + 0.1 * torch.randn(N, dtype=torch.float64)

# %% tags=["picture", "hide-input"] jupyter={"source_hidden": true}
fig, ax = plt.subplots()
ax.plot(x, y, ".", alpha=0.5)
ax.plot([0, 1], [1, 3])
ax.set(title="TODO: what the figure shows", xlabel="x", ylabel="y")
alt = "TODO: the figure in words, for those who cannot see it: points along a line."
plots.show(fig, alt=alt)

# %% [markdown]
# ## The derivation
#
# TODO: one step, in symbols that the code uses too. With $X$ of shape $N \times 2$, the squared error $\|Xw - y\|^2$ is smallest where its gradient vanishes:
#
# $$X^\top (X w - y) = 0$$


# %%
def fit(x, y):
    """Slope and intercept of the line with the smallest squared error."""
    X = torch.stack([x, torch.ones_like(x)], 1)  # (N, 2)
    return torch.linalg.solve(X.T @ X, X.T @ y)


# %% [markdown]
# And a check against something independent:

# %%
X = torch.stack([x, torch.ones_like(x)], 1)
oracle = torch.linalg.lstsq(X, y[:, None]).solution[:, 0]
claim(
    "largest difference of slope and intercept from torch.linalg.lstsq",
    (fit(x, y) - oracle).abs().max(),
    full=at_most(1e-13),
    smoke=at_most(1e-13),
)

# %% [markdown]
# ## The experiment
#
# TODO: real data, and a baseline beside the result. Here: how much of the variance the line explains on new points; the mean explains none.

# %%
new_x = torch.rand(N, dtype=torch.float64)
new_y = 2 * new_x + 1 + 0.1 * torch.randn(N, dtype=torch.float64)
slope, intercept = fit(x, y)
explained = 1 - (new_y - slope * new_x - intercept).var() / new_y.var()
claim(
    "of the variance of new points explained",
    100 * explained,
    full=at_least(97),
    smoke=None,
    unit="%",
    headline=True,
)

# %% [markdown]
# ## What broke
#
# TODO: something that went wrong and was really run. Here: a column twice, and there is no single answer any more.

# %%
twice = torch.stack([x, x], 1)
rank = torch.linalg.matrix_rank(twice)
print(f"rank {rank} of {twice.shape[1]}")
assert rank < twice.shape[1]

# %% [markdown]
# ## Exercises
#
# ### Exercise 1: through the origin
#
# TODO. Here: the slope of the best line through the origin?

# %%
answer = ...  # your answer
check(answer, (x @ y / (x @ x)).item(), hint="One unknown: set the derivative to zero.")

# %% tags=["solution", "hide-input"] jupyter={"source_hidden": true}
solution = torch.linalg.lstsq(x[:, None], y[:, None]).solution.item()
assert check(solution, (x @ y / (x @ x)).item())

# %% [markdown]
# ### Exercise 2: what is left
#
# TODO. Here: what do the residuals of the line sum to?

# %%
answer = ...  # your answer
check(answer, 0.0, hint="The column of ones is orthogonal to them.")

# %% tags=["solution", "hide-input"] jupyter={"source_hidden": true}
assert check((y - slope * x - intercept).sum().item(), 0.0)


# %% [markdown]
# ### Exercise 3: a function
#
# TODO. Here: write the mean squared error of a line.


# %%
def mean_error(slope, intercept):
    return ...  # your code


def error_reference(slope, intercept):
    return ((slope * x + intercept - y) ** 2).mean().item()


cases = [(2.0, 1.0), (0.0, 0.0)]
hint = "Square first, then take the mean."
check(mean_error, error_reference, cases=cases, hint=hint)


# %% tags=["solution", "hide-input"] jupyter={"source_hidden": true}
def error_solution(slope, intercept):
    return torch.nn.functional.mse_loss(slope * x + intercept, y).item()


assert check(error_solution, error_reference, cases=cases)

# %% [markdown]
# ## What I learnt
#
# TODO: the answer to the question; what stays open.
#
# ## References
#
# TODO: lines of the bibliography, site/references.bib, letter by letter.
