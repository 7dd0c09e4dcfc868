//! The paint callback of all views, and what a view owns on the graphics card.
//!
//! A view shares its [`Slot`] with the callbacks of the frames in flight. The last of them to go
//! frees the texture: no table of views, nothing to forget.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use egui::mutex::Mutex;
use egui_wgpu::wgpu;

use super::Views;
use super::pipeline::{Pipelines, Program};
use crate::data::{Image, Matrix};

/// Where a view keeps its resources; empty until it is drawn.
pub(super) type Slot = Arc<Mutex<Option<Resources>>>;

/// What a view shows.
#[derive(Clone, Debug)]
pub(super) enum Texels {
    Image(Arc<Image>),
    Matrix(Arc<Matrix>),
}

impl Texels {
    fn format(&self) -> wgpu::TextureFormat {
        match self {
            // Not `…Srgb`: the bytes are gamma-encoded, and so are the colours that egui wants.
            Self::Image(_) => wgpu::TextureFormat::Rgba8Unorm,
            Self::Matrix(_) => wgpu::TextureFormat::R32Float,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Image(image) => &image.rgba,
            Self::Matrix(matrix) => bytemuck::cast_slice(matrix.values()),
        }
    }

    /// The texture's width and height. A matrix with a side beyond what a texture can have is
    /// wrapped at the greatest width.
    pub(super) fn texture_size(&self, max_side: u32) -> [u32; 2] {
        match self {
            Self::Image(image) => [image.width, image.height],
            Self::Matrix(matrix) => {
                let side = |n: usize| u32::try_from(n).ok().filter(|&n| n <= max_side);
                if let (Some(cols), Some(rows)) = (side(matrix.cols()), side(matrix.rows())) {
                    [cols, rows]
                } else {
                    let rows = matrix.values().len().div_ceil(max_side.max(1) as usize);
                    [max_side, u32::try_from(rows).unwrap_or(u32::MAX)]
                }
            }
        }
    }
}

/// A view's texture and uniforms.
pub(super) struct Resources {
    texture: wgpu::Texture,
    uniforms: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    /// The revision in the texture.
    revision: Option<u64>,
    views: Views,
}

impl Drop for Resources {
    fn drop(&mut self) {
        self.views.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Resources {
    fn new(
        device: &wgpu::Device,
        pipelines: &Pipelines,
        views: &Views,
        texels: &Texels,
        uniform_bytes: usize,
    ) -> Self {
        let [width, height] = texels.texture_size(views.0.max_side);
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("view"),
            size: wgpu::Extent3d {
                width,
                height,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: texels.format(),
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let uniforms = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("view"),
            size: uniform_bytes as wgpu::BufferAddress,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bind_group = pipelines.bind(device, &uniforms, &texture);
        views.0.live.fetch_add(1, Ordering::Relaxed);
        Self {
            texture,
            uniforms,
            bind_group,
            revision: None,
            views: views.clone(),
        }
    }

    /// Whether these resources belong to that window and have room for exactly these texels.
    fn suits(&self, views: &Views, texels: &Texels) -> bool {
        let size = [self.texture.width(), self.texture.height()];
        Arc::ptr_eq(&self.views.0, &views.0)
            && size == texels.texture_size(views.0.max_side)
            && self.texture.format() == texels.format()
    }

    fn upload(&self, queue: &wgpu::Queue, texels: &Texels) {
        let bytes = texels.bytes();
        // Both formats have four bytes a texel.
        let row_bytes = self.texture.width() as usize * 4;
        let full_rows = bytes.len() / row_bytes;
        let (full, rest) = bytes.split_at(full_rows * row_bytes);
        let mut y = 0;
        for part in [full, rest] {
            let width = part.len().min(row_bytes) / 4;
            let height = part.len().div_ceil(row_bytes);
            if height == 0 {
                continue;
            }
            let [width, height] = [width, height].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            queue.write_texture(
                wgpu::TexelCopyTextureInfo {
                    texture: &self.texture,
                    mip_level: 0,
                    origin: wgpu::Origin3d { x: 0, y, z: 0 },
                    aspect: wgpu::TextureAspect::All,
                },
                part,
                wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(width * 4),
                    rows_per_image: None,
                },
                wgpu::Extent3d {
                    width,
                    height,
                    depth_or_array_layers: 1,
                },
            );
            y += height;
        }
    }
}

/// Draws a view into egui's render pass.
pub(super) struct Paint<Uniforms> {
    pub(super) program: Program,
    pub(super) views: Views,
    pub(super) slot: Slot,
    pub(super) uniforms: Uniforms,
    pub(super) texels: Texels,
    /// Changes with the texels; equal numbers are uploaded once.
    pub(super) revision: u64,
}

impl<Uniforms: bytemuck::Pod + Send + Sync> egui_wgpu::CallbackTrait for Paint<Uniforms> {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _screen: &egui_wgpu::ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        resources: &mut egui_wgpu::CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let Some(pipelines) = resources.get_mut::<Pipelines>() else {
            self.views.report_missing_pipelines();
            return Vec::new();
        };
        pipelines.follow_sources(device);
        let uniforms = bytemuck::bytes_of(&self.uniforms);
        let mut slot = self.slot.lock();
        let own = match slot
            .take()
            .filter(|own| own.suits(&self.views, &self.texels))
        {
            Some(own) => own,
            None => Resources::new(device, pipelines, &self.views, &self.texels, uniforms.len()),
        };
        let own = slot.insert(own);
        if own.revision != Some(self.revision) {
            own.upload(queue, &self.texels);
            own.revision = Some(self.revision);
            self.views.0.uploads.fetch_add(1, Ordering::Relaxed);
        }
        queue.write_buffer(&own.uniforms, 0, uniforms);
        Vec::new()
    }

    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &egui_wgpu::CallbackResources,
    ) {
        // egui has set viewport and scissor. What is missing was reported by `prepare`.
        let pipeline = resources
            .get::<Pipelines>()
            .and_then(|pipelines| pipelines.get(self.program));
        let slot = self.slot.lock();
        let (Some(pipeline), Some(own)) = (pipeline, &*slot) else {
            return;
        };
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &own.bind_group, &[]);
        pass.draw(0..3, 0..1);
    }
}
