//! Shaders are sound, and views draw what their CPU references say.
#![cfg(feature = "gui")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::adapter_or_skip;
use egui::{Event, Vec2, pos2, vec2};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use egui_kittest::{Harness, Node};
use vitrine::data::{Image, Matrix};
use vitrine::rng::Rng;
use vitrine::view::shader::{EMBEDDED, Sources, resolve, validate};
use vitrine::view::{ColorMap, HeatMap, ImageView, Views};

// ---------------------------------------------------------------- shaders

/// Every file below `shaders/`, path with slashes and text.
fn shader_files() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut folders = vec![root.clone()];
    let mut files = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("shaders/ is readable") {
            let path = entry.expect("shaders/ is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).expect("below shaders/");
                let name = name.to_string_lossy().replace('\\', "/");
                files.insert(name, std::fs::read_to_string(path).expect("is text"));
            }
        }
    }
    files
}

#[test]
fn every_shader_passes_naga() {
    let files = shader_files();
    assert!(files.len() >= 4, "{files:?}");
    let mut imported = BTreeSet::new();
    for path in files.keys() {
        let shader = resolve(&Sources::Embedded, path).expect("resolves");
        let module = validate(&shader).expect("is sound");
        if !path.starts_with("lib/") {
            assert!(module.entry_points.len() >= 2, "{path} draws nothing");
            imported.extend(shader.files);
        }
    }
    let unused: Vec<_> = files
        .keys()
        .filter(|path| !imported.contains(*path))
        .collect();
    assert!(unused.is_empty(), "no shader imports {unused:?}");
}

#[test]
fn the_table_lists_exactly_the_files() {
    let table: BTreeMap<_, _> = EMBEDDED
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    assert_eq!(table.len(), EMBEDDED.len(), "a path is listed twice");
    assert_eq!(table, shader_files());
}

#[expect(clippy::disallowed_methods, reason = "scratch files of a test")]
fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("has a folder")).expect("makes the folder");
    std::fs::write(path, text).expect("writes");
}

/// A folder with these shaders.
fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().expect("makes a folder");
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    let sources = Sources::Folder(folder.path().to_path_buf());
    (folder, sources)
}

#[test]
fn an_import_is_taken_once_and_keeps_its_lines() {
    let (_folder, sources) = folder(&[
        (
            "a.wgsl",
            "#import \"lib/b.wgsl\"\n#import \"lib/c.wgsl\"\nconst A = B + C;\n",
        ),
        (
            "lib/b.wgsl",
            "// two\n#import \"lib/c.wgsl\"\nconst B = C;\n",
        ),
        ("lib/c.wgsl", "const C = 1;"),
    ]);
    let shader = resolve(&sources, "a.wgsl").expect("resolves");
    assert_eq!(
        shader.text,
        "// two\nconst C = 1;\nconst B = C;\nconst A = B + C;\n"
    );
    assert_eq!(shader.files, ["a.wgsl", "lib/b.wgsl", "lib/c.wgsl"]);
    for (line, origin) in [
        (1, "shaders/lib/b.wgsl:1"),
        (2, "shaders/lib/c.wgsl:1"),
        (3, "shaders/lib/b.wgsl:3"),
        (4, "shaders/a.wgsl:3"),
    ] {
        assert_eq!(shader.origin(line), Path::new(origin));
    }
}

#[test]
fn shader_errors_name_file_and_line() {
    let (_folder, sources) = folder(&[
        ("self.wgsl", "\n#import \"self.wgsl\""),
        ("circle.wgsl", "#import \"lib/circle.wgsl\""),
        ("lib/circle.wgsl", "//\n//\n#import \"circle.wgsl\""),
        ("unknown.wgsl", "//\n#import \"lib/nowhere.wgsl\""),
        ("malformed.wgsl", "#import lib/type.wgsl"),
        ("syntax.wgsl", "#import \"lib/syntax.wgsl\"\nconst X = 1;"),
        ("lib/syntax.wgsl", "const Y = 1;\nconst Z = (;\n"),
        (
            "type.wgsl",
            "const Y = 1;\n\nfn f() -> f32 { return vec2f(1.0); }\n",
        ),
    ]);
    for (path, reason, place) in [
        ("missing.wgsl", "cannot read", "shaders/missing.wgsl"),
        ("self.wgsl", "imports itself", "shaders/self.wgsl:2"),
        ("circle.wgsl", "imports itself", "shaders/lib/circle.wgsl:3"),
        (
            "unknown.wgsl",
            "no shader \"lib/nowhere.wgsl\"",
            "shaders/unknown.wgsl:2",
        ),
        (
            "malformed.wgsl",
            "an import is written",
            "shaders/malformed.wgsl:1",
        ),
        ("syntax.wgsl", "expected", "shaders/lib/syntax.wgsl:2"),
        ("type.wgsl", "f", "shaders/type.wgsl:3"),
    ] {
        let error = resolve(&sources, path)
            .and_then(|shader| validate(&shader).map(drop))
            .expect_err(path)
            .to_string();
        assert!(error.contains(reason), "{error}");
        assert!(error.ends_with(&format!(": {place}")), "{error}");
    }
}

