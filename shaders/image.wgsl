// A picture over a checkerboard: nearest when enlarged, linear otherwise.
#import "lib/screen.wgsl"

// The same fields as `Uniforms` in src/view/image.rs.
struct View {
    // The picture's top left corner, in pixels of the window.
    origin_px: vec2f,
    texels_per_px: f32,
    checker_px: f32,
    checker_even: vec4f,
    checker_odd: vec4f,
    nearest: u32,
}

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var picture: texture_2d<f32>;

// Premultiplied, so that the hidden colours of transparent texels do not bleed into their neighbours.
fn texel(at: vec2i) -> vec4f {
    let last = vec2i(textureDimensions(picture)) - 1;
    let color = textureLoad(picture, clamp(at, vec2i(0), last), 0);
    return vec4f(color.rgb * color.a, color.a);
}

// Interpolated by hand: samplers round their weights, and differently from card to card.
fn linear(at: vec2f) -> vec4f {
    let corner = floor(at - 0.5);
    let weight = at - 0.5 - corner;
    let i = vec2i(corner);
    let top = mix(texel(i), texel(i + vec2i(1, 0)), weight.x);
    let bottom = mix(texel(i + vec2i(0, 1)), texel(i + vec2i(1, 1)), weight.x);
    return mix(top, bottom, weight.y);
}

// The mean over the pixel. One tap covers two texels; four by four of them cover the eight of a
// picture shown at an eighth, below which it starts to glitter.
fn shrunk(at: vec2f) -> vec4f {
    let taps = clamp(i32(ceil(view.texels_per_px * 0.5)), 1, 4);
    var sum = vec4f(0.0);
    for (var y = 0; y < taps; y++) {
        for (var x = 0; x < taps; x++) {
            let offset = (vec2f(f32(x), f32(y)) + 0.5) / f32(taps) - 0.5;
            sum += linear(at + offset * view.texels_per_px);
        }
    }
    return sum / f32(taps * taps);
}

@fragment
fn fs_main(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let from_origin_px = position.xy - view.origin_px;
    let at = from_origin_px * view.texels_per_px;
    if any(at < vec2f(0.0)) || any(at >= vec2f(textureDimensions(picture))) {
        discard;
    }
    var color: vec4f;
    if view.nearest != 0u {
        color = texel(vec2i(at));
    } else {
        color = shrunk(at);
    }
    let square = vec2i(floor(from_origin_px / view.checker_px));
    let board = select(view.checker_even, view.checker_odd, ((square.x + square.y) & 1) == 1);
    return to_target(color.rgb + board.rgb * (1.0 - color.a));
}
