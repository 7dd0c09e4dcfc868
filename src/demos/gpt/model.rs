//! The Llama architecture (Touvron et al. 2023, section 2.2) on quantised weights.
//!
//! GPT-3's recipe, a decoder of attention and feed-forward blocks that predicts the next token,
//! with four later habits: root-mean-square norms before each block (Zhang & Sennrich 2019),
//! rotary positions (Su et al. 2021), `SwiGLU` (Shazeer 2020) and grouped-query attention (Ainslie
//! et al. 2023). With `x` `[tokens, dim]`:
//!
//! ```text
//! x += W_o · attention(rope(W_q·n), rope(W_k·n), W_v·n)    n = norm(x)
//! x += W_down · (silu(W_gate·n) * W_up·n)                  n = norm(x)
//! logits = W_head · norm(x)
//! ```
//!
//! Keys and values of past tokens are kept in half precision; the cache can be cut back to any
//! prefix. candle's `quantized_llama` is the reference that a test compares with.

use half::f16;
use rayon::prelude::*;

use super::gguf::Gguf;
use crate::error::Result;
use crate::nn::cpu::{
    Activations, BlockFormat, HeadCache, MAX_HEAD_DIM, QuantMatrix, Query, attend_many, attend_one,
    half_from_f32, matmul, silu_times,
};

/// A model's sizes, as its file gives them.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Blocks of attention and feed-forward.
    pub layers: usize,
    /// Width of the residual stream.
    pub dim: usize,
    /// Width inside a feed-forward block.
    pub ffn_dim: usize,
    /// Attention heads for queries.
    pub heads: usize,
    /// Attention heads for keys and values, which several query heads share.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// The longest text, in tokens.
    pub context: usize,
    /// Numbers of a head that turn with the position.
    rope_dim: usize,
    rope_base: f32,
    /// Positions are divided by this (linear scaling).
    rope_divisor: f32,
    norm_eps: f32,
}

struct Layer {
    attention_norm: Vec<f32>,
    query: QuantMatrix,
    key: QuantMatrix,
    value: QuantMatrix,
    attention_out: QuantMatrix,
    ffn_norm: Vec<f32>,
    gate: QuantMatrix,
    up: QuantMatrix,
    down: QuantMatrix,
}

/// A model's weights.
pub struct Llama {
    shape: Shape,
    embedding: QuantMatrix,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    /// `None` where the embedding serves as the head too.
    head: Option<QuantMatrix>,
    /// Angle per position for each pair of a head.
    rope_angles: RopeAngles,
}

/// The batch that tokens belong to, which decides how their attention is summed.
///
/// llama.cpp reads a prompt in batches of 512 tokens and sums in another order, and precision,
/// when a batch has at least 64. The results differ in their last bits, which is enough to tip a
/// close call, so the same rule is kept here however small the pieces are that are read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// Fewer than 64 tokens.
    Short,
    /// At least 64.
    Long,
}

impl Batch {
    const TOKENS: usize = 512;
    const LONG_FROM: usize = 64;

    /// The batch of a position in a prompt of so many tokens, and the position where it ends.
    /// What comes after the prompt is read token by token.
    #[must_use]
    pub fn of(position: usize, prompt_len: usize) -> (Self, usize) {
        if position >= prompt_len {
            return (Self::Short, usize::MAX);
        }
        let start = position / Self::TOKENS * Self::TOKENS;
        let end = (start + Self::TOKENS).min(prompt_len);
        (
            if end - start >= Self::LONG_FROM {
                Self::Long
            } else {
                Self::Short
            },
            end,
        )
    }
}

/// What attention remembers of the text so far.
pub struct Cache {
    /// For each layer `[len, kv_heads * head_dim]`.
    keys: Vec<Vec<f16>>,
    values: Vec<Vec<f16>>,
    len: usize,
}

impl Cache {
    /// Tokens remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets everything after the first `len` tokens.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        for rows in self.keys.iter_mut().chain(&mut self.values) {
            rows.truncate(rows.len() / self.len * len);
        }
        self.len = len;
    }
}

