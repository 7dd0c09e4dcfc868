// How a figure is seen and lit: the formulae of src/human/raster/light.rs and shadow.rs.
// tests/mesh_view.rs compares the two.

// The same fields as `Frame` in src/view/mesh/uniforms.rs.
struct Frame {
    // Rows of the rotation from the figure to the camera; each row's w is the target's coordinate.
    turn: array<vec4f, 3>,
    // Clip units per decimetre at distance 1, and where the target is seen.
    lens: vec4f,
    // Rows of the rotation from the camera to the key light.
    towards: array<vec4f, 3>,
    key_direction: vec4f,
    key: vec4f,
    fill_direction: vec4f,
    fill: vec4f,
    rim_direction: vec4f,
    rim: vec4f,
    sky: vec4f,
    ground: vec4f,
    // Where shadows are looked up around a place, two places in each, in texels of the shadow map.
    taps: array<vec4f, 8>,
    // From the camera to the target, decimetres; 1 / the farthest and 1 / the nearest distance drawn.
    distance: f32,
    least_near: f32,
    most_near: f32,
    // The greatest height towards the light, decimetres; the least is its opposite.
    height: f32,
    shadow_side: f32,
    // Texels of the shadow map a decimetre.
    shadow_scale: f32,
    // The picture's side in texels of the target, and picture sides a decimetre.
    side: f32,
    scale: f32,
    exposure: f32,
}

// The same fields as `Look` in src/view/mesh/uniforms.rs.
struct Look {
    // Linear; w is what the texture's alpha is multiplied by, 0 where the surface is solid.
    tint: vec4f,
    wrap: vec3f,
    shine: f32,
    hardness: f32,
    through: f32,
    is_thin: u32,
    number: u32,
}

@group(0) @binding(0) var<uniform> frame: Frame;
@group(2) @binding(0) var heights: texture_depth_2d;
@group(2) @binding(1) var nearness: texture_depth_2d;

fn normalised(v: vec3f) -> vec3f {
    return v / max(length(v), 1e-12);
}

// How much of the key light reaches a place, 0 to 1.
fn reach(view: vec3f, normal: vec3f) -> f32 {
    let lifted = view + 0.03 * normal;
    let place = vec3f(
        dot(frame.towards[0].xyz, lifted),
        dot(frame.towards[1].xyz, lifted),
        dot(frame.towards[2].xyz, lifted),
    );
    let at = frame.shadow_side * 0.5 + vec2f(place.x, -place.y) * frame.shadow_scale;
    let rising = vec3f(
        dot(frame.towards[0].xyz, normal),
        dot(frame.towards[1].xyz, normal),
        dot(frame.towards[2].xyz, normal),
    );
    var slope = vec2f(0.0);
    if rising.z > 0.2 {
        slope = vec2f(-rising.x, rising.y) / (rising.z * frame.shadow_scale);
    }
    var light = 0.0;
    for (var i = 0; i < 16; i++) {
        let pair = frame.taps[i / 2];
        let tap = select(pair.xy, pair.zw, (i & 1) == 1);
        let texel = floor(at + tap);
        var over = -1e6;
        if all(texel >= vec2f(0.0)) && all(texel < vec2f(frame.shadow_side)) {
            let stored = textureLoad(heights, vec2i(texel), 0);
            if stored > 0.0 {
                let height = (stored * 2.0 - 1.0) * frame.height;
                over = height - (place.z + dot(slope, tap));
            }
        }
        light += 1.0 - clamp((over - 0.04) / 0.06, 0.0, 1.0);
    }
    return light / 16.0;
}

// How open a place is to the light from all around, 0 to 1.
fn open_to(view: vec3f, pixel: vec2f) -> f32 {
    var around = array(
        vec2f(1.0, 0.0), vec2f(-1.0, 0.0), vec2f(0.0, 1.0), vec2f(0.0, -1.0),
        vec2f(0.7, 0.7), vec2f(-0.7, 0.7), vec2f(0.7, -0.7), vec2f(-0.7, -0.7),
    );
    let own = frame.distance - view.z;
    let last = vec2f(textureDimensions(nearness)) - 1.0;
    var taken = 0.0;
    for (var i = 0; i < 16; i++) {
        let radius = max(frame.side * select(1.0 / 60.0, 1.0 / 24.0, i >= 8), 1.0);
        let at = round(floor(pixel) + around[i & 7] * radius);
        if any(at < vec2f(0.0)) || any(at > last) {
            continue;
        }
        let stored = textureLoad(nearness, vec2i(at), 0);
        if stored <= 0.0 {
            continue;
        }
        let other = 1.0 / mix(frame.least_near, frame.most_near, stored);
        let rise = (own - other) / (radius / (frame.side * frame.scale)) - 0.35;
        taken += clamp(rise, 0.0, 1.0) / (1.0 + max(rise - 2.0, 0.0));
    }
    return 1.0 / (1.0 + 0.13 * taken);
}

// What one light adds: diffuse by colour, and the highlight in w.
fn lit_by(look: Look, normal: vec3f, direction: vec3f, color: vec3f, lit: f32) -> vec4f {
    let facing = dot(normal, direction);
    let wrap = look.wrap;
    let diffuse = max((facing + wrap) / ((1.0 + wrap) * (1.0 + wrap)), vec3f(0.0));
    let through = vec3f(look.through, 0.0, 0.0);
    var shine = 0.0;
    if facing > 0.0 || look.is_thin != 0u {
        let half = normalised(direction + vec3f(0.0, 0.0, 1.0));
        let grazing = pow(1.0 - max(normal.z, 0.0), 3.0);
        let blinn = pow(max(dot(normal, half), 0.0), look.hardness);
        shine = blinn * look.shine * (1.0 + 2.5 * grazing) * lit * (color.r + color.g + color.b) / 3.0;
    }
    return vec4f(diffuse * color * (lit + (1.0 - lit) * through), shine);
}

// The light that a place sends to the camera.
fn shade(look: Look, albedo: vec3f, view: vec3f, seen: vec3f, pixel: vec2f) -> vec3f {
    var normal = seen;
    if normal.z < 0.0 && look.is_thin != 0u {
        normal = -normal;
    }
    let open = open_to(view, pixel);
    let up = 0.5 * (normal.y + 1.0);
    let ambient = mix(frame.ground.rgb, frame.sky.rgb, up) * open;
    let sum = lit_by(look, normal, frame.key_direction.xyz, frame.key.rgb, reach(view, normal))
        + lit_by(look, normal, frame.fill_direction.xyz, frame.fill.rgb, open)
        + lit_by(look, normal, frame.rim_direction.xyz, frame.rim.rgb, open);
    return albedo * (ambient + sum.rgb) + sum.w;
}

// Bends bright light so that it nears white slowly.
fn shoulder(light: vec3f) -> vec3f {
    let over = max(light - 0.6, vec3f(0.0)) / 0.4;
    return min(light, vec3f(0.6)) + 0.4 * over / (1.0 + over);
}
