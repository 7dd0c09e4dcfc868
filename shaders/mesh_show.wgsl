// A drawn figure over its backdrop, in the window.
#import "lib/screen.wgsl"

// The same fields as `Show` in src/view/mesh/uniforms.rs.
struct Show {
    // The view's top left corner and size, in pixels of the window.
    origin_px: vec2f,
    size_px: vec2f,
    // The backdrop's two colours, linear.
    from_color: vec4f,
    to_color: vec4f,
    // The direction from the one to the other.
    along: vec2f,
    // Texels of the figure in a pixel's side.
    detail: u32,
}

@group(0) @binding(0) var<uniform> show: Show;
// Linear and premultiplied.
@group(0) @binding(1) var figure: texture_2d<f32>;

fn gamma_from_linear(linear: vec3f) -> vec3f {
    let light = clamp(linear, vec3f(0.0), vec3f(1.0));
    let high = 1.055 * pow(light, vec3f(1.0 / 2.4)) - 0.055;
    return select(high, light * 12.92, light <= vec3f(0.0031308));
}

@fragment
fn fs_main(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let at = position.xy - show.origin_px;
    if any(at < vec2f(0.0)) || any(at >= show.size_px) {
        discard;
    }
    let corner = vec2u(at) * show.detail;
    var sum = vec4f(0.0);
    for (var y = 0u; y < show.detail; y++) {
        for (var x = 0u; x < show.detail; x++) {
            sum += textureLoad(figure, corner + vec2u(x, y), 0);
        }
    }
    let color = sum / f32(show.detail * show.detail);
    let side = min(show.size_px.x, show.size_px.y);
    let off = (at - show.size_px * 0.5) / side;
    let t = clamp(0.5 + off.x * show.along.x - off.y * show.along.y, 0.0, 1.0);
    let behind = mix(show.from_color.rgb, show.to_color.rgb, t);
    return to_target(gamma_from_linear(color.rgb + behind * (1.0 - color.a)));
}
