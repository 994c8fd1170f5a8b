"""German to English with a small recurrent network: model, loss, training, greedy and beam decoding.

An encoder-decoder (Sutskever, Vinyals and Le 2014) whose attention (Bahdanau, Cho and Bengio 2015; the dot product of
Luong, Pham and Manning 2015) stands between two recurrences of the decoder, as in Wu et al. 2016, and not inside one:
so teacher forcing runs each of them over all words in one call, and no Python loop goes over time.

Shapes: B sentences, T source pieces, U target pieces, V vocabulary, D embedding, H state of the decoder, M memory
(both directions of the encoder), K beams.

``accelerate launch -m tendays.translation`` trains it on many processes or machines; see ``--help``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
import typer
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from sacrebleu.metrics import BLEU
from sacrebleu.metrics.bleu import BLEUScore
from torch import Tensor, nn

from tendays import corpora, machine
from tendays.files import runs_folder, write_atomically
from tendays.pieces import BOS, EOS, PAD, UNK, Batch, PairBatches, Pieces, pad
from tendays.recurrent import BidirectionalLSTM, LockedDropout
from tendays.scale import pick
from tendays.training import Recipe, fit, load_tensors, precision, save_tensors


@dataclass(frozen=True)
class Size:
    """The size of a translator.

    vocabulary: V pieces. embedding: D. encoder: M / 2, the state of one direction. decoder: H.
    dropout: the part of a state's components, and embedding_dropout of an embedding's, that training hides.
    attention: whether the decoder looks at every state of the encoder, or only at its last one.
    """

    vocabulary: int
    embedding: int = 256
    encoder: int = 256
    decoder: int = 384
    dropout: float = 0.3
    embedding_dropout: float = 0.2
    attention: bool = True


class Memory(NamedTuple):
    """What the decoder may look at: states (B, T, M), and which of them count (B, T)."""

    states: Tensor
    mask: Tensor


class State(NamedTuple):
    """The state of both recurrences of the decoder, each part (B, K, H) for K hypotheses of each sentence."""

    hidden: Tensor
    cell: Tensor
    deep_hidden: Tensor
    deep_cell: Tensor


class Translator(nn.Module):
    """The encoder-decoder. Called with a batch, it returns the label-smoothed loss summed over all target pieces.

    Args:
        size: how large.
        smoothing: the part of the target's probability that is spread over the whole vocabulary
            (Szegedy et al. 2016).
    """

    def __init__(self, size: Size, smoothing: float = 0.1):
        super().__init__()
        self.size, self.smoothing = size, smoothing
        memory = 2 * size.encoder
        self.embedding = nn.Embedding(size.vocabulary, size.embedding)
        self.encoder = BidirectionalLSTM(size.embedding, size.encoder)
        self.bridge = nn.Linear(memory, 2 * size.decoder)
        self.decoder = nn.LSTM(size.embedding, size.decoder, batch_first=True)
        self.query = nn.Linear(size.decoder, memory, bias=False)
        self.deep = nn.LSTM(size.decoder + memory, size.decoder, batch_first=True)
        self.combine = nn.Linear(2 * size.decoder + memory, size.embedding)
        self.bias = nn.Parameter(torch.zeros(size.vocabulary))
        self.hide = LockedDropout(size.dropout)
        self.hide_embedding = LockedDropout(size.embedding_dropout)
        # The same matrix reads words and scores them (Press and Wolf 2017): small, so that first scores are near 0,
        # and scaled up again where it reads.
        nn.init.normal_(self.embedding.weight, std=size.embedding**-0.5)

    def embed(self, ids: Tensor) -> Tensor:
        """Ids (B, T) to embeddings (B, T, D)."""
        return self.hide_embedding(self.embedding(ids) * self.size.embedding**0.5)

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Memory, State]:
        """Source ids (B, T) with lengths (B,) to the memory and the decoder's first state (B, 1, H)."""
        states, summary = self.encoder(self.embed(source), lengths)
        hidden, cell = torch.tanh(self.bridge(summary))[:, None].chunk(2, 2)
        first = State(hidden, cell, torch.zeros_like(hidden), torch.zeros_like(cell))
        mask = torch.arange(source.shape[1], device=source.device) < lengths[:, None]
        if not self.size.attention:
            # With a memory of one state, attention is that state: the plain encoder-decoder is a special case.
            states, mask = summary[:, None], mask[:, :1]
        return Memory(self.hide(states), mask), first

    def attend(self, queries: Tensor, memory: Memory) -> Tensor:
        """How much each decoder state (B, U, H) looks at each state of the memory: (B, U, T), rows that sum to 1."""
        scores = self.query(queries) @ memory.states.transpose(1, 2) * memory.states.shape[2] ** -0.5
        return scores.masked_fill(~memory.mask[:, None], float("-inf")).softmax(2)

    def decode(self, words: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """Embeddings (N, U, D) of the pieces before to vectors (N, U, D) that score the next, and the state (N, 1, H).

        A recurrence reads the words, attention looks for what they call for, and a second recurrence, which knows
        what was looked at, decides: the first may run over all U words at once, and so may the other two.
        """
        carried = tuple(part.transpose(0, 1).contiguous() for part in state)
        queries, after = self.decoder(words, carried[:2])
        queries = self.hide(queries)
        # In search the K hypotheses of a sentence are rows of one word each; they share its memory.
        grouped = queries.reshape(len(memory.states), -1, queries.shape[2])
        context = self.attend(grouped, memory).to(queries.dtype) @ memory.states.to(queries.dtype)
        found = torch.cat([queries, context.reshape(*queries.shape[:2], -1)], 2)
        deep, deep_after = self.deep(found, tuple(part.to(found.dtype) for part in carried[2:]))
        outputs = torch.tanh(self.combine(torch.cat([self.hide(deep), found], 2)))
        return outputs, State(*(part.transpose(0, 1) for part in (*after, *deep_after)))

    def teach(self, batch: Batch) -> Tensor:
        """Teacher forcing: the outputs (B, U, D) at every target piece, given the right pieces before it."""
        memory, first = self.encode(batch.source, batch.source_lengths)
        return self.decode(self.embed(batch.target[:, :-1]), memory, first)[0]

    def logits(self, outputs: Tensor) -> Tensor:
        """Outputs (*, D) to scores of the next piece (*, V)."""
        return F.linear(outputs, self.embedding.weight, self.bias)

    def forward(self, batch: Batch) -> Tensor:
        """The loss summed over the batch's target pieces, a tensor of no dimension, in nats."""
        outputs = self.hide(self.teach(batch))
        counts = torch.arange(outputs.shape[1], device=outputs.device) < batch.target_lengths[:, None]
        targets = batch.target[:, 1:].where(counts, PAD)
        return smoothed_cross_entropy(
            outputs.flatten(0, 1), self.embedding.weight, self.bias, targets.flatten(), self.smoothing, PAD
        )

    def step(self, previous: Tensor, memory: Memory, state: State) -> tuple[Tensor, State]:
        """One piece further: the pieces just written (B, K) to log-probabilities of the next (B, K, V)."""
        rows, beams = previous.shape
        words = self.embed(previous).reshape(rows * beams, 1, -1)
        alone = State(*(part.flatten(0, 1)[:, None] for part in state))
        outputs, after = self.decode(words, memory, alone)
        logits = self.logits(outputs).reshape(rows, beams, -1)
        # No translation holds these three.
        logits[..., [PAD, UNK, BOS]] = float("-inf")
        return logits.log_softmax(2), State(*(part.reshape(rows, beams, -1) for part in after))


class _SmoothedCrossEntropy(torch.autograd.Function):
    """The loss and its gradient together, a slice of predictions at a time: the (N, V) scores never exist at once."""

    SLICE = 512

    @staticmethod
    def forward(ctx, outputs, weight, bias, targets, smoothing, ignore):
        # Inside autocast the products run in its precision; sums and logarithms always in float32 or wider.
        narrow = machine.autocast_dtype(outputs)
        precise = torch.promote_types(weight.dtype, torch.float32)
        points, words = (x.to(narrow or precise) for x in (outputs, weight))
        gradients = torch.empty_like(points), torch.zeros_like(weight, dtype=precise), torch.zeros_like(bias)
        average, total = weight.to(precise).mean(0), torch.zeros((), dtype=precise, device=weight.device)
        for begin in range(0, len(points), _SmoothedCrossEntropy.SLICE):
            here = slice(begin, begin + _SmoothedCrossEntropy.SLICE)
            target = targets[here, None]
            counts = (target != ignore).to(precise)
            logits = torch.addmm(bias.to(points.dtype), points[here], words.T)
            logp = logits.log_softmax(1, dtype=precise)
            right = logp.gather(1, target)
            # The mean of logp over the vocabulary, without a pass over it: mean score less the normaliser.
            normaliser = logits.gather(1, target).to(precise) - right
            # A sum and not a product, which autocast would narrow.
            mean = (points[here].to(precise) * average).sum(1, keepdim=True) + bias.mean() - normaliser
            total -= (counts * ((1 - smoothing) * right + smoothing * mean)).sum()
            slope = logp.exp_().sub_(smoothing / len(words))
            slope.scatter_add_(1, target, torch.full_like(right, smoothing - 1)).mul_(counts)
            gradients[2].add_(slope.sum(0))
            slope = slope.to(points.dtype)
            gradients[0][here] = slope @ words
            gradients[1].add_(slope.T @ points[here])
        ctx.save_for_backward(gradients[0].to(outputs.dtype), gradients[1].to(weight.dtype), gradients[2])
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, scale):
        return *(scale.to(gradient.dtype) * gradient for gradient in ctx.saved_tensors), None, None, None


