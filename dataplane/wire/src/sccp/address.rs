//! Party addresses and global titles (Q.713 §3.4).

use crate::addr::{Digits, GlobalTitle, Plan, Ssn};
use crate::reason::{Reason, Refusal};

/// A global title as it stands in an address, of any indicator 1 to 4 (Q.713 §3.4.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawTitle<'a> {
    /// Global title indicator: which of the next four are present.
    pub indicator: u8,
    /// Translation type; not in indicator 1.
    pub translation_type: Option<u8>,
    /// Numbering plan nibble; indicators 3 and 4.
    pub plan: Option<u8>,
    /// Encoding scheme nibble, 1 odd and 2 even; indicators 3 and 4.
    pub scheme: Option<u8>,
    /// Nature of address, 7 bits; indicators 1 and 4.
    pub nature: Option<u8>,
    /// True if indicator 1 says that the number of digits is odd.
    pub odd: bool,
    /// The address information.
    pub octets: &'a [u8],
}

impl RawTitle<'_> {
    /// The digits, for display: whatever the nibbles are, `None` only where there are more than 32 or none.
    #[inline]
    pub fn digits(&self) -> Option<Digits> {
        let odd = self.odd || self.scheme == Some(1);
        let count = (self.octets.len() * 2).checked_sub(usize::from(odd))?;
        Digits::from_nibbles(self.octets, count)
    }
}

/// A party address (Q.713 §3.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address<'a> {
    /// Routing indicator: true for routing on SSN, false for routing on the global title.
    pub routing_on_ssn: bool,
    /// Signalling point code, 14 bits.
    pub point_code: Option<u16>,
    /// Subsystem number.
    pub ssn: Option<Ssn>,
    /// Global title as it stands.
    pub gt: Option<RawTitle<'a>>,
}

impl<'a> Address<'a> {
    /// Reads an address with any global title indicator 0 to 4 and any contents.
    ///
    /// # Errors
    /// [`Reason::SccpTruncated`] if it ends before its fields do, [`Reason::SccpGti`] for an indicator above 4; `at`
    /// counts from the address indicator.
    #[inline(always)]
    pub fn parse(octets: &'a [u8]) -> Result<Self, Refusal> {
        let cut = Reason::SccpTruncated.at(octets.len());
        let (&indicators, mut rest) = octets.split_first().ok_or(cut)?;
        let mut take = || {
            let (&octet, tail) = rest.split_first().ok_or(cut)?;
            rest = tail;
            Ok(octet)
        };
        let point_code = match indicators & 0x01 {
            0 => None,
            _ => Some(u16::from_le_bytes([take()?, take()?]) & 0x3fff),
        };
        let ssn = if indicators & 0x02 == 0 { None } else { Some(Ssn(take()?)) };
        let indicator = indicators >> 2 & 0x0f;
        let (mut translation_type, mut coding, mut nature) = (None, None, None);
        match indicator {
            0 => {}
            1 => nature = Some(take()?),
            2 => translation_type = Some(take()?),
            3 => (translation_type, coding) = (Some(take()?), Some(take()?)),
            4 => (translation_type, coding, nature) = (Some(take()?), Some(take()?), Some(take()?)),
            _ => return Err(Reason::SccpGti.at(0)),
        }
        let gt = (indicator != 0).then_some(RawTitle {
            indicator,
            translation_type,
            plan: coding.map(|octet| octet >> 4),
            scheme: coding.map(|octet| octet & 0x0f),
            odd: indicator == 1 && nature.is_some_and(|octet| octet & 0x80 != 0),
            nature: nature.map(|octet| octet & 0x7f),
            octets: rest,
        });
        Ok(Self { routing_on_ssn: indicators & 0x40 != 0, point_code, ssn, gt })
    }

