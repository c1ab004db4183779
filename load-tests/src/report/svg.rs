//! Diagrams, drawn so that they can be read in light and in dark, and by whoever tells colours badly:
//! each line is named where it ends, and has its own dashes.

use std::fmt::Write as _;

use super::ticks::Scale;
use super::{Curve, Unit};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 416.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 176.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 58.0;
const LINES: [(&str, &str); 6] = [
    ("#0072b2", "none"),
    ("#d55e00", "7 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "10 3 2 3"),
    ("#b58900", "4 2"),
    ("#777777", "1 2"),
];
const STYLE: &str = "\
svg{background:#fff}\
text{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#333}\
.title{font-size:15px;font-weight:600}.axis{font-size:12.5px;fill:#555}\
.grid{stroke:#e4e4e4}.frame{stroke:#999;fill:none}.target{stroke:#c00;stroke-dasharray:3 3}\
.aim{fill:#c00}\
@media(prefers-color-scheme:dark){svg{background:#1b1b1b}text{fill:#ddd}.axis{fill:#aaa}\
.grid{stroke:#363636}.frame{stroke:#777}.target{stroke:#f66}.aim{fill:#f66}}";

/// A diagram as a document of its own.
pub fn draw(curve: &Curve) -> String {
    let points = || curve.series.iter().flat_map(|series| &series.points);
    let x = Scale::of(&curve.x, points().map(|point| point.0));
    let y = Scale::of(&curve.y, points().map(|point| point.1).chain(curve.target));
    let across = |value| LEFT + x.place(value) * (WIDTH - LEFT - RIGHT);
    let up = |value| HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM);
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<title>{title}</title><style>{STYLE}</style>
<text class="title">{lines}</text>
"#,
        title = escaped(&curve.title),
        lines = title_lines(&curve.title)
    );
    for tick in &x.ticks {
        let (at, text) = (across(*tick), label(curve.x.unit, *tick));
        let _ = writeln!(
            out,
            r#"<path class="grid" d="M{at:.1} {TOP}V{bottom}"/><text x="{at:.1}" y="{:.1}" text-anchor="middle">{text}</text>"#,
            bottom + 18.0
        );
    }
    for tick in &y.ticks {
        let (at, text) = (up(*tick), label(curve.y.unit, *tick));
        let _ = writeln!(
            out,
            r#"<path class="grid" d="M{LEFT} {at:.1}H{right}"/><text x="{:.1}" y="{:.1}" text-anchor="end">{text}</text>"#,
            LEFT - 8.0,
            at + 4.0
        );
    }
    let _ = writeln!(
        out,
        r#"<rect class="frame" x="{LEFT}" y="{TOP}" width="{:.1}" height="{:.1}"/>
<text class="axis" x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>
<text class="axis" transform="translate(16 {:.1}) rotate(-90)" text-anchor="middle">{}</text>"#,
        right - LEFT,
        bottom - TOP,
        f64::midpoint(LEFT, right),
        HEIGHT - 16.0,
        escaped(&curve.x.title),
        f64::midpoint(TOP, bottom),
        escaped(&curve.y.title),
    );
    // Names stand where lines end, but never on one another.
    let mut names: Vec<(f64, &str, &str)> = Vec::new();
    if let Some(target) = curve.target {
        let _ = writeln!(
            out,
            r#"<path class="target" d="M{LEFT} {:.1}H{right}"/>"#,
            up(target)
        );
        names.push((up(target), "target", ""));
    }
    for (series, (colour, dashes)) in curve.series.iter().zip(LINES.iter().cycle()) {
        let mut path = String::new();
        for (number, point) in series.points.iter().enumerate() {
            let step = if number == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{step}{:.1} {:.1}", across(point.0), up(point.1));
        }
        let _ = writeln!(
            out,
            r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}" stroke-linejoin="round"/>"#
        );
        if series.points.len() <= 24 {
            for point in &series.points {
                let (x, y) = (across(point.0), up(point.1));
                let _ = writeln!(
                    out,
                    r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#
                );
            }
        }
        if let Some(last) = series.points.last() {
            names.push((up(last.1), &series.name, colour));
        }
    }
    for (at, name, colour) in apart(names) {
        let (x, y, name) = (right + 8.0, at + 4.0, escaped(name));
        let paint = match colour {
            "" => r#"class="aim""#.to_owned(),
            colour => format!(r#"style="fill:{colour}""#),
        };
        let _ = writeln!(out, r#"<text x="{x:.1}" y="{y:.1}" {paint}>{name}</text>"#);
    }
    out.push_str("</svg>\n");
    out
}

/// A title in as many lines as it needs.
fn title_lines(title: &str) -> String {
    /// Characters that surely fit, in whatever font there is.
    const LONGEST: usize = 84;
    let mut lines = vec![String::new()];
    for word in title.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < LONGEST => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let (y, line) = (24 + 18 * number, escaped(line));
        let _ = write!(out, r#"<tspan x="16" y="{y}">{line}</tspan>"#);
    }
    out
}

/// The same in order of height, a line's height apart at least.
fn apart<'n>(mut names: Vec<(f64, &'n str, &'n str)>) -> Vec<(f64, &'n str, &'n str)> {
    const LINE: f64 = 15.0;
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = TOP;
    for name in &mut names {
        name.0 = name.0.max(free);
        free = name.0 + LINE;
    }
    let mut limit = HEIGHT - BOTTOM;
    for name in names.iter_mut().rev() {
        name.0 = name.0.min(limit);
        limit = name.0 - LINE;
    }
    names
}

fn label(unit: Unit, value: f64) -> String {
    let text = unit.show(value);
    match unit {
        // What is counted stands in the axis' title.
        Unit::Rate(what) => text.trim_end_matches(&format!(" {what}/s")).to_owned(),
        Unit::Number(what) => text.trim_end_matches(&format!(" {what}")).to_owned(),
        _ => text,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::Axis;
    use super::*;

    #[test]
    fn a_curve_has_its_lines_names_and_target() {
        let axis = |title| Axis::log(title, Unit::Time);
        let curve = Curve::new("a-b", "A < B", axis("load"), axis("time"))
            .line("one", vec![(1.0, 10.0), (10.0, 20.0)])
            .line("other", vec![(1.0, 10.0), (10.0, 20.0)])
            .target(15.0);
        let svg = draw(&curve);
        assert!(svg.contains("A &lt; B") && svg.contains(">one<") && svg.contains(">other<"));
        assert!(svg.contains(r#"class="target""#) && !svg.contains("NaN"));
    }

    #[test]
    fn a_long_title_takes_two_lines() {
        let long = "word ".repeat(30);
        assert_eq!(title_lines(long.trim()).matches("<tspan").count(), 2);
        assert_eq!(title_lines("short").matches("<tspan").count(), 1);
    }

    #[test]
    fn names_do_not_stand_on_one_another() {
        let names = vec![(100.0, "a", ""), (101.0, "b", ""), (102.0, "c", "")];
        let apart = apart(names);
        assert!(
            apart.windows(2).all(|w| w[1].0 - w[0].0 >= 15.0),
            "{apart:?}"
        );
    }
}
