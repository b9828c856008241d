//! Diameter: the codec, and both profiles over it.

use crate::Reason;
use crate::addr::Digits;
use crate::diameter::{self, Avp, AvpId, FLAG_VENDOR, MAX_DEPTH, Message, View, dictionary};
use crate::sec::dess::{Group, Part, Signer, SystemTime};
use crate::sec::{Header, Sorter, Tvp, dia0, dia1, ecdsa};

/// A message: what is read is read again from what is written, and only what was asked for changes.
pub fn diameter(octets: &[u8]) {
    if let Ok(Some(len)) = diameter::stream_len(octets)
        && let Some(message) = octets.get(..len)
    {
        assert!(View::new(message).is_ok());
    }
    let Ok(view) = View::new(octets) else { return };
    let whole: usize = view.avps().map_while(Result::ok).map(|avp| avp.raw.len()).sum();
    assert_eq!(view.avps().all(|avp| avp.is_ok()), diameter::HEADER_LEN + whole == octets.len());
    let mut out = Vec::new();
    assert!(diameter::emit_watchdog_answer(octets.len(), &mut out));
    assert_eq!(out.len(), diameter::watchdog_answer_len(octets.len()));
    assert!(Message::parse(&out).is_ok_and(|answer| answer.header.is_hop_local() && answer.canonical));
    let Ok(message) = Message::parse(octets) else { return };
    rebuilds(octets, &message);
    let found = diameter::identities(&message);
    found.imsi.iter().chain(&found.msisdn).chain(&found.nodes).for_each(writes_back);
    assert_eq!(message.route_records().count(), message.route_record_count);
    let _ = message.experimental_result();
    assert!(message.visited_plmn.and_then(diameter::plmn).is_none_or(|digits| matches!(digits.len(), 5 | 6)));
    shows(&message);
    names(octets, &message);
}

/// Written again AVP by AVP, without one, and with clear padding.
fn rebuilds(octets: &[u8], message: &Message<'_>) {
    let mut out = Vec::new();
    assert!(diameter::rebuild(&message.view, |_| false, &[], &mut out));
    assert_eq!(out, octets);
    diameter::clear_padding(&mut out);
    let cleared = Message::parse(&out).unwrap_or_else(|refusal| panic!("{refusal:?} with clear padding"));
    assert!(cleared.canonical);
    assert_eq!(message.canonical, out == octets);
    let mut again = Vec::new();
    let start = diameter::begin(&message.header, &mut again);
    for avp in message.view.avps().flatten() {
        assert!(diameter::emit_avp(avp.id, avp.flags, avp.data, &mut again));
    }
    assert!(diameter::finish(start, &mut again));
    let read = View::new(&again).map(|view| view.avps().flatten().map(part).collect::<Vec<_>>());
    assert_eq!(read, Ok(message.view.avps().flatten().map(part).collect()));
    for (i, one) in message.view.avps().flatten().enumerate().take(16) {
        out.clear();
        assert!(diameter::rebuild(&message.view, |avp| avp.at == one.at, one.raw, &mut out));
        assert_eq!(out.len(), octets.len(), "moved to the end");
        let view = View::new(&out).unwrap_or_else(|refusal| panic!("{refusal:?} with an AVP moved"));
        let mut want: Vec<_> = message.view.avps().flatten().map(|avp| avp.raw).collect();
        let moved = want.remove(i);
        want.push(moved);
        assert!(view.avps().flatten().map(|avp| avp.raw).eq(want));
    }
}

/// Name, data, and the flags but the vendor's, which follows from the name.
fn part(avp: Avp<'_>) -> (AvpId, u8, &[u8]) {
    (avp.id, avp.flags & !FLAG_VENDOR, avp.data)
}

fn writes_back(digits: &Digits) {
    assert!(digits.is_decimal() && !digits.is_empty());
    assert_eq!(digits.to_string().parse(), Ok(*digits));
}

/// Every AVP has its line, and no line breaks.
fn shows(message: &Message<'_>) {
    let mut lines = 0;
    diameter::tree(&message.view, &mut |depth, avp| {
        assert!(depth <= MAX_DEPTH);
        assert!(!diameter::Shown(avp).to_string().contains(char::is_control));
        lines += 1;
    });
    assert!(lines >= message.view.avps().count());
}

/// Whatever is known as a group reads as one, and its inside is reported after it.
fn names<'a>(octets: &'a [u8], message: &Message<'a>) {
    fn inside<'a>(group: Option<usize>, avp: &Avp<'a>, depth: usize, seen: &mut Vec<(Option<usize>, Avp<'a>)>) {
        seen.push((group, *avp));
        let skipped = [AvpId::DESS_SIGNATURE, AvpId::FAILED_AVP].contains(&avp.id);
        if dictionary::is_grouped(avp.id) && !skipped {
            assert!(depth < MAX_DEPTH);
            for child in avp.children() {
                let child = child.unwrap_or_else(|refusal| panic!("{refusal:?} in a group"));
                inside(Some(avp.at), &child, depth + 1, seen);
            }
        }
    }
    let (mut seen, mut reported) = (Vec::new(), Vec::new());
    message.view.avps().flatten().for_each(|avp| inside(None, &avp, 0, &mut seen));
    let again = Message::parse_each(octets, |group, avp| reported.push((group.map(|group| group.at), *avp)));
    assert_eq!(again.as_ref(), Ok(message));
    assert_eq!(reported, seen);
    assert_eq!(message.canonical, seen.iter().all(|(_, avp)| avp.is_canonical()));
    if let Some(application) = dictionary::application(message.header.application) {
        let _ = application.command(message.header.command);
    }
}

