//! Signed messages of the other protocols: Diameter over SCTP, ISUP, and SIP over UDP. Each is good once.

use sealgate_crypto::sign::SigningKey;
use sealgate_wire::addr::PointCode;
use sealgate_wire::diameter::{self, AvpId, FLAG_MANDATORY, Flags};
use sealgate_wire::frame_builder::Path;
use sealgate_wire::isup::{self, Iam};
use sealgate_wire::sctp::{self, Data};
use sealgate_wire::sec::dess::{Signer, SystemTime};
use sealgate_wire::sec::passport::{Attest, Outgoing, Scratch};
use sealgate_wire::sec::{Header, Sorter, Tvp, dia1, isup1};
use sealgate_wire::{ip, m3ua, sip, udp};

use super::{HOME, digits, path};
use crate::gateway::NOW_MS;

const UPDATE_LOCATION: u32 = 316;
const S6A: u32 = 16_777_251;
/// Verification tag of packets of the Diameter link.
const VTAG_DIAMETER: u32 = 0x5ea1_9a7f;
const REALMS: [&str; 2] = ["epc.mnc002.mcc001.3gppnetwork.org", "epc.mnc001.mcc001.3gppnetwork.org"];
/// 00102, as a Visited-PLMN-Id.
const VISITED: [u8; 3] = [0x00, 0xf1, 0x20];
const X5U: &str = "https://certs.tsca.example/a-ec.pem";

/// `count` Update-Location-Requests, signed in the native profile.
pub fn diameter(key: &SigningKey, count: u32) -> Vec<Vec<u8>> {
    (0..count).filter_map(|i| update_location(key, i)).collect()
}

