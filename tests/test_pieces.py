import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tendays.pieces import BOS, EOS, PAD, UNK, Batch, PairBatches, Pieces, by_length, pad

GERMAN = ["Ein Hund läuft.", "Zwei Hunde laufen schnell über die Wiese.", "Der Mann", "Eine Frau liest ein Buch."] * 3
ENGLISH = ["A dog runs.", "Two dogs run quickly across the meadow.", "The man", "A woman reads a book."] * 3


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    return Pieces.learn(GERMAN + ENGLISH, 80, tmp_path_factory.mktemp("pieces") / "sub folder" / "pieces.model")


def test_text_survives_encoding_and_decoding(pieces):
    for text in GERMAN + ENGLISH:
        ids = pieces.encode(text)
        assert ids[-1] == EOS
        assert not {PAD, UNK, BOS} & set(ids)
        assert pieces.decode(ids) == text


def test_decoding_stops_at_the_first_end(pieces):
    dog, man = pieces.encode("A dog runs."), pieces.encode("The man")
    assert pieces.decode(dog + man) == "A dog runs."


def test_an_unseen_character_is_unknown(pieces):
    assert UNK in pieces.encode("Ein 犬 läuft.")


def test_specials_have_their_ids(pieces):
    assert len(pieces) == 80
    assert pieces.names([PAD, UNK, BOS, EOS]) == ["<pad>", "<unk>", "<s>", "</s>"]


def test_learning_is_deterministic(pieces, tmp_path):
    again = Pieces.learn(GERMAN + ENGLISH, 80, tmp_path / "again.model")
    assert again.names(range(80)) == pieces.names(range(80))


@pytest.mark.parametrize(
    ("sentences", "size", "words"), [([], 80, "sentences is empty"), (["a b"], 4000, "size is 4000")]
)
def test_too_little_text_is_refused_and_leaves_no_file(sentences, size, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        Pieces.learn(sentences, size, tmp_path / "pieces.model")
    assert not list(tmp_path.iterdir())


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.model"):
        Pieces(tmp_path / "absent.model")


def test_a_damaged_model_is_named(tmp_path):
    (tmp_path / "pieces.model").write_bytes(b"no model")
    with pytest.raises(ValueError, match=r"pieces\.model"):
        Pieces(tmp_path / "pieces.model")


@given(st.lists(st.lists(st.integers(4, 99), min_size=1, max_size=9), min_size=1, max_size=9))
def test_padding_keeps_rows_and_lengths(rows):
    ids, lengths = pad(rows)
    assert ids.shape == (len(rows), max(map(len, rows)))
    assert lengths.tolist() == [len(row) for row in rows]
    for row, padded in zip(rows, ids.tolist(), strict=True):
        assert padded == row + [PAD] * (len(padded) - len(row))


@pytest.mark.parametrize("rows", [[], [[1], []]])
def test_empty_rows_cannot_be_padded(rows):
    with pytest.raises(ValueError, match="at least one"):
        pad(rows)


def test_rows_are_decoded_by_length_and_results_come_in_the_order_given():
    seen = []

    def decode(source, lengths):
        seen.append((source.tolist(), lengths.tolist()))
        return [f"{row[0]} of {length}" for row, length in zip(source.tolist(), lengths.tolist(), strict=True)]

    rows = [[4, 4, 4], [5], [6, 6, 6, 6], [7, 7], [8]]
    assert by_length(rows, 2, decode) == ["4 of 3", "5 of 1", "6 of 4", "7 of 2", "8 of 1"]
    assert seen == [
        ([[5], [8]], [1, 1]),
        ([[7, 7, PAD], [4, 4, 4]], [2, 3]),
        ([[6, 6, 6, 6]], [4]),
    ]
    assert by_length([], 2, decode) == []


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_of_no_rows_is_rejected_before_anything_is_decoded(batch):
    with pytest.raises(ValueError, match=f"batch is {batch}; expected at least 1"):
        by_length([[4]], batch, lambda source, lengths: pytest.fail("decoded"))


def test_a_decoder_that_loses_a_row_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        by_length([[4], [5]], 2, lambda source, lengths: ["one"])


def pairs_of(batches: list[Batch]) -> list[tuple[list[int], list[int]]]:
    return [
        (source[:length], target[1 : 1 + count])
        for batch in batches
        for source, length, target, count in zip(*(part.tolist() for part in batch), strict=True)
    ]


@settings(deadline=None)
@given(tokens=st.integers(1, 200), seed=st.integers(0, 9), chosen=st.lists(st.integers(0, 11), min_size=1, max_size=30))
def test_an_epoch_holds_every_pair_once_within_the_limit(pieces, tokens, seed, chosen):
    german, english = [GERMAN[i] for i in chosen], [ENGLISH[i] for i in chosen]
    batches = list(PairBatches(pieces, german, english, tokens).epoch(seed))
    expected = [(pieces.encode(a), pieces.encode(b)) for a, b in zip(german, english, strict=True)]
    assert sorted(pairs_of(batches)) == sorted(expected)
    for batch in batches:
        assert batch.target[:, 0].eq(BOS).all()
        rows, width = batch.target.shape
        assert rows == 1 or rows * (width - 1) <= tokens
        assert batch.predictions == sum(len(target) for _, target in pairs_of([batch]))


def test_epochs_differ_by_seed_and_repeat_with_it(pieces):
    batches = PairBatches(pieces, GERMAN, ENGLISH, 30)
    first, again, other = (pairs_of(list(batches.epoch(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_without_a_seed_an_epoch_goes_by_length(pieces):
    targets = [len(target) for _, target in pairs_of(list(PairBatches(pieces, GERMAN, ENGLISH, 30).epoch()))]
    assert targets == sorted(targets) or targets == sorted(targets, reverse=True)


def test_shards_make_up_the_batch(pieces):
    (batch,) = PairBatches(pieces, GERMAN[:5], ENGLISH[:5], 1000).epoch(0)
    shards = [batch.shard(rank, 3) for rank in range(3)]
    assert [len(shard.source) for shard in shards] == [2, 2, 1]
    assert sorted(pairs_of(shards)) == sorted(pairs_of([batch]))
    assert sum(shard.predictions for shard in shards) == batch.predictions
    idle = batch.shard(5, 6)  # there is no sixth row, and yet each process must have something to compute
    assert len(idle.source) == 1
    assert idle.predictions == 0


def test_bad_arguments_are_named(pieces):
    with pytest.raises(ValueError, match="german has 2 sentences and english 1"):
        PairBatches(pieces, GERMAN[:2], ENGLISH[:1], 100)
    with pytest.raises(ValueError, match="tokens is 0"):
        PairBatches(pieces, GERMAN, ENGLISH, 0)


def test_lengths_are_of_the_text_not_of_the_padding(pieces):
    (batch,) = PairBatches(pieces, GERMAN[:4], ENGLISH[:4], 1000).epoch(0)
    assert torch.equal((batch.source != PAD).sum(1), batch.source_lengths)
    assert torch.equal((batch.target[:, 1:] != PAD).sum(1), batch.target_lengths)
