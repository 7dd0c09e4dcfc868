//! A pointer's trail, smoothed while it grows.

use super::curve::{exact, finished, single, steadied};
use super::{MAX_REACH, Point};

/// Points nearer to the last one than this are no movement, in units.
const STILL: f32 = 0.02;

/// The trail of a pen that is down. Every event goes in; each costs the same, however long the trail
/// is.
///
/// A point moves to between its two neighbours, as `steadied` says, which takes out the steps of a
/// pointer that knows whole pixels only. The newest point stays where the pen is: nothing lags.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    raw: Vec<Point>,
    smooth: Vec<Point>,
}

impl Trail {
    /// A trail that begins here.
    #[must_use]
    pub fn new(start: Point) -> Self {
        let mut trail = Self::default();
        trail.push(start);
        trail
    }

    /// The pen is here now. False when it has not moved.
    pub fn push(&mut self, point: Point) -> bool {
        let finite = point.x.is_finite() && point.y.is_finite();
        let still = |last: &Point| last.distance(point) < STILL;
        if !finite || self.raw.last().is_some_and(still) {
            return false;
        }
        let near = |v: f32| v.clamp(-MAX_REACH, MAX_REACH);
        let point = Point::new(near(point.x), near(point.y));
        self.raw.push(point);
        self.smooth.push(point);
        if let [.., a, b, c] = self.raw[..] {
            let middle = self.smooth.len() - 2;
            self.smooth[middle] = single(steadied(exact(a), exact(b), exact(c)));
        }
        true
    }

    /// The line to draw now; its last point is the pen.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.smooth
    }

    /// Every event as it came, without those that were no movement.
    #[must_use]
    pub fn raw(&self) -> &[Point] {
        &self.raw
    }

    /// The line that stays when the pen is lifted: see [`finished`].
    #[must_use]
    pub fn finish(&self) -> Vec<Point> {
        finished(&self.smooth)
    }
}
