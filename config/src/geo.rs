//! Reads a geography: a line for each number prefix or network, and where it is.

use std::collections::HashMap;

use crate::fault::Report;
use crate::model::{GeoCode, GeoPlace};
use crate::names;
use crate::raw::Mark;
use crate::units::read_digits;
use crate::walk::twice;

/// The first line that is no comment.
const HEADER: &str = "kind,code,latitude,longitude,radius_km,name";
/// Most lines of a file: every prefix of every operator of the world has room.
const MOST: usize = 262_144;
/// Most different places. Their numbers are kept with each subscriber.
pub(crate) const MOST_PLACES: usize = 2000;

/// The lines of a file; wherever one is wrong, a fault is reported and it is left out.
pub(crate) fn read(text: &str, report: &Report) -> Vec<GeoPlace> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
    let mut rows = lines.by_ref().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    match rows.next() {
        Some((_, HEADER)) => {}
        Some((line, other)) => {
            let remedy = format!("begin with {HEADER}");
            report.add(Some(Mark { line, column: 1 }), "", format!("{other:?} is not the header"), remedy);
            return Vec::new();
        }
        None => {
            report.add(None, "", "the file is empty", "begin with the example that comes with Sealgate, geo.csv");
            return Vec::new();
        }
    }
    let mut first: HashMap<GeoCode, usize> = HashMap::new();
    let mut spots = std::collections::HashSet::new();
    let mut places = Vec::new();
    for (line, text) in rows {
        if places.len() >= MOST {
            let message = format!("more than {MOST} lines");
            report.add(
                Some(Mark { line, column: 1 }),
                "",
                message,
                "leave out prefixes of operators that are no peers",
            );
            break;
        }
        let Some(place) = row(line, text, report) else { continue };
        let at = Some(Mark { line, column: 1 });
        if let Some(before) = first.get(&place.code) {
            report.add(at, "code", "this code stands here twice", twice(before));
            continue;
        }
        first.insert(place.code, line);
        if spots.insert((place.latitude, place.longitude, place.radius_km)) && spots.len() == MOST_PLACES + 1 {
            let message = format!("more than {MOST_PLACES} different places");
            report.add(at, "latitude", message, "give prefixes that are near each other the same place");
        }
        places.push(place);
    }
    if places.is_empty() && report.is_clean() {
        report.add(None, "", "no place in the file", "give a line for each prefix, as gt,49,51.2,10.4,550,Germany");
    }
    places
}

/// One line; its name may have commas.
fn row(line: usize, text: &str, report: &Report) -> Option<GeoPlace> {
    let mut column = 1;
    let mut cells = text.splitn(6, ',').map(|cell| {
        let at = Mark { line, column };
        column += cell.chars().count() + 1;
        (at, cell.trim())
    });
    let mut next = |key: &'static str| {
        let cell = cells.next();
        if cell.is_none() {
            report.add(Some(Mark { line, column: 1 }), key, "missing", format!("a line has {HEADER}"));
        }
        cell
    };
    let (kind, code, latitude) = (next("kind")?, next("code")?, next("latitude")?);
    let (longitude, radius, name) = (next("longitude")?, next("radius_km")?, next("name")?);
    // All cells are read before the line is given up.
    let code = read_code(kind, code, report);
    let latitude = degrees("latitude", latitude, 90, report);
    let longitude = degrees("longitude", longitude, 180, report);
    let (at, text) = radius;
    let radius_km = text.parse().ok().filter(|km| *km <= 20_000 && text.bytes().all(|octet| octet.is_ascii_digit()));
    if radius_km.is_none() {
        let remedy = "give 0 to 20000: how far from its middle the place reaches";
        report.add(Some(at), "radius_km", format!("{text:?} is not a number of kilometres"), remedy);
    }
    if name.1.is_empty() {
        report.add(Some(name.0), "name", "no name", "give one, for people");
        return None;
    }
    let name = name.1.to_owned();
    Some(GeoPlace { code: code?, latitude: latitude?, longitude: longitude?, radius_km: radius_km?, name })
}

