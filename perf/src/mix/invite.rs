//! Calls in SIP: INVITEs, signed by a PASSporT for their calling number (formats 8), and requests that need none. A datagram each;
//! nobody answers them here.

use sealgate_wire::addr::Digits;
use sealgate_wire::sec::passport::{Attest, Outgoing, Scratch, base64url};

use super::Side;
use super::lane::Label;
use super::message::{Form, HOME, Kind, Octets, PEERS};
use super::operation::Operation;
use super::template::Places;
use super::values::{Values, hex, unix_seconds};

/// Where certificates of peers, and ours, are said to be; nobody fetches them.
pub(super) const CERTIFICATES: &str = "certs.ipx.example";
/// Who we say that a call of ours is from.
pub(super) const HOME_ORIGID: &str = "123e4567-e89b-12d3-a456-426614174000";
/// The same of peers; the transaction follows, so that no two PASSporTs are alike.
const ORIGID: &str = "123e4567-e89b-12d3-a456-4266";
/// The front of every branch (RFC 3261 §8.1.1.7); in these messages the number of the datagram follows.
const COOKIE: &[u8] = b"z9hG4bK";
/// Octets from the front of a request within which its first branch begins.
const BRANCH_WITHIN: usize = 160;
const BODY: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.30\r\ns=-\r\nc=IN IP4 192.0.2.30\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n";
/// Octets of the JSON of a PASSporT, at most.
const MAX_JSON: usize = 512;
/// Octets of a P-256 signature as text.
const SIGNATURE: usize = 86;

/// Where the certificate of a peer is whose number has so many digits.
pub(super) fn x5u(number: u32, number_len: usize) -> String {
    format!("https://{CERTIFICATES}/p{:0number_len$}.pem", number % 10_u32.saturating_pow(number_len as u32))
}

/// Where ours is.
pub(super) fn home_x5u() -> String {
    format!("https://{CERTIFICATES}/home.pem")
}

/// The octets of one request.
///
/// A spoofed call is signed well, for a calling number of ours.
/// * `number_len`: digits of a peer's number; `datagram`: its number in its association
/// * `Err`: the layer into which it does not fit
pub(super) fn compose(kind: Kind, number_len: usize, values: &Values, datagram: u32) -> Result<Octets, &'static str> {
    let number = format!("{:0number_len$}", values.number % 10_u32.saturating_pow(number_len as u32));
    let subscriber = format!("{HOME}{:06}", values.subscriber % 1_000_000);
    let peer = format!("{PEERS}{number}");
    let (calling, called) = match (kind.side, kind.form) {
        (Side::Interconnect, Form::Spoofed) => (format!("{HOME}{number}"), subscriber),
        (Side::Interconnect, _) => (peer, subscriber),
        (Side::Home, _) => (subscriber, peer),
    };
    let (from, to) = match kind.side {
        Side::Interconnect => ("sbc.ipx.example", "sbc.home.example"),
        Side::Home => ("sbc.home.example", "sbc.ipx.example"),
    };
    let (method, call) = (kind.operation.name(), u32::from_be_bytes(values.transaction));
    let (tag, sequence) = if kind.operation == Operation::Bye { (";tag=callee", 2) } else { ("", 1) };
    let mut user = format!(
        "{method} sip:+{called}@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{datagram:08x}\r\nMax-Forwards: 70\r\n\
         From: <sip:+{calling}@{from}>;tag={call:08x}\r\nTo: <sip:+{called}@{to}>{tag}\r\nCall-ID: {call:08x}@{from}\r\n\
         CSeq: {sequence} {method}\r\n"
    )
    .into_bytes();
    let mut tbs = Vec::new();
    if kind.operation == Operation::Invite {
        user.extend_from_slice(format!("Contact: <sip:+{calling}@{from}>\r\n").as_bytes());
        if kind.form != Form::Plain {
            let (x5u, origid) = (x5u(values.number, number_len), format!("{ORIGID}{call:08x}"));
            let dest = [digits(&called)?];
            let iat = unix_seconds(values.seconds).into();
            let (x5u, origid) = (x5u.as_str(), origid.as_str());
            let outgoing = Outgoing { x5u, attest: Attest::A, origid, orig: digits(&calling)?, dest: &dest, iat };
            let mut scratch = Scratch::default();
            let input = outgoing.input(&mut scratch).ok_or("a PASSporT")?;
            outgoing.emit(input, &values.signature, &mut user);
            tbs.extend_from_slice(input);
        }
        user.extend_from_slice(b"Content-Type: application/sdp\r\n");
    }
    let body = if kind.operation == Operation::Invite { BODY } else { "" };
    user.extend_from_slice(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    Ok(Octets { user, tbs })
}