def smoothed_cross_entropy(
    outputs: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, ignore: int = -1
) -> Tensor:
    """The summed cross-entropy of linear scores against label-smoothed targets, fast and in little memory.

    The same as ``F.cross_entropy(outputs @ weight.T + bias, targets, ignore_index=ignore, label_smoothing=smoothing,
    reduction="sum")``.

    Args:
        outputs: (N, D).
        weight: (V, D).
        bias: (V,).
        targets: (N,), ids below V.
        smoothing: the part spread over the vocabulary, from 0 to below 1.
        ignore: the target of predictions that do not count, below V; -1 where all do.

    Returns:
        A tensor of no dimension, in nats. It can be differentiated once.
    """
    return _SmoothedCrossEntropy.apply(outputs, weight, bias, targets, smoothing, ignore)


class Hypothesis(NamedTuple):
    """One translation: its pieces without EOS, the logarithm of its probability in nats, and that over its length."""

    pieces: list[int]
    log_probability: float
    score: float


def limits(lengths: Tensor) -> Tensor:
    """The most pieces, EOS included, that a translation of a source of so many pieces (B,) may have."""
    return 2 * lengths + 10


@torch.no_grad()
def greedy(model: Translator, source: Tensor, lengths: Tensor) -> list[list[int]]:
    """The most probable next piece, again and again, for source ids (B, T): lists of pieces without EOS."""
    memory, state = model.encode(source, lengths)
    limit = limits(lengths)
    written, open_rows = [], torch.ones(len(source), dtype=torch.bool, device=source.device)
    previous = torch.full((len(source), 1), BOS, device=source.device)
    while open_rows.any():
        logp, state = model.step(previous, memory, state)
        previous = logp.argmax(2)
        open_rows &= (previous[:, 0] != EOS) & (len(written) + 1 < limit)
        previous = previous.where(open_rows[:, None], EOS)
        written.append(previous)
    return [row[: row.index(EOS)] for row in torch.cat(written, 1).tolist()]


