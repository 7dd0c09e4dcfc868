//! Ids equal to llama.cpp's, on recorded outputs (tests/data/gpt/README.md tells how they were
//! made), and the rules one by one on vocabularies small enough to work out by hand.

mod common;

use std::path::{Path, PathBuf};

use common::gguf::{GgufWriter, Meta};
use common::tiny::{self, END, TURN};
use common::{hex, ids, model_or_skip, records};
use tempfile::TempDir;
use vitrine::demos::gpt::engine::Engine;
use vitrine::demos::gpt::gguf::Gguf;
use vitrine::demos::gpt::tokenizer::Tokenizer;

fn open(path: &Path) -> vitrine::Result<Tokenizer> {
    Gguf::open(path).and_then(|gguf| Tokenizer::from_gguf(&gguf))
}

/// The tokenizer of a file that is written for the purpose.
fn written(writer: &GgufWriter) -> (TempDir, PathBuf, vitrine::Result<Tokenizer>) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("vocabulary.gguf");
    common::write(&path, &writer.bytes());
    let tokenizer = open(&path);
    (folder, path, tokenizer)
}

fn assert_ids_equal(tokenizer: &Tokenizer, fixture: &str, at_least: usize) {
    let cases = records(fixture);
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    for case in cases {
        let (text, expected) = (hex(&case, "hex"), ids(&case, "ids"));
        assert_eq!(
            tokenizer.encode(&text),
            expected,
            "{:?}",
            String::from_utf8_lossy(&text)
        );
    }
}

#[test]
fn byte_pair_ids_equal_llama_cpps() {
    let Some(model) = model_or_skip() else { return };
    let tokenizer = open(&model).expect("a vocabulary");
    assert_eq!(tokenizer.vocabulary_len(), 49_152);
    assert_ids_equal(&tokenizer, "tokens.jsonl", 150);
}

/// The vocabulary is llama.cpp's own and not kept here; README.md of the fixtures says where it is.
#[test]
fn sentence_piece_ids_equal_llama_cpps() {
    let Some(path) = std::env::var_os("VITRINE_SPM_VOCABULARY") else {
        println!("skipped: VITRINE_SPM_VOCABULARY does not name ggml-vocab-llama-spm.gguf");
        return;
    };
    let tokenizer = open(Path::new(&path)).expect("a vocabulary");
    assert_ids_equal(&tokenizer, "tokens_spm.jsonl", 40);
}

/// Control characters that no token of `SmolLM2` can write; they are dropped.
const DROPPED: &[u8] = &[0x04, 0x06, 0x13, 0x14, 0x16, 0x1d];

#[test]
fn the_pieces_of_a_text_give_the_text() {
    let Some(model) = model_or_skip() else { return };
    let tokenizer = open(&model).expect("a vocabulary");
    let mut checked = 0;
    for case in records("tokens.jsonl") {
        let text = hex(&case, "hex");
        if std::str::from_utf8(&text).is_err() {
            continue;
        }
        let pieces: Vec<u8> = ids(&case, "ids")
            .iter()
            .flat_map(|id| tokenizer.piece(*id, true))
            .collect();
        let written: Vec<u8> = text
            .into_iter()
            .filter(|byte| !DROPPED.contains(byte))
            .collect();
        assert_eq!(pieces, written, "{:?}", String::from_utf8_lossy(&written));
        checked += 1;
    }
    assert!(checked > 120, "only {checked} texts");
}

#[test]
fn a_file_without_weights_is_enough_for_its_vocabulary() {
    let (_folder, path, tokenizer) = written(&tiny::vocabulary());
    let tokenizer = tokenizer.expect("a vocabulary");
    assert_eq!(tokenizer.vocabulary_len(), tiny::VOCABULARY);
    // Token b is byte b; merges 256 = ab, 257 = abc, 258 = Ġa, 259 = Ġab, 260 = bc.
    for (text, expected) in [
        (&b"xyz"[..], &[120, 121, 122][..]),
        (b"ab", &[256]),
        // `a b` ranks before `b c`, then `ab c` applies.
        (b"abc", &[257]),
        (b"bc", &[260]),
        // `a b` ranks before `Ġ a`, and nothing joins `Ġ` with `ab`.
        (b" ab", &[32, 256]),
        (b" a", &[258]),
        (b"aab", &[97, 256]),
        // Every digit is a word of its own.
        (b"12", &[49, 50]),
        (b"\n\x00\x7f", &[10, 0, 127]),
        // A byte that begins no character is read as U+FFFD.
        (b"a\xffb", &[97, 0xef, 0xbf, 0xbd, 98]),
        (b"x<|turn|>ab<|the_end|>", &[120, TURN, 256, END]),
        (b"<|turn|", &[60, 124, 116, 117, 114, 110, 124]),
        (b"", &[]),
    ] {
        assert_eq!(tokenizer.encode(text), expected, "{}", text.escape_ascii());
    }
    assert!(tokenizer.is_end(END) && !tokenizer.is_end(TURN));
    for byte in 0..=255_u8 {
        assert_eq!(tokenizer.piece(u32::from(byte), true), [byte]);
    }
    assert_eq!(tokenizer.piece(TURN, false), b"");
    assert_eq!(
        tokenizer.piece(1_000_000, true),
        b"",
        "not in the vocabulary"
    );

    let refused = Engine::load(&path).err().expect("no weights");
    let said = refused.to_string();
    assert!(
        said.contains("architecture") && said.contains("vocabulary.gguf"),
        "{said}"
    );
}

