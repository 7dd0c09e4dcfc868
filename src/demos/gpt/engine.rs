//! A loaded model with the text it has read.
//!
//! Stays on the worker between jobs. When a prompt changes, only what follows the first changed
//! token is read again; that is what makes colouring the prompt while somebody types affordable.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::gguf::Gguf;
use super::model::{Batch, Cache, Llama};
use super::sample::largest;
use super::tokenizer::Tokenizer;
use crate::compute::{Memory, Resources};
use crate::error::{Error, Result};

/// Alternatives kept for each token.
pub const ALTERNATIVES: usize = 10;

/// A token that could have come at some place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The natural logarithm of its probability.
    pub logprob: f32,
}

/// A token with what the model expected in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its bytes; a part of a character is possible.
    pub bytes: Vec<u8>,
    /// The natural logarithm of its probability; `None` for the first token, which nothing
    /// predicts.
    pub logprob: Option<f32>,
    /// Tokens that were likelier, plus one.
    pub rank: Option<u32>,
    /// The likeliest tokens in its place, best first.
    pub top: Arc<[Candidate]>,
}

/// What a person should know of a loaded model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelCard {
    /// Its file's name, without the extension.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its file's size.
    pub bytes: u64,
    /// Blocks.
    pub layers: usize,
    /// Width.
    pub dim: usize,
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// The longest text, in tokens.
    pub context: usize,
}

/// A loaded model, its vocabulary and its memory of one text.
pub struct Engine {
    card: ModelCard,
    stamp: Option<SystemTime>,
    tokenizer: Tokenizer,
    model: Llama,
    cache: Cache,
    /// The tokens in the cache, with what was expected in the place of each if that was asked for.
    tokens: Vec<u32>,
    /// The batch each token was read in: in another one its keys and values differ a little.
    batches: Vec<Batch>,
    /// The length of the prompt in question: what lies behind it was generated.
    prompt_len: usize,
    positions: Vec<Position>,
    /// The scores for the token that follows the cache.
    next: Option<Vec<f32>>,
}

impl Engine {
    /// Loads a model.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, asks for something this program cannot do, or
    /// does not fit the memory.
    pub fn load(path: &Path) -> Result<Self> {
        let mut gguf = Gguf::open(path)?;
        let tokenizer = Tokenizer::from_gguf(&gguf)?;
        let bytes = gguf.file_bytes();
        if let Some(memory) = Memory::read()
            && bytes > memory.free
        {
            return Err(gguf.error(format!(
                "the model needs {} MB of memory and {} MB are free",
                bytes / 1_000_000,
                memory.free / 1_000_000
            )));
        }
        // Its own name inside the file is often a training run's; people know it by its file.
        let name = path
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let model = Llama::load(&mut gguf, tokenizer.vocabulary_len())?;
        let shape = model.shape();
        let card = ModelCard {
            name,
            path: path.to_path_buf(),
            bytes,
            layers: shape.layers,
            dim: shape.dim,
            vocabulary: shape.vocabulary,
            context: shape.context,
        };
        let cache = model.new_cache();
        let stamp = modified(path);
        Ok(Self {
            card,
            stamp,
            tokenizer,
            model,
            cache,
            tokens: Vec::new(),
            batches: Vec::new(),
            prompt_len: 0,
            positions: Vec::new(),
            next: None,
        })
    }

