//! Completing a prompt, one step at a time: load, read the prompt in pieces, then a token a step.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::{Candidate, Engine, ModelCard, Position};
use super::sample::Sampling;
use super::stream::TextStream;
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Prompt tokens read in one step, which keeps a step under 200 ms on two slow cores: fewer where
/// each has more text before it to attend to.
fn prefill_piece(read: usize) -> usize {
    const MOST: usize = 32;
    const HALVED_AT: usize = 1024;
    (MOST * HALVED_AT / (HALVED_AT + read)).next_multiple_of(4)
}

/// Everything that determines a completion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default)]
pub struct CompleteConfig {
    /// The text to continue; `-` reads it from the standard input
    #[arg(value_name = "PROMPT", allow_hyphen_values = true)]
    pub prompt: String,
    /// The most tokens to generate
    #[arg(short = 'n', long = "max-tokens", default_value_t = 64)]
    pub max_tokens: usize,
    /// How the next token is chosen
    #[command(flatten)]
    #[serde(flatten)]
    pub sampling: Sampling,
    /// Stop before this text; may be given several times; \n, \t, \r and \\ are understood
    #[arg(long, value_parser = unescape)]
    pub stop: Vec<String>,
    /// A GGUF model file in place of the default
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// Where the draws begin.
    #[arg(skip)]
    pub seed: u64,
}

impl Default for CompleteConfig {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            max_tokens: 64,
            sampling: Sampling::default(),
            stop: Vec::new(),
            model: None,
            seed: 0,
        }
    }
}

/// Turns `\n`, `\t`, `\r` and `\\` into what they stand for.
///
/// # Errors
/// Never; the type is what the command line's parser wants.
pub fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    Ok(out)
}

/// The inverse of [`unescape`], for showing a stop string on one line.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace('\r', "\\r")
}

/// Why a completion ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It is as long as was asked for.
    Length,
    /// It came to this stop string.
    StopString(String),
    /// The model ended the text.
    EndOfText,
    /// The model cannot read more.
    ContextFull,
}

/// A completion's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What was generated, without the stop string.
    pub text: String,
    /// The tokens that were generated, also those of a stop string.
    pub ids: Vec<u32>,
    /// Why it ended.
    pub reason: StopReason,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Of those, tokens that were remembered from the last prompt.
    pub reused_tokens: usize,
    /// Time spent reading the prompt.
    pub prefill_secs: f64,
    /// Time spent generating.
    pub decode_secs: f64,
}

/// What a completion reports.
#[derive(Clone, Debug)]
pub enum Output {
    /// The model is ready.
    Loaded(ModelCard),
    /// What was expected in the place of the prompt's tokens from number `first` on.
    Prompt {
        /// The first of them.
        first: usize,
        /// One for each token.
        positions: Vec<Position>,
    },
    /// A token was generated.
    Token {
        /// The token and its alternatives, when asked for.
        position: Option<Position>,
        /// Text that can be shown now; may be empty or reach back.
        text: String,
    },
    /// What could come after the last token that was read.
    Next(Vec<Candidate>),
    /// It ended.
    Done(Summary),
}

/// A completion.
pub struct Complete {
    config: CompleteConfig,
    explain: bool,
    stage: Stage,
    /// The prompt, then what was generated and read.
    tokens: Vec<u32>,
    text: TextStream,
    rng: Rng,
    summary: Summary,
}

enum Stage {
    Load,
    Prefill { read: usize },
    Decode { prompt_len: usize },
}

