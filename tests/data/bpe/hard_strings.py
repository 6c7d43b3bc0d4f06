# SPDX-License-Identifier: Apache-2.0
"""Strings that tokenizers get wrong: by hand, and mixtures of their parts by a fixed seed."""
import random

BY_HAND = [
    # nothing, blanks, line ends, control characters
    "", " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\r", "\v", "\f", " \n", "\n ", "\t\t x", "x\t\ty", "a\r\nb\r\n", "  a", "a  ",
    "a  b", "a   b", " a b ", "\n\n\na", "a\n\n\n", "a \n b", "a\n  b\n\tc", "\u00a0", "a\u00a0b", "a \u00a0 b", "\u3000", "a\u3000\u3000b",
    "\u2003a", "\u2028a\u2029b", "\u0085x", "x\u1680y", "a\u180eb", "\u180e \u180e", "\u200bx", "\ufeffbom", "\x00", "a\x00b", "\x01\x02\x1b[0m",
    "\x7f", "\x80\x9f", "\x1c\x1d\x1e\x1f", "a\x1cb", "tab\tand space \t mixed \t\t", "trailing space ", "trailing newline\n", "   \n   \n  ",
    # contractions and apostrophes
    "it's", "IT'S", "don't", "they're we've I'm you'll he'd", "'s", "''s", "'tis", "rock'n'roll", "a's's", "I\u2019m", "d'accord", "'ll'll",
    "x'", "'", "' s", "can't've", "'re're 've", "O'Neill's", "'S 'T 'RE",
    # numbers
    "0", "123", "1234567890" * 8, "3.14159", "1,000,000", "1e-5", "-42", "a1b2c3", "1st 2nd 3rd", "2026-11-23T22:35:46Z", "\u0661\u0662\u0663",
    "\u0967\u0968", "\u00bd \u00b2 \u00b3", "\u2167 \u2160\u2161", "\u2460\u2461", "\u3007\u3021", "12 34  56", "v1.2.3-rc4", "0x1F600", "\U0001d7d8\U0001d7d9",
    "\U00010d40\U00010d41", "\U00011de0", "\u0be7\u0be8", "1\u20e3", "x\u00b2+y\u00b2", "1/2 \u00bc",
    # European letters, combining marks, both normal forms
    "caf\u00e9", "cafe\u0301", "\u00c5ngstr\u00f6m", "A\u030angstro\u0308m", "na\u00efve fa\u00e7ade", "Stra\u00dfe", "\u0130stanbul \u0131", "\u017f\u1e9e",
    "e\u0301\u0302\u0303\u0304", "\u0301alone", "a\u0300\u0316b", "Z\u0351\u036b\u0343\u036aa\u0335l\u0321g\u0322o\u0338", "\ufb01\ufb02 ligatures", "\u01c6 \u01c5", "Ελληνικά",
    "Привет, мир!", "Ђорђе", "Տառեր", "ქართული", "Ⴀ", "ꙮ", "ɐɔɥ", "ʰʷ ˈa", "ǅ", "ª º", "ß'ss", "œuvre", "Ĳ",
    # Asia
    "你好，世界！", "日本語のテキスト。", "ひらがなカタカナ", "한국어 텍스트", "\u1112\u1161\u11ab", "漢字kanji混在", "全角１２３ＡＢＣ", "ｶﾀｶﾅ", "「引用」", "。。。", "𠮷野家", "\U00030000\U00031350",
    "ไทยภาษา", "ລາວ", "ភាសាខ្មែរ", "မြန်မာ", "हिन्दी में", "বাংলা", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "සිංහල", "བོད་ཡིག", "ᠮᠣᠩᠭᠣᠯ", "ᚠᚢᚦ", "አማርኛ", "ᏣᎳᎩ",
    # right to left, joiners, directions
    "שלום עולם", "שָׁלוֹם", "مرحبا بالعالم", "مَرْحَبًا", "\u202babc\u202c", "\u2067rtl\u2069 ltr", "نیم‌فاصله", "اردو ۱۲۳", "abc שלום 123 مرحبا", "\u200eLRM\u200f", "ܐܪܡܝܐ", "𐤀𐤁",
    # emoji
    "😀", "😀😀😀", "👍🏽", "👨‍👩‍👧‍👦", "👩🏾‍🚀 lands", "🏳️‍🌈", "🇩🇪🇫🇷", "🇩", "❤️", "❤", "☎︎", "5️⃣", "#️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "😶‍🌫️", "a😀b", "😀 😀", "1😀2", "'😀's", "🧑‍💻👩‍❤️‍💋‍👨", "🫠🪿🫨",
    # symbols and punctuation
    "!", "!!!", "?!", "...", "…", "—", "–-—", "“quotes” ‘single’", "«guillemets»", "¿qué? ¡sí!", "$100 €50 £3 ¥7 ₿", "a+b=c", "x<y>z", "{[()]}", "a_b__c", "__init__", "#tag @user",
    "100%", "50 % off", "a/b\\c", "C:\\Users\\x", "https://example.org/a?b=c&d=%20#e", "me@example.org", "*bold* _it_ `code`", "| a | b |", "∑∫√∞≠", "α²+β", "𝒜𝔅ℂ", "➜ ✓ ✗", "░▒▓█", "⠓⠑", "♔♕",
    "~~~", "^_^", "(╯°□°)╯︵ ┻━┻", "\ufffd", "\ufffe\uffff", "\U0010ffff", "\U000f0000x", "\ue000", "\U00040000", "\U000e0001", "\u00ad", "soft\u00adhyphen", "\u034f", "\u2060",
    # code
    "def f(x):\n    return x**2\n", "if (a && b || !c) { d->e(); }", "\tfor (int i = 0; i < n; ++i)\n\t\tsum += a[i];\n", "SELECT * FROM t WHERE a='b''c';", "<div class=\"x\">&nbsp;</div>",
    "{\"k\": [1, 2.5, null, \"\\u00e9\"]}", "print('it\\'s')", "#!/bin/sh\necho \"$HOME\"", "a=1;b=2", "camelCaseWord snake_case_word SCREAMING_CASE", "x-=1", "1..10", "0b1010 0o17", "//comment\n/* c */",
    # special tokens in the text, whole and broken
    "<|im_end|>", "<|im_start|>user\nHi<|im_end|>\n", "a<|im_end|>b", " <|im_end|> ", "<|im_end|><|im_end|>", "<|im_end|", "<|IM_END|>", "<<|im_end|>>", "<|im_end|>\n\n", "<|endoftext|>The end", "<|endof<|im_start|>text|>",
    "<|im_start|>system\nYou are<|im_end|>\n<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n", "<mask>", "a <mask> b", "a  \t<mask>  b", "<mask><mask>", "  <mask>  <mask>  ", "x<sep>  y", "<sep> <sep>\n<sep>", "a <both> b",
    " <both> <both> ", "<sep> <mask>", "<sep>   <both>", "\u00a0<mask>\u3000<sep>\u2028", "New York New Newark NewNew York", "new york", "né née n\u0301e", "<|im_end|>New York<mask>", "\U0001F468\u200D\U0001F469", "<repo_name>x<file_sep>y",
    # long
    "a" * 3000, "ab" * 700, " " * 500, "\n" * 300, "!" * 400, "é" * 300, "漢" * 300, "😀" * 120, "supercalifragilisticexpialidocious" * 20, "x " * 300, "'s" * 200, "1a" * 200, "\u0301" * 200,
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
]

PARTS = [
    " ", " ", " ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "a", "the", " of", "Whale", "'s", "'ll", "'", "7", "42", "\u0663", "\u00b2", "é", "e\u0301", "ß", "я", "ש", "ن", "中", "かな",
    "한", "ก", "😀", "👩‍🚀", "🇩🇪", "\u200d", "\u200b", "\ufeff", "\x00", "\x1b", "!", "...", "—", "$", "<|im_end|>", "<mask>", "<sep>", "<both>", "New", " York", "<", "|>", "\U00031350",
    "\U000f0000", "\u180e", "\U00010d40", "\U00016ff4", "_", "\\", "Ω", "ﬁ", "\u0301", "\u0e33", "\u1112\u1161",
]
MIXTURES = 260


def hard_strings() -> list[str]:
    source = random.Random(20261123)
    mixtures = ["".join(source.choices(PARTS, k=source.randint(2, 24))) for _ in range(MIXTURES)]
    return list(dict.fromkeys([*BY_HAND, *mixtures]))
