//! A small Llama model with random weights, and its forward pass written a second time: plain
//! loops over dequantised weights in double precision, no cache, no quantised activations.

use std::collections::HashMap;

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use vitrine::rng::Rng;

use super::gguf::{GgufWriter, Meta};

/// Tokens of [`Tiny`]'s vocabulary: one for each byte, then merged ones, then special ones.
pub const VOCABULARY: usize = 300;
/// The special token that ends a text.
pub const END: u32 = 299;
/// The special token `<|turn|>`.
pub const TURN: u32 = 298;
/// Merges, in the order of their rank; merge `i` makes token `256 + i`.
pub const MERGES: &[(&str, &str)] = &[("a", "b"), ("ab", "c"), ("Ġ", "a"), ("Ġa", "b"), ("b", "c")];

/// How the weights of one of the models that are tried are stored.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    pub name: &'static str,
    pub ggml_type: u32,
    pub dtype: GgmlDType,
}

pub const F32: Stored = stored("F32", 0, GgmlDType::F32);
pub const F16: Stored = stored("F16", 1, GgmlDType::F16);
pub const BF16: Stored = stored("BF16", 30, GgmlDType::BF16);
pub const Q4_0: Stored = stored("Q4_0", 2, GgmlDType::Q4_0);
pub const Q4_1: Stored = stored("Q4_1", 3, GgmlDType::Q4_1);
pub const Q8_0: Stored = stored("Q8_0", 8, GgmlDType::Q8_0);
pub const Q4_K: Stored = stored("Q4_K", 12, GgmlDType::Q4K);
pub const Q6_K: Stored = stored("Q6_K", 14, GgmlDType::Q6K);

const fn stored(name: &'static str, ggml_type: u32, dtype: GgmlDType) -> Stored {
    Stored {
        name,
        ggml_type,
        dtype,
    }
}

/// What a small model is like.
#[derive(Clone, Copy, Debug)]
pub struct Tiny {
    pub stored: Stored,
    pub seed: u64,
    pub layers: usize,
    pub dim: usize,
    pub ffn_dim: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    /// Numbers of a head that turn with the position.
    pub rope_dim: usize,
    pub context: usize,
    /// A head of its own in place of the embedding.
    pub untied: bool,
    /// With `rope_freqs.weight`, as Llama 3 has it.
    pub rope_factors: bool,
    /// Linear scaling of the positions.
    pub rope_divisor: Option<f32>,
}

impl Tiny {
    pub const fn new(stored: Stored) -> Self {
        // 256-blocks need rows of 256 numbers.
        let wide = matches!(stored.dtype, GgmlDType::Q4K | GgmlDType::Q6K);
        let dim = if wide { 256 } else { 64 };
        Self {
            stored,
            seed: 1,
            layers: 2,
            dim,
            ffn_dim: if wide { 512 } else { 96 },
            heads: 4,
            kv_heads: 2,
            head_dim: dim / 4,
            rope_dim: dim / 4,
            context: 128,
            untied: false,
            rope_factors: false,
            rope_divisor: None,
        }
    }

    /// Makes its weights.
    pub fn build(self) -> TinyModel {
        let mut writer = vocabulary();
        writer
            .set("general.architecture", Meta::text("llama"))
            .set("llama.context_length", Meta::U32(self.context as u32))
            .set("llama.embedding_length", Meta::U32(self.dim as u32))
            .set("llama.block_count", Meta::U32(self.layers as u32))
            .set("llama.feed_forward_length", Meta::U32(self.ffn_dim as u32))
            .set("llama.attention.head_count", Meta::U32(self.heads as u32))
            .set(
                "llama.attention.head_count_kv",
                Meta::U32(self.kv_heads as u32),
            )
            .set(
                "llama.attention.key_length",
                Meta::U32(self.head_dim as u32),
            )
            .set(
                "llama.attention.value_length",
                Meta::U32(self.head_dim as u32),
            )
            .set(
                "llama.rope.dimension_count",
                Meta::U32(self.rope_dim as u32),
            )
            .set("llama.rope.freq_base", Meta::F32(ROPE_BASE))
            .set("llama.attention.layer_norm_rms_epsilon", Meta::F32(EPS));
        if let Some(divisor) = self.rope_divisor {
            writer
                .set("llama.rope.scaling.type", Meta::text("linear"))
                .set("llama.rope.scaling.factor", Meta::F32(divisor));
        }
        let mut model = TinyModel {
            tiny: self,
            writer,
            weights: HashMap::new(),
        };
        let (q_dim, kv_dim) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        model.matrix("token_embd.weight", VOCABULARY, self.dim, 1.0);
        for layer in 0..self.layers {
            let name = |part: &str| format!("blk.{layer}.{part}.weight");
            let spread = |cols: usize| 1.0 / (cols as f64).sqrt();
            model.vector(&name("attn_norm"), self.dim, 0.2);
            // Sharper attention than chance would give, so that every position matters.
            model.matrix(&name("attn_q"), q_dim, self.dim, 2.0 * spread(self.dim));
            model.matrix(&name("attn_k"), kv_dim, self.dim, 2.0 * spread(self.dim));
            model.matrix(&name("attn_v"), kv_dim, self.dim, spread(self.dim));
            model.matrix(&name("attn_output"), self.dim, q_dim, spread(q_dim));
            model.vector(&name("ffn_norm"), self.dim, 0.2);
            model.matrix(&name("ffn_gate"), self.ffn_dim, self.dim, spread(self.dim));
            model.matrix(&name("ffn_up"), self.ffn_dim, self.dim, spread(self.dim));
            model.matrix(
                &name("ffn_down"),
                self.dim,
                self.ffn_dim,
                spread(self.ffn_dim),
            );
        }
        model.vector("output_norm.weight", self.dim, 0.2);
        if self.untied {
            let spread = 1.0 / (self.dim as f64).sqrt();
            model.matrix("output.weight", VOCABULARY, self.dim, spread);
        }
        if self.rope_factors {
            model.vector("rope_freqs.weight", self.rope_dim / 2, 0.5);
        }
        model
    }
}

