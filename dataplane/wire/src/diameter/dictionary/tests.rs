//! The tables against each other, and against tshark's where that is installed.

use std::collections::{BTreeMap, HashSet};

use super::*;

#[test]
fn every_definition_is_found_again() {
    let mut seen = HashSet::new();
    for (vendor, definition) in avps() {
        let id = AvpId::new(vendor, definition.code);
        assert!(seen.insert(id), "{id:?} twice");
        assert_eq!(avp(id), Some(definition));
        assert_eq!(is_grouped(id), definition.kind == Kind::Grouped, "{}", definition.name);
    }
    assert!(seen.len() > 1200, "only {}", seen.len());
    for table in IETF.iter().chain(TGPP) {
        assert!(table.windows(2).all(|pair| pair[0].code < pair[1].code), "{} ...", table[0].name);
    }
}

#[test]
fn unknown_ones_stay_unknown() {
    for (vendor, code) in [(0, 0), (0, 1023), (0, 1024), (0, u32::MAX), (10415, 4608), (10415, 99), (9, 1), (46304, 1)]
    {
        let id = AvpId::new(vendor, code);
        assert_eq!((avp(id), is_grouped(id)), (None, false), "{vendor} {code}");
        assert_eq!((id.vendor(), id.code()), (vendor, code));
    }
    assert_eq!(application(1), None);
    assert_eq!(application(16_777_251).and_then(|s6a| s6a.command(272)), None);
}

#[test]
fn commands_have_their_names() {
    let ulr = application(16_777_251)
        .and_then(|s6a| s6a.command(316))
        .map(|command| (command.name.to_owned(), command.request.to_owned(), command.answer().to_string()));
    assert_eq!(ulr, Some(("Update-Location".into(), "ULR".into(), "ULA".into())));
    assert!(APPLICATIONS.windows(2).all(|pair| pair[0].id < pair[1].id));
    for application in APPLICATIONS {
        assert!(!application.commands.is_empty() && application.source.contains('§'), "{}", application.name);
        assert!(application.commands.windows(2).all(|pair| pair[0].code < pair[1].code), "{}", application.name);
        assert!(
            application.commands.iter().all(|command| command.request.len() == 3 && command.request.ends_with('R'))
        );
    }
}

/// Where the standard says another type than tshark 4.0.17: (vendor, code).
#[rustfmt::skip]
const OTHERWISE: &[(u32, u32)] = &[
    (0, 8), (0, 9), (0, 14), (0, 89), // RFC 7155 §4.4.10.5, RFC 4372
    (0, 268), (0, 291), (0, 298), (0, 299), // RFC 6733 §4.5
    (10415, 4), (10415, 6), (10415, 7), (10415, 10), (10415, 11), // TS 29.061 table 9a
    (10415, 524), // TS 29.214 table 5.3.0.1
    (10415, 719), // TS 29.329 §6.3.28
    (10415, 861), (10415, 885), (10415, 1263), (10415, 2031), (10415, 2032), (10415, 2037), (10415, 2039),
    (10415, 2708), (10415, 3423), // TS 32.299 table 7.2.0.1
    (10415, 1665), (10415, 1682), (10415, 1690), (10415, 1702), // TS 29.272 table 7.3.1/1
    (10415, 2101), // OMA-DDS-Charging_Data 8.4
    (10415, 2536), (10415, 2548), (10415, 2553), // TS 29.172 table 7.4.1-1
    (10415, 2823), (10415, 2824), (10415, 2826), (10415, 2855), // TS 29.212 table 5.3.0.1
];

/// Kind of every AVP of the IETF and 3GPP in tshark's dictionary, as we call it.
fn theirs(folder: &std::path::Path) -> BTreeMap<(u32, u32), &'static str> {
    let mut kinds = BTreeMap::new();
    for file in ["dictionary.xml", "nasreq.xml", "chargecontrol.xml", "mobileipv4.xml", "mobileipv6.xml", "TGPP.xml"] {
        let text = std::fs::read(folder.join(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let parts = text.split("<!--").enumerate();
        let text: String =
            parts.filter_map(|(i, part)| if i == 0 { Some(part) } else { Some(part.split_once("-->")?.1) }).collect();
        for avp in text.split("<avp ").skip(1) {
            let (head, body) = avp.split_once('>').unwrap_or_default();
            let attribute = |text: &str, name: &str| {
                let value = text.split_once(&format!("{name}=\""))?.1;
                value.split_once('"').map(|(value, _)| value.to_owned())
            };
            let vendor = match attribute(head, "vendor-id").as_deref() {
                None | Some("None") => 0,
                Some("TGPP") => AvpId::TGPP,
                _ => continue,
            };
            let body = body.split("</avp>").next().unwrap_or_default();
            let kind = match attribute(body, "type-name").as_deref() {
                _ if body.contains("<grouped") => "Grouped",
                Some("IPAddress") => "Address",
                Some("UTF8String") => "Utf8String",
                Some("OctetString" | "OctetStringOrUTF8") => "OctetString",
                Some("DiameterIdentity") => "Identity",
                Some("DiameterURI") => "Uri",
                Some("IPFilterRule") => "IpFilterRule",
                Some("AppId" | "VendorId" | "Unsigned32") => "Unsigned32",
                Some("Unsigned64") => "Unsigned64",
                Some("Integer32") => "Integer32",
                Some("Integer64") => "Integer64",
                Some("Float32") => "Float32",
                Some("Time") => "Time",
                Some("Enumerated") => "Enumerated",
                _ => continue,
            };
            if let Some(code) = attribute(head, "code").and_then(|code| code.parse().ok()) {
                kinds.entry((vendor, code)).or_insert(kind);
            }
        }
    }
    kinds
}

#[test]
fn tshark_has_the_same_types() {
    let folder = std::path::Path::new("/usr/share/wireshark/diameter");
    let theirs = theirs(folder);
    if theirs.is_empty() {
        println!("dictionary: {} not found, nothing compared", folder.display());
        return;
    }
    let (mut compared, mut red) = (0, Vec::new());
    for (vendor, definition) in avps().filter(|(vendor, _)| matches!(*vendor, 0 | AvpId::TGPP)) {
        let Some(kind) = theirs.get(&(vendor, definition.code)) else { continue };
        let agrees = format!("{:?}", definition.kind) == *kind;
        let expected = OTHERWISE.contains(&(vendor, definition.code));
        if agrees == expected {
            let Definition { code, kind: ours, name } = definition;
            red.push(format!("{vendor} {code} {name}: ours {ours:?}, tshark {kind}"));
        }
        compared += 1;
    }
    assert!(
        red.is_empty(),
        "disagreements that the list does not know, or known ones that went away:\n{}",
        red.join("\n")
    );
    println!("dictionary: {compared} types compared, {} otherwise", OTHERWISE.len());
}