impl Shape {
    fn read(gguf: &Gguf, vocabulary: usize) -> Result<Self> {
        let architecture = gguf
            .text("general.architecture")?
            .ok_or_else(|| gguf.error("the file does not name its architecture"))?;
        if architecture != "llama" {
            return Err(gguf.error(format!(
                "the architecture `{architecture}` is not supported, only `llama` is"
            )));
        }
        let size = |key: &str, most: usize| -> Result<Option<usize>> {
            let key = format!("llama.{key}");
            match gguf.count(&key)? {
                None => Ok(None),
                Some(v) if v >= 1 && v <= most as u64 => Ok(Some(v as usize)),
                Some(v) => Err(gguf.error(format!("`{key}` is {v}, which is not possible"))),
            }
        };
        let needed = |key: &str, most| -> Result<usize> {
            size(key, most)?.ok_or_else(|| gguf.error(format!("`llama.{key}` is missing")))
        };
        let positive = |key: &str, default: Option<f64>| -> Result<f32> {
            let key = format!("llama.{key}");
            let value = gguf
                .number(&key)?
                .or(default)
                .ok_or_else(|| gguf.error(format!("`{key}` is missing")))?;
            if value.is_finite() && value > 0.0 {
                Ok(value as f32)
            } else {
                Err(gguf.error(format!("`{key}` is {value}, which is not possible")))
            }
        };
        if gguf.count("llama.expert_count")?.is_some_and(|n| n > 0) {
            return Err(gguf.error("a mixture of experts is not supported"));
        }
        let rope_divisor = match gguf.text("llama.rope.scaling.type")? {
            None | Some("none") => 1.0,
            Some("linear") => positive("rope.scaling.factor", None)?,
            Some(other) => {
                return Err(gguf.error(format!("the position scaling `{other}` is not supported")));
            }
        };
        let dim = needed("embedding_length", 1 << 16)?;
        let heads = needed("attention.head_count", 1 << 10)?;
        let head_dim = match size("attention.key_length", 1 << 10)? {
            Some(len) => len,
            None if dim.is_multiple_of(heads) => dim / heads,
            None => return Err(gguf.error(format!("{heads} heads do not divide a width of {dim}"))),
        };
        if size("attention.value_length", 1 << 10)?.is_some_and(|len| len != head_dim) {
            return Err(gguf.error("keys and values of different lengths are not supported"));
        }
        let shape = Self {
            layers: needed("block_count", 1 << 10)?,
            dim,
            ffn_dim: needed("feed_forward_length", 1 << 20)?,
            heads,
            kv_heads: size("attention.head_count_kv", 1 << 10)?.unwrap_or(heads),
            head_dim,
            vocabulary,
            context: needed("context_length", 1 << 24)?,
            rope_dim: size("rope.dimension_count", 1 << 10)?.unwrap_or(head_dim),
            rope_base: positive("rope.freq_base", Some(10_000.0))?,
            rope_divisor,
            norm_eps: positive("attention.layer_norm_rms_epsilon", None)?,
        };
        if head_dim > MAX_HEAD_DIM {
            return Err(gguf.error(format!(
                "heads of width {head_dim} are not supported, only up to {MAX_HEAD_DIM}"
            )));
        }
        if !shape.heads.is_multiple_of(shape.kv_heads) {
            return Err(gguf.error(format!(
                "{} heads cannot share {} keys",
                shape.heads, shape.kv_heads
            )));
        }
        if !shape.rope_dim.is_multiple_of(2) || shape.rope_dim > head_dim {
            return Err(gguf.error(format!(
                "{} of {head_dim} numbers cannot turn in pairs",
                shape.rope_dim
            )));
        }
        Ok(shape)
    }

