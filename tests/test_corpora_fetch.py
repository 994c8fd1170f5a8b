import gzip
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from tendays import corpora
from tendays.corpora import cmudict, ding, fetch, grammar, multi30k

REAL = os.environ.get("TENDAYS_DATA")
TEXTS = {
    "train.de.gz": "Ein Hund läuft.\nZwei Hunde laufen schnell.\n",
    "train.en.gz": "A dog runs.\nTwo dogs run fast.\n",
    "val.de.gz": "Ein Haus.\n",
    "val.en.gz": "A house.\n",
    "test_2016_flickr.de.gz": "Ein Baum.\n",
    "test_2016_flickr.en.gz": "A tree.\n",
}
FILES = {name: gzip.compress(text.encode(), mtime=0) for name, text in TEXTS.items()}
DICTIONARY = "".join(f"Satz {i} ist neu. :: Sentence {i} is new.\n" for i in range(2010)).encode()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files``, with the fault that ``server.fault`` names."""

    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        self.server.asked.append(name)
        if self.server.fault == "404":
            self.send_error(404)
            return
        if self.server.fault == "no answer":
            self.server.released.wait(10)
            return
        if self.server.fault == "meet" and name == "train.de.gz":
            self.server.barrier.wait()  # both processes are in the middle of the same download
        content = self.server.files[name]
        self.send_response(200)
        if self.server.fault != "cut, length unknown":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.fault == "silent":
            self.server.released.wait(10)
        half = self.server.fault in ("cut", "cut, length unknown")
        self.wfile.write(content[: len(content) // 2] if half else content)

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    """An empty cache, small files with their hashes, no network, no apt, and none of this machine's data."""
    monkeypatch.delenv("TENDAYS_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(fetch, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(multi30k, "SHA256", {name: sha256(content) for name, content in FILES.items()})
    monkeypatch.setattr(ding, "SHA256", sha256(DICTIONARY))
    monkeypatch.setattr(ding, "INSTALLED", Path("/usr/share/no-such-folder/de-en"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setattr(multi30k, "URL", f"http://127.0.0.1:{port}/raw")


@pytest.fixture
def server(monkeypatch):
    """A local HTTP server that publishes the files."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.daemon_threads = True
    site.files, site.fault, site.asked = dict(FILES), None, []
    site.barrier, site.released = threading.Barrier(2, timeout=20), threading.Event()
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(multi30k, "URL", f"http://127.0.0.1:{site.server_port}/raw")
    yield site
    site.released.set()
    site.shutdown()
    thread.join()
    site.server_close()


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def fake_tools(tmp_path, content=DICTIONARY, apt="cp {archive} ./trans-de-en_1_all.deb"):
    """An apt-get and a dpkg whose package holds ``content``."""
    archive = put(tmp_path / "mirror", {"package": content}) / "package"
    member = ding.INSTALLED.relative_to("/")
    unpack = f'mkdir -p {member.parent} && cp "$2" {member}'
    for name, body in {"apt-get": apt.format(archive=archive), "dpkg": unpack}.items():
        script = put(tmp_path / "bin", {name: f"#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n".encode()}) / name
        script.chmod(0o755)


# ---- arguments ----


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("multi40k", "train"), r"name is 'multi40k'; expected one of multi30k, ding, grammar, de-en, cmudict$"),
        ((None, "train"), r"name is None; expected"),
        (("multi30k", "val"), r"split is 'val'; 'multi30k' has train, validation, test$"),
        (("de-en", "new"), r"split is 'new'; 'de-en' has train, validation, test$"),
        (("cmudict", "new"), r"split is 'new'; 'cmudict' has train, validation, test$"),
        (("multi30k", "train", 0), r"max_words is 0; expected None or a whole number from 1"),
        (("multi30k", "train", 2.0), r"max_words is 2\.0"),
        (("multi30k", "train", True), r"max_words is True"),
        (("multi30k", "train", "9"), r"max_words is '9'"),
        (("cmudict", "test", 9), r"max_words is 9; 'cmudict' has single words and no sentences, so expected None"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_fetched(server, arguments, message):
    with pytest.raises(ValueError, match=message):
        corpora.load(*arguments)
    assert server.asked == []


def test_max_words_is_refused_for_cmudict_before_it_is_read(monkeypatch):
    monkeypatch.setattr(cmudict, "_entries", lambda: pytest.fail("the dictionary was read"))
    with pytest.raises(ValueError, match="max_words is 9"):
        corpora.load("cmudict", "test", 9)


def test_importing_the_corpora_imports_no_http_client_and_no_torch():
    heavy = "{'pooch', 'requests', 'torch', 'numpy'} & set(sys.modules)"
    command = [sys.executable, "-c", f"import sys; from tendays import corpora; print({heavy})"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"


# ---- multi30k: where it comes from ----


def test_a_download_is_kept_and_not_repeated(server, tmp_path):
    corpus = corpora.load("multi30k", "train")
    assert (corpus.name, corpus.split, len(corpus), corpus.dropped) == ("multi30k", "train", 2, 0)
    assert corpus.german == ["Ein Hund läuft.", "Zwei Hunde laufen schnell."]
    assert corpus.english == ["A dog runs.", "Two dogs run fast."]
    assert files_in(tmp_path / "cache") == sorted(FILES)
    assert sorted(server.asked) == sorted(FILES)
    assert corpora.load("multi30k", "validation").english == ["A house."]
    assert corpora.load("multi30k", "test").english == ["A tree."]
    assert len(server.asked) == len(FILES)


def test_the_data_folder_comes_before_the_cache_and_is_not_written_to(server, monkeypatch, tmp_path):
    given = put(tmp_path / "data" / "multi30k", FILES)
    put(tmp_path / "cache" / "multi30k", {"train.de.gz": b"corrupt"})
    monkeypatch.setenv("TENDAYS_DATA", str(tmp_path / "data"))
    before = {path: path.stat() for path in given.iterdir()}
    assert len(corpora.load("multi30k", "train")) == 2
    assert server.asked == []
    assert {path: path.stat().st_mtime_ns for path in given.iterdir()} == {
        path: stat.st_mtime_ns for path, stat in before.items()
    }


def test_files_that_the_data_folder_lacks_are_downloaded_into_the_cache(server, monkeypatch, tmp_path):
    given = put(tmp_path / "data" / "multi30k", {"train.de.gz": FILES["train.de.gz"]})
    monkeypatch.setenv("TENDAYS_DATA", str(tmp_path / "data"))
    assert len(corpora.load("multi30k", "train")) == 2
    assert files_in(given) == ["train.de.gz"]
    assert sorted(server.asked) == files_in(tmp_path / "cache") == sorted(set(FILES) - {"train.de.gz"})


@pytest.mark.parametrize("name", ["multi30k", "de-en"])
def test_a_wrong_file_in_the_data_folder_is_reported_and_left_alone(server, monkeypatch, tmp_path, name):
    given = put(tmp_path / "data" / "multi30k", {**FILES, "train.de.gz": b"other"}) / "train.de.gz"
    monkeypatch.setenv("TENDAYS_DATA", str(tmp_path / "data"))
    with pytest.raises(ValueError, match="TENDAYS_DATA") as caught:
        corpora.load(name, "train")
    for part in (str(given), sha256(FILES["train.de.gz"]), sha256(b"other")):
        assert part in str(caught.value)
    assert given.read_bytes() == b"other"
    assert server.asked == []


def test_a_missing_data_folder_is_an_error(server, monkeypatch, tmp_path):
    monkeypatch.setenv("TENDAYS_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=r"TENDAYS_DATA is '.*nowhere', which is not a folder"):
        corpora.load("multi30k", "train")
    assert server.asked == []


# ---- multi30k: what can go wrong ----


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("404", "the server answered 404 Not Found"),
        ("cut", "cut off|wrong bytes"),  # older HTTP clients take a short answer for a whole one
        ("cut, length unknown", "wrong bytes .*SHA256"),
        ("silent", r"no connection to 127\.0\.0\.1 \(offline, or it stopped answering\)"),
        ("no answer", r"no answer within 0\.3 seconds"),
    ],
)
def test_a_failed_download_names_the_reason_and_leaves_nothing(server, monkeypatch, tmp_path, fault, said):
    monkeypatch.setattr(fetch, "TIMEOUT", 0.3)
    server.fault = fault
    with pytest.raises(corpora.DataUnavailable, match=said) as caught:
        corpora.load("multi30k", "train")
    message = str(caught.value)
    assert f"{multi30k.URL}/train.de.gz could not be downloaded" in message
    for advice in ("TENDAYS_DATA", "network", "'grammar'"):
        assert advice in message
    assert files_in(tmp_path / "cache") == []
    server.fault = None
    assert len(corpora.load("multi30k", "train")) == 2


def test_a_download_with_another_hash_is_refused_and_both_hashes_are_named(server, tmp_path):
    server.files["train.en.gz"] = gzip.compress(b"Something else.\n")
    with pytest.raises(corpora.DataUnavailable, match="wrong bytes") as caught:
        corpora.load("multi30k", "train")
    assert sha256(FILES["train.en.gz"]) in caught.value.why
    assert sha256(server.files["train.en.gz"]) in caught.value.why
    assert files_in(tmp_path / "cache") == ["train.de.gz"]


def test_no_network_is_named_as_the_reason(tmp_path):
    with pytest.raises(corpora.DataUnavailable, match=r"no connection to 127\.0\.0\.1 \(offline"):
        corpora.load("multi30k", "train")
    assert files_in(tmp_path / "cache") == []


def test_a_host_that_does_not_resolve_is_named_as_the_reason(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(socket.gaierror(-3, "no DNS")))
    monkeypatch.setattr(multi30k, "URL", "http://files.invalid/raw")
    with pytest.raises(corpora.DataUnavailable, match=r"no connection to files\.invalid \(offline"):
        corpora.load("multi30k", "train")


def test_a_cache_that_cannot_be_written_is_named_as_the_reason(server, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(corpora.DataUnavailable, match=r"could not be downloaded: .*cache"):
        corpora.load("multi30k", "train")


def test_a_corrupt_file_in_the_cache_is_fetched_again(server, tmp_path):
    cache = put(tmp_path / "cache" / "multi30k", {**FILES, "train.en.gz": FILES["train.en.gz"][:-9]})
    assert corpora.load("multi30k", "train").english == ["A dog runs.", "Two dogs run fast."]
    assert server.asked == ["train.en.gz"]
    assert (cache / "train.en.gz").read_bytes() == FILES["train.en.gz"]


def test_a_corrupt_file_in_the_cache_is_named_when_offline(tmp_path):
    cache = put(tmp_path / "cache" / "multi30k", {**FILES, "train.en.gz": b"half"})
    with pytest.raises(corpora.DataUnavailable) as caught:
        corpora.load("multi30k", "train")
    assert f"the cached copy {cache / 'train.en.gz'} is corrupt, and http" in caught.value.why


CHILD = """
import json, pathlib, sys
from tendays import corpora
from tendays.corpora import fetch, multi30k
url, cache, hashes = json.loads(sys.argv[1])
multi30k.URL, multi30k.SHA256 = url, hashes
fetch.cache_folder = lambda: pathlib.Path(cache)
print(json.dumps(corpora.load("multi30k", "train").german))
"""


def test_two_processes_do_not_spoil_each_others_files(server, tmp_path):
    server.fault = "meet"
    settings = json.dumps([multi30k.URL, str(tmp_path / "cache"), multi30k.SHA256])
    command = [sys.executable, "-c", CHILD, settings]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0], answers
    for output, errors in answers:
        assert json.loads(output) == TEXTS["train.de.gz"].splitlines()
        assert errors == ""  # downloads are quiet
    assert server.asked.count("train.de.gz") == 2  # they did meet
    cache = tmp_path / "cache" / "multi30k"
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == FILES


# ---- ding ----


def use_data_folder(tmp_path, monkeypatch):
    put(tmp_path / "data" / "ding", {"de-en": DICTIONARY})
    monkeypatch.setenv("TENDAYS_DATA", str(tmp_path / "data"))


def use_cache(tmp_path, monkeypatch):
    put(tmp_path / "cache" / "ding", {"de-en": DICTIONARY})


def use_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(ding, "INSTALLED", put(tmp_path / "usr", {"de-en": DICTIONARY}) / "de-en")


def use_package(tmp_path, monkeypatch):
    fake_tools(tmp_path)


@pytest.mark.parametrize("source", [use_data_folder, use_cache, use_installed, use_package])
def test_the_dictionary_is_found_in_each_of_its_places(tmp_path, monkeypatch, source, recwarn):
    source(tmp_path, monkeypatch)
    sizes = {split: len(corpora.load("ding", split)) for split in ("train", "validation", "test")}
    assert sizes == {"train": 10, "validation": 1000, "test": 1000}
    corpus = corpora.load("ding", "test")
    numbers = [[word for word in side.split() if word.isdigit()] for side in (corpus.german[0], corpus.english[0])]
    assert numbers[0] == numbers[1] != []
    assert corpus.name == "ding"
    assert len(recwarn) == 0


def test_the_package_is_fetched_once_and_leaves_only_the_dictionary(tmp_path):
    fake_tools(tmp_path)
    corpora.load("ding", "train")
    assert files_in(tmp_path / "cache") == ["de-en"]
    assert [path.name for path in (tmp_path / "cache" / "ding").iterdir()] == ["de-en"]
    fake_tools(tmp_path, apt="exit 1")
    assert len(corpora.load("ding", "train")) == 10


def test_another_version_of_the_installed_dictionary_is_used_with_a_warning(tmp_path, monkeypatch):
    installed = put(tmp_path / "usr", {"de-en": DICTIONARY + b"Ein Satz mehr. :: One more sentence.\n"}) / "de-en"
    monkeypatch.setattr(ding, "INSTALLED", installed)
    with pytest.warns(UserWarning, match=r"de-en is not the version of 2023-01-30"):
        assert len(corpora.load("ding", "train")) == 11


def test_a_broken_dictionary_is_named_with_its_line(tmp_path, monkeypatch):
    installed = put(tmp_path / "usr", {"de-en": b"Haus :: house\nHaus\n"}) / "de-en"
    monkeypatch.setattr(ding, "INSTALLED", installed)
    with (
        pytest.warns(UserWarning, match="version"),
        pytest.raises(ValueError, match=rf"{installed}: line 2 of the dictionary"),
    ):
        corpora.load("ding", "train")


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        (None, "needs apt-get and dpkg, which this machine does not have"),
        ({"apt": "echo 'W: hm' >&2; echo 'E: Unable to locate package' >&2; exit 100"}, "fetched: E: Unable to locate"),
        ({"apt": "exit 3"}, "could not be fetched: .*exit status 3"),
        ({"apt": "exec sleep 20"}, "could not be fetched: .*timed out"),
        ({"content": DICTIONARY[:-50]}, "holds another version of"),
        ({"apt": "true"}, "holds another version of"),  # it exits with 0 and has fetched nothing
    ],
)
@pytest.mark.parametrize("corrupt", [False, True])
def test_a_package_that_cannot_be_fetched_raises_and_leaves_nothing(tmp_path, monkeypatch, tools, said, corrupt):
    monkeypatch.setattr(fetch, "TIMEOUT", 0.1)
    if tools is not None:
        fake_tools(tmp_path, **tools)
    if corrupt:
        put(tmp_path / "cache" / "ding", {"de-en": b"half"})
    with pytest.raises(corpora.DataUnavailable, match=said) as caught:
        corpora.load("ding", "train")
    for advice in ("trans-de-en", "TENDAYS_DATA", "'grammar'"):
        assert advice in str(caught.value)
    assert ("is corrupt, and the package" in caught.value.why) == corrupt
    assert files_in(tmp_path / "cache") == (["de-en"] if corrupt else [])


def test_a_corrupt_dictionary_in_the_cache_is_fetched_again(tmp_path):
    fake_tools(tmp_path)
    cached = put(tmp_path / "cache" / "ding", {"de-en": b"half"}) / "de-en"
    assert len(corpora.load("ding", "train")) == 10
    assert cached.read_bytes() == DICTIONARY


# ---- grammar and de-en ----


def fake_grammar(monkeypatch):
    pairs = [
        SimpleNamespace(german="Er schläft.", english="He sleeps.", construction="verb second"),
        SimpleNamespace(
            german="Ich weiß, dass er schläft.", english="I know that he sleeps.", construction="verb final"
        ),
        SimpleNamespace(german="Sie lacht.", english="She laughs.", construction="verb second"),
    ]
    monkeypatch.setattr(grammar, "split", {"train": pairs, "new": pairs[1:]}.__getitem__)


def test_the_grammar_gives_the_construction_of_each_pair(monkeypatch):
    fake_grammar(monkeypatch)
    corpus = corpora.load("grammar", "new")
    assert corpus.german == ["Ich weiß, dass er schläft.", "Sie lacht."]
    assert corpus.english == ["I know that he sleeps.", "She laughs."]
    assert corpus.labels == ["verb final", "verb second"]


@pytest.mark.parametrize("split", ["train", "validation", "test", "new"])
def test_the_real_grammar_is_always_there(split):
    corpus = corpora.load("grammar", split)
    assert len(corpus) > 0
    assert len(corpus.labels) == len(corpus)


@pytest.mark.parametrize(("most", "kept"), [(1, []), (2, [0, 2]), (4, [0, 2]), (5, [0, 1, 2])])
def test_max_words_counts_the_german_side_and_keeps_columns_together(monkeypatch, most, kept):
    fake_grammar(monkeypatch)
    whole, short = corpora.load("grammar", "train"), corpora.load("grammar", "train", max_words=most)
    for column in ("german", "english", "labels"):
        assert getattr(short, column) == [getattr(whole, column)[i] for i in kept]


def test_de_en_prefers_multi30k(server, capsys):
    assert corpora.load("de-en", "train").name == "multi30k"
    assert capsys.readouterr().out == "de-en: multi30k (the first choice)\n"


def test_de_en_falls_back_to_the_dictionary_and_prints_why(tmp_path, capsys):
    fake_tools(tmp_path)
    assert corpora.load("de-en", "test").name == "ding"
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("de-en: ding (multi30k: http")
    assert "no connection" in line


def test_de_en_falls_back_to_the_grammar_and_prints_why(monkeypatch, capsys):
    fake_grammar(monkeypatch)
    assert corpora.load("de-en", "train", max_words=2).german == ["Er schläft.", "Sie lacht."]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("de-en: grammar (multi30k: http")
    assert "; ding: the package trans-de-en needs apt-get" in line


def test_de_en_does_not_mix_data_sets_when_half_of_one_is_missing(server, monkeypatch, capsys):
    fake_grammar(monkeypatch)
    server.files["test_2016_flickr.en.gz"] = b"wrong"
    assert corpora.load("de-en", "train").name == "grammar"
    assert "test_2016_flickr.en.gz" in capsys.readouterr().out


def test_pairs_with_an_empty_side_are_dropped_and_counted(server, monkeypatch):
    texts = {"train.de.gz": "eins\n \nzwei\ndrei\n", "train.en.gz": "one\nnothing\n\nthree\n"}
    server.files.update({name: gzip.compress(text.encode()) for name, text in texts.items()})
    hashes = {name: sha256(content) for name, content in server.files.items()}
    monkeypatch.setattr(multi30k, "SHA256", hashes)
    corpus = corpora.load("multi30k", "train")
    assert (corpus.german, corpus.english, corpus.dropped) == (["eins", "drei"], ["one", "three"], 2)


# ---- the real thing ----


@pytest.mark.parametrize("real", [False, True], ids=["fake", "real"])
def test_multi30k_has_its_published_sizes(server, request, monkeypatch, real):
    sizes = {"train": 2, "validation": 1, "test": 1}
    if real:
        if not (REAL and (Path(REAL) / "multi30k").is_dir()):
            pytest.skip("TENDAYS_DATA holds no multi30k/")
        monkeypatch.undo()
        monkeypatch.setenv("TENDAYS_DATA", REAL)
        sizes = {"train": 29_000, "validation": 1_014, "test": 1_000}
    loaded = {split: corpora.load("multi30k", split) for split in sizes}
    assert {split: len(corpus) for split, corpus in loaded.items()} == sizes
    assert all(corpus.dropped == 0 for corpus in loaded.values())
    assert not set(loaded["train"].german) & set(loaded["test"].german)