class _Beams(NamedTuple):
    """The live hypotheses of the sentences that are not finished: R rows of K."""

    sentences: Tensor  # (R,) which sentence a row belongs to
    pieces: Tensor  # (R, K, u) written so far, from BOS
    scores: Tensor  # (R, K) log-probabilities; -inf where there is no hypothesis
    state: State
    memory: Memory

    def keep(self, rows: Tensor) -> _Beams:
        """The rows where the mask (R,) holds."""
        parts = (self.sentences, self.pieces, self.scores)
        return _Beams(
            *(part[rows] for part in parts),
            State(*(x[rows] for x in self.state)),
            Memory(*(x[rows] for x in self.memory)),
        )


@torch.no_grad()
def beam_search(
    model: Translator,
    source: Tensor,
    lengths: Tensor,
    width: int = 5,
    normalise: float = 1.0,
    limit: Tensor | None = None,
) -> list[list[Hypothesis]]:
    """The best translations that a search of `width` hypotheses finds, for all sentences at once.

    Each step extends every hypothesis by every piece and keeps the best `width` unfinished ones; of the best `width`
    extensions those that end in EOS are finished. A sentence is done with `width` finished hypotheses or at its limit
    of length, where only EOS may follow. Finished ones are ranked by log P / U^normalise (Wu et al. 2016, without
    their constant).

    Args:
        model: in evaluation mode.
        source: ids (B, T).
        lengths: (B,).
        width: K, at least 1.
        normalise: 0 ranks by probability, 1 by the mean log-probability of a piece.
        limit: (B,) the most pieces of a translation, EOS included; without it, `limits(lengths)`.

    Returns:
        For each sentence its finished hypotheses, at most `width` of them, best first.

    Raises:
        ValueError: width < 1.
    """
    if width < 1:
        raise ValueError(f"width is {width}; expected at least 1")
    finished: list[list[Hypothesis]] = [[] for _ in range(len(source))]
    limit = limits(lengths) if limit is None else limit
    beams = _start(model, source, lengths, width)
    while len(beams.sentences):
        length = beams.pieces.shape[2]
        last = limit[beams.sentences] == length
        beams, ended = _extend(model, beams, last)
        for row, hypothesis in _hypotheses(ended, normalise):
            finished[row].append(hypothesis)
        counts = torch.tensor([len(finished[row]) for row in beams.sentences.tolist()], device=source.device)
        going_on = (counts < width) & ~last
        if not going_on.all():
            beams = beams.keep(going_on)
    return [sorted(found, key=lambda hypothesis: -hypothesis.score)[:width] for found in finished]


