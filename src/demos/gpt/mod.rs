//! GPT-3: language models are few-shot learners (Brown et al. 2020).
//!
//! A language model only continues text; given a few examples of a task in its prompt, it goes on
//! with the task, without any training (section 2). The tab is the raw prompt box of the paper: a
//! text, a button, and the model's own probabilities over every token of prompt and answer.
//!
//! What stands in for the 175 billion parameters, which were never published: any GGUF model of
//! the Llama family, `SmolLM2-135M-Instruct` (Apache-2.0, 135 million parameters) by default.
//!
//! Expected: the paper's grammar prompt (its figure 3.17) is answered ` She went to the market.`;
//! ids equal llama.cpp's, and greedy text that of its AVX2 build.
//!
//! Deviations: another architecture ([`model`] names the differences), weights in 4 bits.

mod actions;
pub mod bench;
pub mod document;
pub mod engine;
pub mod gguf;
pub mod in_context;
pub mod job;
pub mod model;
pub mod presets;
pub mod recording;
pub mod sample;
mod split;
mod stream;
pub mod tokenizer;
#[cfg(feature = "gui")]
mod ui;

use crate::cli::DemoActions;

/// The model that is fetched on first use, by its name in the manifest.
pub const DEFAULT_MODEL: &str = "smollm2-135m-instruct-q4_1";

/// What the window shows of this demo.
#[cfg(feature = "gui")]
pub const TAB: crate::gui::DemoTab = crate::gui::DemoTab {
    id: "gpt",
    title: "GPT-3",
    help: include_str!("../../../assets/help/gpt.md"),
    open: ui::open,
};

/// What the command line does with this demo.
pub const ACTIONS: DemoActions = DemoActions {
    id: "gpt",
    title: "GPT-3, few-shot prompting",
    paper: "Language models are few-shot learners, Brown et al. 2020",
    needs: &[DEFAULT_MODEL],
    command: actions::command,
    run: actions::run,
    trains: &[],
};
