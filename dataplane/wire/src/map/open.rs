//! The MAP part of a dialogue's opening: map-open in the user information of a dialogue request (TS 29.002 §17.4).

use super::read_imsi;
use crate::addr::Digits;
use crate::ber::{self, Elements, Rules, Tlv};
use crate::tcap::Message;

/// Numbering plan of IMSIs (E.212) in an AddressString (TS 29.002 §17.7.8).
const E212: u8 = 6;
const DIALOGUE: u8 = 0x6b;
const EXTERNAL: u8 = 0x28;
const OBJECT_ID: u8 = 0x06;
const ABSTRACT: u8 = 0xa0;
const AARQ: u8 = 0x60;
const USER_INFORMATION: u8 = 0xbe;
const MAP_OPEN: u8 = 0xa0;
const DESTINATION: u8 = 0x80;
/// Object identifier of the MAP dialogue, 0.4.0.0.1.1.1.1.
const MAP_DIALOGUE: [u8; 7] = [4, 0, 0, 1, 1, 1, 1];

/// The subscriber that a dialogue is about, where its opening names one by IMSI: supplementary services and USSD say it nowhere
/// else.
///
/// What is not coded as TS 29.002 has it says nothing.
pub fn destination_imsi(message: &Message<'_>) -> Option<Digits> {
    let rules = message.rules();
    let portion = message.elements.iter().find(|element| element.first() == Some(&DIALOGUE))?;
    let unit = external(&first(portion, DIALOGUE, rules)?, rules, None)?;
    let request = within(&unit, AARQ, rules)?;
    let information = within(&request, USER_INFORMATION, rules)?;
    let open = within(&external(&information, rules, Some(&MAP_DIALOGUE))?, MAP_OPEN, rules)?;
    let (plan, digits) = within(&open, DESTINATION, rules)?.value.split_first()?;
    (plan & 0x8f == 0x80 | E212).then(|| read_imsi(digits)).flatten()
}

/// Appends the user information of a dialogue request that names a subscriber.
pub fn open_for(imsi: &Digits, out: &mut Vec<u8>) {
    ber::put_with(USER_INFORMATION, out, |out| {
        ber::put_with(EXTERNAL, out, |out| {
            ber::put_tlv(OBJECT_ID, &MAP_DIALOGUE, out);
            ber::put_with(ABSTRACT, out, |out| {
                ber::put_with(MAP_OPEN, out, |out| {
                    ber::put_with(DESTINATION, out, |out| {
                        out.push(0x90 | E212);
                        imsi.write_packed(0x0f, out);
                    });
                });
            });
        });
    });
}

/// The element at the beginning of `octets`, if it has this tag.
fn first(octets: &[u8], tag: u8, rules: Rules) -> Option<Tlv<'_>> {
    Elements::new(octets, rules, 0).pull().ok()?.filter(|element| element.is(tag))
}

/// The first element inside with this tag.
fn within<'a>(outer: &Tlv<'a>, tag: u8, rules: Rules) -> Option<Tlv<'a>> {
    Elements::new(outer.value, rules, 1).flatten().find(|element| element.is(tag))
}

/// What an EXTERNAL inside of an element holds; `syntax`: of this kind only.
fn external<'a>(outer: &Tlv<'a>, rules: Rules, syntax: Option<&[u8]>) -> Option<Tlv<'a>> {
    let external = within(outer, EXTERNAL, rules)?;
    let named = within(&external, OBJECT_ID, rules)?;
    if syntax.is_some_and(|syntax| named.value != syntax) {
        return None;
    }
    within(&external, ABSTRACT, rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcap::{Tid, emit_begin};
    use proptest::prelude::*;

    /// The dialogue portion of a USSD request as 3GPP has it, with what follows the context name.
    fn message(information: &[u8]) -> Vec<u8> {
        let (mut portion, mut out) = (Vec::new(), Vec::new());
        ber::put_with(DIALOGUE, &mut portion, |out| {
            ber::put_with(EXTERNAL, out, |out| {
                ber::put_tlv(OBJECT_ID, &[0, 0x11, 0x86, 5, 1, 1, 1], out);
                ber::put_with(ABSTRACT, out, |out| {
                    ber::put_with(AARQ, out, |out| {
                        out.extend_from_slice(&[0x80, 2, 7, 0x80, 0xa1, 9, 6, 7, 4, 0, 0, 1, 0, 19, 2]);
                        out.extend_from_slice(information);
                    });
                });
            });
        });
        ber::put_with(0x62, &mut out, |out| {
            ber::put_tlv(0x48, &[1, 2, 3, 4], out);
            out.extend_from_slice(&portion);
        });
        out
    }

    fn read(octets: &[u8]) -> Option<String> {
        destination_imsi(&Message::parse(octets, Rules::Strict).ok()?).map(|imsi| imsi.to_string())
    }

    #[test]
    fn the_subscriber_of_a_dialogue_is_read() {
        let mut information = Vec::new();
        open_for(&"001012345678901".parse().unwrap(), &mut information);
        let octets = message(&information);
        assert_eq!(read(&octets).as_deref(), Some("001012345678901"));
        assert_eq!(read(&message(&[])), None);
        let mut plain = Vec::new();
        emit_begin(Tid::new(&[1]).unwrap(), Some(&[4, 0, 0, 1, 0, 19, 2]), &[], &mut plain);
        assert_eq!(read(&plain), None);
        let plan = octets.iter().rposition(|octet| *octet == 0x96).unwrap();
        for (at, octet, why) in [
            (plan, 0x91, "a number, not an IMSI"),
            (plan, 0x16, "an extension of the first octet"),
            (plan - 2, 0x81, "the origin of the dialogue"),
            (plan - 4, 0xa1, "map-accept"),
            (plan - 7, 2, "another syntax"),
            (plan + 1, 0xa0, "no decimal digits"),
        ] {
            let mut other = octets.clone();
            other[at] = octet;
            assert_eq!(read(&other), None, "{why}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(at in 0_usize..70, octet: u8) {
            let mut information = Vec::new();
            open_for(&"001012345678901".parse().unwrap(), &mut information);
            let mut octets = message(&information);
            let at = at % octets.len();
            octets[at] = octet;
            read(&octets);
        }
    }
}
