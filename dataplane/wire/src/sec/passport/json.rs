//! JSON (RFC 8259) as PASSporTs have it: one object, read in place.
//!
//! [`Object::parse`] walks all of it once; after that no accessor can fail. Refused is what readers of JSON do not agree on:
//! a second key of one name, an escape in a key, U+0000, half a surrogate pair, what is no UTF-8. Escapes in values are
//! read: `\/` in a URI is what many writers send.

use crate::list::List;

/// The deepest nesting; PASSporTs have three or four levels.
pub const MAX_DEPTH: usize = 8;
/// The most members of one object.
pub const MAX_MEMBERS: usize = 32;
/// The most values of a text, those in arrays and objects included.
pub const MAX_VALUES: usize = 512;

/// A value of a text that was walked, without white space around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Value<'a>(&'a [u8]);

/// The members of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Object<'a>(&'a [u8]);

/// A string between its quotes, its escapes as they are.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Object<'a> {
    /// Walks one object that is all of `octets` but white space.
    pub(super) fn parse(octets: &'a [u8]) -> Option<Self> {
        core::str::from_utf8(octets).ok()?;
        let mut walk = Walk { octets, left: MAX_VALUES };
        walk.space();
        let start = walk.octets;
        if start.first() != Some(&b'{') {
            return None;
        }
        walk.value(0)?;
        let object = start.get(..start.len() - walk.octets.len())?;
        walk.space();
        if !walk.octets.is_empty() {
            return None;
        }
        Value(object).object()
    }

    /// The members in their order.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (key, behind) = next_value(rest)?;
            let colon = behind.iter().position(|&octet| octet == b':')?;
            let (value, behind) = next_value(behind.get(colon + 1..)?)?;
            rest = behind;
            Some((key.0.get(1..key.0.len() - 1)?, value))
        })
    }

    /// The member of this name.
    pub(super) fn get(self, name: &str) -> Option<Value<'a>> {
        self.members().find_map(|(key, value)| (key == name.as_bytes()).then_some(value))
    }
}

impl<'a> Value<'a> {
    /// What stands between these two octets, if they are at its ends.
    fn inside(self, first: u8, last: u8) -> Option<&'a [u8]> {
        match self.0 {
            [begin, inside @ .., end] if *begin == first && *end == last => Some(inside),
            _ => None,
        }
    }

    pub(super) fn object(self) -> Option<Object<'a>> {
        self.inside(b'{', b'}').map(Object)
    }

    pub(super) fn text(self) -> Option<Text<'a>> {
        self.inside(b'"', b'"').map(Text)
    }

    /// The values of an array.
    pub(super) fn items(self) -> Option<impl Iterator<Item = Value<'a>> + Clone + use<'a>> {
        let mut rest = self.inside(b'[', b']')?;
        Some(core::iter::from_fn(move || {
            let (value, behind) = next_value(rest)?;
            rest = behind;
            Some(value)
        }))
    }

    /// A number without sign, fraction and exponent, below 2^53 as every reader can hold it (RFC 8259 §6).
    pub(super) fn integer(self) -> Option<u64> {
        if self.0.len() > 16 || !self.0.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = self.0.iter().fold(0, |sum: u64, digit| sum * 10 + u64::from(digit & 0x0f));
        (number < 1 << 53).then_some(number)
    }
}

/// The next value behind white space and a comma, of octets that were walked; what is behind it.
fn next_value(octets: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let from = octets.iter().position(|octet| !b" \t\r\n,".contains(octet))?;
    let octets = octets.get(from..)?;
    let (mut depth, mut quotes, mut escaped) = (0_usize, false, false);
    let mut len = octets.len();
    for (i, &octet) in octets.iter().enumerate() {
        if quotes {
            match octet {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quotes = false,
                _ => {}
            }
        } else {
            match octet {
                b'"' => quotes = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                // A number or a word ends where something else begins.
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => {
                    len = i;
                    break;
                }
                _ => continue,
            }
        }
        if depth == 0 && !quotes && b"\"}]".contains(&octet) {
            len = i + 1;
            break;
        }
    }
    let (value, behind) = octets.split_at_checked(len)?;
    Some((Value(value), behind))
}

