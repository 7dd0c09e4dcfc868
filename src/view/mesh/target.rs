//! What a figure is drawn into: a picture of its own with a depth buffer, then shown in the window.

use egui_wgpu::wgpu;

use super::pipeline::{COLOR, DEPTH, Layouts, SAMPLES};

/// The textures of one size, and what reads them.
pub(super) struct Target {
    size: [u32; 2],
    shadow_side: u32,
    pub(super) shadow: wgpu::TextureView,
    pub(super) near: wgpu::TextureView,
    pub(super) samples: wgpu::TextureView,
    pub(super) sample_depth: wgpu::TextureView,
    /// The finished picture, linear and premultiplied.
    pub(super) picture: wgpu::Texture,
    pub(super) maps: wgpu::BindGroup,
}

impl Target {
    pub(super) fn new(
        device: &wgpu::Device,
        layouts: &Layouts,
        size: [u32; 2],
        shadow_side: u32,
    ) -> Self {
        let texture = |[width, height]: [u32; 2], format, sample_count| {
            let read = if sample_count == 1 {
                wgpu::TextureUsages::TEXTURE_BINDING
            } else {
                wgpu::TextureUsages::empty()
            };
            device.create_texture(&wgpu::TextureDescriptor {
                label: Some("mesh target"),
                size: wgpu::Extent3d {
                    width,
                    height,
                    depth_or_array_layers: 1,
                },
                mip_level_count: 1,
                sample_count,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | read,
                view_formats: &[],
            })
        };
        let view =
            |texture: &wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
        let shadow = view(&texture([shadow_side; 2], DEPTH, 1));
        let near = view(&texture(size, DEPTH, 1));
        let maps = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("mesh maps"),
            layout: &layouts.maps,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::TextureView(&shadow),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(&near),
                },
            ],
        });
        Self {
            size,
            shadow_side,
            samples: view(&texture(size, COLOR, SAMPLES)),
            sample_depth: view(&texture(size, DEPTH, SAMPLES)),
            picture: texture(size, COLOR, 1),
            shadow,
            near,
            maps,
        }
    }

    pub(super) fn suits(&self, size: [u32; 2], shadow_side: u32) -> bool {
        self.size == size && self.shadow_side == shadow_side
    }
}