// ---------------------------------------------------------------- drawing

/// A window of 400 × 300 that draws with software, and its views.
fn window<'a, State: 'a>(
    sources: Sources,
    state: State,
    show: impl FnMut(&mut egui::Ui, &mut State) + 'a,
) -> (Harness<'a, State>, Views) {
    let options = egui_wgpu::RendererOptions::PREDICTABLE;
    let render_state = create_render_state(default_wgpu_setup(), options);
    let renderer = WgpuTestRenderer::from_render_state(render_state.clone());
    let harness = Harness::builder()
        .with_size(vec2(400.0, 300.0))
        .with_render_cursor(false)
        .renderer(renderer)
        .with_context_setup(move |ctx| {
            Views::install_from(&render_state, ctx, sources).expect("installs");
        })
        .build_ui_state(show, state);
    let views = Views::of(&harness.ctx).expect("is installed");
    (harness, views)
}

/// The rendered pixels of a named widget.
fn pixels<State>(harness: &mut Harness<'_, State>, label: &str) -> image::RgbaImage {
    let rect = harness.get_by_label(label).rect();
    let picture = harness.render().expect("renders");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small whole numbers"
    )]
    let [x, y, width, height] =
        [rect.min.x, rect.min.y, rect.width(), rect.height()].map(|x| x.round() as u32);
    image::imageops::crop_imm(&picture, x, y, width, height).to_image()
}

fn noise(width: u32, height: u32) -> Arc<Image> {
    let mut rng = Rng::new(1);
    let bytes = (0..width * height * 4).map(|i| {
        let byte = rng.next_u64().to_le_bytes()[0];
        if i % 4 == 3 { 255 } else { byte }
    });
    Arc::new(Image::new(width, height, bytes.collect()).expect("fits"))
}

/// A picture of noise in a square of `side` points.
fn image_window(picture: &Arc<Image>, side: f32) -> (Harness<'static, ImageView>, Views) {
    let mut view = ImageView::new("picture");
    view.set(picture);
    window(Sources::Embedded, view, move |ui, view| {
        view.show(ui, Vec2::splat(side));
    })
}

/// The channel `c` at a place in pixels of the picture, interpolated between pixel middles.
fn linear(picture: &Image, x: f64, y: f64, c: usize) -> f64 {
    let at = |x: f64, y: f64| {
        let clamp = |v: f64, size: u32| v.clamp(0.0, f64::from(size - 1));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the picture"
        )]
        let [x, y] = [clamp(x, picture.width), clamp(y, picture.height)].map(|v| v as u32);
        f64::from(picture.pixel(x, y).expect("inside")[c])
    };
    let (x, y) = (x - 0.5, y - 0.5);
    let (fx, fy) = (x - x.floor(), y - y.floor());
    let (x, y) = (x.floor(), y.floor());
    let top = at(x, y) * (1.0 - fx) + at(x + 1.0, y) * fx;
    let bottom = at(x, y + 1.0) * (1.0 - fx) + at(x + 1.0, y + 1.0) * fx;
    top * (1.0 - fy) + bottom * fy
}

/// The largest difference between what was drawn and a reference (x, y, channel).
fn difference(drawn: &image::RgbaImage, reference: impl Fn(f64, f64, usize) -> f64) -> f64 {
    let mut most = 0.0_f64;
    for (x, y, pixel) in drawn.enumerate_pixels() {
        for c in 0..3 {
            let expected = reference(f64::from(x) + 0.5, f64::from(y) + 0.5, c);
            most = most.max((f64::from(pixel.0[c]) - expected).abs());
        }
    }
    most
}