impl Complete {
    /// A completion with a model that is already on this machine. With `explain`, every token
    /// comes with its alternatives.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn new(config: CompleteConfig, explain: bool) -> Result<Self> {
        config.sampling.check().map_err(Error::Input)?;
        let summary = Summary {
            text: String::new(),
            ids: Vec::new(),
            reason: StopReason::Length,
            prompt_tokens: 0,
            reused_tokens: 0,
            prefill_secs: 0.0,
            decode_secs: 0.0,
        };
        let text = TextStream::new(&config.stop);
        let rng = Rng::new(config.seed).split("gpt/complete");
        Ok(Self {
            config,
            explain,
            stage: Stage::Load,
            tokens: Vec::new(),
            text,
            rng,
            summary,
        })
    }

    fn load(&mut self, engine: &mut Engine, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        cx.emit(Output::Loaded(engine.card().clone()));
        let tokens = engine.tokenizer().encode(self.config.prompt.as_bytes());
        let context = engine.card().context;
        if tokens.len() >= context {
            return Err(Error::Input(format!(
                "the prompt is {} tokens long and the model reads at most {context}, with room for its answer; shorten it by {} tokens",
                tokens.len(),
                tokens.len() + 1 - context,
            )));
        }
        if tokens.is_empty() {
            return Err(Error::Input(
                "the prompt is empty, and this model needs at least one token to begin".into(),
            ));
        }
        let read = engine.rewind(&tokens, self.explain);
        self.summary.prompt_tokens = tokens.len();
        self.summary.reused_tokens = read;
        if self.explain && read > 0 {
            cx.emit(Output::Prompt {
                first: 0,
                positions: engine.positions().to_vec(),
            });
        }
        self.tokens = tokens;
        self.stage = Stage::Prefill { read };
        Ok(Flow::Continue)
    }

    fn prefill(&mut self, engine: &mut Engine, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        let Stage::Prefill { read } = self.stage else {
            return Ok(Flow::Continue);
        };
        let len = self.tokens.len();
        let end = (read + prefill_piece(read)).min(len);
        if read < end {
            let started = Instant::now();
            self.read_up_to(engine, read, end)?;
            self.summary.prefill_secs += started.elapsed().as_secs_f64();
            if self.explain {
                cx.emit(Output::Prompt {
                    first: read,
                    positions: engine.positions()[read..end].to_vec(),
                });
            }
        }
        cx.progress(end as u64, Some(len as u64), "prompt tokens");
        self.stage = if end == len {
            Stage::Decode { prompt_len: len }
        } else {
            Stage::Prefill { read: end }
        };
        Ok(Flow::Continue)
    }

    /// Reads on from token `read` to token `end`. Another job may have used the engine since the
    /// last step; then what it forgot is read again.
    fn read_up_to(&self, engine: &mut Engine, read: usize, end: usize) -> Result<()> {
        let prompt_len = self.summary.prompt_tokens;
        let from = if engine.holds(&self.tokens[..read], prompt_len, self.explain) {
            read
        } else {
            engine.resume(&self.tokens[..end], prompt_len, self.explain)
        };
        if from < end {
            engine.read(&self.tokens[from..end], self.explain)?;
        }
        Ok(())
    }

    fn decode(
        &mut self,
        engine: &mut Engine,
        prompt_len: usize,
        cx: &mut StepCx<'_, Output>,
    ) -> Result<Flow> {
        self.read_up_to(engine, self.tokens.len(), self.tokens.len())?;
        let generated = self.summary.ids.len();
        if generated >= self.config.max_tokens {
            return Ok(self.end(StopReason::Length, engine, cx));
        }
        if prompt_len + generated >= engine.card().context {
            return Ok(self.end(StopReason::ContextFull, engine, cx));
        }
        let started = Instant::now();
        let logits = engine.next_logits().unwrap_or_default();
        let id = self
            .config
            .sampling
            .choose(logits, &mut self.rng)
            .ok_or_else(|| {
                Error::bad_file(
                    &engine.card().path,
                    "the model's scores are not numbers, its weights are damaged",
                )
            })?;
        if engine.tokenizer().is_end(id) {
            return Ok(self.end(StopReason::EndOfText, engine, cx));
        }
        let (text, stop) = self.text.push(&engine.tokenizer().piece(id, true));
        let position = if self.explain {
            Some(engine.explain(id, Some(logits)))
        } else {
            None
        };
        self.summary.ids.push(id);
        self.summary.text += &text;
        cx.emit(Output::Token { position, text });
        if stop.is_none() && generated + 1 < self.config.max_tokens {
            engine.read(&[id], self.explain)?;
            self.tokens.push(id);
        }
        self.summary.decode_secs += started.elapsed().as_secs_f64();
        cx.progress(
            generated as u64 + 1,
            Some(self.config.max_tokens as u64),
            "tokens",
        );
        Ok(match stop {
            Some(stop) => self.end(StopReason::StopString(stop), engine, cx),
            None => Flow::Continue,
        })
    }

    fn end(&mut self, reason: StopReason, engine: &Engine, cx: &mut StepCx<'_, Output>) -> Flow {
        let stopped = matches!(reason, StopReason::StopString(_));
        let rest = if stopped {
            String::new()
        } else {
            self.text.finish()
        };
        if !rest.is_empty() {
            self.summary.text += &rest;
            cx.emit(Output::Token {
                position: None,
                text: rest,
            });
        }
        if let Some(logits) = engine.next_logits().filter(|_| self.explain) {
            cx.emit(Output::Next(engine.candidates(logits)));
        }
        self.summary.reason = reason;
        cx.emit(Output::Done(self.summary.clone()));
        Flow::Finished
    }
}

impl Job for Complete {
    type Output = Output;

    fn step(&mut self, cx: &mut StepCx<'_, Output>) -> Result<Flow> {
        let path = self
            .config
            .model
            .clone()
            .ok_or_else(|| Error::Missing("no model was chosen".into()))?;
        let kept = cx
            .resources()
            .take::<Engine>()
            .filter(|engine| engine.is_for(&path));
        let mut engine = match (kept, &self.stage) {
            (Some(engine), _) => engine,
            (None, Stage::Load) => Box::new(Engine::load(&path)?),
            (None, _) => {
                return Err(Error::bad_file(
                    &path,
                    "the model file changed while it was in use",
                ));
            }
        };
        let flow = match &self.stage {
            Stage::Load => self.load(&mut engine, cx),
            Stage::Prefill { .. } => self.prefill(&mut engine, cx),
            Stage::Decode { prompt_len } => {
                let prompt_len = *prompt_len;
                self.decode(&mut engine, prompt_len, cx)
            }
        };
        cx.resources().put(engine);
        flow
    }
}

/// A rate for people, in units a second; 0 before anything was measured.
#[must_use]
pub fn per_second(count: usize, secs: f64) -> f64 {
    if secs < Duration::from_micros(1).as_secs_f64() {
        0.0
    } else {
        count as f64 / secs
    }
}

#[cfg(test)]
mod tests {
    use super::{escape, unescape};

    #[test]
    fn stop_strings_can_be_written_on_one_line() {
        assert_eq!(unescape(r"a\n\\n\q\").as_deref(), Ok("a\n\\n\\q\\"));
        for text in ["\n\nInput:", r"C:\new", "tab\there"] {
            assert_eq!(unescape(&escape(text)).as_deref(), Ok(text));
        }
    }
}
