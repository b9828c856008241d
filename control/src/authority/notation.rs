//! Identifiers and times as people write them on the command line.

use sealgate_crypto::pki::{PLAN_E164, PLAN_E214};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, Time};

/// A global title prefix: `99902`, or `e214:99902` in the numbering plan E.214.
/// # Errors
/// A sentence for the person at the keyboard, here and below.
pub fn gt_prefix(text: &str) -> Result<(u8, String), String> {
    let (plan, digits) = match text.split_once(':') {
        None => (PLAN_E164, text),
        Some(("e164" | "E164", digits)) => (PLAN_E164, digits),
        Some(("e214" | "E214", digits)) => (PLAN_E214, digits),
        Some((plan, _)) => return Err(format!("{plan:?} is not a numbering plan; use e164: or e214:")),
    };
    Ok((plan, decimal(digits, 1..=15)?))
}

/// A network: MCC and MNC, `00102` or `310410`.
pub fn plmn(text: &str) -> Result<String, String> {
    decimal(text, 5..=6)
}

/// International point codes: `4128-4143`, `4128`, or in the form `2-4-0`.
pub fn ispcs(text: &str) -> Result<(u16, u16), String> {
    let code = |text: &str| text.parse::<u16>().ok().filter(|code| *code <= 0x3fff);
    let parts: Vec<&str> = text.split('-').collect();
    let range = match parts.as_slice() {
        [one] => code(one).map(|code| (code, code)),
        [first, last] => code(first).zip(code(last)).filter(|(first, last)| first <= last),
        // Zone, area and point: 3, 8 and 3 bits (ITU-T Q.708).
        [zone, area, point] => match (code(zone), code(area), code(point)) {
            (Some(zone @ 0..=7), Some(area @ 0..=255), Some(point @ 0..=7)) => {
                let code = zone << 11 | area << 3 | point;
                Some((code, code))
            }
            _ => None,
        },
        _ => None,
    };
    range.ok_or_else(|| "use FIRST-LAST within 0 to 16383, one number, or ZONE-AREA-POINT".into())
}

/// Telephone numbers: `999020000000+10000000`, the first and how many; one number alone is a range of one.
pub fn tn_range(text: &str) -> Result<(String, u64), String> {
    let (start, count) = text.split_once('+').unwrap_or((text, "1"));
    let count = count.parse().map_err(|_| format!("{count:?} is not a count; use FIRST+COUNT"))?;
    Ok((decimal(start, 1..=15)?, count))
}

/// A realm or domain, lowered.
pub fn domain(text: &str) -> Result<String, String> {
    Ok(text.trim_end_matches('.').to_ascii_lowercase())
}

/// A moment in RFC 3339, or a date, which means its first second in UTC.
pub fn moment(text: &str) -> Result<OffsetDateTime, String> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
    let moment = match date {
        Ok(date) => date.with_time(Time::MIDNIGHT).assume_utc(),
        Err(_) => OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| "use RFC 3339, such as 2026-11-23T00:00:00Z, or a date".to_owned())?,
    };
    moment.replace_nanosecond(0).map_err(|fault| fault.to_string())
}

/// The moment in RFC 3339, for output.
pub fn show(moment: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(moment).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}

fn decimal(text: &str, length: std::ops::RangeInclusive<usize>) -> Result<String, String> {
    if length.contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(format!("use {} to {} decimal digits", length.start(), length.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_what_they_mean() {
        assert_eq!(gt_prefix("99902"), Ok((1, "99902".into())));
        assert_eq!(gt_prefix("e214:99902"), Ok((7, "99902".into())));
        assert_eq!(ispcs("4128-4143"), Ok((4128, 4143)));
        assert_eq!(ispcs("4128"), Ok((4128, 4128)));
        assert_eq!(ispcs("2-4-1"), Ok((4129, 4129)));
        assert_eq!(tn_range("999020000000+10000000"), Ok(("999020000000".into(), 10_000_000)));
        assert_eq!(tn_range("999020000000"), Ok(("999020000000".into(), 1)));
        assert_eq!(domain("EPC.Example."), Ok("epc.example".into()));
        assert_eq!(moment("2026-06-01").map(|at| at.unix_timestamp()), Ok(1_780_272_000));
        assert_eq!(moment("2026-06-01T02:00:00+02:00").map(|at| at.unix_timestamp()), Ok(1_780_272_000));
        assert_eq!(show(1_780_272_000), "2026-06-01T00:00:00Z");
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in ["", "x", "e212:1", "9999999999999999", "+999", "٣"] {
            assert!(gt_prefix(text).is_err(), "{text}");
        }
        for text in ["", "0010", "0010222", "00 02"] {
            assert!(plmn(text).is_err(), "{text}");
        }
        for text in ["", "5-4", "16384", "8-0-0", "1-256-0", "1-2-3-4", "-5", "a-b"] {
            assert!(ispcs(text).is_err(), "{text}");
        }
        for text in ["", "1+", "1+x", "+5", "1+-1"] {
            assert!(tn_range(text).is_err(), "{text}");
        }
        for text in ["", "2026-13-01", "tomorrow", "2026-06-01T00:00:00"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