#[test]
fn an_enlarged_picture_shows_its_pixels_as_squares() {
    if !adapter_or_skip() {
        return;
    }
    let picture = noise(64, 64);
    for (side, scale) in [(128.0, 2), (192.0, 3)] {
        let (mut harness, _) = image_window(&picture, side);
        let drawn = pixels(&mut harness, "picture");
        assert_eq!(drawn.dimensions(), (64 * scale, 64 * scale));
        for (x, y, pixel) in drawn.enumerate_pixels() {
            let expected = picture.pixel(x / scale, y / scale).expect("inside");
            for (got, expected) in pixel.0.into_iter().zip(expected) {
                assert!(got.abs_diff(expected) <= 1, "{x}, {y}: {got} {expected}");
            }
        }
    }
}

#[test]
fn a_picture_below_twice_its_size_is_interpolated() {
    if !adapter_or_skip() {
        return;
    }
    let picture = noise(64, 64);
    for side in [32.0, 48.0, 64.0, 96.0_f32] {
        let (mut harness, _) = image_window(&picture, side);
        let drawn = pixels(&mut harness, "picture");
        let scale = 64.0 / f64::from(side);
        let off = difference(&drawn, |x, y, c| linear(&picture, x * scale, y * scale, c));
        assert!(off <= 2.0, "{side}: {off}");
    }
}

#[test]
fn a_picture_at_an_eighth_is_the_mean_of_its_pixels() {
    if !adapter_or_skip() {
        return;
    }
    let picture = noise(64, 64);
    let (mut harness, _) = image_window(&picture, 8.0);
    let drawn = pixels(&mut harness, "picture");
    let off = difference(&drawn, |x, y, c| {
        let [x, y] = [x - 0.5, y - 0.5].map(|v| v * 8.0);
        let sum: f64 = (0..64)
            .map(|i| {
                linear(
                    &picture,
                    x + f64::from(i % 8) + 0.5,
                    y + f64::from(i / 8) + 0.5,
                    c,
                )
            })
            .sum();
        sum / 64.0
    });
    assert!(off <= 2.0, "{off}");
}

#[test]
fn transparent_pixels_show_a_checkerboard() {
    if !adapter_or_skip() {
        return;
    }
    // The colour of a transparent pixel must not show.
    let clear = Arc::new(Image::filled(4, 4, [255, 0, 255, 0]));
    let half = Arc::new(Image::filled(4, 4, [255, 255, 255, 128]));
    let (mut harness, _) = image_window(&clear, 64.0);
    let board = pixels(&mut harness, "picture");
    harness.state_mut().set(&half);
    harness.step();
    let mixed = pixels(&mut harness, "picture");
    let (even, odd) = (board.get_pixel(1, 1).0, board.get_pixel(9, 1).0);
    assert!(even[0].abs_diff(odd[0]) > 20, "{even:?} {odd:?}");
    for (x, y, pixel) in board.enumerate_pixels() {
        let expected = if (x / 8 + y / 8) % 2 == 0 { even } else { odd };
        assert_eq!(pixel.0, expected, "{x}, {y}");
        assert_eq!(pixel.0[0], pixel.0[1], "grey");
        let blend = 128.0 + f64::from(expected[0]) * (127.0 / 255.0);
        let got = f64::from(mixed.get_pixel(x, y).0[0]);
        assert!((got - blend).abs() <= 1.0, "{x}, {y}: {got} {blend}");
    }
}

#[test]
fn a_texture_is_written_when_its_picture_changes() {
    if !adapter_or_skip() {
        return;
    }
    let (first, second) = (
        noise(16, 16),
        Arc::new(Image::filled(16, 16, [9, 8, 7, 255])),
    );
    let (mut harness, views) = image_window(&first, 64.0);
    for _ in 0..3 {
        harness.state_mut().set(&first);
        harness.step();
        harness.render().expect("renders");
    }
    assert_eq!((views.uploads(), views.live()), (1, 1));
    harness.state_mut().set(&second);
    harness.step();
    assert_eq!(
        pixels(&mut harness, "picture").get_pixel(5, 5).0,
        [9, 8, 7, 255]
    );
    assert_eq!((views.uploads(), views.live()), (2, 1));
    harness
        .state_mut()
        .set(&Arc::new(Image::filled(3, 5, [1, 2, 3, 255])));
    harness.step();
    assert_eq!(
        pixels(&mut harness, "picture").get_pixel(32, 32).0,
        [1, 2, 3, 255]
    );
    assert_eq!((views.uploads(), views.live()), (3, 1));
}

