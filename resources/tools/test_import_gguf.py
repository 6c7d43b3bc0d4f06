# SPDX-License-Identifier: Apache-2.0
"""Tests of import_gguf.py on small files written here: python test_import_gguf.py [-v]"""
import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
from gguf import GGUFWriter

import import_gguf
from chat_template import chat_parts
from gguf_llama import Llama, Refused, expected_shapes
from safetensors_file import to_bf16

SHAPE = Llama(layers=2, hidden=16, ffn=24, heads=4, kv_heads=2, head_dim=4, vocab=6, context=32, rms_norm_eps=1e-5,
              rope_theta=10000.0)
TOKENS, TYPES, MERGES = ["<|end|>", "a", "b", "ab", "\u0120", "\u0120a"], [3, 1, 1, 1, 1, 1], ["a b", "\u0120 a"]
NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
CHATML = ("{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] + '\n' }}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}")


def gguf_name(name: str) -> str:
    if not name.startswith("model.layers."):
        return {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}[name]
    _, _, layer, part = name.removesuffix(".weight").split(".", 3)
    return f"blk.{layer}.{NAMES[part]}.weight"


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows as GGUF has them: the two numbers that turn together, i and i + head_dim / 2, side by side."""
    size = weight.shape[0] // heads
    order = [h * size + i + half * size // 2 for h in range(heads) for i in range(size // 2) for half in (0, 1)]
    return weight[order]


class ImportGguf(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        source = np.random.default_rng(1)
        self.weights = {name: source.standard_normal(shape).astype(np.float32) for name, shape in expected_shapes(SHAPE).items()}

    def write(self, architecture: str = "llama", tensors=lambda t: None, more=lambda w: None) -> None:
        writer = GGUFWriter(str(self.root / "model.gguf"), architecture)
        writer.add_block_count(SHAPE.layers)
        writer.add_context_length(SHAPE.context)
        writer.add_embedding_length(SHAPE.hidden)
        writer.add_feed_forward_length(SHAPE.ffn)
        writer.add_head_count(SHAPE.heads)
        writer.add_head_count_kv(SHAPE.kv_heads)
        writer.add_layer_norm_rms_eps(SHAPE.rms_norm_eps)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(TOKENS)
        writer.add_token_types(TYPES)
        writer.add_token_merges(MERGES)
        writer.add_eos_token_id(0)
        writer.add_chat_template(CHATML)
        more(writer)
        chosen = {gguf_name(n): interleaved(w, SHAPE.heads if "q_proj" in n else SHAPE.kv_heads)
                  if "q_proj" in n or "k_proj" in n else w for n, w in self.weights.items()}
        tensors(chosen)
        for name, weight in chosen.items():
            writer.add_tensor(name, weight)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    def convert(self) -> tuple[int, str]:
        err = io.StringIO()
        arguments = ["import_gguf.py", str(self.root / "model.gguf"), str(self.root / "out")]
        with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
            code = import_gguf.main()
        return code, err.getvalue()

    def test_weights_and_files(self):
        self.write()
        self.assertEqual(self.convert(), (0, ""))
        raw = (self.root / "out/model.safetensors").read_bytes()
        size = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8:8 + size])
        header.pop("__metadata__")
        self.assertEqual(header.keys(), self.weights.keys())
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            bits = np.frombuffer(raw[8 + size + begin:8 + size + end], "<u2").reshape(entry["shape"])
            values = (bits.astype(np.uint32) << 16).view(np.float32)
            np.testing.assert_allclose(values, self.weights[name], rtol=2 ** -8, err_msg=name)
        config = json.loads((self.root / "out/config.json").read_text())
        self.assertEqual((config["rms_norm_eps"], config["head_dim"], config["tie_word_embeddings"]), (1e-5, 4, True))
        tokenizer = json.loads((self.root / "out/tokenizer.json").read_text())
        self.assertEqual(tokenizer["model"]["merges"], [["a", "b"], ["\u0120", "a"]])
        self.assertEqual([t["content"] for t in tokenizer["added_tokens"]], ["<|end|>"])
        chat = json.loads((self.root / "out/chat_template.json").read_text())
        self.assertEqual(chat, {"system": "", "user_prefix": "<user>", "user_suffix": "\n", "assistant_prefix": "<assistant>"})

    def refused(self, part: str, **how):
        self.setUp()
        self.write(**how)
        code, sentence = self.convert()
        self.assertEqual(code, 1)
        self.assertIn(part, sentence)
        self.assertFalse((self.root / "out").exists())

    def test_what_is_not_understood_is_refused(self):
        self.refused("general.architecture: expected llama", architecture="qwen2")
        self.refused("llama.rope.scaling.type", more=lambda w: w.add_string("llama.rope.scaling.type", "yarn"))
        self.refused("tokenizer.ggml.surprise", more=lambda w: w.add_bool("tokenizer.ggml.surprise", True))
        self.refused("rope.dimension_count", more=lambda w: w.add_rope_dimension_count(2))
        self.refused("an unknown name", tensors=lambda t: t.update({"blk.0.attn_q.bias": np.ones(16, np.float32)}))
        self.refused("none for", tensors=lambda t: t.pop("output_norm.weight"))
        self.refused("shape (16,)", tensors=lambda t: t.update({"output_norm.weight": np.ones(15, np.float32)}))
        self.refused("finite numbers", tensors=lambda t: t["output_norm.weight"].fill(np.nan))

    def test_rounding_to_bf16(self):
        values = np.array([1.0, 1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -9, 3.0e38], np.float32)
        rounded = (to_bf16(values).astype(np.uint32) << 16).view(np.float32)
        self.assertEqual(rounded[:4].tolist(), [1.0, 1.0, 1 + 2 ** -6, -1.0])     # ties go to even
        self.assertTrue(np.isfinite(rounded).all())

    def test_chat_templates_that_do_more_are_refused(self):
        for template in ("{{ messages[0]['content'] | upper }}", "no turns", CHATML.replace("m['content']", "m['content'] | trim")):
            with self.subTest(template), self.assertRaises(Refused):
                chat_parts(template, {})


if __name__ == "__main__":
    unittest.main()
