//! `vitrine screenshot`: the real tab through the real code, without a window.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use egui_kittest::Harness;
use egui_kittest::wgpu::{WgpuTestRenderer, default_wgpu_setup};
use serde_json::json;
use tempfile::TempDir;

use super::app::{App, AppSetup, Mode};
use super::log::LogBuffer;
use super::tab::DemoTab;
use crate::cli::{Globals, ScreenshotArgs, ScreenshotTheme};
use crate::data::Image;
use crate::error::{ADAPTER_REMEDY, Error, Result};
use crate::store::{Paths, Settings, atomic_write};
use crate::view::ready;

/// Frames until everything has its final size.
const SETTLING_FRAMES: usize = 6;

/// Draws a tab with its stored result into a PNG file.
///
/// # Errors
/// When there is no such tab or no graphics adapter, or the file cannot be written.
pub fn screenshot(tabs: Vec<DemoTab>, args: &ScreenshotArgs, globals: &Globals) -> Result<()> {
    if !tabs.iter().any(|tab| tab.id == args.demo) {
        let names: Vec<&str> = tabs.iter().map(|tab| tab.id).collect();
        return Err(Error::Input(format!(
            "no tab is called {}, there is: {}",
            args.demo,
            names.join(", ")
        )));
    }
    let folder = TempDir::new().map_err(Error::io(
        "cannot make a folder",
        "the temporary folder".as_ref(),
    ))?;
    let settings = Settings {
        last_tab: args.demo.clone(),
        ..Settings::default()
    };
    let setup = AppSetup {
        tabs,
        worker: globals.worker_options(),
        paths: Paths::under(folder.path()),
        settings,
        notice: None,
        log: LogBuffer::default(),
        started: Instant::now(),
        mode: Mode::Still,
    };
    let image = draw(setup, args)?;
    atomic_write(&args.out, &image.encode_png()?)?;
    let mut report = globals.report();
    report.text(&format!("{}\n", args.out.display()));
    report.event(
        "result",
        &json!({ "path": args.out, "width": image.width, "height": image.height }),
    );
    Ok(())
}

fn draw(setup: AppSetup, args: &ScreenshotArgs) -> Result<Image> {
    let wgpu_setup = default_wgpu_setup();
    let no_adapter = |why: String| {
        Error::Graphics(format!(
            "no graphics adapter could be used ({why}); on Debian `{ADAPTER_REMEDY}` brings one in software"
        ))
    };
    let instance = ready(wgpu_setup.new_instance())
        .ok_or_else(|| no_adapter("the driver does not answer".into()))?;
    let config = egui_wgpu::WgpuConfiguration {
        wgpu_setup,
        ..Default::default()
    };
    let state = egui_wgpu::RenderState::create(
        &config,
        &instance,
        None,
        egui_wgpu::RendererOptions::PREDICTABLE,
    );
    let state = match ready(state) {
        Some(Ok(state)) => state,
        Some(Err(e)) => return Err(no_adapter(e.to_string())),
        None => return Err(no_adapter("the driver does not answer".into())),
    };
    let theme = match args.theme {
        ScreenshotTheme::Dark => egui::Theme::Dark,
        ScreenshotTheme::Light => egui::Theme::Light,
    };
    let mut failed = None;
    let mut harness = Harness::builder()
        .with_size(egui::vec2(f32::from(args.size[0]), f32::from(args.size[1])))
        .with_theme(theme)
        .with_render_cursor(false)
        .renderer(WgpuTestRenderer::from_render_state(state))
        .allow_missing_glyphs()
        .build_eframe(|cc| {
            // The preference must not follow the machine's.
            cc.egui_ctx.set_theme(theme);
            match App::new(cc, setup, Arc::new(Mutex::new(None))) {
                Ok(app) => Drawn(Some(app)),
                Err(e) => {
                    failed = Some(e);
                    Drawn(None)
                }
            }
        });
    // The compute thread tells its device's name a moment after it starts.
    let started = Instant::now();
    while harness
        .state()
        .0
        .as_ref()
        .is_some_and(|app| app.worker().device().is_none())
        && started.elapsed().as_secs() < 5
    {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    harness.run_steps(SETTLING_FRAMES);
    let picture = harness
        .render()
        .map_err(|e| Error::Graphics(format!("the tab could not be drawn: {e}")))?;
    drop(harness);
    if let Some(e) = failed {
        return Err(e);
    }
    Image::new(picture.width(), picture.height(), picture.into_raw())
}

/// An app that may have failed to start.
struct Drawn(Option<App>);

impl eframe::App for Drawn {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        if let Some(app) = &mut self.0 {
            app.logic(ctx, frame);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        if let Some(app) = &mut self.0 {
            app.ui(ui, frame);
        }
    }
}
