//! The settings window.

use egui::{ComboBox, Context, Id, Modal, Slider};

use super::theme;
use crate::store::{Settings, Theme};

/// Draws the settings. Colours and zoom apply at once; what the compute thread was started with
/// applies at the next start, and the window says so.
pub(super) fn ui(ctx: &Context, open: &mut bool, settings: &mut Settings) {
    if !*open {
        return;
    }
    let modal = Modal::new(Id::unique("settings window")).show(ctx, |ui| {
        ui.set_width(380.0);
        ui.heading("Settings");
        ui.add_space(6.0);
        egui::Grid::new("settings")
            .num_columns(2)
            .spacing([24.0, 10.0])
            .show(ui, |ui| {
                ui.label("Colours");
                ui.horizontal(|ui| {
                    for (theme, name) in [
                        (Theme::System, "Desktop's"),
                        (Theme::Dark, "Dark"),
                        (Theme::Light, "Light"),
                    ] {
                        // Not labelled by "Colours": each would lose its own name.
                        if ui
                            .selectable_value(&mut settings.theme, theme, name)
                            .changed()
                        {
                            theme::apply_choice(ctx, theme);
                        }
                    }
                });
                ui.end_row();
                let label = ui.label("Zoom");
                let zoom = Slider::new(&mut settings.zoom, 0.5..=3.0)
                    .step_by(0.1)
                    .fixed_decimals(1);
                let zoom = ui.add(zoom).labelled_by(label.id);
                // Not while it is dragged: the slider would run away from the pointer.
                let dragging = ui.input(|i| i.pointer.any_down());
                if zoom.drag_stopped() || (zoom.changed() && !dragging) {
                    ctx.set_zoom_factor(settings.zoom);
                }
                ui.end_row();
                let label = ui.label("Threads");
                let all = std::thread::available_parallelism().map_or(1, usize::from);
                let mut threads = settings.threads.unwrap_or(all);
                if ui
                    .add(Slider::new(&mut threads, 1..=all.max(2)))
                    .labelled_by(label.id)
                    .changed()
                {
                    settings.threads = Some(threads);
                }
                ui.end_row();
                let label = ui.label("Device");
                ComboBox::from_id_salt("device")
                    .selected_text(&settings.device)
                    .show_ui(ui, |ui| {
                        for device in ["auto", "cpu", "cuda", "metal"] {
                            ui.selectable_value(&mut settings.device, device.into(), device);
                        }
                    })
                    .response
                    .labelled_by(label.id);
                ui.end_row();
            });
        ui.label(
            egui::RichText::new("Threads and device apply at the next start")
                .small()
                .color(theme::tokens(ui).faint),
        );
        ui.add_space(6.0);
        if ui.button("Close").clicked() {
            ui.close();
        }
    });
    *open = !modal.should_close();
}