    fn kv_dim(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Bytes the cache takes for each token.
    #[must_use]
    pub fn cache_bytes_per_token(&self) -> usize {
        2 * self.layers * self.kv_dim() * size_of::<f16>()
    }
}

impl Llama {
    /// Reads the weights of a model with this many tokens.
    ///
    /// # Errors
    /// When the architecture is another one, or a tensor is missing, misshapen or stored in a
    /// format that cannot be computed with.
    pub fn load(gguf: &mut Gguf, vocabulary: usize) -> Result<Self> {
        let shape = Shape::read(gguf, vocabulary)?;
        refuse_unknown_tensors(gguf)?;
        let (dim, kv_dim, q_dim) = (shape.dim, shape.kv_dim(), shape.heads * shape.head_dim);
        let matrix = |gguf: &mut Gguf, name: &str, rows, cols| -> Result<QuantMatrix> {
            let raw = gguf.tensor(name, rows, cols)?;
            QuantMatrix::from_ggml(raw.format, rows, cols, raw.bytes)
        };
        let raw = gguf.tensor("token_embd.weight", vocabulary, dim)?;
        let embedding = QuantMatrix::with_rows(raw.format, vocabulary, dim, raw.bytes)?;
        let mut layers = Vec::new();
        for i in 0..shape.layers {
            let name = |part: &str| format!("blk.{i}.{part}.weight");
            layers.push(Layer {
                attention_norm: vector(gguf, &name("attn_norm"), dim)?,
                query: matrix(gguf, &name("attn_q"), q_dim, dim)?,
                key: matrix(gguf, &name("attn_k"), kv_dim, dim)?,
                value: matrix(gguf, &name("attn_v"), kv_dim, dim)?,
                attention_out: matrix(gguf, &name("attn_output"), dim, q_dim)?,
                ffn_norm: vector(gguf, &name("ffn_norm"), dim)?,
                gate: matrix(gguf, &name("ffn_gate"), shape.ffn_dim, dim)?,
                up: matrix(gguf, &name("ffn_up"), shape.ffn_dim, dim)?,
                down: matrix(gguf, &name("ffn_down"), dim, shape.ffn_dim)?,
            });
        }
        let norm = vector(gguf, "output_norm.weight", dim)?;
        let head = if gguf.has_tensor("output.weight") {
            Some(matrix(gguf, "output.weight", vocabulary, dim)?)
        } else {
            None
        };
        let factors = if gguf.has_tensor("rope_freqs.weight") {
            Some(vector(gguf, "rope_freqs.weight", shape.rope_dim / 2)?)
        } else {
            None
        };
        let rope_angles = RopeAngles::new(&shape, factors.as_deref());
        Ok(Self {
            shape,
            embedding,
            layers,
            norm,
            head,
            rope_angles,
        })
    }

    /// The model's sizes.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// An empty cache for this model.
    #[must_use]
    pub fn new_cache(&self) -> Cache {
        let rows = || vec![Vec::new(); self.shape.layers];
        Cache {
            keys: rows(),
            values: rows(),
            len: 0,
        }
    }

    /// Reads tokens behind those in the cache and returns the final hidden states
    /// `[tokens, dim]`, normalised: what [`Self::logits`] takes.
    ///
    /// # Errors
    /// When a product fails.
    ///
    /// # Panics
    /// When a token is not in the vocabulary or the cache belongs to another model.
    pub fn forward(&self, tokens: &[u32], batch: Batch, cache: &mut Cache) -> Result<Vec<f32>> {
        let shape = &self.shape;
        let mut x = vec![0.0; tokens.len() * shape.dim];
        for (token, row) in tokens.iter().zip(x.chunks_exact_mut(shape.dim)) {
            self.embedding.row(*token as usize, row)?;
        }
        let turns = self.rope_angles.turns(cache.len, tokens.len());
        for (at, layer) in self.layers.iter().enumerate() {
            let n = self.normed(&x, &layer.attention_norm);
            let attended = self.attention(
                layer,
                &n,
                &turns,
                batch,
                &mut cache.keys[at],
                &mut cache.values[at],
            )?;
            let attended = Activations::new(&attended, layer.attention_out.cols());
            add_product(&layer.attention_out, &attended, &mut x)?;

            let n = self.normed(&x, &layer.ffn_norm);
            let mut gate = vec![0.0; tokens.len() * shape.ffn_dim];
            let mut up = vec![0.0; gate.len()];
            matmul(&n, &mut [(&layer.gate, &mut gate), (&layer.up, &mut up)])?;
            silu_times(&mut gate, &up);
            add_product(&layer.down, &Activations::new(&gate, shape.ffn_dim), &mut x)?;
        }
        cache.len += tokens.len();
        let mut out = vec![0.0; x.len()];
        for (x, out) in x
            .chunks_exact(shape.dim)
            .zip(out.chunks_exact_mut(shape.dim))
        {
            rms_norm(x, &self.norm, shape.norm_eps, out);
        }
        Ok(out)
    }

