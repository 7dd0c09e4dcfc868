//! The data of a `<path>`.

use kurbo::{Arc, BezPath, Point, SvgArc, Vec2};

use super::scan::Scanner;

/// The most curves and lines of one path.
const MAX_ELEMENTS: usize = 200_000;

/// Draws a path piece by piece, from where the last piece ended.
#[derive(Default)]
pub(super) struct Pen {
    path: BezPath,
    at: Point,
    /// Where the part began.
    start: Point,
    /// The part was closed, and what comes next begins another one at its start.
    closed: bool,
    /// The last control point, for commands that mirror it.
    control: Control,
}

#[derive(Clone, Copy, Default)]
enum Control {
    #[default]
    None,
    Quad(Point),
    Cubic(Point),
}

impl Pen {
    pub(super) fn path(self) -> BezPath {
        self.path
    }

    pub(super) fn move_to(&mut self, to: Point) {
        self.path.move_to(to);
        self.start = to;
        self.closed = false;
        self.arrive(to, Control::None);
    }

    fn arrive(&mut self, to: Point, control: Control) {
        self.at = to;
        self.control = control;
    }

    fn begin(&mut self) {
        if std::mem::take(&mut self.closed) {
            self.path.move_to(self.start);
        }
    }

    pub(super) fn line_to(&mut self, to: Point) {
        self.begin();
        self.path.line_to(to);
        self.arrive(to, Control::None);
    }

    fn quad_to(&mut self, control: Point, to: Point) {
        self.begin();
        self.path.quad_to(control, to);
        self.arrive(to, Control::Quad(control));
    }

    fn cubic_to(&mut self, first: Point, second: Point, to: Point) {
        self.begin();
        self.path.curve_to(first, second, to);
        self.arrive(to, Control::Cubic(second));
    }

    /// `angle` is the ellipse's, in degrees.
    pub(super) fn arc_to(
        &mut self,
        radii: Vec2,
        angle: f64,
        [large_arc, sweep]: [bool; 2],
        to: Point,
    ) {
        self.begin();
        let arc = Arc::from_svg_arc(&SvgArc {
            from: self.at,
            to,
            radii,
            x_rotation: angle.to_radians(),
            large_arc,
            sweep,
        });
        match arc {
            Some(arc) => {
                let largest = arc.radii.x.abs().max(arc.radii.y.abs());
                arc.to_cubic_beziers(largest * 1e-5, |a, b, to| self.path.curve_to(a, b, to));
            }
            None => self.path.line_to(to),
        }
        self.arrive(to, Control::None);
    }

    pub(super) fn close(&mut self) {
        if !self.closed {
            self.path.close_path();
            self.closed = true;
        }
        self.arrive(self.start, Control::None);
    }

    fn mirrored(&self, control: Point) -> Point {
        self.at + (self.at - control)
    }
}

/// Reads the data of a path.
pub(super) fn read(data: &str) -> Result<BezPath, String> {
    let mut scanner = Scanner::new(data);
    let mut pen = Pen::default();
    let mut command = None;
    scanner.skip_space();
    while !scanner.is_at_end() {
        if let Some(letter) = scanner.letter() {
            command = Some(letter);
        } else if !scanner.is_at_number() || matches!(command, None | Some(b'z' | b'Z')) {
            return Err(scanner.unexpected("a command"));
        }
        let Some(letter) = command else { break };
        if pen.path.elements().is_empty() && !letter.eq_ignore_ascii_case(&b'm') {
            return Err("it does not begin with M".into());
        }
        step(&mut pen, letter, &mut scanner)?;
        // What follows a move without a letter are lines.
        command = match letter {
            b'm' => Some(b'l'),
            b'M' => Some(b'L'),
            other => Some(other),
        };
        if pen.path.elements().len() > MAX_ELEMENTS {
            return Err(format!("it has more than {MAX_ELEMENTS} curves"));
        }
        scanner.skip_space();
    }
    Ok(pen.path())
}

fn step(pen: &mut Pen, letter: u8, scanner: &mut Scanner<'_>) -> Result<(), String> {
    let origin = if letter.is_ascii_lowercase() {
        pen.at.to_vec2()
    } else {
        Vec2::ZERO
    };
    let place = |scanner: &mut Scanner<'_>| -> Result<Point, String> {
        let x = scanner.number()?;
        Ok(Point::new(x, scanner.number()?) + origin)
    };
    match letter.to_ascii_uppercase() {
        b'M' => pen.move_to(place(scanner)?),
        b'L' => pen.line_to(place(scanner)?),
        b'H' => pen.line_to(Point::new(scanner.number()? + origin.x, pen.at.y)),
        b'V' => pen.line_to(Point::new(pen.at.x, scanner.number()? + origin.y)),
        b'C' => pen.cubic_to(place(scanner)?, place(scanner)?, place(scanner)?),
        b'S' => {
            let first = match pen.control {
                Control::Cubic(control) => pen.mirrored(control),
                _ => pen.at,
            };
            pen.cubic_to(first, place(scanner)?, place(scanner)?);
        }
        b'Q' => pen.quad_to(place(scanner)?, place(scanner)?),
        b'T' => {
            let control = match pen.control {
                Control::Quad(control) => pen.mirrored(control),
                _ => pen.at,
            };
            pen.quad_to(control, place(scanner)?);
        }
        b'A' => {
            let radii = Vec2::new(scanner.number()?, scanner.number()?);
            let angle = scanner.number()?;
            let flags = [scanner.flag()?, scanner.flag()?];
            pen.arc_to(radii, angle, flags, place(scanner)?);
        }
        b'Z' => pen.close(),
        _ => return Err(format!("the command {} is unknown", char::from(letter))),
    }
    Ok(())
}
