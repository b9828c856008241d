//! GTP-C, and the look into GTP-U.

use crate::gtp::{Apn, Datagram, Ies, Version, View, user_plane};

/// A datagram: its messages fill it, their elements fill them, and what was read writes back.
pub fn gtp(octets: &[u8]) {
    let _ = user_plane::judge(octets);
    let Ok(read) = Datagram::parse(octets) else { return };
    assert_eq!(read.messages().map(|message| message.view.total_len()).sum::<usize>(), octets.len());
    assert!(read.second.is_none() || read.messages().all(|message| message.view.version == Version::V2));
    for message in read.messages() {
        let view = &message.view;
        let own = octets.get(view.at..view.at + view.total_len()).unwrap_or_default();
        let whole = View::split(own, view.at).map(|(view, _)| view);
        assert!(view.piggyback || whole == Ok(*view), "alone as in company");
        elements(view.ies(), octets, view.at + view.total_len());
        let mut found = 0;
        for ie in view.ies().flatten() {
            let tbcd = |digits: &Option<crate::addr::Digits>, skip: usize| {
                let mut out = Vec::new();
                digits.as_ref().is_some_and(|digits| {
                    digits.write_packed(0x0f, &mut out);
                    ie.value.get(skip..).is_some_and(|value| value.starts_with(&out))
                })
            };
            found += usize::from(match (ie.version, ie.kind, ie.instance) {
                (Version::V1, 2, _) | (Version::V2, 1, 0) => tbcd(&message.imsi, 0),
                (Version::V1, 134, _) => tbcd(&message.msisdn, 1),
                (Version::V2, 76, 0) => tbcd(&message.msisdn, 0),
                (Version::V1, 131, _) | (Version::V2, 71, 0) => message.apn == Apn::parse(ie.value),
                _ => false,
            });
        }
        let said = [message.imsi.is_some(), message.msisdn.is_some(), message.apn.is_some()];
        assert_eq!(found, said.into_iter().filter(|said| *said).count(), "each once, and as it stands there");
        let networks = [message.serving_network, message.rai.map(|rai| rai.plmn)];
        networks.iter().flatten().for_each(|plmn| assert!(plmn.is_decimal() && (5..=6).contains(&plmn.len())));
    }
}

/// Elements lie one behind the other up to `end`, and those of a group fill it.
fn elements(ies: Ies<'_>, octets: &[u8], end: usize) {
    let mut at = None;
    for ie in ies {
        let ie = ie.unwrap_or_else(|refusal| panic!("{refusal:?} in a message that was read"));
        assert!(at.is_none_or(|at| at == ie.at), "no gap");
        let last = ie.value_at + ie.value.len();
        assert_eq!(octets.get(ie.value_at..last), Some(ie.value));
        at = Some(last);
        if ie.is_group() {
            elements(ie.children(), octets, last);
        }
    }
    assert!(at.is_none_or(|at| at == end));
}
