//! Render pipelines that follow their shader files.
//!
//! All views share one bind group layout: uniforms at binding 0, a texture read texel by texel at
//! binding 1. So a pipeline can be replaced without touching what the views own. Figures are drawn
//! beside egui's pass, with pipelines of their own in [`super::mesh::pipeline`].

use egui_wgpu::wgpu;

use super::mesh::pipeline::{Layouts, Passes};
use super::ready;
use super::shader::{self, Sources, Watch};
use crate::{Error, Result};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Image,
    HeatMap,
    Shapes,
    Mesh,
}

impl Program {
    const ALL: [Self; 4] = [Self::Image, Self::HeatMap, Self::Shapes, Self::Mesh];

    fn shader(self) -> &'static str {
        match self {
            Self::Image => "image.wgsl",
            Self::HeatMap => "heatmap.wgsl",
            Self::Shapes => "shapes.wgsl",
            Self::Mesh => "mesh_show.wgsl",
        }
    }

    /// What a vertex shader reads beside the number of the vertex.
    fn buffers(self) -> &'static [Option<wgpu::VertexBufferLayout<'static>>] {
        match self {
            Self::Image | Self::HeatMap | Self::Mesh => &[],
            Self::Shapes => &[Some(super::shapes::INSTANCES)],
        }
    }

    /// How fragments meet what is there. Views cover their ground; shapes lie over it, as egui's.
    fn blend(self) -> Option<wgpu::BlendState> {
        match self {
            Self::Image | Self::HeatMap | Self::Mesh => None,
            Self::Shapes => Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
        }
    }
}

/// The pipelines of all programs; lives in egui's callback resources.
pub(super) struct Pipelines {
    compiled: Vec<Compiled>,
    meshes: Meshes,
    layout: wgpu::PipelineLayout,
    bindings: wgpu::BindGroupLayout,
    format: wgpu::TextureFormat,
    sources: Sources,
    watch: Option<Watch>,
}

/// The pipelines of figures.
struct Meshes {
    layouts: Layouts,
    /// None where the graphics adapter cannot draw figures.
    passes: Option<Passes>,
    /// Changes with the passes.
    number: u64,
    fault: Option<String>,
}

struct Compiled {
    program: Program,
    pipeline: wgpu::RenderPipeline,
    /// What was logged last, so that the same fault is logged once.
    fault: Option<String>,
}

impl Pipelines {
    /// Compiles all programs.
    ///
    /// A fault in a source folder is logged and the compiled-in text used instead.
    ///
    /// # Errors
    /// When the compiled-in shaders do not suit the graphics adapter.
    pub(super) fn new(
        device: &wgpu::Device,
        format: wgpu::TextureFormat,
        sources: Sources,
    ) -> Result<Self> {
        let bindings = bind_group_layout(device);
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("views"),
            bind_group_layouts: &[Some(&bindings)],
            immediate_size: 0,
        });
        // Before the files are read, so that a change in between is not missed.
        let watch = match &sources {
            Sources::Embedded => None,
            Sources::Folder(folder) => Some(Watch::new(folder)),
        };
        let compiled = Program::ALL
            .into_iter()
            .map(|program| {
                let first = compile(device, &layout, format, &sources, program);
                let (pipeline, fault) = match first {
                    Err(error) if sources != Sources::Embedded => {
                        tracing::error!("shader kept as compiled in: {error}");
                        let embedded = Sources::Embedded;
                        let pipeline = compile(device, &layout, format, &embedded, program)?;
                        (pipeline, Some(error.to_string()))
                    }
                    first => (first?, None),
                };
                Ok(Compiled {
                    program,
                    pipeline,
                    fault,
                })
            })
            .collect::<Result<_>>()?;
        let meshes = Meshes::new(device, &sources);
        Ok(Self {
            compiled,
            meshes,
            layout,
            bindings,
            format,
            sources,
            watch,
        })
    }

    /// Recompiles what changed in the source folder; a faulty shader keeps its last good pipeline.
    pub(super) fn follow_sources(&mut self, device: &wgpu::Device) {
        if !self.watch.as_mut().is_some_and(Watch::changed) {
            return;
        }
        for compiled in &mut self.compiled {
            let program = compiled.program;
            match compile(device, &self.layout, self.format, &self.sources, program) {
                Ok(pipeline) => {
                    compiled.pipeline = pipeline;
                    compiled.fault = None;
                }
                Err(error) => report(&mut compiled.fault, &error),
            }
        }
        let meshes = &mut self.meshes;
        match Passes::new(device, &meshes.layouts, &self.sources) {
            Ok(passes) => {
                meshes.passes = Some(passes);
                meshes.number += 1;
                meshes.fault = None;
            }
            Err(error) => report(&mut meshes.fault, &error),
        }
    }

    /// What figures are drawn with, and a number that changes with it; none where the graphics adapter
    /// cannot draw them.
    pub(super) fn meshes(&self) -> Option<(&Layouts, &Passes, u64)> {
        let meshes = &self.meshes;
        (meshes.passes.as_ref()).map(|passes| (&meshes.layouts, passes, meshes.number))
    }

    pub(super) fn get(&self, program: Program) -> Option<&wgpu::RenderPipeline> {
        self.compiled
            .iter()
            .find(|compiled| compiled.program == program)
            .map(|compiled| &compiled.pipeline)
    }

    /// What a program reads: its uniforms and its texture.
    pub(super) fn bind(
        &self,
        device: &wgpu::Device,
        uniforms: &wgpu::Buffer,
        texture: &wgpu::Texture,
    ) -> wgpu::BindGroup {
        let texture = texture.create_view(&wgpu::TextureViewDescriptor::default());
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("view"),
            layout: &self.bindings,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: uniforms.as_entire_binding(),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(&texture),
                },
            ],
        })
    }
}

