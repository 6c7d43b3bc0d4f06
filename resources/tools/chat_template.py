# SPDX-License-Identifier: Apache-2.0
"""Measures a Jinja chat template: what it writes around the turns of a conversation.

The result is Morscope's chat_template.json: `system` (everything before the first turn), `user_prefix`, `user_suffix` and
`assistant_prefix`, so that system + user_prefix + PROMPT + user_suffix + assistant_prefix is what the template writes for
a conversation of one user turn that the assistant is to answer.
"""
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gguf_llama import expect

FIRST, ANSWER, SECOND = "first turn", "the answer", "second turn"      # not in any template


def chat_parts(template: str, special_tokens: dict[str, str]) -> dict[str, str]:
    # trim_blocks and lstrip_blocks as transformers sets them
    compiled = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(template)

    def render(*turns: str, generate: bool = False) -> str:
        messages = [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(turns)]
        return compiled.render(messages=messages, add_generation_prompt=generate, **special_tokens)

    opening, user_suffix = halves(render(FIRST), FIRST)
    asked = render(FIRST, generate=True)
    expect(asked.startswith(opening + FIRST + user_suffix), "chat_template", "a generation prompt at the end", repr(asked))
    answer_suffix = halves(render(FIRST, ANSWER), ANSWER)[1]
    between = halves(halves(render(FIRST, ANSWER, SECOND), ANSWER)[1], SECOND)[0]
    user_prefix = between.removeprefix(answer_suffix)
    expect(opening.endswith(user_prefix) and between.startswith(answer_suffix), "chat_template",
           "every user turn to begin in the same way", repr([opening, between]))
    parts = {
        "system": opening.removesuffix(user_prefix), "user_prefix": user_prefix, "user_suffix": user_suffix,
        "assistant_prefix": asked.removeprefix(opening + FIRST + user_suffix),
    }
    probe = "  A {{ probe }}\nwith <|marks|>, \"quotes\" and blanks. "
    composed = parts["system"] + user_prefix + probe + user_suffix + parts["assistant_prefix"]
    rendered = render(probe, generate=True)
    expect(rendered == composed, "chat_template", "a template that leaves the turn's text as it is", repr(rendered))
    return parts


def halves(text: str, middle: str) -> tuple[str, str]:
    expect(text.count(middle) == 1, "chat_template", f"{middle!r} once in what it writes", repr(text))
    before, _, after = text.partition(middle)
    return before, after
