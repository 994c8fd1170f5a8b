"""The methods in one interface: agreement with scikit-learn, and the properties of their energies."""

# ruff: noqa: N803, N806 - W, K and D are the names of the field
import itertools
import math

import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn import cluster, decomposition, mixture
from sklearn.datasets import load_digits

from tendays.latent.methods import PCA, GaussianMixture, KMeans, Lista, SparseCoding, shrink


@pytest.fixture(scope="module")
def y():
    """Half of the digits' pixels, which leaves full rank, in float64."""
    return torch.tensor(load_digits().data[:600, 10:42:2] / 16)  # (600, 16)


def atoms(K=24, D=16, seed=0):
    W = torch.randn(D, K, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return W / W.norm(dim=0)


# ---- agreement with scikit-learn ------------------------------------------------------------------------------------


def test_k_means_ends_where_scikit_learns_does(y):
    start = y[:7]
    ours = KMeans.fit(y, start.T)
    theirs = cluster.KMeans(7, init=start.numpy(), n_init=1, tol=0, max_iter=300).fit(y.numpy())
    assert math.isclose(ours.free_energy(y).sum(), theirs.inertia_, rel_tol=1e-8)
    assert (ours.infer(y).numpy() == theirs.labels_).all()


def test_a_mixture_after_ten_steps_is_scikit_learns(y):
    K, D = 3, y.shape[1]
    start = GaussianMixture(
        torch.full((K,), 1 / K, dtype=torch.float64), y[:K].T, torch.eye(D).double().expand(K, D, D) / 4
    )
    ours = GaussianMixture.fit(y, start, steps=10)
    theirs = mixture.GaussianMixture(
        K,
        weights_init=start.weights.numpy(),
        means_init=y[:K].numpy(),
        precisions_init=(4 * torch.eye(D).expand(K, D, D)).numpy(),
        max_iter=10,
        tol=0,
    )
    with pytest.warns(match="did not converge"):
        theirs.fit(y.numpy())
    assert math.isclose(-ours.free_energy(y).mean(), theirs.score(y.numpy()), abs_tol=1e-6)


def test_pca_spans_scikit_learns_subspace(y):
    ours = PCA.fit(y, 5)
    theirs = decomposition.PCA(5, svd_solver="full").fit(y.numpy())
    assert subspace_angles(ours.W.numpy(), theirs.components_.T).max() < 1e-7


def test_sparse_codes_have_the_energy_of_scikit_learns(y):
    y = y[:100]
    ours = SparseCoding(atoms(), penalty=0.1, steps=1000)
    theirs = decomposition.sparse_encode(y.numpy(), ours.W.T.numpy(), algorithm="lasso_lars", alpha=0.1)
    expected = ours.energy(y, torch.tensor(theirs))
    torch.testing.assert_close(ours.free_energy(y), expected, rtol=1e-6, atol=1e-8)


# ---- energies -------------------------------------------------------------------------------------------------------


def test_energies_by_hand():
    y = torch.tensor([[3.0, 4.0]])
    W = torch.eye(2)
    assert KMeans(W).energy(y, torch.tensor([1])).item() == 9 + 9
    assert PCA(torch.zeros(2), W[:, :1]).free_energy(y).item() == 16
    assert SparseCoding(W, 1.0).energy(y, torch.tensor([[2.0, -1.0]])).item() == (1 + 25) / 2 + 3
    assert torch.allclose(SparseCoding(W, 1.0).infer(y), torch.tensor([[2.0, 3.0]]))  # shrunk by λ
    one = GaussianMixture(torch.ones(1), torch.zeros(2, 1), torch.eye(2)[None])
    assert math.isclose(one.free_energy(y).item(), 25 / 2 + math.log(2 * math.pi), rel_tol=1e-6)


def test_no_other_latent_has_less_energy_than_the_inferred_one(y):
    generator = torch.Generator().manual_seed(0)
    mixed = GaussianMixture(torch.tensor([0.3, 0.7]).double(), y[:2].T, torch.eye(16).double().expand(2, 16, 16))
    for method in (KMeans(y[:5].T), mixed, PCA.fit(y, 3), SparseCoding(atoms(), 0.1, steps=1000)):
        z = method.infer(y)
        lowest = method.energy(y, z)
        for _ in range(20):
            other = torch.randint(method.W.shape[1], z.shape, generator=generator)
            if z.is_floating_point():
                other = z + 0.1 * torch.randn(z.shape, generator=generator, dtype=z.dtype)
            assert (method.energy(y, other) >= lowest - 1e-9).all()


def test_a_narrow_mixture_is_k_means(y):
    # Equal weights and covariances I/(2β): −log N is β‖y − w‖² plus a constant, whose soft minimum is near the minimum.
    beta, W = 1e4, y[:3].T
    narrow = GaussianMixture(torch.full((3,), 1 / 3).double(), W, torch.eye(16).double().expand(3, 16, 16) / (2 * beta))
    constant = math.log(3) + 8 * math.log(math.pi / beta)
    torch.testing.assert_close((narrow.free_energy(y) - constant) / beta, KMeans(W).free_energy(y), rtol=0, atol=1e-3)


# ---- sparse coding --------------------------------------------------------------------------------------------------


def test_ista_never_raises_the_energy_and_keeps_its_bound(y):
    coding = SparseCoding(atoms(), 0.1, steps=2000)
    best = coding.infer(y)
    lowest, energies = coding.energy(y, best), [coding.energy(y, z) for z in coding.ista(y, 50)]
    for k, (before, after) in enumerate(itertools.pairwise(energies), 2):
        assert (after <= before + 1e-12).all()
        assert (after - lowest <= coding.L * best.square().sum(1) / (2 * k) + 1e-9).all()


def test_fista_keeps_its_bound(y):
    coding = SparseCoding(atoms(), 0.1, steps=2000)
    best = coding.infer(y)
    lowest = coding.energy(y, best)
    for k, z in enumerate(coding.fista(y, 50), 1):
        assert (coding.energy(y, z) - lowest <= 2 * coding.L * best.square().sum(1) / (k + 1) ** 2 + 1e-9).all()


def test_the_first_steps_of_ista_and_fista_are_the_same(y):
    coding = SparseCoding(atoms(), 0.1)
    torch.testing.assert_close(next(coding.ista(y, 1)), next(coding.fista(y, 1)))


def test_untrained_lista_is_ista(y):
    coding = SparseCoding(atoms(), 0.1)
    model = Lista(coding)
    for steps, z in enumerate(coding.ista(y, 5), 1):
        torch.testing.assert_close(model(y, steps).detach(), z)


def test_a_dictionary_learns_and_keeps_its_norms(y):
    W = atoms()
    learnt = SparseCoding.fit(y, W, 0.1, epochs=3, batch=100, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(learnt.W.norm(dim=0), torch.ones(24, dtype=torch.float64))
    assert learnt.free_energy(y).mean() < 0.7 * SparseCoding(W, 0.1).free_energy(y).mean()
    torch.testing.assert_close(W, atoms())  # the start is left as it was


def test_shrinkage_by_hand():
    assert shrink(torch.tensor([-3.0, -0.5, 0.0, 0.5, 3.0]), 1.0).tolist() == [-2, 0, 0, 0, 2]


# ---- edges ----------------------------------------------------------------------------------------------------------


def test_a_centre_without_observations_stays(y):
    W = torch.cat([y[:2].T, torch.full((16, 1), 1e3).double()], 1)
    assert torch.equal(KMeans.fit(y, W).W[:, 2], W[:, 2])


@pytest.mark.parametrize("penalty", [0, -1.0, math.nan])
def test_a_penalty_that_is_not_positive_is_rejected(penalty):
    with pytest.raises(ValueError, match="penalty is"):
        SparseCoding(atoms(), penalty)


def test_atoms_of_other_norms_are_rejected():
    with pytest.raises(ValueError, match="W has columns of norm 2 to 2; expected norm 1"):
        SparseCoding(2 * atoms(), 0.1)


@pytest.mark.parametrize("K", [0, 17])
def test_a_subspace_of_too_few_or_too_many_dimensions_is_rejected(y, K):
    with pytest.raises(ValueError, match=f"K is {K}; expected from 1 to 16"):
        PCA.fit(y, K)


def test_observations_that_are_no_table_are_rejected(y):
    with pytest.raises(ValueError, match=r"y has the shape \(16,\); expected \(N, 16\)"):
        KMeans.fit(y[0], atoms())
    with pytest.raises(ValueError, match=r"y has the shape \(0, 16\)"):
        PCA.fit(y[:0], 2)
    broken = y.clone()
    broken[3, 2] = math.nan
    with pytest.raises(ValueError, match="y is nan at row 3, column 2"):
        KMeans.fit(broken, atoms())