impl Meshes {
    /// Pictures and plots do without them, so that an adapter that cannot draw them is no error.
    fn new(device: &wgpu::Device, sources: &Sources) -> Self {
        let layouts = Layouts::new(device);
        let mut fault = None;
        let mut passes = Passes::new(device, &layouts, sources);
        if let Err(error) = &passes
            && *sources != Sources::Embedded
        {
            tracing::error!("shader kept as compiled in: {error}");
            fault = Some(error.to_string());
            passes = Passes::new(device, &layouts, &Sources::Embedded);
        }
        let passes = passes.map_err(|error| tracing::error!("no figures can be turned: {error}"));
        Self {
            layouts,
            passes: passes.ok(),
            number: 0,
            fault,
        }
    }
}

/// Logs what is wrong with a shader, the same fault once.
fn report(known: &mut Option<String>, error: &Error) {
    let fault = error.to_string();
    if known.as_ref() != Some(&fault) {
        tracing::error!("shader kept as it was: {fault}");
        *known = Some(fault);
    }
}

fn bind_group_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
        ty,
        count: None,
    };
    let uniforms = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    let texels = wgpu::BindingType::Texture {
        // No sampler: 32-bit floats cannot be filtered on every adapter.
        sample_type: wgpu::TextureSampleType::Float { filterable: false },
        view_dimension: wgpu::TextureViewDimension::D2,
        multisampled: false,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("views"),
        entries: &[entry(0, uniforms), entry(1, texels)],
    })
}

fn compile(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    sources: &Sources,
    program: Program,
) -> Result<wgpu::RenderPipeline> {
    let path = program.shader();
    let source = shader::resolve(sources, path)?;
    shader::validate(&source)?;
    unless_refused(device, path, || {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(path),
            source: wgpu::ShaderSource::Wgsl(source.text.as_str().into()),
        });
        program_of(device, layout, format, program, &module)
    })
}

fn program_of(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    format: wgpu::TextureFormat,
    program: Program,
    module: &wgpu::ShaderModule,
) -> wgpu::RenderPipeline {
    let constants = [("target_is_srgb", if format.is_srgb() { 1.0 } else { 0.0 })];
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(program.shader()),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vs_main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: program.buffers(),
        },
        primitive: wgpu::PrimitiveState::default(),
        // As the window's: `NativeOptions` asks for no depth buffer and no multisampling.
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some("fs_main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                ..Default::default()
            },
            targets: &[Some(wgpu::ColorTargetState {
                format,
                blend: program.blend(),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// What `make` makes of the shader at `path`.
///
/// naga cannot know the bindings or the entry points that are asked for, and an adapter (such as one
/// that has OpenGL only) may lack what a shader needs, which is told when a pipeline is made and
/// counts as an internal error. wgpu panics at both unless they are asked after.
///
/// # Errors
/// When the graphics adapter refuses it.
pub(super) fn unless_refused<T>(
    device: &wgpu::Device,
    path: &str,
    make: impl FnOnce() -> T,
) -> Result<T> {
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let invalid = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let made = make();
    let faults = [ready(invalid.pop()), ready(internal.pop())];
    match faults.into_iter().flatten().flatten().next() {
        Some(error) => Err(Error::Graphics(format!(
            "the graphics adapter refused the shader: {error}: shaders/{path}"
        ))),
        None => Ok(made),
    }
}
