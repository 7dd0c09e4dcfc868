//! The shapes of an SVG as paths.

use kurbo::{Affine, BezPath, Point, Rect, Vec2};
use roxmltree::Node;

use super::path::{self, Pen};
use super::scan::{excerpt, length, numbers, transform};
use super::style::{Sheet, Style};

/// Groups within groups, at most.
const MAX_DEPTH: usize = 64;
/// What is not on the page by itself.
const UNSEEN: [&str; 9] = [
    "defs",
    "symbol",
    "clipPath",
    "mask",
    "marker",
    "pattern",
    "linearGradient",
    "radialGradient",
    "metadata",
];

/// A line of the file, in the units of its page.
pub(super) struct Outline {
    pub(super) path: BezPath,
    pub(super) width: f32,
    pub(super) eraser: bool,
}

/// The part of the plane that the file shows: its view box, or else its size.
pub(super) fn page(root: Node<'_, '_>) -> Result<Option<Rect>, String> {
    if let Some(text) = root.attribute("viewBox") {
        let values = numbers(text).map_err(|error| format!("the viewBox: {error}"))?;
        let &[x, y, width, height] = values.as_slice() else {
            return Err(format!("the viewBox has {} numbers, not 4", values.len()));
        };
        return sized(x, y, width, height).map(Some);
    }
    // A size in percent says nothing without a window.
    let side = |name| {
        root.attribute(name)
            .filter(|text| !text.trim_end().ends_with('%'))
            .map(|text| length(text, 100.0))
            .transpose()
    };
    match (side("width")?, side("height")?) {
        (Some(width), Some(height)) => sized(0.0, 0.0, width, height).map(Some),
        _ => Ok(None),
    }
}

fn sized(x: f64, y: f64, width: f64, height: f64) -> Result<Rect, String> {
    if width > 1e-6 && height > 1e-6 {
        Ok(Rect::new(x, y, x + width, y + height))
    } else {
        Err(format!("the page is {width} by {height} large"))
    }
}

/// All lines of a file.
pub(super) fn outlines(root: Node<'_, '_>) -> Result<Vec<Outline>, String> {
    let whole = page(root)?.map_or([100.0, 100.0], |page| [page.width(), page.height()]);
    let mut reader = Reader {
        sheet: Sheet::of(root),
        whole,
        found: Vec::new(),
    };
    reader.read(root, &Style::default(), Affine::IDENTITY, 0)?;
    Ok(reader.found)
}

struct Reader {
    sheet: Sheet,
    /// What 100 % are, across and down.
    whole: [f64; 2],
    found: Vec<Outline>,
}

