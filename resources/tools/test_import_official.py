# SPDX-License-Identifier: Apache-2.0
"""Tests of import_official.py on saves made from the reference models.

    python test_import_official.py [-v]        with import_official.py's packages; MOR_CLI=.../morscope-cli also runs
                                               both directories through the engine and compares the logits bit by bit
"""
import contextlib
import io
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import torch
import yaml
from safetensors.torch import load_file, save_file

import import_official

REFERENCE = Path(__file__).parents[2] / "tests/data/reference"


class ImportOfficial(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def save(self, model: str = "mor_expert_mc", kind: str = "bin", edit=lambda tensors: None, settings=lambda s: None) -> Path:
        """What the trainer leaves behind: weights, config.json, and the configuration as YAML."""
        save = self.root / "save"
        save.mkdir()
        tensors = load_file(REFERENCE / model / "model.safetensors")
        edit(tensors)
        if kind == "bin":
            torch.save(tensors, save / "pytorch_model.bin")
        elif kind == "safetensors":
            save_file(tensors, save / "model.safetensors")
        else:
            names = sorted(tensors)
            shards = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": names[1::2]}
            for file, part in shards.items():
                torch.save({name: tensors[name] for name in part}, save / file)
            index = {"weight_map": {name: file for file, part in shards.items() for name in part}}
            (save / "pytorch_model.bin.index.json").write_text(json.dumps(index))
        (save / "config.json").write_bytes((REFERENCE / model / "config.json").read_bytes())
        sections = json.loads((REFERENCE / model / "mor.json").read_text())
        sections |= {"dataset": "fineweb", "learning_rate": 0.003}      # of no concern here
        settings(sections)
        (self.root / "train.yaml").write_text(yaml.safe_dump(sections))
        return save

    def convert(self, *more: str) -> tuple[int, str]:
        err = io.StringIO()
        with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
            code = import_official.main([str(self.root / "save"), str(self.root / "train.yaml"), str(self.root / "out"), *more])
        return code, err.getvalue()

    def logits(self, directory: Path) -> bytes:
        out = self.root / "dump.safetensors"
        subprocess.run([os.environ["MOR_CLI"], "dump", directory, "--tokens", "5,3,90,17,64,2", "--out", out], check=True)
        return load_file(out)["logits"].numpy().tobytes()

    def test_round_trip(self):
        for model in sorted(p.name for p in REFERENCE.iterdir() if (p / "config.json").is_file()):
            with self.subTest(model):
                self.setUp()
                self.save(model)
                self.assertEqual(self.convert(), (0, ""))
                ours, theirs = load_file(self.root / "out/model.safetensors"), load_file(REFERENCE / model / "model.safetensors")
                self.assertTrue(ours.keys() <= theirs.keys())
                for name, tensor in ours.items():
                    self.assertTrue(torch.equal(tensor, theirs[name]), name)
                if "MOR_CLI" in os.environ:
                    self.assertEqual(self.logits(self.root / "out"), self.logits(REFERENCE / model))

    def test_kinds_of_save_give_the_same_file(self):
        files = set()
        for kind in ("bin", "safetensors", "shards"):
            self.setUp()
            self.save(kind=kind)
            self.assertEqual(self.convert(), (0, ""))
            files.add((self.root / "out/model.safetensors").read_bytes())
        self.assertEqual(len(files), 1)

    def test_repeated_tensors_are_left_out_and_untied_ones_kept(self):
        self.save()
        self.assertEqual(self.convert()[0], 0)
        names = load_file(self.root / "out/model.safetensors").keys()
        self.assertFalse([n for n in names if n.startswith(("model.layers.2.block", "model.layers.3.block"))])
        self.assertTrue(any(n.startswith("model.layers.2.mor_router") for n in names))
        self.setUp()
        self.save("mor_expert_mc_untied")
        self.assertEqual(self.convert()[0], 0)
        names = load_file(self.root / "out/model.safetensors").keys()
        self.assertTrue(any(n.startswith("model.layers.2.block") for n in names))

    def test_bf16_leaves_routers_alone(self):
        self.save()
        self.assertEqual(self.convert("--bf16")[0], 0)
        for name, tensor in load_file(self.root / "out/model.safetensors").items():
            self.assertEqual(tensor.dtype, torch.float32 if "router" in name else torch.bfloat16, name)

    def refused(self, part: str, **how):
        self.setUp()
        self.save(**how)
        code, sentence = self.convert()
        self.assertEqual(code, 1)
        self.assertIn(part, sentence)
        self.assertEqual(sentence.count("\n"), 1)
        self.assertFalse((self.root / "out").exists())

    def test_what_is_not_understood_is_refused(self):
        norm = "model.norm.weight"
        self.refused("1 others", edit=lambda t: t.update({"model.layers.1.adapter.weight": torch.ones(2)}))
        self.refused(norm + ": expected a tensor", edit=lambda t: t.pop(norm))
        self.refused("shape (64,)", edit=lambda t: t.update({norm: torch.ones(63)}))
        self.refused("finite numbers", edit=lambda t: t[norm].fill_(float("nan")))
        self.refused("float32, float16", edit=lambda t: t.update({norm: torch.ones(64, dtype=torch.int64)}))
        self.refused("mor_router.router.weight", edit=lambda t: t.pop("model.layers.2.mor_router.router.weight"))
        self.refused("recursive.sharing", settings=lambda s: s["recursive"].update(sharing="spiral"))
        self.refused("num_hidden_layers", settings=lambda s: s["recursive"].update(num_recursion=4))
        self.refused("known keys", settings=lambda s: s["mor"].update(noise=1))
        self.refused("known keys", settings=lambda s: s["mor"]["expert"].update(noise=1))
        self.refused("relaxation.enable", settings=lambda s: s["relaxation"].update(enable=True))
        self.refused("mor.type", settings=lambda s: s["mor"].update(type="both"))
        self.refused("recursive: expected a section", settings=lambda s: s.pop("recursive"))

    def test_broken_files_are_refused(self):
        for name, content in (("pytorch_model.bin", b"broken"), ("config.json", b"{"), ("../train.yaml", b"a: [")):
            self.setUp()
            (self.save() / name).write_bytes(content)
            code, sentence = self.convert()
            self.assertEqual((code, sentence.count("\n")), (1, 1), sentence)
        self.setUp()
        (self.save() / "pytorch_model.bin").unlink()
        self.assertIn("got none of them", self.convert()[1])


if __name__ == "__main__":
    unittest.main()