def _start(model: Translator, source: Tensor, lengths: Tensor, width: int) -> _Beams:
    memory, state = model.encode(source, lengths)
    rows = len(source)
    scores = torch.full((rows, width), float("-inf"), dtype=memory.states.dtype, device=source.device)
    scores[:, 0] = 0  # the only hypothesis at first; the others are copies without probability
    return _Beams(
        torch.arange(rows, device=source.device),
        torch.full((rows, width, 1), BOS, device=source.device),
        scores,
        State(*(part.expand(-1, width, -1) for part in state)),
        memory,
    )


def _extend(model: Translator, beams: _Beams, last: Tensor) -> tuple[_Beams, tuple[Tensor, Tensor, Tensor]]:
    """All hypotheses one piece longer: those that go on, and those that end as (sentences, pieces, scores)."""
    width = beams.scores.shape[1]
    logp, state = model.step(beams.pieces[:, :, -1], beams.memory, beams.state)
    vocabulary = logp.shape[2]
    others = torch.arange(vocabulary, device=logp.device) != EOS
    logp = logp.masked_fill(last[:, None, None] & others, float("-inf"))
    totals = (beams.scores[:, :, None] + logp).flatten(1)
    # Among the best 2 K at most K end in EOS, one for each hypothesis, so that at least K can go on.
    scores, index = totals.topk(min(2 * width, totals.shape[1]), dim=1)
    parent, piece = index // vocabulary, index % vocabulary
    row, rank = ((piece == EOS) & scores.isfinite())[:, :width].nonzero(as_tuple=True)
    ended = beams.sentences[row], beams.pieces[row, parent[row, rank], 1:], scores[row, rank]
    scores, best = scores.masked_fill(piece == EOS, float("-inf")).topk(width, dim=1)
    parent, piece = parent.gather(1, best), piece.gather(1, best)
    chosen = torch.arange(len(parent), device=parent.device)[:, None], parent
    pieces = torch.cat([beams.pieces[chosen], piece[:, :, None]], 2)
    return _Beams(beams.sentences, pieces, scores, State(*(part[chosen] for part in state)), beams.memory), ended


def _hypotheses(ended: tuple[Tensor, Tensor, Tensor], normalise: float) -> list[tuple[int, Hypothesis]]:
    rows, pieces, scores = (part.tolist() for part in ended)
    return [
        (row, Hypothesis(written, score, score / (len(written) + 1) ** normalise))
        for row, written, score in zip(rows, pieces, scores, strict=True)
    ]


