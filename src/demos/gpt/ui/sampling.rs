//! How the next token is chosen.

use egui::{DragValue, Slider, TextEdit, Ui};

use crate::demos::gpt::job::{CompleteConfig, unescape};
use crate::gui::controls::seed_ui;

/// Draws the settings of a completion. True when one has changed.
pub fn sampling_ui(ui: &mut Ui, config: &mut CompleteConfig, stop_text: &mut String) -> bool {
    let before = (config.clone(), stop_text.clone());
    egui::Grid::new("sampling")
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, |ui| {
            let sampling = &mut config.sampling;
            let label = ui.label("Temperature");
            ui.add(
                Slider::new(&mut sampling.temperature, 0.0..=2.0)
                    .step_by(0.05)
                    .fixed_decimals(2),
            )
            .labelled_by(label.id)
            .on_hover_text("0 always takes the likeliest token; above 1 the unlikely ones gain");
            ui.end_row();
            let greedy = sampling.temperature <= 0.0;
            let label = ui.add_enabled_ui(!greedy, |ui| ui.label("Top-k")).inner;
            let widget = Slider::new(&mut sampling.top_k, 0..=100);
            ui.add_enabled(!greedy, widget)
                .labelled_by(label.id)
                .on_hover_text("Only so many of the likeliest tokens; 0 for all");
            ui.end_row();
            let label = ui.add_enabled_ui(!greedy, |ui| ui.label("Top-p")).inner;
            let widget = Slider::new(&mut sampling.top_p, 0.0..=1.0)
                .step_by(0.01)
                .fixed_decimals(2);
            ui.add_enabled(!greedy, widget)
                .labelled_by(label.id)
                .on_hover_text("The likeliest tokens until their probabilities add up to this");
            ui.end_row();
            let label = ui.add_enabled_ui(!greedy, |ui| ui.label("Min-p")).inner;
            let widget = Slider::new(&mut sampling.min_p, 0.0..=0.5)
                .step_by(0.01)
                .fixed_decimals(2);
            ui.add_enabled(!greedy, widget)
                .labelled_by(label.id)
                .on_hover_text("No token less likely than this share of the likeliest");
            ui.end_row();
            let label = ui.label("Length");
            ui.add(
                DragValue::new(&mut config.max_tokens)
                    .range(1..=4096)
                    .suffix(" tokens"),
            )
            .labelled_by(label.id)
            .on_hover_text("The most tokens to generate");
            ui.end_row();
        });
    seed_ui(ui, &mut config.seed);
    let label = ui.label("Stop before, one text a line");
    ui.add(
        TextEdit::multiline(stop_text)
            .desired_rows(2)
            .desired_width(f32::INFINITY)
            .code_editor()
            // The Tab key goes on to the next widget.
            .lock_focus(false),
    )
    .labelled_by(label.id)
    .on_hover_text("\\n stands for a line break");
    if *stop_text != before.1 {
        let lines = stop_text.lines().filter(|l| !l.is_empty());
        config.stop = lines.filter_map(|l| unescape(l).ok()).collect();
    }
    before != (config.clone(), stop_text.clone())
}
