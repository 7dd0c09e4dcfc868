//! The controls of a search, which both pages have.

use egui::{ComboBox, DragValue, Grid, Slider, Ui};

use crate::demos::pulse::prior::{Collection, MOST};
use crate::demos::pulse::search::SearchConfig;

/// The generator and whom it expects.
pub(super) fn generator_ui(ui: &mut Ui, collection: &mut Collection, imbalance: &mut f64) {
    let label = ui.label("Generator");
    let name = |collection: Collection| match collection {
        Collection::Balanced => "Balanced",
        Collection::Photo => "Like a photo collection",
    };
    let before = *collection;
    ComboBox::from_id_salt("generator")
        .selected_text(name(*collection))
        .width(150.0)
        .show_ui(ui, |ui| {
            for of in Collection::ALL {
                ui.selectable_value(collection, of, name(of));
            }
        })
        .response
        .labelled_by(label.id)
        .on_hover_text("Whose pictures the surrogate learned");
    if before != *collection {
        *imbalance = collection.prior().imbalance;
    }
    ui.end_row();
    let label = ui.label("Imbalance");
    ui.add(Slider::new(imbalance, 0.0..=MOST).fixed_decimals(2))
        .labelled_by(label.id)
        .on_hover_text(
            "Whom the search expects: 0 all skin tones alike, 1 as in a usual collection of \
             photographs (about 9, 17 and 74 of 100), 2 nearly light skin alone",
        );
    ui.end_row();
}

/// How the search goes; `usual` in a tooltip names the default with its source.
pub(super) fn search_ui(ui: &mut Ui, search: &mut SearchConfig) {
    Grid::new("search")
        .num_columns(2)
        .spacing([12.0, 8.0])
        .show(ui, |ui| {
            let mut row = |name: &str, about: &str, drag: DragValue<'_>| {
                let label = ui.label(name);
                ui.add(drag).labelled_by(label.id).on_hover_text(about);
                ui.end_row();
            };
            row(
                "Steps",
                "100 in the paper",
                DragValue::new(&mut search.steps).range(1..=10_000),
            );
            row(
                "Learning rate",
                "Adam's greatest, 0.4 in the paper",
                DragValue::new(&mut search.learning_rate)
                    .range(0.001..=10.0)
                    .speed(0.01),
            );
            row(
                "Epsilon",
                "The mean squared error that counts as the same small picture: 0.001 in the paper, \
                 0.002 in its published code",
                DragValue::new(&mut search.epsilon)
                    .range(1e-5..=0.5)
                    .speed(1e-4)
                    .max_decimals(5),
            );
            row(
                "Truncation",
                "The sphere's radius over the usual one: below 1 all faces come closer to the mean",
                DragValue::new(&mut search.truncation)
                    .range(0.05..=1.5)
                    .speed(0.01),
            );
            row(
                "Prior weight",
                "What unusual numbers in the vector cost (ours)",
                DragValue::new(&mut search.prior_weight)
                    .range(0.0..=10.0)
                    .speed(0.002)
                    .max_decimals(4),
            );
            row(
                "Starts",
                "Random starts of each answer, of which the best go on (ours)",
                DragValue::new(&mut search.starts).range(1..=64),
            );
            row(
                "Retries",
                "How often an answer that is not within epsilon is searched for anew (ours)",
                DragValue::new(&mut search.retries).range(0..=20),
            );
        });
}
