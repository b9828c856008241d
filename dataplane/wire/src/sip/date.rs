//! SIP-date: RFC 1123 as RFC 3261 §20.17 has it, and nothing else.

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"]; // 1970 began on a Thursday
const MONTHS: [(&[u8; 3], u64); 12] = [
    (b"Jan", 31),
    (b"Feb", 28),
    (b"Mar", 31),
    (b"Apr", 30),
    (b"May", 31),
    (b"Jun", 30),
    (b"Jul", 31),
    (b"Aug", 31),
    (b"Sep", 30),
    (b"Oct", 31),
    (b"Nov", 30),
    (b"Dec", 31),
];

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days of a month, number 0 to 11.
fn days_of(year: u64, month: usize) -> u64 {
    let days = MONTHS.get(month).map_or(0, |(_, days)| *days);
    days + u64::from(month == 1 && is_leap(year))
}

/// Days from 1970 to the first of January of that year.
const fn days_before(year: u64) -> u64 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400 - 719_162
}

/// Unix seconds of `Wed, 18 Nov 2026 11:06:40 GMT`.
///
/// `None` unless it is exactly of this form, names a real day of 1970 to 9999, the day of the week is the right one, and the
/// second is 0 to 59.
pub fn unix_seconds(text: &[u8]) -> Option<u64> {
    let &[w0, w1, w2, b',', b' ', d0, d1, b' ', m0, m1, m2, b' ', y0, y1, y2, y3, b' ', ref clock @ ..] = text else {
        return None;
    };
    let &[h0, h1, b':', n0, n1, b':', s0, s1, b' ', b'G', b'M', b'T'] = clock else { return None };
    let year = super::lex::number(&[y0, y1, y2, y3]).filter(|year| *year >= 1970)?;
    let month = MONTHS.iter().position(|(name, _)| **name == [m0, m1, m2])?;
    let day = super::lex::number(&[d0, d1]).filter(|day| (1..=days_of(year, month)).contains(day))?;
    let hour = super::lex::number(&[h0, h1]).filter(|hour| *hour < 24)?;
    let minute = super::lex::number(&[n0, n1]).filter(|minute| *minute < 60)?;
    let second = super::lex::number(&[s0, s1]).filter(|second| *second < 60)?;
    let days = days_before(year) + (0..month).map(|month| days_of(year, month)).sum::<u64>() + day - 1;
    let weekday = DAYS.get((days % 7) as usize)?;
    (**weekday == [w0, w1, w2]).then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Appends what [`unix_seconds`] reads; `false`, and nothing appended, beyond the year 9999.
pub fn emit_date(unix_seconds: u64, out: &mut Vec<u8>) -> bool {
    let days = unix_seconds / 86_400;
    let mut year = 1970 + days / 366;
    while days_before(year + 1) <= days {
        year += 1;
        if year > 9999 {
            return false;
        }
    }
    let mut day = days - days_before(year);
    let mut month = 0;
    while day >= days_of(year, month) && month < 11 {
        day -= days_of(year, month);
        month += 1;
    }
    let (Some(weekday), Some((name, _))) = (DAYS.get((days % 7) as usize), MONTHS.get(month)) else { return false };
    let clock = unix_seconds % 86_400;
    let two = |number: u64| [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8];
    out.extend_from_slice(*weekday);
    out.extend_from_slice(b", ");
    out.extend_from_slice(&two(day + 1));
    out.push(b' ');
    out.extend_from_slice(*name);
    out.push(b' ');
    out.extend_from_slice(&two(year / 100));
    out.extend_from_slice(&two(year));
    for (before, number) in [(b' ', clock / 3600), (b':', clock / 60 % 60), (b':', clock % 60)] {
        out.push(before);
        out.extend_from_slice(&two(number));
    }
    out.extend_from_slice(b" GMT");
    true
}
