//! A window that draws with software, in either theme.

use egui::{Event, Pos2, Rect, Theme, Vec2};
use egui_kittest::Harness;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use vitrine::gui::theme;
use vitrine::view::Views;
use vitrine::view::shader::Sources;

/// A window whose views can draw.
pub fn window<'a, State: 'a>(
    size: Vec2,
    theme: Theme,
    state: State,
    show: impl FnMut(&mut egui::Ui, &mut State) + 'a,
) -> (Harness<'a, State>, Views) {
    let options = egui_wgpu::RendererOptions::PREDICTABLE;
    let render_state = create_render_state(default_wgpu_setup(), options);
    let renderer = WgpuTestRenderer::from_render_state(render_state.clone());
    let harness = Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_render_cursor(false)
        .renderer(renderer)
        .with_context_setup(move |ctx| {
            theme::install(ctx);
            Views::install_from(&render_state, ctx, Sources::Embedded).expect("installs");
        })
        .build_ui_state(show, state);
    let views = Views::of(&harness.ctx).expect("is installed");
    (harness, views)
}

/// A window without anything to draw with: what can be done with pointer, keys and screen readers.
pub fn bare<'a, State: 'a>(
    size: Vec2,
    state: State,
    show: impl FnMut(&mut egui::Ui, &mut State) + 'a,
) -> Harness<'a, State> {
    Harness::builder()
        .with_size(size)
        .build_ui_state(show, state)
}

/// The rendered pixels of a part of the window.
pub fn crop<State>(harness: &mut Harness<'_, State>, part: Rect) -> image::RgbaImage {
    let picture = harness.render().expect("renders");
    let [x, y, width, height] =
        [part.min.x, part.min.y, part.width(), part.height()].map(|length| length.round() as u32);
    image::imageops::crop_imm(&picture, x, y, width, height).to_image()
}

/// Presses and releases the pointer in one place.
pub fn click_at<State>(harness: &mut Harness<'_, State>, pos: Pos2) {
    harness.hover_at(pos);
    for pressed in [true, false] {
        harness.event(Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::default(),
        });
    }
    harness.run_steps(2);
}

/// Presses and releases a key.
pub fn key<State>(harness: &mut Harness<'_, State>, key: egui::Key) {
    harness.key_press(key);
    harness.run_steps(2);
}