    /// The scores of every token as the next one, `[rows, vocabulary]`, from rows of hidden
    /// states.
    ///
    /// # Errors
    /// When the product fails.
    pub fn logits(&self, hidden: &[f32]) -> Result<Vec<f32>> {
        let mut logits = vec![0.0; hidden.len() / self.shape.dim * self.shape.vocabulary];
        let head = self.head.as_ref().unwrap_or(&self.embedding);
        matmul(
            &Activations::new(hidden, self.shape.dim),
            &mut [(head, &mut logits)],
        )?;
        Ok(logits)
    }

    fn normed(&self, x: &[f32], weight: &[f32]) -> Activations {
        let dim = self.shape.dim;
        let mut out = vec![0.0; x.len()];
        for (x, out) in x.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
            rms_norm(x, weight, self.shape.norm_eps, out);
        }
        Activations::new(&out, dim)
    }

    /// Attention of new tokens to all tokens up to themselves; `[tokens, heads * head_dim]`.
    fn attention(
        &self,
        layer: &Layer,
        n: &Activations,
        turns: &[Turn],
        batch: Batch,
        keys: &mut Vec<f16>,
        values: &mut Vec<f16>,
    ) -> Result<Vec<f32>> {
        let shape = &self.shape;
        let (head_dim, kv_dim, q_dim) =
            (shape.head_dim, shape.kv_dim(), shape.heads * shape.head_dim);
        let tokens = turns.len() / (shape.rope_dim / 2);
        let mut q = vec![0.0; tokens * q_dim];
        let mut k = vec![0.0; tokens * kv_dim];
        let mut v = vec![0.0; tokens * kv_dim];
        matmul(
            n,
            &mut [
                (&layer.query, &mut q),
                (&layer.key, &mut k),
                (&layer.value, &mut v),
            ],
        )?;
        let turns_of = turns.chunks_exact(shape.rope_dim / 2);
        for ((q, k), turns) in q
            .chunks_exact_mut(q_dim)
            .zip(k.chunks_exact_mut(kv_dim))
            .zip(turns_of)
        {
            for head in q
                .chunks_exact_mut(head_dim)
                .chain(k.chunks_exact_mut(head_dim))
            {
                rotate(head, turns);
            }
        }
        let past = keys.len() / kv_dim;
        for (rows, new) in [(&mut *keys, &k), (&mut *values, &v)] {
            let start = rows.len();
            rows.resize(start + new.len(), f16::ZERO);
            half_from_f32(new, &mut rows[start..]);
        }

        let mut out = vec![0.0; q.len()];
        let group = shape.heads / shape.kv_heads;
        let mut heads: Vec<Vec<Query<'_>>> = (0..shape.heads)
            .map(|_| Vec::with_capacity(tokens))
            .collect();
        for (at, (query, out)) in q
            .chunks_exact(head_dim)
            .zip(out.chunks_exact_mut(head_dim))
            .enumerate()
        {
            let positions = past + at / shape.heads + 1;
            heads[at % shape.heads].push(Query {
                query,
                positions,
                out,
            });
        }
        let attend = |(head, queries): (usize, &mut Vec<Query<'_>>)| {
            let offset = head / group * head_dim;
            let cache = HeadCache {
                keys,
                values,
                stride: kv_dim,
                offset,
            };
            match batch {
                Batch::Long => attend_many(queries, cache),
                Batch::Short => queries
                    .iter_mut()
                    .for_each(|query| attend_one(query, cache)),
            }
        };
        let work = tokens * shape.heads * (past + tokens) * head_dim;
        if work < PARALLEL_FROM {
            heads.iter_mut().enumerate().for_each(attend);
        } else {
            heads.par_iter_mut().enumerate().for_each(attend);
        }
        Ok(out)
    }
}

/// Below this many multiplications attention is not worth handing to other threads.
const PARALLEL_FROM: usize = 1 << 17;