fn update_location(key: &SigningKey, i: u32) -> Option<Vec<u8>> {
    let [from, to] = REALMS;
    let flags = Flags(Flags::REQUEST.0 | Flags::PROXIABLE.0);
    let header = diameter::Header { flags, command: UPDATE_LOCATION, application: S6A, hop_by_hop: i, end_to_end: i };
    let mut plain = Vec::new();
    let start = diameter::begin(&header, &mut plain);
    let (host, session, imsi) = (format!("mme.{from}"), format!("mme.{from};{i};1"), format!("00101{i:010}"));
    let mut whole = true;
    for (id, data) in [
        (AvpId::SESSION_ID, session.as_bytes()),
        (AvpId::AUTH_SESSION_STATE, &[0, 0, 0, 1]),
        (AvpId::ORIGIN_HOST, host.as_bytes()),
        (AvpId::ORIGIN_REALM, from.as_bytes()),
        (AvpId::DESTINATION_REALM, to.as_bytes()),
        (AvpId::USER_NAME, imsi.as_bytes()),
        (AvpId::VISITED_PLMN_ID, &VISITED),
    ] {
        whole &= diameter::emit_avp(id, FLAG_MANDATORY, data, &mut plain);
    }
    whole &= diameter::finish(start, &mut plain);
    let view = diameter::View::new(&plain).ok().filter(|_| whole)?;
    let (alg, sai) = (key.alg() as u8, key.public().sai());
    let ours =
        Header { alg, flags: 0, node: 1, sai, tvp: Tvp::from_unix_ms(NOW_MS), seq: u64::from(i) + 1, copy: None };
    let (mut covered, mut tbs, mut added, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    ours.emit(&mut covered);
    let signer = Signer::new(from.as_bytes(), SystemTime::from_unix_ms(NOW_MS), alg, Some(&covered));
    dia1::write_tbs(&view, &covered, signer.parts(), &mut Sorter::new(), &mut tbs).ok()?;
    let mut signature = [0; 256];
    let len = key.sign(&tbs, &mut signature).ok()?;
    let made = signer.emit(signature.get(..len)?, &mut added) && diameter::rebuild(&view, |_| false, &added, &mut out);
    let path = Path {
        source: [192, 0, 2, 20].into(),
        destination: [198, 51, 100, 20].into(),
        source_port: 3868,
        destination_port: 3868,
        vtag: VTAG_DIAMETER,
        ..path(false)
    };
    let data = Data {
        tsn: i,
        stream: 1,
        ssn: i as u16,
        ppid: diameter::PPID,
        unordered: false,
        begin: true,
        end: true,
        immediate: false,
        user: &out,
    };
    let mut frame = Vec::new();
    let mut fits = made;
    let sent = path.emit(1, |chunks| fits = fits && sctp::emit_data(&data, chunks), &mut frame);
    (sent && fits).then_some(frame)
}

/// `count` calls (IAM), signed.
pub fn isup(key: &SigningKey, count: u32) -> Vec<Vec<u8>> {
    (0..count).filter_map(|i| call(key, i)).collect()
}

fn call(key: &SigningKey, i: u32) -> Option<Vec<u8>> {
    let (calling, called) = (digits(&format!("99902{:07}", i % 10_000_000)), digits(HOME));
    let number = |digits: &_| {
        let mut out = vec![4, 0x10];
        sealgate_wire::addr::Digits::write_packed(digits, 0, &mut out);
        out
    };
    let (theirs, ours) = (number(&calling), number(&called));
    let mut plain = vec![i as u8, (i >> 8) as u8 & 0x0f, isup::IAM, 0, 0x20, 0, 10, 0, 2];
    plain.extend_from_slice(&[ours.len() as u8 + 2, ours.len() as u8]);
    plain.extend_from_slice(&ours);
    plain.extend_from_slice(&[0x0a, theirs.len() as u8]);
    plain.extend_from_slice(&theirs);
    plain.push(0);
    let read = isup::View::new(&plain).and_then(Iam::parse).ok()?;
    let (alg, sai, tvp) = (key.alg() as u8, key.public().sai(), Tvp::from_unix_ms(NOW_MS));
    let header = Header { alg, flags: 0, node: 2, sai, tvp, seq: u64::from(i) + 1, copy: None };
    let (mut covered, mut tbs, mut parameter, mut signed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    isup1::put_covered(&header, None, &mut covered);
    isup1::write_tbs(&covered, None, &calling, &called, 10, 0, &mut tbs);
    let mut signature = [0; 256];
    let len = key.sign(&tbs, &mut signature).ok()?;
    let made = isup1::emit_parameter(&covered, signature.get(..len)?, &mut parameter)
        && isup::append(&read, &parameter, &mut signed);
    let data = m3ua::Data {
        network_appearance: None,
        routing_context: Some(1),
        correlation: None,
        opc: PointCode(4128),
        dpc: PointCode(4112),
        si: 5,
        ni: 0,
        mp: 0,
        sls: (i & 15) as u8,
        user: &signed,
    };
    let mut frame = Vec::new();
    (made && path(false).emit_m3ua(&data, i, 1, i as u16, &mut frame)).then_some(frame)
}

/// `count` INVITEs, each with a PASSporT in full form (RFC 8588).
pub fn sip(key: &SigningKey, count: u32) -> Vec<Vec<u8>> {
    (0..count).filter_map(|i| invite(key, i)).collect()
}

fn invite(key: &SigningKey, i: u32) -> Option<Vec<u8>> {
    let calling = format!("99902{:07}", i % 10_000_000);
    let dest = [digits(HOME)];
    let outgoing = Outgoing {
        x5u: X5U,
        attest: Attest::A,
        origid: "123e4567-e89b-12d3-a456-426614174001",
        orig: digits(&calling),
        dest: &dest,
        iat: NOW_MS / 1000,
    };
    let (mut scratch, mut identity, mut signature) = (Scratch::default(), Vec::new(), [0; 256]);
    let input = outgoing.input(&mut scratch)?;
    let len = key.sign(input, &mut signature).ok()?;
    outgoing.emit(input, signature.get(..len)?.first_chunk()?, &mut identity);
    let mut message = format!(
        "INVITE sip:+{HOME}@home.example SIP/2.0\r\nVia: SIP/2.0/UDP sbc.example;branch=z9hG4bK{i}\r\nMax-Forwards: 70\r\n\
         From: <sip:+{calling}@far.example>;tag={i}\r\nTo: <sip:+{HOME}@home.example>\r\nCall-ID: {i}@far\r\nCSeq: 1 INVITE\r\n"
    )
    .into_bytes();
    message.extend_from_slice(&identity);
    let body = "v=0\r\no=- 1 1 IN IP4 192.0.2.30\r\ns=-\r\nc=IN IP4 192.0.2.30\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n";
    message.extend_from_slice(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    let (from, to) = ([192, 0, 2, 30], [198, 51, 100, 30]);
    let mut frame = vec![2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0];
    frame.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, udp::PROTOCOL, 0, 0]);
    frame.extend_from_slice(&from);
    frame.extend_from_slice(&to);
    let made = udp::emit((from.into(), sip::PORT), (to.into(), sip::PORT), &message, &mut frame);
    (made && ip::set_lengths(frame.get_mut(14..)?, udp::HEADER_LEN + message.len())).then_some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{Gateway, operator_key};
    use crate::measure;
    use sealgate_config::model::Mode;
    use sealgate_crypto::keyring::KeyRing;
    use sealgate_crypto::pool::PoolConfig;
    use sealgate_wire::Reason;

    #[test]
    fn each_is_verified() {
        let key = operator_key().expect("a key");
        for (name, frames) in [("diameter", diameter(&key, 300)), ("isup", isup(&key, 300)), ("sip", sip(&key, 300))] {
            assert_eq!(frames.len(), 300, "{name}");
            let keys = KeyRing::new();
            let mut gateway =
                Gateway::new(Mode::Require, false, frames, Vec::new(), Some(1), PoolConfig::default(), &keys)
                    .expect("a gateway");
            measure::warm(&mut gateway);
            assert_eq!(gateway.worker.stats().total(Reason::OkVerified), 300, "{name}");
        }
    }
}