/// What is left to walk, and how many values may still come.
struct Walk<'a> {
    octets: &'a [u8],
    left: usize,
}

impl<'a> Walk<'a> {
    fn space(&mut self) {
        let len = self.octets.iter().take_while(|octet| b" \t\r\n".contains(octet)).count();
        self.octets = self.octets.get(len..).unwrap_or_default();
    }

    fn eat(&mut self, octet: u8) -> Option<()> {
        self.octets = self.octets.strip_prefix(&[octet])?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        match self.octets.first()? {
            b'{' if depth < MAX_DEPTH => self.object(depth + 1),
            b'[' if depth < MAX_DEPTH => self.array(depth + 1),
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let words: [&[u8]; 3] = [b"true", b"false", b"null"];
                self.octets = words.iter().find_map(|word| self.octets.strip_prefix(*word))?;
                Some(())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        let mut keys = List::<&[u8], MAX_MEMBERS>::new();
        self.eat(b'{')?;
        self.space();
        if self.eat(b'}').is_some() {
            return Some(());
        }
        loop {
            let key = self.string()?;
            if key.contains(&b'\\') || keys.iter().any(|seen| *seen == key) || !keys.push(key) {
                return None;
            }
            self.space();
            self.eat(b':')?;
            self.space();
            self.value(depth)?;
            self.space();
            if self.eat(b'}').is_some() {
                return Some(());
            }
            self.eat(b',')?;
            self.space();
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.eat(b'[')?;
        self.space();
        if self.eat(b']').is_some() {
            return Some(());
        }
        loop {
            self.value(depth)?;
            self.space();
            if self.eat(b']').is_some() {
                return Some(());
            }
            self.eat(b',')?;
            self.space();
        }
    }

    /// A string; gives what stands between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.eat(b'"')?;
        let start = self.octets;
        loop {
            match self.octets.first()? {
                b'"' => break,
                b'\\' => {
                    let (_, rest) = unescape(self.octets)?;
                    self.octets = rest;
                }
                0..0x20 => return None,
                _ => self.octets = self.octets.get(1..)?,
            }
        }
        let inside = start.get(..start.len() - self.octets.len());
        self.eat(b'"')?;
        inside
    }

    /// `-0.1e+2`: RFC 8259 §6.
    fn number(&mut self) -> Option<()> {
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if self.eat(b'e').is_some() || self.eat(b'E').is_some() {
            if self.eat(b'+').is_none() {
                let _ = self.eat(b'-');
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let len = self.octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
        self.octets = self.octets.get(len..)?;
        (len > 0).then_some(())
    }
}

/// Reads the escape that `octets` begin with, a surrogate pair as one; what is behind it.
fn unescape(octets: &[u8]) -> Option<(char, &[u8])> {
    let (&[_, kind], rest) = octets.split_first_chunk()?;
    let plain = match kind {
        b'"' | b'\\' | b'/' => char::from(kind),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let (high, rest) = four_digits(rest)?;
            return match high {
                0 => None,
                0xd800..0xdc00 => {
                    let (low, rest) = four_digits(rest.strip_prefix(b"\\u")?)?;
                    let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    Some((char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)?, rest))
                }
                other => Some((char::from_u32(other)?, rest)),
            };
        }
        _ => return None,
    };
    Some((plain, rest))
}

fn four_digits(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (four, rest) = octets.split_first_chunk::<4>()?;
    let value = four.iter().try_fold(0, |sum, &digit| Some(sum << 4 | char::from(digit).to_digit(16)?))?;
    Some((value, rest))
}

impl<'a> Text<'a> {
    /// The characters, escapes read.
    pub fn chars(self) -> impl Iterator<Item = char> + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            if rest.first() == Some(&b'\\') {
                let (character, behind) = unescape(rest)?;
                rest = behind;
                return Some(character);
            }
            let len = rest.iter().take(4).skip(1).take_while(|octet| **octet & 0xc0 == 0x80).count() + 1;
            let (one, behind) = rest.split_at_checked(len)?;
            rest = behind;
            core::str::from_utf8(one).ok()?.chars().next()
        })
    }

    /// True if it says this.
    pub fn is(self, text: &str) -> bool {
        self.chars().eq(text.chars())
    }

    /// The text as it is, if there is no escape in it.
    pub fn plain(self) -> Option<&'a [u8]> {
        (!self.0.contains(&b'\\')).then_some(self.0)
    }

    /// True if there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.chars().eq(other.chars())
    }
}

