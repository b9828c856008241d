//! Text for people: numbers, dates, and octets that nobody can take for markup.

use time::OffsetDateTime;
use time::macros::format_description;

/// Text in which nothing is markup, in elements and in quoted attributes alike.
///
/// What XML cannot carry at all, control characters, becomes the sign for an unknown character.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(char),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            // They turn the order of what is read around.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            _ if char.is_control() => out.push('\u{fffd}'),
            _ => out.push(char),
        }
    }
    out
}

/// A relative address of a file: each octet that is not plain becomes its code (RFC 3986 §2.1).
pub(super) fn address(parts: &[&str]) -> String {
    let part = |part: &&str| -> String {
        part.bytes()
            .map(|octet| match octet {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(octet).to_string(),
                _ => format!("%{octet:02X}"),
            })
            .collect()
    };
    parts.iter().map(part).collect::<Vec<_>>().join("/")
}

/// A number with four digits that count, thousands apart: 1,312,345 and 743.2 and 0.01234.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size >= 1000.0 {
        return thousands(value.round());
    }
    if size < 1e-6 {
        return "0".to_owned();
    }
    let decimals = (3 - size.log10().floor() as i32).max(0);
    let text = format!("{value:.*}", usize::try_from(decimals).unwrap_or(0));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn thousands(whole: f64) -> String {
    let digits = format!("{:.0}", whole.abs());
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if whole < 0.0 { format!("-{out}") } else { out }
}

/// A number for a tick: from a hundred thousand on in thousands, millions.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e9 => format!("{} G", number(value / 1e9)),
        size if size >= 1e6 => format!("{} M", number(value / 1e6)),
        size if size >= 1e5 => format!("{} k", number(value / 1e3)),
        _ => number(value),
    }
}

/// A number and its unit.
pub(super) fn quantity(value: f64, unit: &str) -> String {
    if unit.is_empty() { number(value) } else { format!("{} {unit}", number(value)) }
}

/// A share as percent, one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A time in UTC.
pub(super) fn utc(unix_s: u64) -> String {
    let time = i64::try_from(unix_s).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    time.and_then(|time| time.format(format).ok()).unwrap_or_else(|| format!("{unix_s} s after 1970"))
}

/// A name of programs as words: `unsigned_msgs_per_s` reads "unsigned msgs per s".
pub(super) fn words(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.012_344, "0.01234"),
            (743.24, "743.2"),
            (999.96, "1000"),
            (1234.5, "1,235"),
            (-1_312_345.4, "-1,312,345"),
            (1e6, "1,000,000"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn nothing_stays_markup() {
        assert_eq!(
            escape("<a b=\"c\" d='e'>&\u{0}\u{202e}"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\u{fffd}\u{fffd}"
        );
        assert_eq!(address(&["raw", "a b\"/../c.json"]), "raw/a%20b%22%2F..%2Fc.json");
    }

    #[test]
    fn times_are_read_in_utc() {
        assert_eq!(utc(1_795_000_000), "2026-11-18 11:06:40 UTC");
        assert_eq!(utc(u64::MAX), format!("{} s after 1970", u64::MAX));
    }
}