#[test]
fn a_start_and_an_end_token_are_added_where_the_file_says_so() {
    let mut writer = tiny::vocabulary();
    writer
        .set("tokenizer.ggml.add_bos_token", Meta::Bool(true))
        .set("tokenizer.ggml.add_eos_token", Meta::Bool(true));
    let (_folder, _, tokenizer) = written(&writer);
    let tokenizer = tokenizer.expect("a vocabulary");
    assert_eq!(tokenizer.encode(b"x"), [TURN, 120, END]);
    assert_eq!(tokenizer.encode(b""), [TURN, END]);
}

/// `<unk>`, `<s>`, `</s>`, one token for each byte from 3 on, then these.
const SPM_PIECES: &[(&str, f32)] = &[
    ("▁", -10.0),  // 259
    ("a", -11.0),  // 260
    ("b", -12.0),  // 261
    ("c", -13.0),  // 262
    ("ab", -3.0),  // 263
    ("bc", -2.0),  // 264
    ("▁a", -4.0),  // 265
    ("abc", -9.0), // 266
    ("▁ab", -5.0), // 267
    ("▁▁", -1.0),  // 268
];

fn sentence_piece() -> GgufWriter {
    let mut tokens = vec!["<unk>".to_owned(), "<s>".into(), "</s>".into()];
    tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    tokens.extend(SPM_PIECES.iter().map(|(piece, _)| (*piece).to_owned()));
    let mut scores = vec![0.0; 259];
    scores.extend(SPM_PIECES.iter().map(|(_, score)| *score));
    let mut types = vec![2, 3, 3];
    types.extend([6; 256]);
    types.extend([1; SPM_PIECES.len()]);
    let mut writer = GgufWriter::default();
    writer
        .set("tokenizer.ggml.model", Meta::text("llama"))
        .set(
            "tokenizer.ggml.tokens",
            Meta::Texts(tokens.into_iter().map(String::into_bytes).collect()),
        )
        .set("tokenizer.ggml.scores", Meta::Floats(scores))
        .set("tokenizer.ggml.token_type", Meta::Ints(types));
    writer
}

#[test]
fn sentence_piece_merges_by_score() {
    let (_folder, _, tokenizer) = written(&sentence_piece());
    let tokenizer = tokenizer.expect("a vocabulary");
    // A start token, then a space before the text.
    for (text, expected) in [
        (&b""[..], &[1][..]),
        (b"a", &[1, 265]),
        // ▁ a b: ab (-3) before ▁a (-4), then ▁ab.
        (b"ab", &[1, 267]),
        // ▁ a b c: bc (-2) first, then ▁a (-4) before abc (-9).
        (b"abc", &[1, 265, 264]),
        // ▁ a a b c: bc, then ▁a, then abc of the second a.
        (b"aabc", &[1, 265, 266]),
        // Three spaces: of two equal pairs the left one.
        (b"  ", &[1, 268, 259]),
        // Without a token of its own a character becomes its bytes, C3 A9.
        ("é".as_bytes(), &[1, 259, 3 + 0xc3, 3 + 0xa9]),
        (b"\xff", &[1, 259, 3 + 0xff]),
        (b"\n", &[1, 259, 3 + 0x0a]),
        // Behind a special token the text gets a space again; b alone does not join it.
        (b"a</s>b", &[1, 265, 2, 259, 261]),
        (b"<s>", &[1, 1]),
        // The name of a byte token is text like any other.
        (b"c<0x41>", &[1, 259, 262, 63, 51, 123, 55, 52, 65]),
    ] {
        assert_eq!(tokenizer.encode(text), expected, "{}", text.escape_ascii());
    }
    assert_eq!(tokenizer.piece(267, true), b" ab");
    assert_eq!(tokenizer.piece(3 + 0xc3, true), b"\xc3");
    assert_eq!(tokenizer.piece(1, false), b"");
    assert!(tokenizer.is_end(2), "</s> by its text and by default");
}

#[test]
fn sentence_piece_without_a_start_token_or_a_space() {
    let mut writer = sentence_piece();
    writer
        .set("tokenizer.ggml.add_space_prefix", Meta::Bool(false))
        .set("tokenizer.ggml.add_bos_token", Meta::Bool(false));
    let (_folder, _, tokenizer) = written(&writer);
    let tokenizer = tokenizer.expect("a vocabulary");
    assert_eq!(tokenizer.encode(b"ab"), [263]);
    assert_eq!(tokenizer.encode(b" ab"), [267]);
    assert_eq!(tokenizer.encode(b""), [0_u32; 0]);
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    type Change = fn(&mut GgufWriter);
    let cases: [(&str, Change); 8] = [
        ("`bert`", |w| {
            w.set("tokenizer.ggml.model", Meta::text("bert"));
        }),
        ("does not name its tokenizer", |w| {
            w.unset("tokenizer.ggml.model");
        }),
        ("`jina-v2-code`", |w| {
            w.set("tokenizer.ggml.pre", Meta::text("jina-v2-code"));
        }),
        ("no merges", |w| {
            w.unset("tokenizer.ggml.merges");
        }),
        ("no scores", |w| {
            w.set("tokenizer.ggml.model", Meta::text("llama"));
        }),
        ("no vocabulary", |w| {
            w.unset("tokenizer.ggml.tokens");
        }),
        ("300 tokens but 2 token types", |w| {
            w.set("tokenizer.ggml.token_type", Meta::Ints(vec![1, 1]));
        }),
        ("the bos token 300 is not in the vocabulary", |w| {
            w.set("tokenizer.ggml.bos_token_id", Meta::U32(300));
        }),
    ];
    for (named, change) in cases {
        let mut writer = tiny::vocabulary();
        change(&mut writer);
        let (_folder, _, tokenizer) = written(&writer);
        let said = tokenizer.err().expect("refused").to_string();
        assert!(
            said.contains(named) && said.contains("vocabulary.gguf"),
            "{named}: {said}"
        );
    }
}
