//! The DER of the extensions that are ours: `cspIdentifiers`, `signerRole`, and the TNAuthList of RFC 8226.

use super::der::{self, NotDer, Reader};
use super::identifiers::{IdentifierError, Identifiers};

/// Tag of `anyIdentifier [6] IMPLICIT NULL`.
const TAG_ANY: u8 = 0x86;

/// What kind of operator signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A service provider that speaks for its own identifiers.
    Csp,
    /// A carrier between operators.
    Carrier,
    /// A hub that serves several operators.
    Hub,
}

impl Role {
    /// All roles, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Csp, Self::Carrier, Self::Hub];

    /// The word used in configuration and output: `csp`, `carrier`, `hub`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csp => "csp",
            Self::Carrier => "carrier",
            Self::Hub => "hub",
        }
    }

    /// The extension value `SignerRole ::= ENUMERATED`.
    pub fn to_der(self) -> Vec<u8> {
        vec![0x0a, 1, self as u8]
    }

    /// Reads the extension value.
    /// # Errors
    /// Anything but strict DER of 0, 1 or 2.
    /// # Source
    /// Formats 12.2.
    pub fn from_der(octets: &[u8]) -> Result<Self, NotDer> {
        let number = der::unsigned(der::only(octets, 0x0a)?)?;
        Self::ALL.into_iter().find(|role| *role as u64 == number).ok_or(NotDer("an unknown signer role"))
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Identifiers {
    /// The extension value `CspIdentifiers`. Telephone numbers are not in it: see
    /// [`Identifiers::tn_auth_list_to_der`].
    /// # Errors
    /// As [`Identifiers::check`].
    pub fn to_der(&self) -> Result<Vec<u8>, IdentifierError> {
        self.check()?;
        let mut body = Vec::new();
        der::put_unsigned(&mut body, 0);
        put_list(&mut body, 0xa0, &self.gt_prefixes, |out, (plan, digits)| {
            let mut entry = Vec::new();
            der::put_unsigned(&mut entry, u64::from(*plan));
            der::put(&mut entry, 0x16, digits.as_bytes());
            der::put(out, 0x30, &entry);
        });
        let plmns: Vec<[u8; 3]> = self.plmns.iter().filter_map(|plmn| plmn_octets(plmn)).collect();
        put_list(&mut body, 0xa1, &plmns, |out, plmn| der::put(out, 0x04, plmn));
        put_list(&mut body, 0xa2, &self.ispcs, |out, &(first, last)| {
            let mut entry = Vec::new();
            der::put_unsigned(&mut entry, u64::from(first));
            der::put_unsigned(&mut entry, u64::from(last));
            der::put(out, 0x30, &entry);
        });
        put_list(&mut body, 0xa3, &self.realms, |out, name| der::put(out, 0x16, name.as_bytes()));
        put_list(&mut body, 0xa4, &self.sip_domains, |out, name| der::put(out, 0x16, name.as_bytes()));
        if self.any {
            der::put(&mut body, TAG_ANY, &[]);
        }
        let mut out = Vec::new();
        der::put(&mut out, 0x30, &body);
        Ok(out)
    }

    /// Reads the extension value `CspIdentifiers`; telephone numbers stay empty.
    /// # Errors
    /// Anything but strict DER of the profile: order as listed, no empty list, each value in its range.
    /// # Source
    /// Formats 12.2.
    pub fn from_der(octets: &[u8]) -> Result<Self, IdentifierError> {
        let mut reader = Reader::new(der::only(octets, 0x30)?);
        if der::unsigned(reader.expect(0x02)?)? != 0 {
            return Err(IdentifierError::Version);
        }
        let mut found = Self::default();
        let mut seen = 0;
        while let Some(tag) = reader.peek() {
            let value = reader.expect(tag)?;
            let rank = tag_rank(tag).ok_or(IdentifierError::Element)?;
            // In the order listed, each at most once; only the NULL of anyIdentifier has no content.
            if rank <= seen || value.is_empty() != (tag == TAG_ANY) {
                return Err(IdentifierError::Element);
            }
            seen = rank;
            let mut list = Reader::new(value);
            while !list.is_empty() {
                found.take_entry(tag, &mut list)?;
            }
            found.any |= tag == TAG_ANY;
        }
        found.check()?;
        Ok(found)
    }

    fn take_entry(&mut self, tag: u8, list: &mut Reader<'_>) -> Result<(), IdentifierError> {
        match tag {
            0xa0 => {
                let mut entry = Reader::new(list.expect(0x30)?);
                let plan = der::unsigned(entry.expect(0x02)?)?;
                let digits = ascii(entry.expect(0x16)?)?;
                entry.end()?;
                let plan = u8::try_from(plan).map_err(|_| IdentifierError::Plan(plan))?;
                self.gt_prefixes.push((plan, digits));
            }
            0xa1 => self.plmns.push(plmn_digits(list.expect(0x04)?)?),
            0xa2 => {
                let mut entry = Reader::new(list.expect(0x30)?);
                let (first, last) = (der::unsigned(entry.expect(0x02)?)?, der::unsigned(entry.expect(0x02)?)?);
                entry.end()?;
                let range = u16::try_from(first).ok().zip(u16::try_from(last).ok());
                self.ispcs.push(range.ok_or(IdentifierError::PointCodes(first, last))?);
            }
            0xa3 => self.realms.push(ascii(list.expect(0x16)?)?.to_ascii_lowercase()),
            0xa4 => self.sip_domains.push(ascii(list.expect(0x16)?)?.to_ascii_lowercase()),
            _ => return Err(IdentifierError::Element),
        }
        Ok(())
    }

    /// The extension value `TNAuthorizationList`, or `None` without telephone numbers.
    /// # Errors
    /// As [`Identifiers::check`].
    /// # Source
    /// RFC 8226 section 9.
    pub fn tn_auth_list_to_der(&self) -> Result<Option<Vec<u8>>, IdentifierError> {
        self.check()?;
        if self.tn_ranges.is_empty() {
            return Ok(None);
        }
        let mut body = Vec::new();
        for (start, count) in &self.tn_ranges {
            let mut entry = Vec::new();
            der::put(&mut entry, 0x16, start.as_bytes());
            if *count == 1 {
                der::put(&mut body, 0xa2, &entry);
            } else {
                der::put_unsigned(&mut entry, *count);
                let mut range = Vec::new();
                der::put(&mut range, 0x30, &entry);
                der::put(&mut body, 0xa1, &range);
            }
        }
        let mut out = Vec::new();
        der::put(&mut out, 0x30, &body);
        Ok(Some(out))
    }

    /// Reads the extension value `TNAuthorizationList` into [`Identifiers::tn_ranges`].
    ///
    /// Service provider codes are read and grant nothing: a gateway cannot tell which numbers they stand for. So do
    /// numbers with `*` or `#`, which no signalling message carries; they are refused.
    /// # Errors
    /// Anything but strict DER, an empty list, or a range of fewer than two numbers.
    /// # Source
    /// RFC 8226 section 9.
    pub fn read_tn_auth_list(&mut self, octets: &[u8]) -> Result<(), IdentifierError> {
        let mut list = Reader::new(der::only(octets, 0x30)?);
        if list.is_empty() {
            return Err(IdentifierError::Element);
        }
        let mut ranges = Vec::new();
        while !list.is_empty() {
            let entry = list.next()?;
            match entry.tag {
                0xa0 => {
                    der::only(entry.value, 0x16)?;
                }
                0xa1 => {
                    let mut range = Reader::new(der::only(entry.value, 0x30)?);
                    let start = ascii(range.expect(0x16)?)?;
                    let count = der::unsigned(range.expect(0x02)?)?;
                    range.end()?;
                    if count < 2 {
                        return Err(IdentifierError::TnRange(start, count));
                    }
                    ranges.push((start, count));
                }
                0xa2 => ranges.push((ascii(der::only(entry.value, 0x16)?)?, 1)),
                _ => return Err(IdentifierError::Element),
            }
        }
        self.tn_ranges = ranges;
        self.check()
    }
}

/// The order of the elements of `CspIdentifiers`; tag 5 is not used.
fn tag_rank(tag: u8) -> Option<u8> {
    match tag {
        0xa0..=0xa4 => Some(tag - 0x9f),
        TAG_ANY => Some(7),
        _ => None,
    }
}

fn put_list<T>(out: &mut Vec<u8>, tag: u8, list: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    if list.is_empty() {
        return;
    }
    let mut body = Vec::new();
    for entry in list {
        put(&mut body, entry);
    }
    der::put(out, tag, &body);
}

fn ascii(octets: &[u8]) -> Result<String, NotDer> {
    match std::str::from_utf8(octets) {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        _ => Err(NotDer("an IA5String with other than ASCII")),
    }
}

/// MCC and MNC as three octets of 3GPP TS 24.008 10.5.1.3: MCC2 MCC1, MNC3 MCC3, MNC2 MNC1.
pub(super) fn plmn_octets(plmn: &str) -> Option<[u8; 3]> {
    let digits: Vec<u8> = plmn.bytes().map(|octet| octet.wrapping_sub(b'0')).collect();
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    match *digits.as_slice() {
        [a, b, c, d, e] => Some([b << 4 | a, 0xf0 | c, e << 4 | d]),
        [a, b, c, d, e, f] => Some([b << 4 | a, f << 4 | c, e << 4 | d]),
        _ => None,
    }
}

fn plmn_digits(octets: &[u8]) -> Result<String, IdentifierError> {
    let bad = || IdentifierError::Plmn(octets.iter().map(|octet| format!("{octet:02x}")).collect());
    let &[first, second, third] = octets else { return Err(bad()) };
    let mut digits = vec![first & 15, first >> 4, second & 15, third & 15, third >> 4];
    if second >> 4 != 15 {
        digits.push(second >> 4);
    }
    if digits.iter().any(|digit| *digit > 9) {
        return Err(bad());
    }
    Ok(digits.iter().map(|digit| char::from(b'0' + digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_ec() -> Identifiers {
        Identifiers {
            gt_prefixes: vec![(1, "99902".into())],
            plmns: vec!["00102".into()],
            ispcs: vec![(0x1020, 0x102f)],
            realms: vec!["epc.mnc002.mcc001.3gppnetwork.org".into()],
            sip_domains: vec!["a.example".into()],
            tn_ranges: vec![("999020000000".into(), 10_000_000)],
            any: false,
        }
    }

    #[test]
    fn the_example_of_formats_12_2_octet_by_octet() -> Result<(), IdentifierError> {
        let octets = a_ec().to_der()?;
        let head = [
            0x30, 0x56, 0x02, 0x01, 0x00, 0xa0, 0x0c, 0x30, 0x0a, 0x02, 0x01, 0x01, 0x16, 0x05, 0x39, 0x39, 0x39, 0x30,
            0x32, 0xa1, 0x05, 0x04, 0x03, 0x00, 0xf1, 0x20, 0xa2, 0x0a, 0x30, 0x08, 0x02, 0x02, 0x10, 0x20, 0x02, 0x02,
            0x10, 0x2f, 0xa3, 0x23, 0x16, 0x21,
        ];
        let tail = [0xa4, 0x0b, 0x16, 0x09, 0x61, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65];
        assert!(octets.starts_with(&head) && octets.ends_with(&tail) && octets.len() == 0x58, "{octets:02x?}");
        let mut read = Identifiers::from_der(&octets)?;
        read.read_tn_auth_list(&a_ec().tn_auth_list_to_der()?.unwrap_or_default())?;
        assert_eq!(read, a_ec());
        Ok(())
    }

    #[test]
    fn each_rule_of_the_form_is_earned() {
        use IdentifierError as E;
        let der = |text: &'static str| E::Der(NotDer(text));
        for (octets, want) in [
            (&[0x30, 0x03, 0x02, 0x01, 0x01][..], E::Version),
            (&[0x30, 0x05, 0x02, 0x01, 0x00, 0xa0, 0x00], E::Element), // empty list
            (&[0x30, 0x06, 0x02, 0x01, 0x00, 0x86, 0x01, 0x00], E::Element), // NULL with content
            (&[0x30, 0x07, 0x02, 0x01, 0x00, 0x86, 0x00, 0x86, 0x00], E::Element), // twice
            (&[0x30, 0x07, 0x02, 0x01, 0x00, 0xa5, 0x02, 0x05, 0x00], E::Element), // unknown
            (&[0x30, 0x0c, 0x02, 0x01, 0x00, 0x86, 0x00, 0xa3, 0x05, 0x16, 0x03, 0x61, 0x2e, 0x62], E::Element),
            (&[0x30, 0x03, 0x02, 0x01, 0x00, 0x00], der("octets follow the last element")),
            (&[0x31, 0x03, 0x02, 0x01, 0x00], der("another type than the profile puts here")),
            (&[0x30, 0x81, 0x03, 0x02, 0x01, 0x00], der("a length in a longer form than needed")),
            (&[0x30, 0x0b, 2, 1, 0, 0xa0, 6, 0x30, 4, 2, 1, 2, 0x16], der("a length is missing")),
            (&[0x30, 0x0d, 2, 1, 0, 0xa0, 8, 0x30, 6, 2, 1, 2, 0x16, 1, 0x39], E::Plan(2)),
            (&[0x30, 0x0d, 2, 1, 0, 0xa0, 8, 0x30, 6, 2, 1, 1, 0x16, 1, 0x41], E::GtPrefix("A".into())),
            (&[0x30, 0x0c, 2, 1, 0, 0xa0, 7, 0x30, 5, 2, 1, 1, 0x16, 0], E::GtPrefix(String::new())),
            (&[0x30, 0x0a, 2, 1, 0, 0xa1, 5, 4, 3, 0x00, 0xfa, 0x20], E::Plmn("00fa20".into())),
            (&[0x30, 0x09, 2, 1, 0, 0xa1, 4, 4, 2, 0x00, 0xf1], E::Plmn("00f1".into())),
            (&[0x30, 0x0d, 2, 1, 0, 0xa2, 8, 0x30, 6, 2, 1, 5, 2, 1, 4], E::PointCodes(5, 4)),
            (&[0x30, 0x0e, 2, 1, 0, 0xa2, 9, 0x30, 7, 2, 1, 5, 2, 2, 0x40, 0], E::PointCodes(5, 0x4000)),
            (&[0x30, 0x0a, 2, 1, 0, 0xa3, 5, 0x16, 3, 0x61, 0x2e, 0x2e], E::Domain("a..".into())),
            (&[0x30, 0x08, 2, 1, 0, 0xa3, 3, 0x16, 1, 0xe9], der("an IA5String with other than ASCII")),
        ] {
            assert_eq!(Identifiers::from_der(octets), Err(want), "{octets:02x?}");
        }
        for (octets, want) in [
            (&[0x30, 0x00][..], E::Element),
            (&[0x30, 0x05, 0xa2, 0x03, 0x16, 0x01, 0x23], E::TnRange("#".into(), 1)),
            (&[0x30, 0x0a, 0xa1, 8, 0x30, 6, 0x16, 1, 0x31, 2, 1, 1], E::TnRange("1".into(), 1)),
            (&[0x30, 0x0a, 0xa1, 8, 0x30, 6, 0x16, 1, 0x31, 2, 1, 10], E::TnRange("1".into(), 10)),
            (&[0x30, 0x05, 0xa3, 0x03, 0x16, 0x01, 0x31], E::Element),
        ] {
            assert_eq!(Identifiers::default().read_tn_auth_list(octets), Err(want), "{octets:02x?}");
        }
        let mut spc = Identifiers::default();
        assert_eq!(spc.read_tn_auth_list(&[0x30, 0x06, 0xa0, 0x04, 0x16, 0x02, 0x31, 0x32]), Ok(()));
        assert!(spc.is_empty());
    }

    #[test]
    fn roles_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_der(&role.to_der()), Ok(role));
        }
        for octets in [&[0x0a, 1, 3][..], &[0x0a, 2, 0, 1], &[0x02, 1, 0], &[0x0a, 1, 0, 0], &[0x0a, 0], &[]] {
            assert!(Role::from_der(octets).is_err(), "{octets:02x?}");
        }
    }
}