#[test]
fn zooming_keeps_the_pixel_under_the_pointer() {
    if !adapter_or_skip() {
        return;
    }
    let picture = noise(100, 50);
    let mut view = ImageView::new("picture");
    view.set(&picture);
    let state = (view, None, None);
    let (mut harness, _) = window(Sources::Embedded, state, |ui, (view, pixel, placement)| {
        let shown = view.show(ui, vec2(200.0, 200.0));
        (*pixel, *placement) = (shown.pixel, shown.placement);
    });
    let rect = harness.get_by_label("picture").rect();
    let at = rect.min + vec2(41.0, 71.0);
    harness.hover_at(at);
    harness.run_steps(2);
    // Twice its size, in the middle of 200 × 200: 50 points of room above.
    assert_eq!(harness.state().1, Some([20, 10]));
    for _ in 0..3 {
        harness.event(Event::Zoom(1.5));
        harness.run_steps(2);
        assert_eq!(harness.state().1, Some([20, 10]));
    }
    let zoomed = harness.state().2.expect("has a picture");
    assert!(
        (zoomed.cell.x - 2.0 * 1.5_f32.powi(3)).abs() < 1e-3,
        "{zoomed:?}"
    );
    let drawn = harness.render().expect("renders").get_pixel(49, 79).0;
    assert_eq!(Some(drawn), picture.pixel(20, 10), "at {at}");

    harness.drag_at(at);
    harness.step();
    harness.hover_at(at + vec2(30.0, 10.0));
    harness.step();
    harness.step();
    assert_eq!(
        harness.state().1,
        Some([20, 10]),
        "the picture follows a drag"
    );
    harness.drop_at(at + vec2(30.0, 10.0));
    harness.step();

    harness.state_mut().0.fit();
    harness.run_steps(2);
    let fitted = harness.state().2.expect("has a picture");
    assert_eq!(
        (fitted.cell.x, fitted.rect().size()),
        (2.0, vec2(200.0, 100.0))
    );
}

#[test]
fn a_view_half_outside_the_window_is_not_squeezed() {
    if !adapter_or_skip() {
        return;
    }
    let picture = noise(64, 64);
    let mut view = ImageView::new("picture");
    view.set(&picture);
    let (mut harness, _) = window(Sources::Embedded, view, |ui, view| {
        let place = egui::Rect::from_min_size(pos2(300.0, -60.0), Vec2::splat(192.0));
        ui.scope_builder(egui::UiBuilder::new().max_rect(place), |ui| {
            ui.set_clip_rect(egui::Rect::EVERYTHING);
            view.show(ui, Vec2::splat(192.0));
        });
    });
    let drawn = harness.render().expect("renders");
    for (x, y) in [(300, 0), (355, 70), (399, 131)] {
        let expected = picture.pixel((x - 300) / 3, (y + 60) / 3).expect("inside");
        assert_eq!(drawn.get_pixel(x, y).0, expected, "{x}, {y}");
    }
}

// ---------------------------------------------------------------- heat maps

fn heat_window(matrix: &Arc<Matrix>, map: ColorMap) -> (Harness<'static, HeatMap>, Views) {
    let mut view = HeatMap::new("weights", map);
    view.set(matrix);
    window(Sources::Embedded, view, |ui, view| {
        view.show(ui, vec2(200.0, 150.0));
    })
}

