//! Tests that draw, and what must not grow.

use std::fs;
use std::sync::{Arc, Mutex};

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use egui_kittest::{SnapshotOptions, image_snapshot_options};
use egui_wgpu::{RendererOptions, wgpu};
use vitrine::Error;
use vitrine::cli::{Globals, ScreenshotArgs, ScreenshotTheme};
use vitrine::compute::DeviceChoice;
use vitrine::store::Settings;

use super::common::adapter_or_skip;
use super::window::{Drive as _, Home, bench, build, tabs};

/// Draws a tab the way `vitrine screenshot` does and compares it with the stored picture.
fn compare(demo: &str, name: &str, theme: ScreenshotTheme) {
    if !adapter_or_skip() {
        return;
    }
    let home = Home::new();
    let args = ScreenshotArgs {
        demo: demo.into(),
        out: home.file("tab.png"),
        size: [1100, 720],
        theme,
    };
    let globals = Globals {
        seed: 0,
        threads: Some(2),
        device: DeviceChoice::Cpu,
        json: false,
    };
    vitrine::gui::screenshot(tabs(), &args, &globals).expect("it can be drawn");
    let picture = image::open(&args.out).expect("a picture").to_rgba8();
    assert_eq!(picture.dimensions(), (1100, 720));
    image_snapshot_options(&picture, name, &SnapshotOptions::new());
}

#[test]
fn the_gpt_tab_looks_as_stored_in_the_dark() {
    compare("gpt", "gpt_dark", ScreenshotTheme::Dark);
}

#[test]
fn the_gpt_tab_looks_as_stored_in_the_light() {
    compare("gpt", "gpt_light", ScreenshotTheme::Light);
}

#[test]
fn the_automl_tab_looks_as_stored_in_the_dark() {
    compare("automl", "automl_dark", ScreenshotTheme::Dark);
}

#[test]
fn the_automl_tab_looks_as_stored_in_the_light() {
    compare("automl", "automl_light", ScreenshotTheme::Light);
}

#[test]
fn the_lottery_tab_looks_as_stored_in_the_dark() {
    compare("lottery", "lottery_dark", ScreenshotTheme::Dark);
}

#[test]
fn the_lottery_tab_looks_as_stored_in_the_light() {
    compare("lottery", "lottery_light", ScreenshotTheme::Light);
}

#[test]
fn the_pulse_tab_looks_as_stored_in_the_dark() {
    compare("pulse", "pulse_dark", ScreenshotTheme::Dark);
}

#[test]
fn the_pulse_tab_looks_as_stored_in_the_light() {
    compare("pulse", "pulse_light", ScreenshotTheme::Light);
}

#[test]
fn the_drawing_tab_looks_as_stored_in_the_dark() {
    compare("sketch", "sketch_dark", ScreenshotTheme::Dark);
}

#[test]
fn the_drawing_tab_looks_as_stored_in_the_light() {
    compare("sketch", "sketch_light", ScreenshotTheme::Light);
}

#[test]
fn every_part_can_be_drawn() {
    if !adapter_or_skip() {
        return;
    }
    let settings = Settings {
        show_log: true,
        ..Settings::default()
    };
    let setup = Home::new().setup(settings, None);
    let mut window = build(bench().wgpu(), setup, Arc::default());
    for view in ["Surprise", "Surprise", "Alternatives"] {
        window.get_by_role_and_label(Role::Button, view).click();
        window.run_steps(3);
        let picture = window.render().expect("it can be drawn");
        let colours: std::collections::HashSet<_> = picture.pixels().map(|p| p.0).collect();
        assert!(colours.len() > 100, "{view}: the picture is not empty");
    }
}

/// Why the window closed by itself.
#[track_caller]
fn assert_told(failure: &Mutex<Option<Error>>, what: &str) {
    let told = failure.lock().expect("unpoisoned").take();
    assert!(
        matches!(&told, Some(Error::Graphics(text)) if text.contains(what)),
        "{told:?}"
    );
}

#[test]
fn a_lost_device_promises_nothing_where_nothing_was_saved() {
    if !adapter_or_skip() {
        return;
    }
    let home = Home::new();
    let first = home.open();
    let failure: Arc<Mutex<Option<Error>>> = Arc::default();
    let state = create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE);
    let device = state.device.clone();
    let drawn = bench().renderer(WgpuTestRenderer::from_render_state(state));
    // The first window has the autosave.
    let setup = home.setup(Settings::default(), None);
    let mut second = build(drawn, setup, Arc::clone(&failure));
    device.destroy();
    let _ = device.poll(wgpu::PollType::Poll);
    second.run_steps(5);
    assert_told(&failure, "the session could not be saved");
    drop(first);
}

#[test]
fn a_lost_graphics_device_costs_nothing() {
    if !adapter_or_skip() {
        return;
    }
    let home = Home::new();
    let failure: Arc<Mutex<Option<Error>>> = Arc::default();
    let state = create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE);
    let device = state.device.clone();
    let drawn = bench().renderer(WgpuTestRenderer::from_render_state(state));
    let setup = home.setup(Settings::default(), None);
    let mut window = build(drawn, setup, Arc::clone(&failure));
    window.focus_notebook();
    window.type_in(" Then it rained.");
    let text = window.text();
    assert!(!home.paths().autosave_file().exists());

    device.destroy();
    let _ = device.poll(wgpu::PollType::Poll);
    // Frames without drawing: there is nothing to draw on.
    let mut closing = false;
    for _ in 0..20 {
        window.step();
        let commands = &window.output().viewport_output[&egui::ViewportId::ROOT].commands;
        closing |= commands.contains(&egui::ViewportCommand::Close);
    }
    assert!(closing, "the window closes");
    let stored = fs::read_to_string(home.paths().autosave_file()).expect("it was stored");
    assert!(stored.contains("Then it rained."));
    assert_told(&failure, "the session was saved");
    eframe::App::on_exit(window.state_mut());
    drop(window);
    let window = home.open();
    assert_eq!(window.text(), text);
    assert!(window.state().toasts().shows("the session was restored"));
}

/// The memory of this process in MB.
#[cfg(target_os = "linux")]
fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("it can be read");
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .expect("a line");
    let kb = line
        .split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse::<f64>().ok());
    kb.expect("a number") / 1e3
}

/// Runs in a process of its own: other tests load models meanwhile.
#[cfg(target_os = "linux")]
#[test]
fn a_hundred_windows_leave_nothing_behind() {
    const ALONE: &str = "VITRINE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test = std::env::current_exe().expect("a path");
        let name = "pictures::a_hundred_windows_leave_nothing_behind";
        let output = std::process::Command::new(test)
            .args(["--exact", name, "--nocapture"])
            .env(ALONE, "1")
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let more = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}\n{more}"
        );
        return;
    }
    let open_and_close = |count: usize| {
        for _ in 0..count {
            let mut window = Home::new().open();
            window.write("Some text");
            eframe::App::on_exit(window.state_mut());
        }
    };
    open_and_close(10);
    let before = resident_mb();
    open_and_close(100);
    let grown = resident_mb() - before;
    assert!(
        grown < 30.0,
        "{grown:.1} MB more after 100 windows than {before:.1}"
    );
}