fn read_code((at, kind): (Mark, &str), (code_at, text): (Mark, &str), report: &Report) -> Option<GeoCode> {
    let wrong = |message: String, remedy: &str| report.add(Some(code_at), "code", message, remedy);
    match kind {
        "gt" => {
            let digits = read_digits(text, 1..=15);
            if digits.is_none() {
                wrong(format!("{text:?} is not a prefix"), "give 1 to 15 digits, the country code first");
            }
            digits.map(GeoCode::Number)
        }
        "plmn" => {
            let digits = read_digits(text, 3..=6).filter(|digits| digits.len() != 4);
            if digits.is_none() {
                wrong(format!("{text:?} is not a network"), "give an MCC, or an MCC and an MNC: 3, 5 or 6 digits");
            }
            digits.map(GeoCode::Network)
        }
        other => {
            let hint = names::hint(other, ["gt", "plmn"]);
            report.add(Some(at), "kind", format!("{other:?} is not a kind{hint}"), "use gt or plmn");
            None
        }
    }
}

/// Millionths of a degree from decimal text, at most `most` degrees either way.
fn degrees(key: &'static str, (at, text): (Mark, &str), most: i32, report: &Report) -> Option<i32> {
    let found = millionths(text).filter(|number| number.abs() <= most * 1_000_000);
    if found.is_none() {
        let remedy = format!("give -{most} to {most} degrees, as 51.2 or -33.87");
        report.add(Some(at), key, format!("{text:?} is not a {key}"), remedy);
    }
    found
}

/// A decimal number in millionths; at most three digits before the point and six behind it.
fn millionths(text: &str) -> Option<i32> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    if !is_digits(whole, 3) || !is_digits(part, 6) {
        return None;
    }
    let whole: i32 = whole.parse().ok()?;
    let part =
        part.bytes().chain(std::iter::repeat(b'0')).take(6).fold(0, |sum, octet| sum * 10 + i32::from(octet - b'0'));
    Some(sign * (whole * 1_000_000 + part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<GeoPlace>, Vec<String>) {
        let report = Report::new("geo.csv");
        let places = read(text, &report);
        (places, report.into_faults().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lines_are_read_as_they_are_meant() {
        let text = "\u{feff}# places\n\nkind,code,latitude,longitude,radius_km,name\r\n\
                    gt,49,51.2,10.4,550,\"Germany\", roughly\nplmn, 50502 ,-33.868820,151.209296,0,Sydney\n";
        let (places, faults) = read_text(text);
        assert_eq!(faults, Vec::<String>::new());
        let said: Vec<_> =
            places.iter().map(|one| (one.latitude, one.longitude, one.radius_km, one.name.as_str())).collect();
        assert_eq!(
            said,
            [(51_200_000, 10_400_000, 550, "\"Germany\", roughly"), (-33_868_820, 151_209_296, 0, "Sydney")]
        );
        let codes: Vec<_> = places.iter().map(|one| one.code).collect();
        let digits = |text: &str| read_digits(text, 1..=15).unwrap_or_default();
        assert_eq!(codes, [GeoCode::Number(digits("49")), GeoCode::Network(digits("50502"))]);
    }

    #[test]
    fn millionths_are_exact_and_nothing_else_is_a_number() {
        for (text, want) in [
            ("0", Some(0)),
            ("-0.5", Some(-500_000)),
            ("90", Some(90_000_000)),
            ("179.999999", Some(179_999_999)),
            ("1.0000001", None),
            ("1.", None),
            (".5", None),
            ("+5", None),
            ("1e2", None),
            ("NaN", None),
            ("", None),
            ("-", None),
            ("51,2", None),
            ("٣", None),
        ] {
            assert_eq!(millionths(text), want, "{text}");
        }
    }

    #[test]
    fn more_places_than_can_be_numbered_are_a_fault() {
        let line = |i: usize| format!("gt,{},{}.{:03},0,0,x\n", 1000 + i, i / 1000, i % 1000);
        let text = |count| format!("{HEADER}\n{}", (0..count).map(line).collect::<String>());
        assert_eq!(read_text(&text(MOST_PLACES)).1, Vec::<String>::new());
        assert_eq!(
            read_text(&text(MOST_PLACES + 3)).1,
            [
                "geo.csv:2002: latitude: more than 2000 different places; give prefixes that are near each other the same place"
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-z0-9.,#\n\"-]{0,80}", header: bool) {
            read_text(&if header { format!("{HEADER}\n{text}") } else { text });
        }
    }
}
