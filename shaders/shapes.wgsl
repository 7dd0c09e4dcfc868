// Anti-aliased shapes, one quad each, from an instance buffer.
//
// A shape is a signed distance in pixels, negative inside. The same distance gives the edge's
// anti-aliasing, the border inside it, and the blur of a shadow.
#import "lib/target.wgsl"

// The same fields as `Uniforms` in src/view/shapes/paint.rs.
struct View {
    // Where the shapes' zero lies, in pixels of the window.
    origin_px: vec2f,
    screen_px: vec2f,
    px_per_point: f32,
}

@group(0) @binding(0) var<uniform> view: View;
// Distances of the figures in halves of their side, one below the other; then of their details.
@group(0) @binding(1) var figures: texture_2d<f32>;

// The same numbers as `Kind` in src/view/shapes/mod.rs.
const BOX = 0u;
const CROSS = 1u;
const ARC = 2u;
const LINE = 3u;
const LINK = 4u;
const FIGURE = 5u;

struct Instance {
    // Two places, or a middle and a half size; in points.
    @location(0) places: vec4f,
    // Radius, width of the border, width of the blur, in points; shade.
    @location(1) form: vec4f,
    // Fill and border as bytes, kind, number of the figure.
    @location(2) look: vec4u,
}

struct Varying {
    @builtin(position) position: vec4f,
    @location(0) @interpolate(flat) places_px: vec4f,
    @location(1) @interpolate(flat) form_px: vec4f,
    @location(2) @interpolate(flat) look: vec4u,
}

@vertex
fn vs_main(@builtin(vertex_index) index: u32, shape: Instance) -> Varying {
    let corners = array(
        vec2f(-1.0, -1.0), vec2f(1.0, -1.0), vec2f(-1.0, 1.0),
        vec2f(-1.0, 1.0), vec2f(1.0, -1.0), vec2f(1.0, 1.0),
    );
    let corner = corners[index];
    let scale = view.px_per_point;
    let kind = shape.look.z;
    let a = view.origin_px + shape.places.xy * scale;
    var b = shape.places.zw * scale;
    let radius = shape.form.x * scale;
    // Room for the blurred edge.
    let margin = max(shape.form.z * scale, 1.0) * 0.5 + 1.0;
    var at: vec2f;
    if kind == LINE || kind == LINK {
        b = view.origin_px + b;
        let reach = radius + margin;
        let middle = (a + b) * 0.5;
        if kind == LINE {
            let along = b - a;
            let length = length(along);
            let x = select(vec2f(1.0, 0.0), along / length, length > 1e-3);
            at = middle + x * corner.x * (length * 0.5 + reach) + vec2f(-x.y, x.x) * corner.y * reach;
        } else {
            at = middle + corner * (abs(b - a) * 0.5 + reach);
        }
    } else if kind == ARC {
        at = a + corner * (b.x + radius + margin);
        b.y = shape.places.w;
    } else if kind == CROSS {
        at = a + corner * (b.x + radius + margin);
    } else {
        at = a + corner * (b + margin);
    }
    let clip = at / view.screen_px * 2.0 - 1.0;
    var out: Varying;
    out.position = vec4f(clip.x, -clip.y, 0.0, 1.0);
    out.places_px = vec4f(a, b);
    out.form_px = vec4f(shape.form.xyz * scale, shape.form.w);
    out.look = shape.look;
    return out;
}

fn box_distance(p: vec2f, half: vec2f, corner: f32) -> f32 {
    let q = abs(p) - half + corner;
    return length(max(q, vec2f(0.0))) + min(max(q.x, q.y), 0.0) - corner;
}

fn segment_distance(p: vec2f, end: vec2f) -> f32 {
    let t = clamp(dot(p, end) / max(dot(end, end), 1e-6), 0.0, 1.0);
    return length(p - end * t);
}

// Clockwise from the top, `part` of the whole circle, with round ends.
fn arc_distance(p: vec2f, radius: f32, part: f32) -> f32 {
    if part >= 1.0 {
        return abs(length(p) - radius);
    }
    // Turned so that the arc is symmetric about the upward direction, then folded.
    let half = part * 3.14159265;
    let q = vec2f(abs(p.x * cos(half) + p.y * sin(half)), p.x * sin(half) - p.y * cos(half));
    if q.x * cos(half) <= q.y * sin(half) {
        return abs(length(q) - radius);
    }
    return length(q - radius * vec2f(sin(half), cos(half)));
}