    /// The canonical global title; `None` if the address has none.
    ///
    /// # Errors
    /// [`Reason::SccpGti`] unless the indicator is 4; [`Reason::SccpGtForm`] unless plan is 1 or 7, nature 4, scheme 1 or
    /// 2 and there are 1 to 15 decimal digits; `at` counts from the address indicator.
    /// # Source
    /// formats 1.1 and 11.2.
    #[inline(always)]
    pub fn title(&self) -> Result<Option<GlobalTitle>, Refusal> {
        let Some(gt) = self.gt else { return Ok(None) };
        if gt.indicator != 4 {
            return Err(Reason::SccpGti.at(0));
        }
        let start = 1 + usize::from(self.point_code.is_some()) * 2 + usize::from(self.ssn.is_some());
        let coding = Reason::SccpGtForm.at(start + 1);
        let plan = gt.plan.and_then(Plan::from_wire).ok_or(coding)?;
        if !matches!(gt.scheme, Some(1 | 2)) {
            return Err(coding);
        }
        if gt.nature != Some(4) {
            return Err(Reason::SccpGtForm.at(start + 2));
        }
        let fits = |digits: &Digits| (1..=15).contains(&digits.len()) && digits.is_decimal();
        let digits = gt.digits().filter(fits).ok_or(Reason::SccpGtForm.at(start + 3))?;
        Ok(Some(GlobalTitle { plan, digits }))
    }
}

/// The canonical global title of an address and its subsystem number: [`Address::parse`] and [`Address::title`] in one.
///
/// # Errors
/// Theirs.
#[inline]
pub fn party(octets: &[u8]) -> Result<(Option<GlobalTitle>, Option<Ssn>), Refusal> {
    if let Some((title, ssn)) = usual(octets) {
        return Ok((Some(title), Some(ssn)));
    }
    let address = Address::parse(octets)?;
    Ok((address.title()?, address.ssn))
}

/// What nearly every address is: a subsystem number and a good title of indicator 4, without a point code. `None` says
/// nothing about an address.
#[inline(always)]
fn usual(octets: &[u8]) -> Option<(GlobalTitle, Ssn)> {
    let (&[indicators, ssn, _, coding, 4], octets) = octets.split_first_chunk()? else { return None };
    let scheme = coding & 0x0f;
    if indicators & 0x3f != 0x12 || !matches!(scheme, 1 | 2) {
        return None;
    }
    let count = (octets.len() * 2).checked_sub(usize::from(scheme & 1))?;
    let digits = Digits::from_nibbles(octets, count)?;
    ((1..=15).contains(&count) && digits.is_decimal())
        .then_some((GlobalTitle { plan: Plan::from_wire(coding >> 4)?, digits }, Ssn(ssn)))
}