impl Eq for Text<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_do_not_agree_on_is_refused() {
        for (text, sound) in [
            (r#"{}"#, true),
            (" {\"a\":[1,-0.5e+3,true,null,{\"b\":[]}]}\r\n", true),
            (r#"{"a":"A\u00e9\ud83d\ude00\/"}"#, true),
            (r#"[]"#, false),
            (r#"{"a":1}x"#, false),
            (r#"{"a":1,}"#, false),
            (r#"{"a":1 "b":2}"#, false),
            (r#"{"a":01}"#, false),
            (r#"{"a":+1}"#, false),
            (r#"{"a":1.}"#, false),
            (r#"{"a":.1}"#, false),
            (r#"{"a":1e}"#, false),
            (r#"{"a":NaN}"#, false),
            (r#"{'a':1}"#, false),
            (r#"{"a":1,"a":2}"#, false),
            (r#"{"x":{"a":1,"b":1,"a":1}}"#, false),
            (r#"{"x":{"a":1},"y":{"a":1}}"#, true),
            (r#"{"\u0061":1}"#, false),
            (r#"{"a":"\x"}"#, false),
            (r#"{"a":"\u0000"}"#, false),
            (r#"{"a":"\ud83d"}"#, false),
            (r#"{"a":"\ude00"}"#, false),
            (r#"{"a":"\ud83d\u0041"}"#, false),
            ("{\"a\":\"\t\"}", false),
            (r#"{"a":"b}"#, false),
            (r#"{"a"}"#, false),
            (r#"{"a":[1,]}"#, false),
            (r#"{"a":/**/1}"#, false),
            ("\u{feff}{}", false),
        ] {
            assert_eq!(Object::parse(text.as_bytes()).is_some(), sound, "{text}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn depth_and_count_are_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Object::parse(nested(MAX_DEPTH - 1).as_bytes()).is_some());
        assert!(Object::parse(nested(MAX_DEPTH).as_bytes()).is_none());
        assert!(Object::parse(nested(100_000).as_bytes()).is_none());
        let members = |count: usize| {
            let list: Vec<_> = (0..count).map(|i| format!("\"{i}\":{i}")).collect();
            format!("{{{}}}", list.join(","))
        };
        assert!(Object::parse(members(MAX_MEMBERS).as_bytes()).is_some());
        assert!(Object::parse(members(MAX_MEMBERS + 1).as_bytes()).is_none());
        let items = |count: usize| format!("{{\"a\":[{}]}}", vec!["0"; count].join(","));
        assert!(Object::parse(items(MAX_VALUES - 2).as_bytes()).is_some());
        assert!(Object::parse(items(MAX_VALUES - 1).as_bytes()).is_none());
    }

    #[test]
    fn values_read_as_they_were_written() {
        let text =
            r#" { "a" : "x\/\u00e9\n\"" , "b":[ "y" ,{"c":"]}"},17 ] ,"d":{"e":1},"f":-1, "g":9007199254740992} "#;
        let object = Object::parse(text.as_bytes()).expect("sound");
        let keys: Vec<_> = object.members().map(|(key, _)| core::str::from_utf8(key).expect("UTF-8")).collect();
        assert_eq!(keys, ["a", "b", "d", "f", "g"]);
        let value = object.get("a").and_then(Value::text).expect("text");
        assert!(value.is("x/\u{e9}\n\"") && value.plain().is_none());
        let items: Vec<_> = object.get("b").and_then(Value::items).expect("array").collect();
        assert_eq!(items.len(), 3);
        assert_eq!(items[0].text().and_then(Text::plain), Some(&b"y"[..]));
        assert!(
            items[1].object().and_then(|inner| inner.get("c")).and_then(Value::text).is_some_and(|text| text.is("]}"))
        );
        assert_eq!(items[2].integer(), Some(17));
        assert_eq!(object.get("d").and_then(Value::object).and_then(|inner| inner.get("e")?.integer()), Some(1));
        assert_eq!((object.get("f").and_then(Value::integer), object.get("g").and_then(Value::integer)), (None, None));
    }
}