const ROPE_BASE: f32 = 10_000.0;
const EPS: f32 = 1e-5;

/// GPT-2's printable stand-in for a byte, from the description in its `encoder.py`.
pub fn stand_in(byte: u8) -> char {
    let prints =
        |b: u32| (33..=126).contains(&b) || (161..=172).contains(&b) || (174..=255).contains(&b);
    let byte = u32::from(byte);
    let code = if prints(byte) {
        byte
    } else {
        256 + (0..byte).filter(|b| !prints(*b)).count() as u32
    };
    char::from_u32(code).expect("a character")
}

/// A file with a byte-level vocabulary and no weights.
pub fn vocabulary() -> GgufWriter {
    let mut tokens: Vec<String> = (0..=255).map(|b| stand_in(b).to_string()).collect();
    tokens.extend(MERGES.iter().map(|(left, right)| format!("{left}{right}")));
    while tokens.len() < VOCABULARY - 2 {
        tokens.push(format!("word{}", tokens.len()));
    }
    tokens.extend(["<|turn|>".into(), "<|the_end|>".into()]);
    let mut types = vec![1; VOCABULARY];
    types[TURN as usize] = 3;
    types[END as usize] = 3;
    let merges = MERGES
        .iter()
        .map(|(left, right)| format!("{left} {right}").into_bytes());
    let mut writer = GgufWriter::default();
    writer
        .set("tokenizer.ggml.model", Meta::text("gpt2"))
        .set("tokenizer.ggml.pre", Meta::text("smollm"))
        .set(
            "tokenizer.ggml.tokens",
            Meta::Texts(tokens.into_iter().map(String::into_bytes).collect()),
        )
        .set("tokenizer.ggml.token_type", Meta::Ints(types))
        .set("tokenizer.ggml.merges", Meta::Texts(merges.collect()))
        .set("tokenizer.ggml.bos_token_id", Meta::U32(TURN))
        .set("tokenizer.ggml.eos_token_id", Meta::U32(END))
        .set("tokenizer.ggml.add_bos_token", Meta::Bool(false));
    writer
}

/// A small model: its file and, for the reference, its weights as they come back from the file.
pub struct TinyModel {
    pub tiny: Tiny,
    pub writer: GgufWriter,
    weights: HashMap<String, Vec<f32>>,
}

impl TinyModel {
    fn normals(&self, name: &str, count: usize) -> impl Iterator<Item = f64> + use<> {
        let mut rng = Rng::new(self.tiny.seed).split(name);
        (0..count).map(move |_| rng.normal())
    }

    fn vector(&mut self, name: &str, len: usize, spread: f64) {
        // Frequency factors divide an angle: none near or below zero.
        let values: Vec<f32> = self
            .normals(name, len)
            .map(|n| (1.0 + spread * n.abs()) as f32)
            .collect();
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.writer.tensor(name, &[len], 0, bytes);
        self.weights.insert(name.into(), values);
    }

    fn matrix(&mut self, name: &str, rows: usize, cols: usize, spread: f64) {
        let values: Vec<f32> = self
            .normals(name, rows * cols)
            .map(|n| (spread * n) as f32)
            .collect();
        let tensor = Tensor::from_vec(values, (rows, cols), &Device::Cpu).expect("a tensor");
        let quantised = QTensor::quantize(&tensor, self.tiny.stored.dtype).expect("quantises");
        let bytes = quantised.data().expect("bytes").to_vec();
        let back = quantised.dequantize(&Device::Cpu).expect("floats");
        let back = back
            .flatten_all()
            .and_then(|t| t.to_vec1())
            .expect("values");
        self.writer
            .tensor(name, &[cols, rows], self.tiny.stored.ggml_type, bytes);
        self.weights.insert(name.into(), back);
    }