def translate(
    model: Translator, pieces: Pieces, sentences: Sequence[str], beam: int = 5, normalise: float = 1.0, batch: int = 128
) -> list[str]:
    """German sentences to English ones, one for one; an empty sentence stays empty.

    Args:
        model: the translator; it is left in the mode, training or evaluation, that it was in.
        pieces: the vocabulary that it was trained with.
        sentences: any text, also longer than the model has seen; unknown characters are read as UNK.
        beam: width of the search; 1 is greedy.
        normalise: see `beam_search`.
        batch: how many sentences at once.

    Raises:
        ValueError: beam or batch < 1.
    """
    if beam < 1 or batch < 1:
        raise ValueError(f"beam is {beam} and batch {batch}; expected at least 1")
    device = model.bias.device
    encoded = [pieces.encode(sentence) if sentence.strip() else [] for sentence in sentences]
    # Sentences of like length together, so that little is computed on padding.
    order = sorted((index for index, ids in enumerate(encoded) if ids), key=lambda index: len(encoded[index]))
    translations = [""] * len(sentences)
    training, _ = model.training, model.eval()
    for begin in range(0, len(order), batch):
        chosen = order[begin : begin + batch]
        source, lengths = pad([encoded[index] for index in chosen])
        source, lengths = source.to(device), lengths.to(device)
        if beam == 1:
            found = greedy(model, source, lengths)
        else:
            found = [best[0].pieces for best in beam_search(model, source, lengths, beam, normalise)]
        for index, ids in zip(chosen, found, strict=True):
            translations[index] = pieces.decode(ids)
    model.train(training)
    return translations


@dataclass(frozen=True)
class Plan:
    """Everything that decides what a run of `train` makes.

    recipe: how long and how fast. pieces: size of the vocabulary. tokens: target pieces in a batch.
    max_words: longest German sentence to learn from, None for no limit. count: learn from the first so many pairs.
    size: arguments of `Size`, besides the vocabulary.
    """

    recipe: Recipe
    pieces: int = 4000
    tokens: int = 2000
    max_words: int | None = 19
    count: int | None = None
    size: Mapping[str, float | bool] = field(default_factory=dict)


FULL = Plan(Recipe(epochs=5, learning_rate=3e-3))
"""What the notebook trains at full scale."""

FULL_FLOAT32 = replace(FULL, recipe=replace(FULL.recipe, epochs=4))
"""The same where the hardware has no bfloat16: fewer epochs, because each takes more than twice as long."""

SMOKE = Plan(
    Recipe(epochs=2, learning_rate=3e-3), pieces=400, tokens=1000, count=600, size={"encoder": 64, "decoder": 96}
)
"""What it trains at smoke scale: the same code in a few seconds."""

LONG = Plan(
    Recipe(epochs=24, learning_rate=3e-3),
    max_words=None,
    size={"encoder": 320, "decoder": 512, "dropout": 0.4, "embedding_dropout": 0.25},
)
"""What the command line trains with --long."""


def plan_of(long: bool = False) -> Plan:
    """The plan for the scale and the hardware of this run."""
    full = FULL if precision() == "bf16" else FULL_FLOAT32
    return pick(full=LONG if long else full, smoke=SMOKE)


def train(
    corpus: str, plan: Plan, folder: Path, *, resume: bool = False
) -> tuple[Translator, Pieces, list[dict[str, float]]]:
    """Learns pieces and a translator from a corpus, and keeps the model of the best validation BLEU in `folder`.

    Args:
        corpus: a name that `corpora.load` knows.
        plan: what to make.
        folder: gets `pieces.model` and `model.safetensors`, and the checkpoint that `resume` goes on from.
        resume: go on from the folder's checkpoint where there is one.

    Returns:
        The model, its pieces, and a row of figures for each epoch; see `training.fit`.
    """
    pairs = corpora.load(corpus, "train", plan.max_words)
    held_out = corpora.load(pairs.name, "validation")
    german, english = pairs.german[: plan.count], pairs.english[: plan.count]
    pieces = Pieces.learn([*german, *english], plan.pieces, folder / "pieces.model")
    batches = PairBatches(pieces, german, english, plan.tokens)
    torch.manual_seed(plan.recipe.seed)
    model = Translator(Size(len(pieces), **plan.size))

    def evaluate(model: nn.Module) -> dict[str, float]:
        output = translate(model, pieces, held_out.german[: plan.count], beam=1)
        return {"BLEU": bleu(output, held_out.english[: plan.count]).score}

    history = fit(
        model,
        lambda epoch: batches.epoch(plan.recipe.seed + epoch),
        plan.recipe,
        folder,
        evaluate=evaluate,
        keep="BLEU",
        about={"corpus": pairs.name, "plan": asdict(plan)},
        resume=resume,
    )
    if PartialState().is_main_process:  # the others hold the last epoch's weights, and not the best
        save(model, folder)
    return model, pieces, history


