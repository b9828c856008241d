//! Files.

use super::*;

#[test]
fn a_manifest_that_is_too_long() {
    signed("long manifest", |publisher| publisher.sign_octets(vec![b' '; 64 * 1024 + 1]), UNREACHABLE);
}

#[test]
fn a_signer_file_without_end() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    let endless = files_but(&publisher, |name, out| {
        (name == "signer.pem").then(|| {
            out.write_all(head("").as_bytes())?;
            for_ever(out, &[b'-'; 16384])
        })
    });
    case("endless signer", &mut client, endless, NOW, UNREACHABLE);
}

#[test]
fn a_signature_that_is_too_long() {
    let long = |publisher: &mut Publisher| publisher.files.get_mut("manifest.sig").expect("there").push(0);
    signed("long signature", long, SIGNATURE);
}

#[test]
fn a_manifest_with_wrong_types() {
    for (path, value) in [
        ("/serial", json!("2")),
        ("/serial", json!([])),
        ("/serial", Value::Null),
        ("/session", json!({})),
        ("/deltas", json!("x")),
        ("/snapshot", json!([])),
        ("/snapshot/size", json!("7")),
        ("/next_update", json!(0)),
    ] {
        odd_manifest("wrong type", path, value);
    }
}

#[test]
fn a_manifest_with_huge_numbers() {
    for number in ["1e999", "18446744073709551616", "-1", "0.5", "9".repeat(3000).as_str()] {
        let change = |publisher: &mut Publisher| {
            let text = publisher.current().to_string().replace("\"serial\":2", &format!("\"serial\":{number}"));
            publisher.sign_octets(text.into_bytes());
        };
        signed("huge number", change, SIGNATURE);
    }
    odd_manifest("huge size", "/snapshot/size", json!(u64::MAX));
    odd_manifest("huge size", "/snapshot/size", json!(MAX_TOTAL + 1));
}

#[test]
fn a_manifest_that_is_nested_without_end() {
    signed("nested", |publisher| publisher.sign_octets("[".repeat(60_000).into_bytes()), SIGNATURE);
}

#[test]
fn names_that_leave_the_repository() {
    for name in ["../../etc/passwd", "/etc/passwd", "https://other.example/x", "a/%2e%2e/b", "..\\x", "snap\u{0}shot"] {
        odd_manifest("path traversal, file", "/snapshot/uri", json!(name));
        odd_object("path traversal, object", "uri", json!(format!("csp/{name}")));
    }
}

#[test]
fn names_that_are_not_ascii() {
    odd_manifest("non-ASCII name, file", "/snapshot/uri", json!("sn\u{e4}pshot.json"));
    odd_object("non-ASCII name, object", "uri", json!("csp/\u{202e}rec.cer"));
    let octets = |publisher: &mut Publisher| {
        let text = publisher.current().to_string().replace("snapshot-2", "snapshot-X").into_bytes();
        publisher.sign_octets(text.iter().map(|octet| if *octet == b'X' { 0xff } else { *octet }).collect());
    };
    signed("name not UTF-8", octets, SIGNATURE);
}

#[test]
fn an_object_that_is_too_large() {
    use base64::Engine;
    let large = base64::engine::general_purpose::STANDARD.encode(vec![0x30; 64 * 1024 + 1]);
    odd_object("oversized object", "der", json!(large));
}

#[test]
fn objects_of_wrong_types() {
    for (key, value) in [("uri", json!(1)), ("sha256", json!(false)), ("der", json!({})), ("der", json!("\u{ff}"))] {
        odd_object("object of wrong type", key, value);
    }
}