// A curve that leaves `0` downwards and reaches `end` downwards: x = end.x * smoothstep(y / end.y).
fn link_distance(p: vec2f, end: vec2f) -> f32 {
    var t = clamp(p.y / end.y, 0.0, 1.0);
    // Two steps of Gauss and Newton towards the nearest place.
    for (var i = 0; i < 3; i++) {
        let off = vec2f(end.x * t * t * (3.0 - 2.0 * t), end.y * t) - p;
        let slope = vec2f(end.x * 6.0 * t * (1.0 - t), end.y);
        t = clamp(t - dot(off, slope) / max(dot(slope, slope), 1e-6), 0.0, 1.0);
    }
    return length(vec2f(end.x * t * t * (3.0 - 2.0 * t), end.y * t) - p);
}

// Interpolated by hand, as in image.wgsl.
fn figure_distance(number: u32, at: vec2f) -> f32 {
    let side = i32(textureDimensions(figures).x);
    let place = clamp((at * 0.5 + 0.5) * f32(side) - 0.5, vec2f(0.0), vec2f(f32(side - 1)));
    let corner = vec2i(place);
    let next = min(corner + 1, vec2i(side - 1));
    let weight = fract(place);
    let row = i32(number) * side;
    let top = mix(
        textureLoad(figures, vec2i(corner.x, row + corner.y), 0).r,
        textureLoad(figures, vec2i(next.x, row + corner.y), 0).r, weight.x);
    let bottom = mix(
        textureLoad(figures, vec2i(corner.x, row + next.y), 0).r,
        textureLoad(figures, vec2i(next.x, row + next.y), 0).r, weight.x);
    return mix(top, bottom, weight.y);
}

fn cover(distance: f32, blur_px: f32) -> f32 {
    let part = clamp(0.5 - distance / max(blur_px, 1.0), 0.0, 1.0);
    return select(part, part * part * (3.0 - 2.0 * part), blur_px > 1.0);
}

// Light from the upper left on something round, or from above on something flat.
fn shaded(color: vec4f, at: vec2f, shade: f32) -> vec4f {
    var light = 0.5 - 0.5 * at.y;
    if shade > 0.0 {
        light = smoothstep(1.45, 0.0, length(at + vec2f(0.32, 0.40)));
    }
    let strength = abs(shade);
    let dark = color.rgb * (1.0 - 0.42 * strength);
    let bright = color.rgb + (color.a - color.rgb) * 0.42 * strength;
    return vec4f(mix(dark, bright, light), color.a);
}

@fragment
fn fs_main(in: Varying) -> @location(0) vec4f {
    let a = in.places_px.xy;
    let b = in.places_px.zw;
    let p = in.position.xy - a;
    let radius = in.form_px.x;
    let kind = in.look.z;
    var distance: f32;
    var details = 1e6;
    // The place between -1 and 1, for the light.
    var at = p / max(b, vec2f(1.0));
    switch kind {
        case CROSS: {
            let q = abs(p);
            distance = segment_distance(q, vec2f(b.x)) - radius;
            at = p / (b.x + radius);
        }
        case ARC: {
            distance = arc_distance(p, b.x, b.y) - radius;
            at = p / (b.x + radius);
        }
        case LINE: {
            distance = segment_distance(p, b - a) - radius;
        }
        case LINK: {
            distance = link_distance(p, b - a) - radius;
        }
        case FIGURE: {
            distance = figure_distance(in.look.w, at) * b.x;
            let count = textureDimensions(figures).y / textureDimensions(figures).x / 2u;
            details = figure_distance(in.look.w + count, at) * b.x;
        }
        default: {
            distance = box_distance(p, b, radius);
        }
    }
    let outer = cover(distance, in.form_px.z);
    if outer <= 0.0 {
        discard;
    }
    var color = unpack4x8unorm(in.look.x);
    if in.form_px.w != 0.0 {
        color = shaded(color, at, in.form_px.w);
    }
    let border_px = in.form_px.y;
    if border_px > 0.0 {
        let edge = unpack4x8unorm(in.look.y);
        let inner = cover(distance + border_px, 1.0) * (1.0 - cover(details - border_px * 0.5, 1.0));
        color = mix(edge, color, inner);
    }
    return to_target_over(color * outer);
}