/// Appends an address with routing on a global title of indicator 4, nature international.
pub fn emit_address(gt: &GlobalTitle, ssn: Ssn, translation_type: u8, out: &mut Vec<u8>) {
    let scheme = if gt.digits.len() % 2 == 1 { 1 } else { 2 };
    out.extend_from_slice(&[0x12, ssn.0, translation_type, (gt.plan as u8) << 4 | scheme, 4]);
    gt.digits.write_packed(0, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLED: [u8; 11] = [0x12, 0x06, 0x00, 0x12, 0x04, 0x99, 0x09, 0x01, 0x00, 0x00, 0x10];

    #[test]
    fn addresses_of_every_indicator_read_for_display() -> Result<(), Refusal> {
        for (octets, want) in [
            (&[0x06, 8, 0x84, 0x21, 0x03][..], "123"),   // 1: nature with the odd bit
            (&[0x0a, 7, 0, 0x99, 0x09, 0x02], "999020"), // 2: translation type
            (&[0x0f, 0x20, 0x10, 7, 0, 0x11, 0x21, 0x03], "123"), // 3, with a point code
            (&[0x12, 7, 0, 0x12, 4, 0x21, 0x43], "1234"), // 4
        ] {
            let address = Address::parse(octets)?;
            let digits = address.gt.and_then(|gt| gt.digits()).unwrap_or_default();
            assert_eq!(digits.to_string(), want, "{octets:02x?}");
        }
        assert_eq!(Address::parse(&[0x43, 0x20, 0x50, 7])?.point_code, Some(0x1020));
        assert_eq!(Address::parse(&[0x16]), Err(Reason::SccpTruncated.at(1)));
        assert_eq!(Address::parse(&[0x16, 7]), Err(Reason::SccpGti.at(0)));
        Ok(())
    }

    #[test]
    fn each_check_of_a_title_is_earned_by_one_octet() {
        assert!(Address::parse(&CALLED).and_then(|address| address.title()).is_ok_and(|gt| gt.is_some()));
        for (at, octet, want) in [
            (0, 0x0a, Reason::SccpGti.at(0)),
            (3, 0x22, Reason::SccpGtForm.at(3)), // plan
            (3, 0x13, Reason::SccpGtForm.at(3)), // scheme
            (4, 0x03, Reason::SccpGtForm.at(4)), // nature
            (7, 0x0b, Reason::SccpGtForm.at(5)), // digit
        ] {
            let mut bad = CALLED;
            bad[at] = octet;
            let got = Address::parse(&bad).and_then(|address| address.title());
            assert_eq!(got, Err(want), "octet {at} set to {octet:#x}");
        }
    }

    #[test]
    fn the_usual_form_reads_as_any_other() {
        let odd = [0x52, 0x08, 0x00, 0x71, 0x04, 0x99, 0x09, 0x01, 0x05];
        for address in [&CALLED[..], &odd] {
            assert!(usual(address).is_some(), "{address:02x?}");
            for (at, bit) in (0..address.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let mut changed = address.to_vec();
                changed[at] ^= 1 << bit;
                let want = Address::parse(&changed).and_then(|address| Ok((address.title()?, address.ssn)));
                assert_eq!(party(&changed), want, "bit {bit} of octet {at} of {address:02x?}");
            }
            for len in 0..address.len() {
                let cut = &address[..len];
                let want = Address::parse(cut).and_then(|address| Ok((address.title()?, address.ssn)));
                assert_eq!(party(cut), want, "{cut:02x?}");
            }
        }
    }

    #[test]
    fn address_vectors_hold() -> Result<(), Box<dyn core::error::Error>> {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/unit.json"))?;
        let file: serde_json::Value = serde_json::from_str(&text)?;
        let all = file["vectors"].as_array().into_iter().flatten();
        let mut seen = 0;
        for vector in all.filter(|vector| vector["kind"] == "sccp_address") {
            let (id, want) = (&vector["id"], &vector["expect"]);
            let hex = vector["input"].as_str().unwrap_or_default();
            let octets: Vec<u8> =
                (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16)).collect::<Result<_, _>>()?;
            match Address::parse(&octets).and_then(|address| Ok((address, address.title()?))) {
                Err(refusal) => assert_eq!(want, refusal.reason.name(), "{id}"),
                Ok((address, gt)) => {
                    assert_eq!(want["ssn"].as_u64(), address.ssn.map(|ssn| u64::from(ssn.0)), "{id}");
                    assert_eq!(want["gt"].as_str(), gt.map(|gt| gt.to_string()).as_deref(), "{id}");
                    assert_eq!(want["plan"].as_u64(), gt.map(|gt| gt.plan as u64), "{id}");
                    let mut canonical = Vec::new();
                    if let (Some(gt), Some(ssn)) = (gt, address.ssn) {
                        gt.write_canonical(ssn, &mut canonical);
                        let text: String = canonical.iter().map(|octet| format!("{octet:02x}")).collect();
                        assert_eq!(want["canonical_hex"].as_str(), Some(text.as_str()), "{id}");
                    }
                }
            }
            seen += 1;
        }
        assert_eq!(seen, 8);
        Ok(())
    }
}
