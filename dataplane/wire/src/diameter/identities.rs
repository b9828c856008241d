//! Whom a message speaks of: subscribers by IMSI and number, and nodes by number, wherever the applications put them.

use super::{Avp, AvpId, Avps, Header, MAX_DEPTH, Message};
use crate::addr::Digits;
use crate::list::List;

/// What a number found in a message stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    /// A subscriber by IMSI.
    Imsi,
    /// A subscriber by number, E.164.
    Msisdn,
    /// A node by number: SGSN, MME, MSC, VLR, GMLC or service centre.
    Node,
}

const SUBSCRIPTION_ID: AvpId = AvpId::new(0, 443);
const SUBSCRIPTION_ID_DATA: AvpId = AvpId::new(0, 444);
const SUBSCRIPTION_ID_TYPE: AvpId = AvpId::new(0, 450);
const SUBSCRIPTION_ID_EXTENSION: AvpId = AvpId::new(0, 659);
const SUBSCRIPTION_ID_E164: AvpId = AvpId::new(0, 660);
const SUBSCRIPTION_ID_IMSI: AvpId = AvpId::new(0, 661);
const SUBSCRIPTION_ID_NAI: AvpId = AvpId::new(0, 663);
const SUBSCRIPTION_ID_PRIVATE: AvpId = AvpId::new(0, 664);
const TGPP_IMSI: AvpId = AvpId::new(AvpId::TGPP, 1);
const USER_IDENTITY: AvpId = AvpId::new(AvpId::TGPP, 700);
const MSISDN: AvpId = AvpId::new(AvpId::TGPP, 701);
const SUBSCRIPTION_DATA: AvpId = AvpId::new(AvpId::TGPP, 1400);
const GMLC_NUMBER: AvpId = AvpId::new(AvpId::TGPP, 1474);
const SGSN_NUMBER: AvpId = AvpId::new(AvpId::TGPP, 1489);
const A_MSISDN: AvpId = AvpId::new(AvpId::TGPP, 1643);
const MME_NUMBER: AvpId = AvpId::new(AvpId::TGPP, 1645);
const SERVING_NODE: AvpId = AvpId::new(AvpId::TGPP, 2401);
const MSC_NUMBER: AvpId = AvpId::new(AvpId::TGPP, 2403);
const ADDITIONAL_SERVING_NODE: AvpId = AvpId::new(AvpId::TGPP, 2406);
const USER_IDENTIFIER: AvpId = AvpId::new(AvpId::TGPP, 3102);
const SC_ADDRESS: AvpId = AvpId::new(AvpId::TGPP, 3300);
const VLR_NUMBER: AvpId = AvpId::new(AvpId::TGPP, 3420);

/// Groups that hold identities of those the message is about.
const fn holds_identities(id: AvpId) -> bool {
    matches!(
        id,
        SUBSCRIPTION_ID_EXTENSION
            | USER_IDENTITY
            | SUBSCRIPTION_DATA
            | SERVING_NODE
            | ADDITIONAL_SERVING_NODE
            | USER_IDENTIFIER
    )
}

/// Reports each number of the message and the octet where its AVP begins, in the order of the tree.
///
/// Text or octets that are no decimal number of one to 16 digits are passed over: whether an identity must be there and
/// well formed is for policy.
/// # Source
/// TS 29.272 §7.3 (S6a, S13), TS 29.338 §5.3, §6.3 (S6c, SGd), TS 29.172 and TS 29.173 (SLg, SLh), TS 29.329 §6.3 (Sh),
/// RFC 8506 §8.46 and §8.58 (Gx, Gy, Rx), TS 23.003 §13.3 and §19.3 (private identities and NAIs).
pub fn visit(message: &Message<'_>, each: &mut impl FnMut(Party, Digits, usize)) {
    run(message.view.avps(), 0, each);
}

fn run(avps: Avps<'_>, depth: usize, each: &mut impl FnMut(Party, Digits, usize)) {
    for avp in avps.flatten() {
        let (party, digits) = match avp.id {
            AvpId::USER_NAME | SUBSCRIPTION_ID_NAI | SUBSCRIPTION_ID_PRIVATE => {
                (Party::Imsi, private_identity(avp.data))
            }
            TGPP_IMSI | SUBSCRIPTION_ID_IMSI => (Party::Imsi, from_ascii(avp.data)),
            SUBSCRIPTION_ID_E164 => (Party::Msisdn, from_ascii(avp.data)),
            MSISDN | A_MSISDN => (Party::Msisdn, from_tbcd(avp.data)),
            SGSN_NUMBER | MME_NUMBER | MSC_NUMBER | GMLC_NUMBER | SC_ADDRESS | VLR_NUMBER => {
                (Party::Node, from_tbcd(avp.data))
            }
            SUBSCRIPTION_ID => match subscription(&avp) {
                Some((party, digits)) => (party, Some(digits)),
                None => continue,
            },
            id if depth < MAX_DEPTH && holds_identities(id) => {
                run(avp.children(), depth + 1, each);
                continue;
            }
            _ => continue,
        };
        if let Some(digits) = digits {
            each(party, digits, avp.at);
        }
    }
}