def save(model: Translator, folder: Path) -> None:
    """Writes the weights and the size of a model to `model.safetensors`, with the hash of its pieces beside it."""
    about = {"size": asdict(model.size), "pieces": _hash(folder / "pieces.model")}
    save_tensors(folder / "model.safetensors", model.state_dict(), about)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load(folder: Path) -> tuple[Translator, Pieces]:
    """The model and its pieces that `train` left in a folder. Loading runs no code from it.

    Raises:
        FileNotFoundError: there is no model; the message says how to make one.
        ValueError: the files do not belong together, or are no model of this kind.
    """
    path = Path(folder, "model.safetensors")
    if not path.is_file():
        raise FileNotFoundError(f"there is no model in {str(folder)!r}; make one with: make run UNIT=translation")
    weights, about = load_tensors(path)
    pieces = Pieces(Path(folder, "pieces.model"))
    if "size" not in about or about.get("pieces") != _hash(Path(folder, "pieces.model")):
        raise ValueError(f"folder is {str(folder)!r}; expected a translator and the pieces it was trained with")
    try:
        model = Translator(Size(**about["size"])).eval()
        model.load_state_dict(weights)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"folder is {str(folder)!r}; its weights are not those of this translator: {error}") from error
    return model.to(machine.device()), pieces


def bleu(translations: Sequence[str], references: Sequence[str], lowercase: bool = False) -> BLEUScore:
    """Corpus BLEU (Papineni et al. 2002) in percent, by sacreBLEU on plain text; see `bleu_signature`."""
    return BLEU(lowercase=lowercase).corpus_score(list(translations), [list(references)])


def bleu_signature(lowercase: bool = False) -> str:
    """How `bleu` counts, in sacreBLEU's words (Post 2018), to stand beside every score."""
    metric = BLEU(lowercase=lowercase)
    metric.corpus_score(["."], [["."]])
    return str(metric.get_signature())


def report(model: Translator, pieces: Pieces, corpus: str) -> list[dict[str, float | str]]:
    """The score on the test split, greedy and with a beam of 5, and how long either took, as the ledger has it."""
    test, entries = corpora.load(corpus, "test"), []
    for width in (1, 5):
        begun = time.perf_counter()
        score = bleu(translate(model, pieces, test.german, beam=width), test.english).score
        seconds = time.perf_counter() - begun
        print(f"{corpus}, test, beam {width}: BLEU {score:.2f} in {seconds:.1f} s")
        entries.append({"name": f"{corpus} test, beam {width}", "value": score, "unit": "BLEU", "seconds": seconds})
    print(bleu_signature())
    return entries


def main(
    corpus: str = "de-en",
    long: bool = False,
    folder: Path | None = None,
    resume: bool = False,
    seed: int = 0,
) -> None:
    """Train a translator, on one process or, through `accelerate launch`, on many.

    Besides the model, the folder gets `report.json`: the scores, the time, and what it ran on.

    Args:
        corpus: multi30k, ding, grammar, or de-en for the first that can be had.
        long: the longer run, at most 40 minutes on two cores.
        folder: where the model goes; without it, where the notebook's goes.
        resume: go on from the folder's checkpoint.
        seed: of everything random.
    """
    folder = folder or runs_folder("translation")
    plan = plan_of(long)
    plan = replace(plan, recipe=replace(plan.recipe, seed=seed))
    state = PartialState(cpu=machine.device() == "cpu")
    # One process asks for the data, so that all learn from the same, wherever it came from.
    names = [_sentence_pairs(corpus) if state.is_main_process else None]
    broadcast_object_list(names)
    model, pieces, history = train(names[0], plan, folder, resume=resume)
    if state.is_main_process:
        command = f"python -m tendays.translation --corpus {names[0]}{' --long' if long else ''}"
        facts = machine.facts() | {"command": command, "seed": seed, "processes": state.num_processes}
        facts |= {"seconds": sum(row["seconds"] for row in history), "history": history}
        facts["claims"] = report(model, pieces, names[0])
        write_atomically(folder / "report.json", json.dumps(facts, indent=1) + "\n")


def _sentence_pairs(corpus: str) -> str:
    """The name of the corpus that is meant; ValueError when it has no sentence pairs."""
    found = corpora.load(corpus, "validation")
    if not isinstance(found, corpora.ParallelCorpus):
        raise ValueError(f"corpus is {corpus!r}; expected one of sentence pairs")
    return found.name


if __name__ == "__main__":
    typer.run(main)
