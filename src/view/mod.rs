//! Drawing with wgpu inside egui: pictures, heat maps and figures that are larger or livelier than
//! egui's own shapes allow. Knows no tensors and no demos.
//!
//! [`Views::install`] compiles the shaders once and leaves them in two places: the pipelines in
//! egui's callback resources, where paint callbacks find them, and a [`Views`] handle in the
//! [`egui::Context`], where a view finds out whether it can draw. So a view is made without
//! passing anything around, and in a window without wgpu it shows a line of text instead.
//!
//! A view (such as [`ImageView`]) is kept between frames by whoever shows it, in one place of one
//! window. It owns its texture; dropping the view frees it.

pub mod board;
mod colormap;
pub mod grid;
mod heatmap;
mod image;
pub mod mesh;
mod paint;
mod pipeline;
mod placement;
pub mod shader;
mod shapes;
mod speak;
pub mod tidy;
pub mod tree;
mod zoom;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

pub use self::colormap::ColorMap;
pub use self::heatmap::{HeatMap, HeatMapResponse};
pub use self::image::{ImageResponse, ImageView};
pub use self::placement::Placement;
pub use self::shapes::{Figure, Shape, Shapes};

use self::pipeline::Pipelines;
use self::shader::Sources;
use crate::Result;

/// The graphics adapters of this machine, software ones included, such as
/// `llvmpipe (Vulkan, software)`.
#[must_use]
pub fn adapter_names() -> Vec<String> {
    use egui_wgpu::wgpu;

    let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    let instance = wgpu::Instance::new(descriptor);
    let adapters = ready(instance.enumerate_adapters(wgpu::Backends::all())).unwrap_or_default();
    let name = |adapter: &wgpu::Adapter| {
        let info = adapter.get_info();
        let kind = if info.device_type == wgpu::DeviceType::Cpu {
            ", software"
        } else {
            ""
        };
        format!("{} ({:?}{kind})", info.name, info.backend)
    };
    adapters.iter().map(name).collect()
}

/// The value of a future of wgpu's, which on native systems never waits for anything but itself.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    use std::task::{Context, Poll, Waker};

    let mut future = std::pin::pin!(future);
    for _ in 0..1000 {
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(value) => return Some(value),
            Poll::Pending => std::thread::yield_now(),
        }
    }
    None
}

/// Says that views can draw in a window, and with what limits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Views(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The most texels in a side of a texture.
    max_side: u32,
    /// Whether figures that turn can be drawn.
    figures: bool,
    /// Views that hold a texture.
    live: AtomicUsize,
    /// Textures written since the start.
    uploads: AtomicU64,
    missing_reported: AtomicBool,
}

impl Views {
    /// Compiles the shaders and makes views draw in this window; call it once at the start.
    ///
    /// A debug build reads the shaders from the source folder and follows changes there: the next
    /// frame after half a second shows them.
    ///
    /// # Errors
    /// When the graphics adapter refuses the shaders; views then show text instead.
    pub fn install(render_state: &egui_wgpu::RenderState, ctx: &egui::Context) -> Result<Self> {
        Self::install_from(render_state, ctx, Sources::for_this_build())
    }

    /// As [`Views::install`], with shaders from somewhere else.
    ///
    /// # Errors
    /// As [`Views::install`].
    pub fn install_from(
        render_state: &egui_wgpu::RenderState,
        ctx: &egui::Context,
        sources: Sources,
    ) -> Result<Self> {
        let device = &render_state.device;
        let pipelines = Pipelines::new(device, render_state.target_format, sources)?;
        let views = Self(Arc::new(Shared {
            max_side: device.limits().max_texture_dimension_2d,
            figures: pipelines.meshes().is_some(),
            live: AtomicUsize::new(0),
            uploads: AtomicU64::new(0),
            missing_reported: AtomicBool::new(false),
        }));
        let mut renderer = render_state.renderer.write();
        renderer.callback_resources.insert(pipelines);
        ctx.data_mut(|data| data.insert_temp(Self::id(), views.clone()));
        Ok(views)
    }

    fn id() -> egui::Id {
        egui::Id::unique("vitrine views")
    }

    /// The handle of this window; `None` where there is no wgpu.
    #[must_use]
    pub fn of(ctx: &egui::Context) -> Option<Self> {
        ctx.data(|data| data.get_temp(Self::id()))
    }

    /// Whether the graphics adapter can draw figures that turn; those with OpenGL alone may lack
    /// what they need.
    #[must_use]
    pub fn can_turn(&self) -> bool {
        self.0.figures
    }

    /// How many views hold a texture now.
    #[must_use]
    pub fn live(&self) -> usize {
        self.0.live.load(Ordering::Relaxed)
    }

    /// How many times a texture was written since the start.
    #[must_use]
    pub fn uploads(&self) -> u64 {
        self.0.uploads.load(Ordering::Relaxed)
    }

    fn report_missing_pipelines(&self) {
        if !self.0.missing_reported.swap(true, Ordering::Relaxed) {
            tracing::error!("views cannot draw: their pipelines are not in egui's renderer");
        }
    }
}

/// Writes a line in the middle of a view that cannot draw. It does not take the pointer from it.
fn notice_ui(ui: &mut egui::Ui, rect: egui::Rect, text: &str) {
    ui.put(rect, egui::Label::new(text).selectable(false));
}

/// Whether dark text reads better than light text on this colour: by WCAG 2's contrast, from a
/// luminance of 0.18 on.
fn is_light(color: egui::Color32) -> bool {
    let linear = egui::Rgba::from(color);
    0.2126 * linear.r() + 0.7152 * linear.g() + 0.0722 * linear.b() > 0.18
}

const NO_GRAPHICS: &str = "no graphics adapter to draw this with";
const NO_FIGURES: &str = "this graphics adapter cannot draw figures that turn";