#[test]
fn cells_have_the_colors_of_the_rust_twin() {
    if !adapter_or_skip() {
        return;
    }
    let mut rng = Rng::new(2);
    #[expect(clippy::cast_possible_truncation, reason = "a number to look at")]
    let values: Vec<f32> = (0..15 * 20).map(|_| rng.normal() as f32).collect();
    let matrix = Arc::new(Matrix::new(15, 20, values).expect("fits"));
    for map in ColorMap::ALL {
        let (mut harness, _) = heat_window(&matrix, map);
        for range in [None, Some([-0.5, 0.25])] {
            harness.state_mut().range = range;
            harness.step();
            let drawn = pixels(&mut harness, "weights");
            for (x, y, pixel) in drawn.enumerate_pixels() {
                let value = matrix
                    .get(y as usize / 10, x as usize / 10)
                    .expect("inside");
                let expected = harness.state().rgb8(value).expect("a number");
                for (got, expected) in pixel.0.into_iter().zip(expected) {
                    assert!(
                        got.abs_diff(expected) <= 2,
                        "{map:?} {x}, {y}: {got} {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn missing_values_are_hatched_and_infinite_ones_are_not() {
    if !adapter_or_skip() {
        return;
    }
    let values = vec![f32::NAN, 0.0, f32::INFINITY, 1.0, f32::NEG_INFINITY, 0.5];
    let matrix = Arc::new(Matrix::new(2, 3, values).expect("fits"));
    let (mut harness, _) = heat_window(&matrix, ColorMap::Viridis);
    harness.state_mut().square_cells = false;
    harness.step();
    let drawn = pixels(&mut harness, "weights");
    let colors = |row: u32, col: u32| -> BTreeSet<[u8; 4]> {
        let (left, top) = (col * 200 / 3 + 2, row * 75 + 2);
        (0..60 * 60)
            .map(|i| drawn.get_pixel(left + i % 60, top + i / 60).0)
            .collect()
    };
    let hatch: Vec<_> = colors(0, 0).into_iter().collect();
    assert_eq!(hatch.len(), 2, "ground and line: {hatch:?}");
    assert!(hatch[0][0].abs_diff(hatch[1][0]) > 40, "{hatch:?}");
    for (row, col) in [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        assert_eq!(colors(row, col).len(), 1, "{row}, {col}");
    }
    assert_eq!(colors(0, 2), colors(1, 0), "1 is the greatest finite value");
    assert_eq!(colors(0, 1), colors(1, 1), "0 is the least");
}

#[test]
fn the_cell_under_the_pointer_and_the_highlight_are_found() {
    if !adapter_or_skip() {
        return;
    }
    let matrix = Arc::new(Matrix::new(3, 4, vec![0.0; 12]).expect("fits"));
    let mut view = HeatMap::new("weights", ColorMap::Cividis);
    view.set(&matrix);
    let (mut harness, _) = window(Sources::Embedded, (view, None), |ui, (view, cell)| {
        *cell = view.show(ui, vec2(200.0, 150.0)).cell;
    });
    let plain = pixels(&mut harness, "weights");
    let rect = harness.get_by_label("weights").rect();
    harness.hover_at(rect.min + vec2(155.0, 55.0));
    harness.run_steps(2);
    assert_eq!(harness.state().1, Some([1, 3]), "row, column");
    harness.state_mut().0.highlight = Some([1, 2]);
    harness.run_steps(2);
    let marked = pixels(&mut harness, "weights");
    assert_eq!(
        plain.get_pixel(125, 75),
        marked.get_pixel(125, 75),
        "inside"
    );
    assert_ne!(
        plain.get_pixel(125, 49),
        marked.get_pixel(125, 49),
        "its edge"
    );
    harness.state_mut().0.highlight = Some([99, 0]);
    harness.run_steps(2);
    assert_eq!(plain, pixels(&mut harness, "weights"), "outside: nothing");
}

#[test]
fn a_matrix_longer_than_a_texture_is_drawn_whole() {
    if !adapter_or_skip() {
        return;
    }
    // 20 003 columns do not fit in one row of a texture, nor do they fill whole rows of it.
    let cols = 20_003;
    let mut values = vec![0.0; 3 * cols];
    values[2 * cols..].fill(1.0);
    values[cols..cols + cols / 2].fill(1.0);
    let matrix = Arc::new(Matrix::new(3, cols, values).expect("fits"));
    let (mut harness, views) = heat_window(&matrix, ColorMap::Viridis);
    harness.state_mut().square_cells = false;
    harness.step();
    let drawn = pixels(&mut harness, "weights");
    for (x, y, value) in [(3, 25, 0.0), (60, 75, 1.0), (160, 75, 0.0), (197, 125, 1.0)] {
        let expected = harness.state().rgb8(value).expect("a number");
        assert_eq!(drawn.get_pixel(x, y).0[..3], expected, "{x}, {y}");
    }
    assert_eq!(views.live(), 1);
}

#[test]
fn a_matrix_beyond_all_textures_is_refused_with_text() {
    if !adapter_or_skip() {
        return;
    }
    let matrix = Arc::new(Matrix::new(8193, 8192, vec![0.0; 8193 * 8192]).expect("fits"));
    let (mut harness, views) = heat_window(&matrix, ColorMap::Viridis);
    harness.render().expect("renders");
    harness.get_by_label(
        "the matrix has 8193 × 8192 cells, this graphics adapter draws up to 67 million",
    );
    assert_eq!(views.live(), 0);
}

// ---------------------------------------------------------------- life of views

#[test]
fn dropped_views_leave_nothing_behind() {
    if !adapter_or_skip() {
        return;
    }
    let matrix = Arc::new(Matrix::new(2, 2, vec![0.0, 1.0, 2.0, 3.0]).expect("fits"));
    let picture = noise(8, 8);
    let (mut harness, views) = window(Sources::Embedded, None, |ui, state| {
        if let Some((image, heat)) = state {
            let (image, heat): (&mut ImageView, &mut HeatMap) = (image, heat);
            image.show(ui, Vec2::splat(16.0));
            heat.show(ui, Vec2::splat(16.0));
        }
    });
    for _ in 0..200 {
        let (mut image, mut heat) = (
            ImageView::new("picture"),
            HeatMap::new("weights", ColorMap::Viridis),
        );
        image.set(&picture);
        heat.set(&matrix);
        *harness.state_mut() = Some((image, heat));
        harness.step();
        harness.render().expect("renders");
        assert_eq!(views.live(), 2);
        *harness.state_mut() = None;
        // The frame that no longer shows them lets go of the last one's callbacks.
        harness.step();
        assert_eq!(views.live(), 0);
    }
    assert_eq!(views.uploads(), 400, "each was drawn");
}

#[test]
fn without_wgpu_a_view_says_so() {
    let matrix = Arc::new(Matrix::new(1, 1, vec![0.0]).expect("fits"));
    let mut views = (
        ImageView::new("picture"),
        HeatMap::new("weights", ColorMap::Viridis),
    );
    views.0.set(&noise(8, 8));
    views.1.set(&matrix);
    let harness = Harness::new_ui_state(
        |ui, (image, heat)| {
            image.show(ui, Vec2::splat(100.0));
            heat.show(ui, Vec2::splat(100.0));
        },
        views,
    );
    let named = |label| harness.get_by_role_and_label(egui::Role::Image, label);
    named("picture");
    named("weights");
    let notices: Vec<Node<'_>> = harness
        .query_all_by_label("no graphics adapter to draw this with")
        .collect();
    assert_eq!(notices.len(), 2);
}

/// Collects what is logged while it is in scope.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::ERROR)
            .with_writer(move || log.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("not poisoned");
        String::from_utf8_lossy(&bytes)
            .lines()
            .filter(|line| line.contains("vitrine"))
            .map(str::to_owned)
            .collect()
    }
}

#[test]
fn a_missing_pipeline_is_reported_once() {
    if !adapter_or_skip() {
        return;
    }
    let log = Log::default();
    let _scope = log.begin();
    // One window's handle in the context of another, whose renderer knows nothing of views.
    let (_window, views) = image_window(&noise(4, 4), 16.0);
    let picture = noise(4, 4);
    let mut view = ImageView::new("picture");
    view.set(&picture);
    let mut harness = Harness::builder().wgpu().build_ui_state(
        |ui, view: &mut ImageView| {
            view.show(ui, Vec2::splat(64.0));
        },
        view,
    );
    harness
        .ctx
        .data_mut(|data| data.insert_temp(egui::Id::unique("vitrine views"), views));
    for _ in 0..3 {
        harness.step();
        harness.render().expect("renders");
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("views cannot draw"), "{lines:?}");
}

#[test]
fn a_broken_shader_keeps_the_last_good_one() {
    if !adapter_or_skip() {
        return;
    }
    let log = Log::default();
    let _scope = log.begin();
    let (folder, sources) = folder(EMBEDDED);
    let picture = noise(16, 16);
    let mut view = ImageView::new("picture");
    view.set(&picture);
    let (mut harness, _) = window(sources, view, |ui, view| {
        view.show(ui, Vec2::splat(64.0));
    });
    let good = pixels(&mut harness, "picture");
    let text = resolve(&Sources::Embedded, "image.wgsl")
        .expect("resolves")
        .text;
    let mut after = |text: &str| {
        write(folder.path(), "image.wgsl", text);
        // Three looks: at the change, and twice at the same text.
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(520));
            harness.step();
            harness.render().expect("renders");
        }
        pixels(&mut harness, "picture")
    };

    assert_eq!(after("fn broken( {"), good, "does not parse");
    assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
    assert!(
        log.lines()[0].ends_with(": shaders/image.wgsl:1"),
        "{:?}",
        log.lines()
    );

    assert_eq!(
        after(&text.replace("fs_main", "fs_other")),
        good,
        "no entry point"
    );
    assert_eq!(log.lines().len(), 2, "{:?}", log.lines());

    let red = after(&text.replace(
        "return to_target(color",
        "return vec4f(1, 0, 0, 1) + 0 * to_target(color",
    ));
    assert_eq!(log.lines().len(), 2, "{:?}", log.lines());
    assert_eq!(
        red.get_pixel(30, 30).0,
        [255, 0, 0, 255],
        "a good change shows"
    );
}

// ---------------------------------------------------------------- untrusted pictures

#[test]
fn hostile_pictures_are_refused_at_once() {
    let png = noise(300, 300).encode_png().expect("encodes");
    let mut rng = Rng::new(3);
    let random: Vec<u8> = (0..100_000)
        .map(|_| rng.next_u64().to_le_bytes()[0])
        .collect();
    let after = |magic: &[u8]| [magic, &random].concat();
    let mut files = vec![
        ("huge", common::png_header(60_000, 60_000), "60000 × 60000"),
        ("wide", common::png_header(8193, 1), "at most 8192"),
        (
            "beyond",
            common::png_header(u32::MAX, u32::MAX),
            "cannot decode",
        ),
        ("nothing", common::png_header(0, 7), "cannot decode"),
        ("empty", vec![], "not a picture"),
        ("random", random.clone(), "not a picture"),
        ("random png", after(b"\x89PNG\r\n\x1a\n"), "cannot decode"),
        ("random jpeg", after(b"\xff\xd8\xff\xe0"), "cannot decode"),
        (
            "random webp",
            after(b"RIFF\xff\xff\xff\xffWEBP"),
            "cannot decode",
        ),
        ("random gif", after(b"GIF89a"), ""),
        (
            "huge gif",
            after(b"GIF89a\xff\xff\xff\xff\0\0\0"),
            "65535 × 65535",
        ),
    ];
    for cut in [9, 20, 33, 57, png.len() / 2, png.len() - 20] {
        files.push(("truncated", png[..cut].to_vec(), "cannot decode"));
    }
    for (name, bytes, reason) in files {
        let path = format!("{name}.png");
        let start = Instant::now();
        let result = Image::decode(&bytes, Path::new(&path));
        let took = start.elapsed();
        assert!(took < Duration::from_millis(50), "{name}: {took:?}");
        let error = result.expect_err(name).to_string();
        assert!(error.contains(reason), "{name}: {error}");
        assert!(error.ends_with(&format!(": {path}")), "{name}: {error}");
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let whole = noise(24, 24).encode_png().expect("encodes");
    let mut rng = Rng::new(4);
    for _ in 0..500 {
        let mut png = whole.clone();
        for _ in 0..4 {
            let at = rng.below(png.len());
            png[at] = rng.next_u64().to_le_bytes()[0];
        }
        // Some damage is harmless; only a panic or a picture of the wrong size would be a fault.
        if let Ok(image) = Image::decode(&png, Path::new("damaged.png")) {
            assert!(image.is_consistent());
        }
    }
}

#[test]
fn the_largest_picture_allowed_is_read() {
    let image = Image::filled(8192, 2, [7, 7, 7, 255]);
    let png = image.encode_png().expect("encodes");
    assert_eq!(
        Image::decode(&png, Path::new("wide.png")).expect("decodes"),
        image
    );
}
