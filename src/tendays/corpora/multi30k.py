"""Multi30k, task 1: captions of photographs in English, translated into German by professionals.

Elliott, Frank, Sima'an and Specia (2016), "Multi30K: Multilingual English-German Image Descriptions". The test split
is test_2016_flickr.
"""

from tendays.corpora import fetch
from tendays.corpora.types import ParallelCorpus

URL = "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw"
STEMS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
SHA256 = {
    "train.de.gz": "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
    "train.en.gz": "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    "val.de.gz": "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
    "val.en.gz": "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    "test_2016_flickr.de.gz": "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
    "test_2016_flickr.en.gz": "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
}
ADVICE = (
    "Check the network and try again, or set TENDAYS_DATA to a folder that holds the six files in multi30k/; "
    "'de-en' falls back to 'ding', then to 'grammar'"
)


def load(split: str) -> ParallelCorpus:
    """One split: ``train``, ``validation`` or ``test``.

    All six files, 1.8 MB together, are fetched before any is read. With some of them, ``de-en`` could train on one
    data set and test on another.

    Raises:
        DataUnavailable: A file is not on disk and cannot be downloaded.
        ValueError: ``TENDAYS_DATA`` names no folder, or holds a wrong file.
    """
    files = {
        name: fetch.download(f"multi30k/{name}", f"{URL}/{name}", sha256, ADVICE) for name, sha256 in SHA256.items()
    }
    stem = STEMS[split]
    pairs, dropped = fetch.read_pairs(files[f"{stem}.de.gz"], files[f"{stem}.en.gz"])
    return ParallelCorpus("multi30k", split, [de for de, _ in pairs], [en for _, en in pairs], dropped=dropped)