/// Type and data of a Subscription-Id, in either order: 0 E.164, 1 IMSI, 3 NAI, 4 private identity (RFC 8506 §8.47).
fn subscription(group: &Avp<'_>) -> Option<(Party, Digits)> {
    let find = |id| group.children().flatten().find(|avp| avp.id == id);
    let data = find(SUBSCRIPTION_ID_DATA)?.data;
    match find(SUBSCRIPTION_ID_TYPE)?.u32()? {
        0 => Some((Party::Msisdn, from_ascii(data)?)),
        1 => Some((Party::Imsi, from_ascii(data)?)),
        3 | 4 => Some((Party::Imsi, private_identity(data)?)),
        _ => None,
    }
}

/// The IMSI of a User-Name: all of it, or what stands before the realm of a private identity.
///
/// A NAI for authentication has one digit more in front, which says how (TS 23.003 §19.3.2).
fn private_identity(text: &[u8]) -> Option<Digits> {
    let user = text.split(|&octet| octet == b'@').next()?;
    let user = if user.len() == text.len() || user.len() < 16 { user } else { user.get(1..)? };
    from_ascii(user).filter(|digits| digits.len() <= 15)
}

fn from_ascii(text: &[u8]) -> Option<Digits> {
    let mut packed = [0; 8];
    for (i, octet) in text.iter().enumerate() {
        let place = packed.get_mut(i / 2).filter(|_| octet.is_ascii_digit())?;
        *place |= (octet & 0x0f) << (4 * (i % 2));
    }
    Digits::from_nibbles(&packed, text.len()).filter(|digits| !digits.is_empty())
}

fn from_tbcd(octets: &[u8]) -> Option<Digits> {
    Digits::from_tbcd(octets).filter(|digits| !digits.is_empty() && digits.len() <= 16 && digits.is_decimal())
}

/// MCC and MNC, five or six digits, of a Visited-PLMN-Id (TS 29.272 §7.3.9, coded as TS 24.008 §10.5.1.3 has it).
///
/// `None` if it has not three octets, or other than decimal digits.
pub fn plmn(octets: &[u8]) -> Option<Digits> {
    let &[a, b, c] = octets.try_into().ok()?;
    // The third digit of the MNC stands before the first two, and is a filler where there are but two.
    let len = if b >> 4 == 0x0f { 5 } else { 6 };
    let packed = [a, b & 0x0f | c << 4, c >> 4 | b & 0xf0];
    Digits::from_nibbles(&packed, len).filter(Digits::is_decimal)
}

/// The octets of such a network; `None` if it has not five or six decimal digits.
pub fn plmn_octets(network: &Digits) -> Option<[u8; 3]> {
    let digit = |i| network.get(i);
    let third = if network.len() == 5 { 0x0f } else { digit(5)? };
    (network.is_decimal() && network.len() <= 6).then_some([
        digit(0)? | digit(1)? << 4,
        digit(2)? | third << 4,
        digit(3)? | digit(4)? << 4,
    ])
}

/// Whether a request has to say which network the subscriber visits: Update-Location and Authentication-Information of S6a and
/// S6d (TS 29.272 §7.2.3 and §7.2.5).
#[must_use]
pub fn names_visited_network(header: &Header) -> bool {
    const S6A: u32 = 16_777_251;
    header.is_request() && header.application == S6A && matches!(header.command, 316 | 318)
}

/// Whom a message speaks of, for policy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identities {
    /// IMSIs, each once; the first four.
    pub imsi: List<Digits, 4>,
    /// Numbers of subscribers, each once; the first four.
    pub msisdn: List<Digits, 4>,
    /// Numbers of nodes, each once; the first four.
    pub nodes: List<Digits, 4>,
    /// One was left out, since its list was full: policy must not take the lists for all there is.
    pub more: bool,
}

