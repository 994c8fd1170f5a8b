"""Letters to phonemes, on the CMU dictionary: the transducer's real task, and the models that it is measured against.

A word's letters are the inputs, its phonemes the labels. All models train by `tendays.training.fit` on the same
batches; ``python -m tendays.pronunciation`` trains any of them, see ``--help``.

Shapes: B words, T letters, U phonemes.
"""

from __future__ import annotations

import json
import statistics
import string
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import jiwer
import torch
import torch.nn.functional as F
import typer
from accelerate import PartialState
from torch import Tensor, nn

from tendays import corpora, machine, transducer, translation
from tendays.files import packaged, runs_folder, write_atomically
from tendays.pieces import BOS, EOS, Batch, pad
from tendays.scale import pick
from tendays.training import Recipe, fit, load_tensors, save_tensors
from tendays.transducer import BLANK, Encoder, Transducer

LETTERS = "'" + string.ascii_lowercase
PHONEMES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH"),
    *("K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
"""What words are written with, and what they sound like: the ARPAbet, without stress."""

Kind = Literal["additive", "tanh", "ctc", "attention"]


class Alphabet(NamedTuple):
    """How words and pronunciations become ids.

    letters: the id of the first letter. phonemes: of the first phoneme.
    start, end: ids put around a target, if any; `end` also closes the source.
    """

    letters: int = 1
    phonemes: int = 1
    start: tuple[int, ...] = ()
    end: tuple[int, ...] = ()

    def source(self, word: str) -> list[int]:
        """The ids of a word's letters.

        Raises:
            ValueError: the word is empty, or has a character that is neither a letter from a to z nor an apostrophe.
        """
        word = word.lower()
        wrong = "".join(sorted(set(word) - set(LETTERS)))
        if wrong or not word:
            raise ValueError(f"word is {word!r}; expected letters from a to z and apostrophes, and not {wrong!r}")
        return [*(LETTERS.index(letter) + self.letters for letter in word), *self.end]

    def target(self, phonemes: Sequence[str]) -> list[int]:
        """The ids of a pronunciation."""
        return [*self.start, *(PHONEMES.index(phoneme) + self.phonemes for phoneme in phonemes), *self.end]

    def spoken(self, ids: Sequence[int]) -> tuple[str, ...]:
        """The phonemes of ids; ids of no phoneme are left out."""
        places = (index - self.phonemes for index in ids)
        return tuple(PHONEMES[place] for place in places if 0 <= place < len(PHONEMES))

    def sources(self, words: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Words as one tensor (B, T), and their lengths (B,)."""
        return pad([self.source(word) for word in words])


ALIGNED = Alphabet()
"""For transducer and CTC, whose 0 is the blank."""

JOINED = Alphabet(letters=4, phonemes=4 + len(LETTERS), start=(BOS,), end=(EOS,))
"""For the encoder-decoder of `tendays.translation`: one vocabulary for both sides, behind its four special ids."""


class WordBatches:
    """Pairs of a word and one of its pronunciations, in batches of words of like length.

    Args:
        corpus: N words with their variants; each variant makes a pair.
        rows: B, in every batch but the last.
        alphabet: how they become ids.
        count: only so many words, spread over the corpus.
    """

    def __init__(self, corpus: corpora.PronunciationCorpus, rows: int, alphabet: Alphabet, count: int | None = None):
        step = max(len(corpus) // count, 1) if count else 1
        chosen = list(zip(corpus.words, corpus.pronunciations, strict=True))[::step]
        self.pairs = [(alphabet.source(word), alphabet.target(said)) for word, all_ in chosen for said in all_]
        self.rows, self.alphabet = rows, alphabet

    def epoch(self, seed: int) -> Iterator[Batch]:
        """One pass over the pairs, shuffled by `seed` among those of the same lengths, and batch by batch."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.pairs), generator=generator).tolist()
        # Sorted by both lengths: hardly any padding, and few shapes, for each of which a processor prepares a kernel.
        order.sort(key=lambda i: (len(self.pairs[i][0]), len(self.pairs[i][1])))
        starts = list(range(0, len(order), self.rows))
        for index in torch.randperm(len(starts), generator=generator).tolist():
            pairs = [self.pairs[i] for i in order[starts[index] : starts[index] + self.rows]]
            source, source_lengths = pad([pair[0] for pair in pairs])
            target, target_lengths = pad([pair[1] for pair in pairs])
            yield Batch(source, source_lengths, target, target_lengths - len(self.alphabet.start))


# ---- the models -----------------------------------------------------------------------------------------------------


class CTC(nn.Module):
    """The baseline of Graves et al. 2006: each frame writes at most one phoneme, without knowing of the others.

    Every letter makes three frames, since there must be no fewer frames than phonemes. Called with a batch, it
    returns the loss summed over its rows, in nats.

    Args:
        encoder: the encoder's arguments.
    """

    FRAMES = 3

    def __init__(self, **encoder: Any):
        super().__init__()
        self.encoder = Encoder(**encoder)
        self.output = nn.Linear(2 * encoder["width"], self.FRAMES * (1 + len(PHONEMES)))

    def scores(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities (B, 3 T, V) of the phonemes and the blank in every frame, float32."""
        states = self.encoder(source, lengths)
        with torch.autocast(states.device.type, enabled=False):
            frames = self.output(states.float()).unflatten(2, (self.FRAMES, -1))
        return frames.flatten(1, 2).log_softmax(2)

    def forward(self, batch: Batch) -> Tensor:
        """The loss summed over the batch's rows; a target too long for its frames counts for nothing."""
        scores = self.scores(batch.source, batch.source_lengths).transpose(0, 1)
        frames = self.FRAMES * batch.source_lengths
        given = (batch.target, frames, batch.target_lengths, BLANK, "none", True)
        return F.ctc_loss(scores, *given)[batch.target_lengths > 0].sum()

    @torch.no_grad()
    def greedy(self, source: Tensor, lengths: Tensor) -> list[list[int]]:
        """The best symbol of every frame, repetitions merged and blanks left out."""
        best = self.scores(source, lengths).argmax(2).tolist()
        rows = (row[: self.FRAMES * length] for row, length in zip(best, lengths.tolist(), strict=True))
        return [
            [symbol for symbol, before in zip(row, [BLANK, *row[:-1]], strict=True) if symbol not in (BLANK, before)]
            for row in rows
        ]


@dataclass(frozen=True)
class Plan:
    """What to train, and how.

    recipe: how long and how fast.
    kind: the transducer with the additive joint or with a hidden layer (`tanh`), `ctc`, or `attention`.
    width: of a direction of the encoder, of the predictor, and of the joint.
    embedding, layers, dropout: of the encoder.
    rows: words in a batch.
    count: learn from about so many words; None for all.
    """

    recipe: Recipe
    kind: Kind = "additive"
    width: int = 160
    embedding: int = 128
    layers: int = 2
    dropout: float = 0.15
    rows: int = 256
    count: int | None = None


def make(plan: Plan) -> nn.Module:
    """A new model of the plan's kind and size."""
    encoder = {"embedding": plan.embedding, "layers": plan.layers, "dropout": plan.dropout}
    if plan.kind == "attention":
        size = {"embedding": plan.embedding, "encoder": plan.width, "decoder": 2 * plan.width, "dropout": plan.dropout}
        vocabulary = JOINED.phonemes + len(PHONEMES)
        return translation.Translator(translation.Size(vocabulary, **size, embedding_dropout=0.0), smoothing=0.0)
    if plan.kind == "ctc":
        return CTC(inputs=1 + len(LETTERS), width=plan.width, **encoder)
    joint = plan.width if plan.kind == "tanh" else None
    size = {"encoder": plan.width, "predictor": plan.width, "joint": joint, **encoder}
    return Transducer(transducer.Size(1 + len(LETTERS), 1 + len(PHONEMES), **size))


class Guess(NamedTuple):
    """A pronunciation and its log-probability in nats; None from a model that decodes greedily."""

    phonemes: tuple[str, ...]
    log_probability: float | None = None


def decode(model: nn.Module, source: Tensor, lengths: Tensor, width: int) -> list[list[Guess]]:
    """The best pronunciations that a model finds for each row of letters (B, T), best first."""
    if isinstance(model, CTC):
        return [[Guess(ALIGNED.spoken(row))] for row in model.greedy(source, lengths)]
    if isinstance(model, translation.Translator):
        if width == 1:
            return [[Guess(JOINED.spoken(row))] for row in translation.greedy(model, source, lengths)]
        found = translation.beam_search(model, source, lengths, width, normalise=0)
        return [[Guess(JOINED.spoken(one.pieces), one.log_probability) for one in row] for row in found]
    if width == 1:
        return [[Guess(ALIGNED.spoken(row))] for row in transducer.greedy(model, source, lengths)]
    found = transducer.beam_search(model, source, lengths, width)
    return [[Guess(ALIGNED.spoken(one.labels), one.log_probability) for one in row] for row in found]


def pronounce(model: nn.Module, words: Sequence[str], width: int = 1, rows: int = 500) -> list[list[Guess]]:
    """The best pronunciations of words: one each when greedy, with `width` 1, and otherwise up to `width`.

    Args:
        model: of any kind.
        words: of letters from a to z and apostrophes.
        width: of the beam.
        rows: how many words are worked on at once.

    Raises:
        ValueError: a word is empty, or has another character; or width or rows < 1.
    """
    if width < 1 or rows < 1:
        raise ValueError(f"width is {width} and rows is {rows}; expected at least 1")
    alphabet = JOINED if isinstance(model, translation.Translator) else ALIGNED
    encoded = [alphabet.source(word) for word in words]
    order = sorted(range(len(words)), key=lambda i: len(encoded[i]))
    device, training = next(model.parameters()).device, model.training
    model.eval()
    guesses: list[list[Guess]] = [[]] * len(words)
    for start in range(0, len(order), rows):
        some = order[start : start + rows]
        source, lengths = pad([encoded[i] for i in some])
        for i, found in zip(some, decode(model, source.to(device), lengths.to(device), width), strict=True):
            guesses[i] = found
    model.train(training)
    return guesses


# ---- scores ---------------------------------------------------------------------------------------------------------


class Errors(NamedTuple):
    """Error rates in percent: of phonemes, and of words that have any error."""

    phonemes: float
    words: float


def errors(guesses: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> Errors:
    """How wrong pronunciations are, each beside the variant of its word that it is nearest to.

    That is how the field counts. The edits are counted by jiwer, for which a phoneme is a word.

    Raises:
        ValueError: there are none, or not as many guesses as references.
    """
    if not guesses or len(guesses) != len(references):
        raise ValueError(
            f"guesses has {len(guesses)} words and references {len(references)}; expected as many, and some"
        )
    said = [" ".join(guess) for guess in guesses]
    nearest = [
        _nearest(guess, [" ".join(one) for one in variants]) for guess, variants in zip(said, references, strict=True)
    ]
    wrong = sum(guess != reference for guess, reference in zip(said, nearest, strict=True))
    return Errors(100 * jiwer.wer(nearest, said), 100 * wrong / len(said))


def _nearest(guess: str, variants: list[str]) -> str:
    return variants[0] if len(variants) == 1 else min(variants, key=lambda variant: _edits(variant, guess))


def _edits(reference: str, guess: str) -> int:
    counts = jiwer.process_words(reference, guess)
    return counts.substitutions + counts.deletions + counts.insertions


def evaluate(model: nn.Module, corpus: corpora.PronunciationCorpus, width: int = 1) -> Errors:
    """The error rates of a model's best pronunciations of the words of a corpus."""
    return errors([found[0].phonemes for found in pronounce(model, corpus.words, width)], corpus.pronunciations)


# ---- training -------------------------------------------------------------------------------------------------------

FULL = Plan(Recipe(epochs=7, learning_rate=4e-3))
"""What the notebook trains at full scale."""

SMOKE = Plan(Recipe(epochs=2, learning_rate=4e-3), width=32, embedding=32, layers=1, rows=64, count=1500)
"""What it trains at smoke scale: the same code in a few seconds."""

LONG = Plan(Recipe(epochs=20, learning_rate=3e-3), kind="tanh", width=256, dropout=0.3)
"""What the command line trains with --long."""


def train(plan: Plan, folder: Path, *, resume: bool = False) -> tuple[nn.Module, list[dict[str, float]]]:
    """Trains a model of pronunciations, and keeps it in `folder` as `model.safetensors`.

    Args:
        plan: what to train.
        folder: gets the model, and the checkpoint that `resume` goes on from.
        resume: go on from the folder's checkpoint where there is one.

    Returns:
        The model, and a row of figures for each epoch; see `training.fit`.
    """
    alphabet = JOINED if plan.kind == "attention" else ALIGNED
    batches = WordBatches(corpora.load("cmudict", "train"), plan.rows, alphabet, plan.count)
    held_out = corpora.load("cmudict", "validation")
    held_out = replace(held_out, words=held_out.words[::5], pronunciations=held_out.pronunciations[::5])
    torch.manual_seed(plan.recipe.seed)
    model = make(plan)

    def score(model: nn.Module) -> dict[str, float]:
        with warnings.catch_warnings():
            # While it is learning, that it babbles is no news.
            warnings.filterwarnings("ignore", "the cap of .* labels was hit")
            return {"PER": evaluate(model, held_out).phonemes}

    history = fit(
        model,
        lambda epoch: batches.epoch(plan.recipe.seed + epoch),
        plan.recipe,
        folder,
        evaluate=score,
        about={"plan": asdict(plan)},
        resume=resume,
    )
    if PartialState().is_main_process:
        save_tensors(folder / "model.safetensors", model.state_dict(), {"plan": asdict(plan)})
    return model.eval(), history


def load(folder: Path) -> nn.Module:
    """The model that `train` left in a folder, in evaluation mode. Loading runs no code from it.

    Raises:
        FileNotFoundError: there is no model; the message says how to make one.
        ValueError: the file is no model of this kind.
    """
    path = Path(folder, "model.safetensors")
    if not path.is_file():
        raise FileNotFoundError(f"there is no model in {str(folder)!r}; make one with: make run UNIT=transducer")
    weights, about = load_tensors(path)
    try:
        plan = about["plan"]
        model = make(Plan(**plan | {"recipe": Recipe(**plan["recipe"])}))
        model.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"folder is {str(folder)!r}; expected a model of pronunciations, but: {error}") from error
    return model.eval().to(machine.device())


# ---- the comparison -------------------------------------------------------------------------------------------------

EPOCHS: dict[Kind, int] = {"additive": 4, "tanh": 3, "ctc": 5, "attention": 2}
"""How long each kind learns in the comparison: about two minutes on one core with bfloat16."""

SEEDS = 3
KEPT = ("kind", "seed", "parameters", "seconds", "history", "scores")  # what the comparison's report has of each run
RECORD = "results/longer/pronunciation_comparison.json"


def compare(folder: Path) -> dict[str, Any]:
    """Trains every kind from several seeds, and returns one report of all.

    A run that left its own report in the folder already is not run again.
    """
    reports = []
    for kind, epochs in EPOCHS.items():
        for seed in range(SEEDS):
            plan, place = plan_of(kind), folder / f"{kind}-{seed}"
            recipe = replace(plan.recipe, epochs=pick(full=epochs, smoke=1), seed=seed)
            if not (place / "report.json").is_file():
                run(replace(plan, recipe=recipe), place)
            reports.append(json.loads((place / "report.json").read_text("utf-8")))
    runs = [{key: report[key] for key in KEPT} for report in reports]
    claims = []
    for kind in EPOCHS:
        for rate in ("PER", "WER"):
            # What each does best: CTC has no beam here.
            values = [
                entry["scores"].get("beam 5", entry["scores"]["greedy"])[rate]
                for entry in runs
                if entry["kind"] == kind
            ]
            entry = {
                "name": f"{kind}, {rate} of {SEEDS} seeds",
                "value": statistics.mean(values),
                "spread": statistics.stdev(values),
            }
            claims.append(entry | {"unit": "%"})
    facts = {key: reports[0][key] for key in machine.facts()}
    seconds = sum(entry["seconds"] for entry in runs)
    return facts | {"command": f"{COMMAND} --compare", "seconds": seconds, "runs": runs, "claims": claims}


def comparison() -> dict[str, Any]:
    """What `compare` found in the run that the project keeps the record of.

    Raises:
        FileNotFoundError: there is no record.
    """
    return json.loads(packaged(RECORD).read_text("utf-8"))


# ---- the command line -----------------------------------------------------------------------------------------------

COMMAND = "python -m tendays.pronunciation"


def plan_of(kind: str | None = None, long: bool = False) -> Plan:
    """The plan for the scale of this run; of another kind than its own, where one is given.

    Raises:
        ValueError: there is no such kind.
    """
    if kind is not None and kind not in EPOCHS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(EPOCHS)}")
    plan = pick(full=LONG if long else FULL, smoke=SMOKE)
    return replace(plan, kind=kind or plan.kind)


def scores_of(model: nn.Module, corpus: corpora.PronunciationCorpus) -> dict[str, dict[str, float]]:
    """The error rates of a model, greedy and with a beam of 5 where it has one, and the seconds that either took."""
    scores = {}
    for name, width in (("greedy", 1), ("beam 5", 5))[: 1 if isinstance(model, CTC) else 2]:
        begun = time.perf_counter()
        found = evaluate(model, corpus, width)
        scores[name] = {"PER": found.phonemes, "WER": found.words, "seconds": time.perf_counter() - begun}
    return scores


def run(plan: Plan, folder: Path, *, command: str = COMMAND, resume: bool = False) -> None:
    """Trains a model, and writes `report.json` beside it: its scores on the test words, the time, what it ran on."""
    model, history = train(plan, folder, resume=resume)
    if not PartialState().is_main_process:
        return
    scores = scores_of(model, corpora.load("cmudict", "test"))
    claims = [
        {"name": f"test, {way}, {rate}", "value": scores[way][rate], "unit": "%"}
        for way in scores
        for rate in ("PER", "WER")
    ]
    for entry in claims:
        print(f"{plan.kind}, {entry['name']}: {entry['value']:.2f} %")
    facts = machine.facts() | {"command": command, "kind": plan.kind, "seed": plan.recipe.seed}
    facts |= {"processes": PartialState().num_processes, "parameters": sum(p.numel() for p in model.parameters())}
    facts |= {"seconds": sum(row["seconds"] for row in history), "history": history, "scores": scores}
    write_atomically(folder / "report.json", json.dumps(facts | {"claims": claims}, indent=1) + "\n")


def main(
    kind: str | None = None,
    long: bool = False,
    compare_all: Annotated[bool, typer.Option("--compare")] = False,
    folder: Path | None = None,
    resume: bool = False,
    seed: int = 0,
) -> None:
    """Train a model of pronunciations, on one process or, through `accelerate launch`, on many.

    Besides the model, the folder gets `report.json`: the scores, the time, and what it ran on.

    Args:
        kind: additive, tanh, ctc or attention; without it, that of the plan.
        long: the longer run, of at most 45 minutes on two cores.
        compare_all: every kind from three seeds, for about the same time each.
        folder: where the model goes; without it, where the notebook's goes.
        resume: go on from the folder's checkpoint.
        seed: of everything random.
    """
    folder = folder or runs_folder("transducer-comparison" if compare_all else "transducer")
    if compare_all:
        write_atomically(folder / "report.json", json.dumps(compare(folder), indent=1) + "\n")
        return
    plan = plan_of(kind, long)
    words = [
        COMMAND,
        *([f"--kind {kind}"] if kind else []),
        *(["--long"] if long else []),
        *([f"--seed {seed}"] if seed else []),
    ]
    PartialState(cpu=machine.device() == "cpu")
    plan = replace(plan, recipe=replace(plan.recipe, seed=seed))
    run(plan, folder, command=" ".join(words), resume=resume)


if __name__ == "__main__":
    typer.run(main)