/// Parts of a block that this program knows; any other would be left out of the arithmetic.
const KNOWN_PARTS: &[&str] = &[
    "attn_norm.weight",
    "attn_q.weight",
    "attn_k.weight",
    "attn_v.weight",
    "attn_output.weight",
    "ffn_norm.weight",
    "ffn_gate.weight",
    "ffn_up.weight",
    "ffn_down.weight",
];

/// Refuses a file with tensors that the forward pass would silently ignore, such as biases.
fn refuse_unknown_tensors(gguf: &Gguf) -> Result<()> {
    let known = |name: &str| match name
        .strip_prefix("blk.")
        .and_then(|rest| rest.split_once('.'))
    {
        // Written by old converters and computed here.
        Some((_, "attn_rot_embd.weight")) => true,
        Some((_, part)) => KNOWN_PARTS.contains(&part),
        None => matches!(
            name,
            "token_embd.weight" | "output_norm.weight" | "output.weight" | "rope_freqs.weight"
        ),
    };
    match gguf.tensor_names().filter(|name| !known(name)).min() {
        Some(name) => Err(gguf.error(format!(
            "the tensor `{name}` is not part of a Llama model this program knows"
        ))),
        None => Ok(()),
    }
}

fn vector(gguf: &mut Gguf, name: &str, len: usize) -> Result<Vec<f32>> {
    let raw = gguf.tensor(name, 1, len)?;
    if raw.format != BlockFormat::F32 {
        return Err(gguf.error(format!(
            "the tensor `{name}` is stored as {}, not F32",
            raw.format.name
        )));
    }
    Ok(raw
        .bytes
        .as_chunks()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect())
}

fn add_product(weights: &QuantMatrix, input: &Activations, x: &mut [f32]) -> Result<()> {
    let mut out = vec![0.0; x.len()];
    matmul(input, &mut [(weights, &mut out)])?;
    for (x, o) in x.iter_mut().zip(&out) {
        *x += o;
    }
    Ok(())
}

/// Zhang & Sennrich 2019, equation 4; the squares are summed in double precision, as ggml does.
fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let sum: f64 = x.iter().map(|v| f64::from(v * v)).sum();
    let mean = (sum / x.len() as f64) as f32;
    let scale = 1.0 / (mean + eps).sqrt();
    for ((o, v), w) in out.iter_mut().zip(x).zip(weight) {
        *o = v * scale * w;
    }
}

/// Cosine and sine of an angle.
#[derive(Clone, Copy)]
struct Turn {
    cos: f32,
    sin: f32,
}

/// How far each pair of a head turns from one position to the next (Su et al. 2021, equation 15).
struct RopeAngles {
    ratio: f32,
    divisor: f32,
    /// Llama 3's slowing of the long waves, one for each pair.
    factors: Vec<f32>,
}

impl RopeAngles {
    fn new(shape: &Shape, factors: Option<&[f32]>) -> Self {
        let pairs = shape.rope_dim / 2;
        Self {
            ratio: shape.rope_base.powf(-2.0 / shape.rope_dim as f32),
            divisor: shape.rope_divisor,
            factors: factors.map_or_else(|| vec![1.0; pairs], <[f32]>::to_vec),
        }
    }

    /// For `count` positions from `first` on, `[count, pairs]`.
    fn turns(&self, first: usize, count: usize) -> Vec<Turn> {
        let mut turns = Vec::with_capacity(count * self.factors.len());
        for position in first..first + count {
            // Multiplied up from pair to pair in single precision, as ggml does.
            let mut angle = position as f32 / self.divisor;
            for factor in &self.factors {
                let (sin, cos) = (angle / factor).sin_cos();
                turns.push(Turn { cos, sin });
                angle *= self.ratio;
            }
        }
        turns
    }
}

/// Turns neighbouring pairs; GGUF files of this architecture have their rows ordered for it.
fn rotate(head: &mut [f32], turns: &[Turn]) {
    for (pair, turn) in head.as_chunks_mut::<2>().0.iter_mut().zip(turns) {
        let [a, b] = *pair;
        // One rounding less than written out, as compilers make of it in C.
        *pair = [
            a.mul_add(turn.cos, -(b * turn.sin)),
            a.mul_add(turn.sin, b * turn.cos),
        ];
    }
}