    /// The model of a file, as an earlier job left it on the thread, or else loaded.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn resident(path: &Path, resources: &mut Resources) -> Result<Box<Self>> {
        let kept = resources.take::<Self>();
        match kept.filter(|engine| engine.is_for(path)) {
            Some(engine) => Ok(engine),
            None => Ok(Box::new(Self::load(path)?)),
        }
    }

    /// Whether this is that file, unchanged since it was loaded.
    #[must_use]
    pub fn is_for(&self, path: &Path) -> bool {
        self.card.path == path && self.stamp == modified(path)
    }

    /// What was loaded.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The model's vocabulary.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Keeps what the memory has in common with a prompt and forgets the rest. Returns how many of
    /// the text's tokens need not be read again.
    ///
    /// With `explain`, what was read without being explained is forgotten too.
    pub fn rewind(&mut self, tokens: &[u32], explain: bool) -> usize {
        self.resume(tokens, tokens.len(), explain)
    }

    /// As [`Self::rewind`], for a prompt of `prompt_len` tokens and what was generated behind it.
    ///
    /// A token is kept only if it would be read in the same way again, so that the scores depend
    /// on the text and the prompt's length alone, not on what was read before.
    pub fn resume(&mut self, tokens: &[u32], prompt_len: usize, explain: bool) -> usize {
        self.prompt_len = prompt_len;
        let remembered = self.tokens.iter().zip(&self.batches).enumerate();
        let common = remembered
            .zip(tokens)
            .take_while(|((at, (old, batch)), new)| {
                old == new && **batch == Batch::of(*at, prompt_len).0
            })
            .count();
        let mut keep = if explain {
            common.min(self.positions.len())
        } else {
            common
        };
        // What was expected in a place depends on what stands before it only.
        self.positions.truncate(keep);
        if keep < self.tokens.len() || self.next.is_none() {
            // The scores after the last kept token are gone: read that token again.
            keep = keep.saturating_sub(1);
            self.next = None;
        }
        self.tokens.truncate(keep);
        self.batches.truncate(keep);
        self.cache.truncate(keep);
        keep
    }

    /// Whether the memory is as [`Self::resume`] and reading the rest would leave it.
    #[must_use]
    pub fn holds(&self, tokens: &[u32], prompt_len: usize, explain: bool) -> bool {
        self.tokens == tokens
            && self.prompt_len == prompt_len
            && (!explain || self.positions.len() >= tokens.len())
    }

    /// What was expected in the place of each token that is remembered.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions[..self.positions.len().min(self.tokens.len())]
    }

    /// The scores for the next token, if something was read.
    #[must_use]
    pub fn next_logits(&self) -> Option<&[f32]> {
        self.next.as_deref()
    }

    /// Reads tokens; with `explain`, returns what was expected in the place of each.
    ///
    /// # Errors
    /// When a product fails, or the text grows beyond the model's context.
    pub fn read(&mut self, tokens: &[u32], explain: bool) -> Result<Vec<Position>> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        if self.tokens.len() + tokens.len() > self.card.context {
            return Err(Error::Input(format!(
                "the text is longer than the {} tokens the model reads",
                self.card.context
            )));
        }
        let vocabulary = self.model.shape().vocabulary;
        let dim = self.model.shape().dim;
        // A failure in between leaves a cache that does not match: forget it all first.
        let (read, mut positions) = (
            std::mem::take(&mut self.tokens),
            std::mem::take(&mut self.positions),
        );
        let before = self.next.take();
        let hidden = self.forward(tokens, read.len())?;
        let wanted = if explain {
            &hidden[..]
        } else {
            &hidden[hidden.len() - dim..]
        };
        let mut logits = self.model.logits(wanted)?;

        let mut new = Vec::new();
        if explain {
            // The scores for a token are those after the token before it.
            let rows =
                std::iter::once(before.as_deref()).chain(logits.chunks_exact(vocabulary).map(Some));
            let rows: Vec<Option<&[f32]>> = rows.take(tokens.len()).collect();
            // The first token is one that is read again: it was explained before.
            let known = positions
                .get(read.len())
                .filter(|_| before.is_none())
                .cloned();
            positions.truncate(read.len());
            new = tokens
                .par_iter()
                .zip(rows)
                .map(|(id, row)| self.explain(*id, row))
                .collect();
            if let (Some(known), Some(first)) = (known, new.first_mut()) {
                *first = known;
            }
            positions.extend_from_slice(&new);
        }
        self.next = Some(logits.split_off(logits.len() - vocabulary));
        let places = read.len()..read.len() + tokens.len();
        self.batches
            .extend(places.map(|at| Batch::of(at, self.prompt_len).0));
        self.tokens = read;
        self.tokens.extend_from_slice(tokens);
        self.positions = positions;
        Ok(new)
    }

    /// Reads tokens batch by batch; `start` are in the cache.
    fn forward(&mut self, tokens: &[u32], start: usize) -> Result<Vec<f32>> {
        let mut hidden = Vec::with_capacity(tokens.len() * self.model.shape().dim);
        let mut rest = tokens;
        while !rest.is_empty() {
            let position = start + tokens.len() - rest.len();
            let (batch, end) = Batch::of(position, self.prompt_len);
            let (now, later) = rest.split_at(rest.len().min(end - position));
            hidden.extend(self.model.forward(now, batch, &mut self.cache)?);
            rest = later;
        }
        Ok(hidden)
    }

    /// What the scores say of a token.
    #[must_use]
    pub fn explain(&self, id: u32, logits: Option<&[f32]>) -> Position {
        let bytes = self.tokenizer.piece(id, true);
        let Some(logits) = logits else {
            return Position {
                id,
                bytes,
                logprob: None,
                rank: None,
                top: Arc::new([]),
            };
        };
        let log_sum = log_sum_exp(logits);
        let own = logits[id as usize];
        Position {
            id,
            bytes,
            logprob: Some(own - log_sum),
            rank: Some(logits.iter().filter(|l| **l > own).count() as u32 + 1),
            top: self.candidates(logits).into(),
        }
    }

    /// The likeliest tokens by these scores.
    #[must_use]
    pub fn candidates(&self, logits: &[f32]) -> Vec<Candidate> {
        let log_sum = log_sum_exp(logits);
        let candidate = |(id, logit): (u32, f32)| Candidate {
            id,
            text: String::from_utf8_lossy(&self.tokenizer.piece(id, true)).into_owned(),
            logprob: logit - log_sum,
        };
        largest(logits, ALTERNATIVES)
            .into_iter()
            .map(candidate)
            .collect()
    }
}

/// The logarithm of the sum of exponentials: what turns scores into log-probabilities.
fn log_sum_exp(logits: &[f32]) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|l| f64::from((l - max).exp())).sum();
    max + sum.ln() as f32
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|m| m.modified()).ok()
}