/// Signatures over a message: any order of its AVPs gives one string, and what we sign reads back as such.
pub fn diameter_sec(octets: &[u8]) {
    ecdsa_der(octets);
    let Ok(message) = Message::parse(octets) else { return };
    let (mut sorter, mut tbs) = (Sorter::new(), Vec::new());
    if let Some(dess) = message.dess {
        received(&message, &dess, &mut sorter, &mut tbs);
        return;
    }
    let header = Header { alg: 1, flags: 0, node: 1, sai: [7; 8], tvp: Tvp(5), seq: 9, copy: None };
    let mut covered = Vec::new();
    header.emit(&mut covered);
    for native in [true, false] {
        let signer = Signer::new(b"realm.example", SystemTime(3), 1, native.then_some(&covered));
        sign(&message, &signer, &covered, native, &mut sorter, &mut tbs);
        let (mut added, mut out) = (Vec::new(), Vec::new());
        assert!(signer.emit(&[0x55; 64], &mut added));
        assert_eq!(added.len(), signer.len(64));
        assert!(diameter::rebuild(&message.view, |_| false, &added, &mut out));
        let signed = Message::parse(&out).unwrap_or_else(|refusal| panic!("{refusal:?} in what we signed"));
        let dess = signed.dess.unwrap_or_else(|| panic!("no signature in what we signed"));
        let mut checked = Vec::new();
        assert_eq!(received(&signed, &dess, &mut sorter, &mut checked), Some(native));
        assert_eq!(checked, tbs);
        assert!(diameter::rebuild(&message.view, |_| false, &[], &mut added));
    }
}

fn sign(
    message: &Message<'_>,
    signer: &Signer<'_>,
    covered: &[u8],
    native: bool,
    sorter: &mut Sorter,
    tbs: &mut Vec<u8>,
) {
    let done = if native {
        dia1::write_tbs(&message.view, covered, signer.parts(), sorter, tbs)
    } else {
        dia0::write_tbs(&message.view, signer.parts(), sorter, tbs)
    };
    assert_eq!(done, Ok(()));
}

/// Reads what signs a message and writes what it covers, as the message is and with its AVPs turned round.
fn received(message: &Message<'_>, dess: &Avp<'_>, sorter: &mut Sorter, tbs: &mut Vec<u8>) -> Option<bool> {
    let group = match Group::read(dess) {
        Ok(group) => group,
        Err(refusal) => {
            assert!([Reason::DiaAvpLength, Reason::DiaAvpDup, Reason::SecSyntax].contains(&refusal.reason));
            return None;
        }
    };
    let native = group.is_native();
    let covered = if native {
        let found = dia1::parse(&group).ok()?;
        assert_eq!((found.header.flags, found.covered.len()), (0, Header::LEN));
        found.covered
    } else {
        group.claim().ok()?;
        &[]
    };
    let write = |view: &View<'_>, parts: Vec<Part<'_>>, sorter: &mut Sorter, out: &mut Vec<u8>| {
        if native {
            dia1::write_tbs(view, covered, parts.into_iter(), sorter, out)
        } else {
            dia0::write_tbs(view, parts.into_iter(), sorter, out)
        }
    };
    assert_eq!(write(&message.view, group.parts().collect(), sorter, tbs), Ok(()));
    let mut turned = Vec::new();
    let start = diameter::begin(&message.header, &mut turned);
    let avps: Vec<_> = message.view.avps().flatten().collect();
    avps.iter().rev().for_each(|avp| turned.extend_from_slice(avp.raw));
    assert!(diameter::finish(start, &mut turned));
    let view = View::new(&turned).unwrap_or_else(|refusal| panic!("{refusal:?} turned round"));
    let mut parts: Vec<_> = group.parts().collect();
    if native {
        parts.reverse(); // the order of children is covered in the other profile
    }
    let mut again = Vec::new();
    assert_eq!(write(&view, parts, sorter, &mut again), Ok(()));
    assert_eq!(&again, tbs);
    Some(native)
}

/// A DER signature that reads is written back octet for octet: there is one way to write it.
fn ecdsa_der(octets: &[u8]) {
    let Some(raw) = ecdsa::from_der(octets) else { return };
    let mut out = Vec::new();
    ecdsa::put_der(&raw, &mut out);
    assert_eq!(out, octets);
}