/// Collects what [`visit`] reports.
pub fn identities(message: &Message<'_>) -> Identities {
    let mut found = Identities::default();
    visit(message, &mut |party, digits, _| {
        let list = match party {
            Party::Imsi => &mut found.imsi,
            Party::Msisdn => &mut found.msisdn,
            Party::Node => &mut found.nodes,
        };
        if !list.iter().any(|seen| *seen == digits) {
            found.more |= !list.push(digits);
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::super::{begin, emit_avp, finish};
    use super::*;
    use crate::Refusal;

    #[test]
    fn networks_have_two_or_three_digits() {
        for (octets, want) in [
            (&[0x00, 0xf1, 0x20][..], Some("00102")),
            (&[0x13, 0x00, 0x14], Some("310410")),
            (&[0x00, 0xa1, 0x20], None),
            (&[0x0f, 0xf1, 0x20], None),
            (&[0x00, 0xf1], None),
            (&[0x00, 0xf1, 0x20, 0], None),
        ] {
            let read = plmn(octets);
            assert_eq!(read.map(|digits| digits.to_string()).as_deref(), want, "{octets:02x?}");
            assert_eq!(read.map(|digits| plmn_octets(&digits).expect("read").to_vec()), want.map(|_| octets.to_vec()));
        }
        for other in ["", "0010", "0010203", "00a02"] {
            assert_eq!(other.parse().ok().and_then(|digits| plmn_octets(&digits)), None, "{other}");
        }
    }

    #[test]
    fn subscribers_are_found_where_applications_put_them() -> Result<(), Refusal> {
        let tgpp = |code| AvpId::new(AvpId::TGPP, code);
        let pack = |avps: &[(AvpId, &[u8])]| {
            let mut out = Vec::new();
            avps.iter().for_each(|(id, data)| assert!(emit_avp(*id, 0, data, &mut out)));
            out
        };
        let e164 = pack(&[(AvpId::new(0, 450), &[0; 4]), (AvpId::new(0, 444), b"999025550001")]);
        let nai =
            pack(&[(AvpId::new(0, 444), b"0001010000000007@nai.epc.example"), (AvpId::new(0, 450), &[0, 0, 0, 3])]);
        let identifier = pack(&[(AvpId::USER_NAME, b"001010000000008"), (tgpp(701), &[0x99, 0x20, 0x55, 0xf1])]);
        let profile = pack(&[(tgpp(701), &[0x99, 0x20, 0x55, 0xf1]), (tgpp(1643), &[0x12])]);
        let extension =
            pack(&[(AvpId::new(0, 660), b"999025550002"), (AvpId::new(0, 664), b"001010000000006@ims.epc")]);
        let avps: [(AvpId, &[u8]); 12] = [
            (AvpId::new(0, 25), &identifier), // Class: octets, whatever they look like
            (tgpp(1), b"001010000000005"),
            (AvpId::new(0, 659), &extension),
            (AvpId::ORIGIN_HOST, b"h.r"),
            (AvpId::ORIGIN_REALM, b"r"),
            (AvpId::USER_NAME, b"001010000000009"),
            (AvpId::new(0, 443), &e164),
            (AvpId::new(0, 443), &nai),
            (tgpp(3102), &identifier),
            (tgpp(1400), &profile),
            (tgpp(3300), &[0x99, 0x09]),
            (tgpp(1489), &[0x99, 0xfa]), // no decimal digit
        ];
        let mut octets = Vec::new();
        let start = begin(&Header::default(), &mut octets);
        octets.extend_from_slice(&pack(&avps));
        assert!(finish(start, &mut octets));
        let found = identities(&Message::parse(&octets)?);
        let text = |list: &List<Digits, 4>| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(text(&found.imsi), "001010000000005 001010000000006 001010000000009 001010000000007");
        assert_eq!(text(&found.msisdn), "999025550002 999025550001 9902551 21");
        assert_eq!((text(&found.nodes), found.more), ("9990".into(), true));
        Ok(())
    }

    #[test]
    fn a_subscription_is_what_its_type_says() -> Result<(), Refusal> {
        for (kind, data, want) in [
            (0, &b"999025550001"[..], Some(Party::Msisdn)),
            (1, b"001010123456789", Some(Party::Imsi)),
            (2, b"sip:001010123456789@ims", None),
            (3, b"001010123456789@nai", Some(Party::Imsi)),
            (4, b"001010123456789@ims", Some(Party::Imsi)),
            (4, b"0001010123456789", None), // sixteen digits, and no realm
            (5, b"001010123456789", None),
            (1, b"00101x", None),
            (1, b"", None),
        ] {
            let (mut inside, mut octets) = (Vec::new(), Vec::new());
            assert!(emit_avp(SUBSCRIPTION_ID_DATA, 0, data, &mut inside));
            assert!(emit_avp(SUBSCRIPTION_ID_TYPE, 0, &u32::to_be_bytes(kind), &mut inside));
            let start = begin(&Header::default(), &mut octets);
            for (id, data) in
                [(AvpId::ORIGIN_HOST, &b"h.r"[..]), (AvpId::ORIGIN_REALM, b"r"), (SUBSCRIPTION_ID, &inside)]
            {
                assert!(emit_avp(id, 0, data, &mut octets));
            }
            assert!(finish(start, &mut octets));
            let mut found = Vec::new();
            visit(&Message::parse(&octets)?, &mut |party, _, at| found.push((party, at)));
            let at = octets.len() - inside.len() - 8;
            assert_eq!(found, Vec::from_iter(want.map(|party| (party, at))), "{kind}");
        }
        Ok(())
    }
}
