//! The line of figures below the notebook.

use egui::{RichText, Ui};

use crate::demos::gpt::document::Document;
use crate::demos::gpt::job::{StopReason, Summary, escape, per_second};
use crate::gui::theme;

/// How long and how likely the text is, and how the last completion went.
pub fn figures_ui(ui: &mut Ui, document: &Document, summary: Option<&Summary>) {
    let tokens = theme::tokens(ui);
    let mut parts = Vec::new();
    let known: Vec<f32> = document
        .spans()
        .iter()
        .filter_map(|s| s.position.logprob)
        .collect();
    if !known.is_empty() {
        let nats = -known.iter().sum::<f32>() / known.len() as f32;
        parts.push(format!(
            "{} tokens, perplexity {:.1}",
            document.spans().len(),
            nats.exp()
        ));
    }
    if let Some(summary) = summary {
        parts.push(match &summary.reason {
            StopReason::Length => "stopped at the length".to_owned(),
            StopReason::StopString(stop) => {
                format!("stopped at \u{201c}{}\u{201d}", escape(stop))
            }
            StopReason::EndOfText => "the model ended the text".to_owned(),
            StopReason::ContextFull => "the context is full".to_owned(),
        });
        let wrote = summary.ids.len();
        parts.push(format!(
            "wrote {wrote} at {:.0}/s",
            per_second(wrote, summary.decode_secs)
        ));
        // They may come from a session that was changed by hand.
        let (all, kept) = (
            summary.prompt_tokens,
            summary.reused_tokens.min(summary.prompt_tokens),
        );
        parts.push(if kept == all {
            format!("prompt of {all} remembered")
        } else {
            let rate = per_second(all - kept, summary.prefill_secs);
            format!("read {} of {all} prompt tokens at {rate:.0}/s", all - kept)
        });
    }
    let text = RichText::new(parts.join("  \u{b7}  "))
        .small()
        .color(tokens.faint);
    ui.add(egui::Label::new(text).truncate());
}
