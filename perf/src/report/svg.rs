//! Drawings in SVG: one body, shown inline in the page or as a file of its own.

use std::fmt::Write;

use super::text::escape;

/// Looks of everything that is drawn. Colours are variables, so that a page can be light or dark.
pub(super) const STYLE: &str = include_str!("plot.css");
/// The variables of the light page.
pub(super) const LIGHT: &str = include_str!("light.css");

/// Colours that there are, all told apart by the colour-blind; more begin again.
pub(super) const COLOURS: usize = 8;
/// Height of the title of a file of its own.
const TITLE: f64 = 40.0;
/// Height of the line below it that says where the numbers come from.
const SOURCE: f64 = 30.0;

/// A drawing that grows.
#[derive(Clone, Debug)]
pub struct Svg {
    /// Width in its own units, pixels of a file of its own.
    pub width: f64,
    /// Height.
    pub height: f64,
    body: String,
}

/// Where a text has its given point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.push(format_args!(r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#));
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), class: &str, hint: &str) {
        let ((x, y), (width, height)) = (at, size);
        self.push(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}">{}</rect>"#,
            title(hint)
        ));
    }

    /// A line through points, or nothing with less than two.
    pub(super) fn path(&mut self, points: &[(f64, f64)], class: &str) {
        let [(x, y), rest @ ..] = points else { return };
        if rest.is_empty() {
            return;
        }
        let mut d = format!("M{x:.1} {y:.1}");
        for (x, y) in rest {
            let _ = write!(d, "L{x:.1} {y:.1}");
        }
        self.push(format_args!(r#"<path class="{class}" d="{d}"/>"#));
    }

    /// A mark of one of the shapes; curves differ in it also where colours cannot be told apart.
    pub(super) fn mark(&mut self, shape: usize, at: (f64, f64), class: &str, hint: &str) {
        let (x, y) = at;
        let hint = title(hint);
        let polygon = |points: &[(f64, f64)]| {
            points.iter().map(|(dx, dy)| format!("{:.1},{:.1}", x + dx, y + dy)).collect::<Vec<_>>().join(" ")
        };
        match shape % 4 {
            0 => self.push(format_args!(r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="4">{hint}</circle>"#)),
            1 => self.polygon(&polygon(&[(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)]), class, &hint),
            2 => self.polygon(&polygon(&[(0.0, -5.0), (5.0, 4.0), (-5.0, 4.0)]), class, &hint),
            _ => self.polygon(&polygon(&[(0.0, -5.5), (5.5, 0.0), (0.0, 5.5), (-5.5, 0.0)]), class, &hint),
        }
    }

    /// Two strokes across: something that does not count.
    pub(super) fn cross(&mut self, at: (f64, f64), class: &str, hint: &str) {
        let (x, y) = at;
        let d = format!("M{:.1} {:.1}l9 9M{:.1} {:.1}l9 -9", x - 4.5, y - 4.5, x - 4.5, y + 4.5);
        self.push(format_args!(r#"<path class="{class}" d="{d}">{}</path>"#, title(hint)));
    }

    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let (x, y) = at;
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format_args!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
            escape(text)
        ));
    }

    fn polygon(&mut self, points: &str, class: &str, hint: &str) {
        self.push(format_args!(r#"<polygon class="{class}" points="{points}">{hint}</polygon>"#));
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// For a page that has [`STYLE`] and the variables.
    ///
    /// * `label`: what a reader who does not see it is told
    pub(super) fn inline(&self, label: &str) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg class=\"plot\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{}\">\n{body}</svg>",
            escape(label)
        )
    }

    /// A file of its own, light, with its title and where its numbers come from.
    pub(super) fn file(&self, title: &str, source: &str) -> String {
        let (width, height) = self.size();
        let middle = format!(
            "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n<text class=\"head\" x=\"16\" y=\"27\">{}</text>\n\
             <g transform=\"translate(0 {TITLE})\">\n{}</g>\n<text class=\"small\" x=\"16\" y=\"{}\">{}</text>",
            escape(title),
            self.body,
            height - 10,
            escape(source)
        );
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n<title>{}</title>\n<style>\n{}</style>\n{middle}\n</svg>\n",
            escape(title),
            resolved(STYLE, LIGHT)
        )
    }

    /// Width and height of [`Svg::file`], pixels.
    pub fn size(&self) -> (u32, u32) {
        // Drawings are some hundred units wide.
        (self.width.ceil() as u32, (self.height + TITLE + SOURCE).ceil() as u32)
    }
}

/// What appears where the pointer rests, and is read aloud.
fn title(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!("<title>{}</title>", escape(hint)) }
}

/// A style without variables: not every program that shows SVG knows them.
fn resolved(style: &str, variables: &str) -> String {
    let mut style = style.to_owned();
    for line in variables.lines() {
        if let Some((name, value)) = line.trim().trim_end_matches(';').split_once(':') {
            style = style.replace(&format!("var({})", name.trim()), value.trim());
        }
    }
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_its_own_has_no_variables_left() {
        let mut svg = Svg::new(100.0, 50.0);
        svg.mark(2, (1.0, 2.0), "s0", "a < b");
        let file = svg.file("R&D", "here");
        assert!(!file.contains("var("), "{file}");
        assert!(file.contains("R&amp;D") && file.contains("a &lt; b"), "{file}");
        assert_eq!(svg.size(), (100, 120));
    }
}
