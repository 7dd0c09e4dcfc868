// A matrix as coloured cells; missing values are hatched.
#import "lib/colormap.wgsl"
#import "lib/screen.wgsl"

// The same fields as `Uniforms` in src/view/heatmap.rs.
struct View {
    // The top left corner of cell (0, 0), in pixels of the window.
    origin_px: vec2f,
    cells_per_px: vec2f,
    // Columns, rows.
    size: vec2u,
    texture_width: u32,
    map: u32,
    low: f32,
    // 1 / (high - low), or 0 where all values are equal.
    scale: f32,
    hatch_px: f32,
    missing_ground: vec4f,
    missing_line: vec4f,
}

@group(0) @binding(0) var<uniform> view: View;
// The values in reading order, wrapped at the texture's width: a side may exceed what a texture can.
@group(0) @binding(1) var values: texture_2d<f32>;

// By its bits, since a compiler may assume that no number is NaN.
fn is_missing(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

@fragment
fn fs_main(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let from_origin_px = position.xy - view.origin_px;
    let at = from_origin_px * view.cells_per_px;
    if any(at < vec2f(0.0)) || any(at >= vec2f(view.size)) {
        discard;
    }
    let cell = vec2u(at);
    let index = cell.y * view.size.x + cell.x;
    let place = vec2u(index % view.texture_width, index / view.texture_width);
    let value = textureLoad(values, place, 0).r;
    if is_missing(value) {
        let across = fract((from_origin_px.x + from_origin_px.y) / view.hatch_px);
        return to_target(select(view.missing_ground, view.missing_line, across < 0.3).rgb);
    }
    var t = 0.5;
    if view.scale > 0.0 {
        t = (value - view.low) * view.scale;
    }
    return to_target(colormap(view.map, t));
}