/// The number of the datagram that a request was sent in.
#[inline]
pub(super) fn datagram_of(request: &[u8]) -> Option<u32> {
    let at = branch(request)?;
    let digits = request.get(at..at + 8)?;
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// Where the first branch has its number.
fn branch(request: &[u8]) -> Option<usize> {
    let front = request.get(..BRANCH_WITHIN.min(request.len()))?;
    let cookie = front.windows(COOKIE.len()).position(|window| window == COOKIE)?;
    Some(cookie + COOKIE.len())
}

/// What a request has that is written otherwise than octet by octet.
#[derive(Clone, Debug)]
pub(super) struct Request {
    branch: usize,
    passport: Option<Passport>,
}

/// A PASSporT: base64url of JSON, in which digits do not stand octet by octet. So its JSON is written over, and encoded anew.
#[derive(Clone, Debug)]
struct Passport {
    /// Header, then payload.
    json: Vec<u8>,
    /// Octets of the header.
    head: usize,
    places: Places,
    /// Where its text lies in the request, and where that of its signature.
    at: usize,
    signature_at: usize,
}

impl Request {
    /// * `first`: a request made by the book; `learn`: gives the places of values in what it is given as such
    pub(super) fn learn(
        first: &Octets,
        learn: impl FnOnce(&dyn Fn(Octets) -> Result<Octets, &'static str>) -> Result<Places, &'static str>,
    ) -> Result<Self, &'static str> {
        let branch = branch(&first.user).ok_or("a branch")?;
        if first.tbs.is_empty() {
            return Ok(Self { branch, passport: None });
        }
        let (json, head) = json(&first.tbs).filter(|(json, _)| json.len() <= MAX_JSON).ok_or("a PASSporT")?;
        let at = first.user.windows(first.tbs.len()).position(|window| window == first.tbs).ok_or("a PASSporT")?;
        let signature_at = at + first.tbs.len() + 1;
        let places = learn(&|octets| {
            let (user, _) = self::json(&octets.tbs).ok_or("a PASSporT")?;
            Ok(Octets { user, tbs: Vec::new() })
        })?;
        Ok(Self { branch, passport: Some(Passport { json, head, places, at, signature_at }) })
    }

    /// Writes these values over a request of the template.
    #[inline]
    pub(super) fn write(&self, values: &Values, label: &Label, user: &mut [u8]) {
        if let Some(place) = user.get_mut(self.branch..self.branch + 8) {
            place.copy_from_slice(&hex(label.datagram.to_be_bytes()));
        }
        let Some(passport) = &self.passport else { return };
        if let Some(place) = user.get_mut(passport.at..passport.signature_at - 1) {
            passport.write(values, place);
        }
        if let Some(place) = user.get_mut(passport.signature_at..passport.signature_at + SIGNATURE) {
            base64url::encode_into(&values.signature, place);
        }
    }

    /// Writes what a signature over the request with these values covers, over that of the template.
    #[inline]
    pub(super) fn covered(&self, values: &Values, tbs: &mut [u8]) {
        if let Some(passport) = &self.passport {
            passport.write(values, tbs);
        }
    }
}

impl Passport {
    #[inline]
    fn write(&self, values: &Values, text: &mut [u8]) {
        let mut room = [0; MAX_JSON];
        let Some(json) = room.get_mut(..self.json.len()) else { return };
        json.copy_from_slice(&self.json);
        self.places.write(values, json);
        let (head, payload) = json.split_at(self.head);
        let Some((first, second)) = text.split_at_mut_checked((head.len() * 4).div_ceil(3)) else { return };
        base64url::encode_into(head, first);
        if let Some((_, second)) = second.split_first_mut() {
            base64url::encode_into(payload, second); // behind the dot
        }
    }
}

/// Header and payload of a PASSporT in one, and the length of the first.
fn json(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let dot = input.iter().position(|octet| *octet == b'.')?;
    let (mut json, mut payload) = (Vec::new(), Vec::new());
    base64url::decode(input.get(..dot)?, &mut json)?;
    let head = json.len();
    base64url::decode(input.get(dot + 1..)?, &mut payload)?;
    json.extend_from_slice(&payload);
    Some((json, head))
}

fn digits(text: &str) -> Result<Digits, &'static str> {
    text.parse().map_err(|_| "digits")
}