#[test]
fn more_objects_than_there_may_be() {
    let _alone = hostile::alone();
    signed_snapshot("100,001 objects", |publisher| {
        let one = |i: usize| {
            json!({ "uri": format!("csp/{i}.cer"), "der": "AA==",
                "sha256": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" })
        };
        let all: Vec<_> = (0..=100_000).map(one).collect();
        json!({ "session": publisher.session, "serial": 2, "objects": all }).to_string().into_bytes()
    });
}

#[test]
fn a_snapshot_longer_than_it_says() {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.restart(OTHER_SESSION);
    let long = files_but(&publisher, |name, out| {
        name.starts_with("snapshot").then(|| {
            out.write_all(head("").as_bytes())?;
            for_ever(out, &[b' '; 16384])
        })
    });
    case("endless snapshot", &mut client, long, NOW, &["repo_session", "repo_hash"]);
}

#[test]
fn deltas_that_are_too_much_together() {
    let _alone = hostile::alone();
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    publisher.publish();
    let mut manifest = publisher.current();
    for (at, serial) in [(0, 2), (1, 3)] {
        let mut delta = publisher.files[&format!("delta-{serial}.json")].clone();
        delta.resize(MAX_TOTAL / 2 + 9, b' ');
        let mut reference = publisher.add(&format!("delta-{serial}.json"), delta);
        reference["serial"] = json!(serial);
        manifest["deltas"][at] = reference;
    }
    // The snapshot that stands in for them is too much as well.
    manifest["snapshot"]["size"] = json!(MAX_TOTAL);
    publisher.sign(&manifest);
    let endless = files_but(&publisher, |name, out| {
        name.starts_with("snapshot").then(|| {
            out.write_all(head("").as_bytes())?;
            for_ever(out, &[b' '; 16384])
        })
    });
    let alarms = hostile::patient("64 MiB of deltas", &mut client, endless);
    assert_eq!((alarms, client.held().map(|held| held.manifest.serial)), (vec!["repo_delta", "repo_hash"], Some(1)));
}

#[test]
fn a_repository_as_large_as_may_be() {
    let _alone = hostile::alone();
    let octets = vec![0x30; 48 * 1024];
    let mut more = Vec::new();
    for i in 0..1020_u32 {
        more.push((format!("csp/{i}.cer"), [&octets[..], &i.to_be_bytes()].concat()));
    }
    taken("64 MiB", more, 1020);
}

#[test]
fn text_that_grows_when_it_is_read() {
    let _alone = hostile::alone();
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    publisher.publish();
    let digest = "0".repeat(64);
    let text = format!("{{\"objects\":[{{\"uri\":\"csp/a.cer\",\"sha256\":\"{digest}\",\"der\":\"");
    publisher.snapshot([text.into_bytes(), b"\\u0041".repeat(MAX_TOTAL / 6 - 99), b"\"}]}".to_vec()].concat());
    let alarms = hostile::patient("64 MiB of escapes", &mut client, files_but(&publisher, |_, _| None));
    assert_eq!((alarms, client.held().map(|held| held.manifest.serial)), (vec!["repo_delta", "repo_hash"], Some(1)));
}

/// A repository of another session in which more than the good objects lie; it is taken, and what is bad is not used.
fn taken(name: &str, more: Vec<(String, Vec<u8>)>, want: usize) {
    let mut publisher = Publisher::new();
    let mut client = synced(&publisher);
    let before = client.trust().signers.len();
    publisher.objects.extend(more);
    publisher.publish();
    hostile::patient(name, &mut client, files_but(&publisher, |_, _| None));
    let alarms: Vec<_> = client.alarms().iter().map(|(alarm, _)| alarm.name()).collect();
    assert_eq!((alarms, client.trust().signers.len()), (vec!["cert_rejected"], before), "{name}");
    assert_eq!(client.trust().rejected.len(), want, "{name}");
}

#[test]
fn octets_that_crash_decoders() {
    let mut seed = 1u64;
    let mut noise = |length: usize| -> Vec<u8> {
        let octets = (0..length).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        });
        octets.collect()
    };
    let good = repository::der("certs/a-ec.pem");
    let mut more = vec![
        ("csp/nested.cer".to_owned(), [0x30, 0x80].repeat(30_000)),
        ("csp/length.cer".to_owned(), vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
        ("ca/indefinite.cer".to_owned(), vec![0x30, 0x80, 0, 0]),
        ("crl/short.crl".to_owned(), vec![0x30]),
    ];
    for i in 0..200 {
        let mut octets = good.clone();
        let at = noise(2);
        let at = usize::from(at[0]) * 2 + usize::from(at[1]) % 2;
        octets[at % good.len()] ^= 1 << (i % 8);
        octets.extend(noise(i % 3));
        more.push((format!("csp/broken-{i}.cer"), octets));
        more.push((format!("crl/noise-{i}.crl"), noise(i + 1)));
    }
    let count = more.len();
    taken("decoder crash", more, count);
}

/// A certificate authority below another, and its certificate.
fn authority(number: usize, above: &KeyPair, above_name: &DistinguishedName) -> (KeyPair, DistinguishedName, Vec<u8>) {
    let ski = |key: &KeyPair| {
        let public = PublicKey::from_spki_der(&key.subject_public_key_info()).expect("a key");
        KeyIdMethod::PreSpecified(public.ski().to_vec())
    };
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("authority {number}"));
    let mut params = CertificateParams::default();
    params.distinguished_name = name.clone();
    params.serial_number = Some((number as u64 + 1000).into());
    params.not_before = time::OffsetDateTime::from_unix_timestamp(NOW - 86_400).expect("a time");
    params.not_after = time::OffsetDateTime::from_unix_timestamp(NOW + 86_400).expect("a time");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.key_identifier_method = ski(&key);
    params.use_authority_key_identifier_extension = true;
    let identifiers = Identifiers { gt_prefixes: vec![(1, "999".to_owned())], ..Identifiers::default() };
    let octets = identifiers.to_der().expect("encoded");
    let mut extension = CustomExtension::from_oid_content(oid::CSP_IDENTIFIERS, octets);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = above_name.clone();
    issuer.key_identifier_method = ski(above);
    issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let made = params.signed_by(&key, &Issuer::new(issuer, above)).expect("made");
    (key, name, made.der().to_vec())
}

#[test]
fn a_chain_without_end() {
    let pem = std::fs::read_to_string(vectors().join("keys/root.key.pem")).expect("there");
    let mut above = KeyPair::from_pem(&pem).expect("a key");
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Sealgate Test");
    name.push(DnType::CommonName, "TSCA Test Root");
    let mut more = Vec::new();
    for number in 0..300 {
        let (key, own, der) = authority(number, &above, &name);
        more.push((format!("ca/chain-{number}.cer"), der));
        (above, name) = (key, own);
    }
    // Two may stand between the root and an operator, and no more.
    taken("endless chain", more, 298);
}

#[test]
fn a_chain_that_bites_its_tail() {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "authority 2");
    let (first, first_name, one) = authority(1, &key, &name);
    let (_, _, two) = authority(2, &first, &first_name);
    taken("circular chain", vec![("ca/one.cer".to_owned(), one), ("ca/two.cer".to_owned(), two)], 2);
}

#[test]
fn a_chain_without_end_in_the_signer_file() {
    let many = |publisher: &mut Publisher| {
        let signer = publisher.files.get_mut("signer.pem").expect("there");
        let region = std::fs::read(vectors().join("certs/region.pem")).expect("there");
        (0..40).for_each(|_| signer.extend(&region));
    };
    signed("endless signer chain", many, SIGNATURE);
}