impl Reader {
    fn read(
        &mut self,
        node: Node<'_, '_>,
        around: &Style,
        outer: Affine,
        depth: usize,
    ) -> Result<(), String> {
        let name = node.tag_name().name();
        if !node.is_element() || UNSEEN.contains(&name) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(format!(
                "the SVG has groups within groups, more than {MAX_DEPTH} deep"
            ));
        }
        let in_file = |reason: String| {
            let place = node.document().text_pos_at(node.range().start);
            format!("<{}> in line {}: {reason}", excerpt(name), place.row)
        };
        let diagonal = self.whole[0].hypot(self.whole[1]) / std::f64::consts::SQRT_2;
        let style = around
            .inside(node, &self.sheet, diagonal)
            .map_err(in_file)?;
        let mut inner = outer;
        if let Some(text) = node.attribute("transform") {
            inner *= transform(text).map_err(in_file)?;
        }
        match name {
            "svg" if depth > 0 => {
                let x = self.number(node, "x", 0).map_err(in_file)?;
                let y = self.number(node, "y", 1).map_err(in_file)?;
                inner *= Affine::translate((x, y));
            }
            "svg" | "g" | "a" | "switch" => {}
            _ => {
                if style.has_line() {
                    self.shape(node, &style, inner).map_err(in_file)?;
                }
                return Ok(());
            }
        }
        for child in node.children() {
            self.read(child, &style, inner, depth + 1)?;
        }
        Ok(())
    }

    fn shape(
        &mut self,
        node: Node<'_, '_>,
        style: &Style,
        transform: Affine,
    ) -> Result<(), String> {
        let mut path = match node.tag_name().name() {
            "path" => path::read(node.attribute("d").unwrap_or(""))?,
            "line" => {
                let from = self.place(node, ["x1", "y1"])?;
                polyline(&[from, self.place(node, ["x2", "y2"])?], false)
            }
            "polyline" => polyline(&points(node)?, false),
            "polygon" => polyline(&points(node)?, true),
            "rect" => self.rect(node)?,
            "circle" => {
                let radius = self.number(node, "r", 0)?;
                ellipse(self.place(node, ["cx", "cy"])?, Vec2::new(radius, radius))
            }
            "ellipse" => {
                let radii = self.place(node, ["rx", "ry"])?.to_vec2();
                ellipse(self.place(node, ["cx", "cy"])?, radii)
            }
            // Texts, pictures and what else there is have no lines.
            _ => return Ok(()),
        };
        path.apply_affine(transform);
        let scale = transform.determinant().abs().sqrt();
        self.found.push(Outline {
            path,
            width: (style.width * scale) as f32,
            eraser: node.attribute("data-eraser") == Some("true") || style.is_white(),
        });
        Ok(())
    }

    /// A number of an element, 0 where it is left out; `axis` tells what its 100 % are.
    fn number(&self, node: Node<'_, '_>, name: &str, axis: usize) -> Result<f64, String> {
        node.attribute(name).map_or(Ok(0.0), |text| {
            length(text, self.whole[axis]).map_err(|error| format!("{name}: {error}"))
        })
    }

    fn place(&self, node: Node<'_, '_>, [x, y]: [&str; 2]) -> Result<Point, String> {
        Ok(Point::new(
            self.number(node, x, 0)?,
            self.number(node, y, 1)?,
        ))
    }

    fn rect(&self, node: Node<'_, '_>) -> Result<BezPath, String> {
        let corner = self.place(node, ["x", "y"])?;
        let size = self.place(node, ["width", "height"])?.to_vec2();
        if size.x <= 0.0 || size.y <= 0.0 {
            return Ok(BezPath::new());
        }
        let radius = |name, axis| {
            let given = node.attribute(name).filter(|text| *text != "auto");
            given.map(|_| self.number(node, name, axis)).transpose()
        };
        // One of the radii stands for both.
        let (x, y) = match (radius("rx", 0)?, radius("ry", 1)?) {
            (None, None) => (0.0, 0.0),
            (Some(both), None) | (None, Some(both)) => (both, both),
            (Some(x), Some(y)) => (x, y),
        };
        let radii = Vec2::new(x.clamp(0.0, size.x * 0.5), y.clamp(0.0, size.y * 0.5));
        Ok(rounded(
            Rect::from_origin_size(corner, size.to_size()),
            radii,
        ))
    }
}

fn rounded(rect: Rect, radii: Vec2) -> BezPath {
    let Vec2 { x: rx, y: ry } = radii;
    let mut pen = Pen::default();
    pen.move_to(Point::new(rect.x0 + rx, rect.y0));
    let sides = [
        ((rect.x1 - rx, rect.y0), (rect.x1, rect.y0 + ry)),
        ((rect.x1, rect.y1 - ry), (rect.x1 - rx, rect.y1)),
        ((rect.x0 + rx, rect.y1), (rect.x0, rect.y1 - ry)),
        ((rect.x0, rect.y0 + ry), (rect.x0 + rx, rect.y0)),
    ];
    for (line, arc) in sides {
        pen.line_to(line.into());
        if rx > 0.0 && ry > 0.0 {
            pen.arc_to(radii, 0.0, [false, true], arc.into());
        }
    }
    pen.close();
    pen.path()
}

fn ellipse(middle: Point, radii: Vec2) -> BezPath {
    if radii.x <= 0.0 || radii.y <= 0.0 {
        return BezPath::new();
    }
    let mut pen = Pen::default();
    let (right, left) = (middle + (radii.x, 0.0), middle - (radii.x, 0.0));
    pen.move_to(right);
    pen.arc_to(radii, 0.0, [false, true], left);
    pen.arc_to(radii, 0.0, [false, true], right);
    pen.close();
    pen.path()
}

fn polyline(points: &[Point], closed: bool) -> BezPath {
    let mut pen = Pen::default();
    for (at, point) in points.iter().enumerate() {
        if at == 0 {
            pen.move_to(*point);
        } else {
            pen.line_to(*point);
        }
    }
    if closed && points.len() > 1 {
        pen.close();
    }
    pen.path()
}

fn points(node: Node<'_, '_>) -> Result<Vec<Point>, String> {
    let values = numbers(node.attribute("points").unwrap_or(""))
        .map_err(|error| format!("points: {error}"))?;
    // A last number without its partner is left out.
    let pairs = values.chunks_exact(2);
    Ok(pairs.map(|pair| Point::new(pair[0], pair[1])).collect())
}
