//! Vectors of three numbers and rotations: the little algebra that shapes, rigs and pictures share.

/// A point or a direction: x to the person's left, y up, z to the front, in decimetres.
pub type Vec3 = [f32; 3];

/// A rotation, row by row.
pub type Mat3 = [Vec3; 3];

/// The rotation that changes nothing.
pub const IDENTITY: Mat3 = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// The sum of two vectors.
#[inline]
#[must_use]
pub fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// The difference of two vectors.
#[inline]
#[must_use]
pub fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// A vector times a number.
#[inline]
#[must_use]
pub fn scale(a: Vec3, by: f32) -> Vec3 {
    [a[0] * by, a[1] * by, a[2] * by]
}

/// The nearest whole number, halves away from 0. As [`f32::round`], which is a call into the system's
/// library where the processor's oldest instructions have to do.
#[inline]
#[must_use]
pub fn round(value: f32) -> i64 {
    let cut = value as i64;
    let rest = value - cut as f32;
    cut + i64::from(rest >= 0.5) - i64::from(rest <= -0.5)
}

/// The whole number below, for values of less than 2^63; as [`f32::floor`].
#[inline]
#[must_use]
pub fn floor(value: f32) -> f32 {
    let cut = value as i64 as f32;
    if cut > value { cut - 1.0 } else { cut }
}

/// The scalar product.
#[inline]
#[must_use]
pub fn dot(a: Vec3, b: Vec3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The vector product.
#[inline]
#[must_use]
pub fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// The length of a vector.
#[inline]
#[must_use]
pub fn length(a: Vec3) -> f32 {
    dot(a, a).sqrt()
}

/// The vector of length one in the same direction; a null vector stays as it is.
#[inline]
#[must_use]
pub fn normalise(a: Vec3) -> Vec3 {
    let length = length(a);
    if length > 1e-12 {
        scale(a, 1.0 / length)
    } else {
        a
    }
}

/// A rotated vector.
#[inline]
#[must_use]
pub fn rotate(by: &Mat3, a: Vec3) -> Vec3 {
    [dot(by[0], a), dot(by[1], a), dot(by[2], a)]
}

/// One rotation after another: `after * before`.
#[must_use]
pub fn compose(after: &Mat3, before: &Mat3) -> Mat3 {
    let column = |c: usize| [before[0][c], before[1][c], before[2][c]];
    let row = |r: usize| [0, 1, 2].map(|c| dot(after[r], column(c)));
    [row(0), row(1), row(2)]
}

/// The rotation about an axis by the vector's length in radians (Rodrigues' formula).
#[must_use]
pub fn rotation(axis_angle: Vec3) -> Mat3 {
    let angle = length(axis_angle);
    let [x, y, z] = normalise(axis_angle);
    let (sin, cos) = angle.sin_cos();
    let rest = 1.0 - cos;
    [
        [
            cos + x * x * rest,
            x * y * rest - z * sin,
            x * z * rest + y * sin,
        ],
        [
            y * x * rest + z * sin,
            cos + y * y * rest,
            y * z * rest - x * sin,
        ],
        [
            z * x * rest - y * sin,
            z * y * rest + x * sin,
            cos + z * z * rest,
        ],
    ]
}

/// The mean of the points with these numbers; numbers out of range are left out.
#[must_use]
pub fn mean(points: &[Vec3], numbers: &[u16]) -> Vec3 {
    let mut sum = [0.0; 3];
    let mut count = 0.0_f32;
    for point in numbers.iter().filter_map(|&n| points.get(usize::from(n))) {
        sum = add(sum, *point);
        count += 1.0;
    }
    scale(sum, 1.0 / count.max(1.0))
}