    fn get(&self, name: &str) -> &[f32] {
        &self.weights[name]
    }

    /// The scores after each token, `[tokens][vocabulary]`.
    pub fn reference(&self, tokens: &[u32]) -> Vec<Vec<f64>> {
        let tiny = &self.tiny;
        let embedding = self.get("token_embd.weight");
        let mut x: Vec<Vec<f64>> = tokens
            .iter()
            .map(|t| {
                let row = *t as usize * tiny.dim..(*t as usize + 1) * tiny.dim;
                embedding[row].iter().map(|w| f64::from(*w)).collect()
            })
            .collect();
        for layer in 0..tiny.layers {
            let weight = |part: &str| self.get(&format!("blk.{layer}.{part}.weight"));
            let normed: Vec<_> = x.iter().map(|x| norm(x, weight("attn_norm"))).collect();
            let all = |part: &str| -> Vec<Vec<f64>> {
                normed.iter().map(|n| product(weight(part), n)).collect()
            };
            let (mut q, mut k, v) = (all("attn_q"), all("attn_k"), all("attn_v"));
            for position in 0..tokens.len() {
                self.rotate(&mut q[position], position);
                self.rotate(&mut k[position], position);
            }
            for position in 0..tokens.len() {
                let attended = self.attend(&q[position], &k[..=position], &v[..=position]);
                add(&mut x[position], &product(weight("attn_output"), &attended));
            }
            for x in &mut x {
                let n = norm(x, weight("ffn_norm"));
                let gate = product(weight("ffn_gate"), &n);
                let up = product(weight("ffn_up"), &n);
                let inner: Vec<f64> = gate
                    .iter()
                    .zip(&up)
                    .map(|(g, u)| g / (1.0 + (-g).exp()) * u)
                    .collect();
                add(x, &product(weight("ffn_down"), &inner));
            }
        }
        let head = if tiny.untied {
            "output.weight"
        } else {
            "token_embd.weight"
        };
        x.iter()
            .map(|x| product(self.get(head), &norm(x, self.get("output_norm.weight"))))
            .collect()
    }

    /// Su et al. 2021, equation 15, on neighbouring pairs.
    fn rotate(&self, heads: &mut [f64], position: usize) {
        let tiny = &self.tiny;
        let position = position as f64 / f64::from(tiny.rope_divisor.unwrap_or(1.0));
        for head in heads.chunks_exact_mut(tiny.head_dim) {
            for pair in 0..tiny.rope_dim / 2 {
                let frequency =
                    f64::from(ROPE_BASE).powf(-2.0 * pair as f64 / tiny.rope_dim as f64);
                let factor = if tiny.rope_factors {
                    f64::from(self.get("rope_freqs.weight")[pair])
                } else {
                    1.0
                };
                let (sin, cos) = (position * frequency / factor).sin_cos();
                let (a, b) = (head[2 * pair], head[2 * pair + 1]);
                head[2 * pair] = a * cos - b * sin;
                head[2 * pair + 1] = a * sin + b * cos;
            }
        }
    }

    fn attend(&self, q: &[f64], keys: &[Vec<f64>], values: &[Vec<f64>]) -> Vec<f64> {
        let Tiny {
            heads,
            kv_heads,
            head_dim,
            ..
        } = self.tiny;
        let mut out = vec![0.0; heads * head_dim];
        for head in 0..heads {
            let shared = head / (heads / kv_heads) * head_dim;
            let own = head * head_dim;
            let scores: Vec<f64> = keys
                .iter()
                .map(|key| {
                    let dot: f64 = (0..head_dim).map(|i| q[own + i] * key[shared + i]).sum();
                    (dot / (head_dim as f64).sqrt()).exp()
                })
                .collect();
            let sum: f64 = scores.iter().sum();
            for (score, value) in scores.iter().zip(values) {
                for i in 0..head_dim {
                    out[own + i] += score / sum * value[shared + i];
                }
            }
        }
        out
    }
}

fn norm(x: &[f64], weight: &[f32]) -> Vec<f64> {
    let mean = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
    let scale = 1.0 / (mean + f64::from(EPS)).sqrt();
    x.iter()
        .zip(weight)
        .map(|(x, w)| x * scale * f64::from(*w))
        .collect()
}

fn product(matrix: &[f32], x: &[f64]) -> Vec<f64> {
    matrix
        .chunks_exact(x.len())
        .map(|row| row.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum())
        .collect()
}

fn add(x: &mut [f64], y: &[f64]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}
