//! Known answers, asked of every engine before it may say anything about a live message.

use crate::alg::Alg;
use crate::engine::{CHECKS, Check, Engine, Verdicts};
use crate::tables::{Curves, Table, Tier, Workshop};
use crate::verify::PublicKey;

/// Hexadecimal; `key` is the value of the subjectPublicKey BIT STRING.
struct Known {
    alg: Alg,
    key: &'static str,
    message: &'static str,
    signature: &'static str,
}

/// From Project Wycheproof, one valid signature an algorithm.
const KNOWN: [Known; 4] = [
    Known {
        alg: Alg::P256, // ecdsa_secp256r1_sha256_p1363_test.json, test 1
        key: "042927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838c7787964eaac00e5921fb1498a60f4\
            606766b3d9685001558d1a974e7341513e",
        message: "313233343030",
        signature: "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e184cd60b855d442f5b3c7b11eb6c4e0ae7\
            525fe710fab9aa7c77a67f79e6fadd76",
    },
    Known {
        alg: Alg::Ed25519, // ed25519_test.json, test 2
        key: "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa",
        message: "78",
        signature: "d80737358ede548acb173ef7e0399f83392fe8125b2ce877de7975d8b726ef5b1e76632280ee38afad12125ea44b961b\
            f92f1178c9fa819d020869975bcbe109",
    },
    Known {
        alg: Alg::Rsa2048, // rsa_signature_2048_sha256_test.json, test 2
        key: "3082010a0282010100a2b451a07d0aa5f96e455671513550514a8a5b462ebef717094fa1fee82224e637f9746d3f7caf\
            d31878d80325b6ef5a1700f65903b469429e89d6eac8845097b5ab393189db92512ed8a7711a1253facd20f79c15e824\
            7f3d3e42e46e48c98e254a2fe9765313a03eff8f17e1a029397a1fa26a8dce26f490ed81299615d9814c22da610428e0\
            9c7d9658594266f5c021d0fceca08d945a12be82de4d1ece6b4c03145b5d3495d4ed5411eb878daf05fd7afc3e09ada0\
            f1126422f590975a1969816f48698bcbba1b4d9cae79d460d8f9f85e7975005d9bc22c4e5ac0f7c1a45d12569a62807d\
            3b9a02e5a530e773066f453d1f5b4c2e9cf7820283f742b9d50203010001",
        message: "0000000000000000000000000000000000000000",
        signature: "8a1b220cb2ab415dc760eb7f5bb10335a3cca269d7dbbf7d0962ba79f9cf7b43a5fc09c99a1584f07403473d6c189a83\
            6897a5b6f8ea9fa22d601e6ba5f7411fe27c638b81b1a22363583a80fce8c7df3e40fb51bd0e60d0a6653f79f3bcb7ec\
            3e9dc14cfb5b31ab1735bca692d50ac03f979dda92747c6430f8045efa3513ba6e0ce3e9e35570e1c30c8ebe589b4419\
            2e1344ca83dfa576fc6fdc7bf1cd7cee875b001c8c02ce8d602769e4bd9d241c4857182a0089a8b67644e73eef105c55\
            0efa47a40874289395ac0c4e02fd4ba98e130a4c2d1b95521c6af4a002ac3bdc6e52122ae4c08cc3da1c896e059acbdd\
            ec574ac0432f6103dd97273d8803c102",
    },
    Known {
        alg: Alg::P384, // ecdsa_secp384r1_sha384_p1363_test.json, test 1
        key: "042da57dda1089276a543f9ffdac0bff0d976cad71eb7280e7d9bfd9fee4bdb2f20f47ff888274389772d98cc5752138\
            aa4b6d054d69dcf3e25ec49df870715e34883b1836197d76f8ad962e78f6571bbc7407b0d6091f9e4d88f01427440617\
            4f",
        message: "313233343030",
        signature: "12b30abef6b5476fe6b612ae557c0425661e26b44b1bfe19daf2ca28e3113083ba8e4ae4cc45a0320abd3394f1c548d7\
            1840da9fc1d2f8f8900cf485d5413b8c2574ee3a8d4ca03995ca30240e09513805bf6209b58ac7aa9cff54eecd82b9f1",
    },
];

/// Each algorithm accepts its known signature, and refuses it with one bit changed in the message or the signature.
///
/// A worker may then trust both answers of the engine; an engine that says yes to everything would pass half a test.
/// Keys are asked without a table and, where there are any, with one: alone, and so many at once that every part of the
/// engine works.
/// # Errors
/// The first algorithm with a wrong answer.
pub(crate) fn run(engine: &mut dyn Engine) -> Result<(), Alg> {
    KNOWN.iter().try_for_each(|known| if holds(engine, known) == Some(true) { Ok(()) } else { Err(known.alg) })
}

fn holds(engine: &mut dyn Engine, known: &Known) -> Option<bool> {
    let key = PublicKey::from_bits(known.alg, &hex(known.key)?, false).ok()?;
    // The reference reads no table and has one way for any number: good, other message, damaged.
    let plain = engine.is_reference();
    let counts: &[usize] = if plain { &[3] } else { &[1, CHECKS] };
    let tables = !plain && Curves.costs(known.alg).is_some();
    let table = if tables { Some(Curves.make(&key, Tier::Small).ok()?) } else { None };
    for table in std::iter::once(None).chain(table.as_ref().map(Some)) {
        for &count in counts {
            if !answers(engine, known, &key, table, count)? {
                return Some(false);
            }
        }
    }
    Some(true)
}

/// Whether the engine finds the good ones among `count` checks.
fn answers(
    engine: &mut dyn Engine,
    known: &Known,
    key: &PublicKey,
    table: Option<&Table>,
    count: usize,
) -> Option<bool> {
    let (message, signature) = (hex(known.message)?, hex(known.signature)?);
    let (other, damaged) = (flipped(&message), flipped(&signature));
    let asked = [(&other, &signature), (&message, &signature), (&message, &damaged)];
    let digests = asked.map(|(message, _)| key.digest(message));
    let checks: Vec<_> = (0..count)
        .filter_map(|place| {
            let (message, signature) = *asked.get((place + 1) % asked.len())?;
            let digest = digests.get((place + 1) % asked.len())?.as_ref().map_or(&[][..], AsRef::as_ref);
            let message = if key.takes_message() { message.as_slice() } else { &[] };
            Some(Check { key, table, digest, message, signature })
        })
        .collect();
    let mut verdicts = Verdicts::default();
    engine.verify(&checks, &mut verdicts);
    // The first of every three is the good one.
    Some(checks.len() == count && (0..count).all(|place| verdicts.held(place) == (place % asked.len() == 0)))
}

fn flipped(octets: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    octets.iter_mut().last().into_iter().for_each(|octet| *octet ^= 1);
    octets
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

/// So many keys that are all different.
#[cfg(test)]
pub(crate) fn test_keys(count: usize) -> Vec<PublicKey> {
    (0..count).map(|_| test_signer().public()).collect()
}

/// The known key of an algorithm.
#[cfg(test)]
pub(crate) fn test_key(alg: Alg) -> PublicKey {
    let known = KNOWN.iter().find(|known| known.alg == alg).unwrap();
    PublicKey::from_bits(alg, &hex(known.key).unwrap(), false).unwrap()
}

/// A fresh key to sign with.
#[cfg(test)]
pub(crate) fn test_signer() -> crate::sign::SigningKey {
    test_signer_of(Alg::P256)
}

/// A fresh key of a curve of ECDSA.
#[cfg(test)]
pub(crate) fn test_signer_of(alg: Alg) -> crate::sign::SigningKey {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
    let rng = aws_lc_rs::rand::SystemRandom::new();
    let alg = if alg == Alg::P384 { &ECDSA_P384_SHA384_FIXED_SIGNING } else { &ECDSA_P256_SHA256_FIXED_SIGNING };
    let der = EcdsaKeyPair::generate_pkcs8(alg, &rng).unwrap();
    crate::sign::SigningKey::from_pkcs8_der(der.as_ref()).unwrap()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::engine::{Auto, Reference};

    struct Always(bool);

    impl Engine for Always {
        fn verify(&mut self, checks: &[Check<'_>], verdicts: &mut Verdicts) {
            (0..checks.len()).filter(|_| self.0).for_each(|place| verdicts.grant(place));
        }
    }

    #[test]
    fn the_reference_passes_and_engines_of_one_answer_do_not() {
        assert_eq!(run(&mut Reference), Ok(()));
        assert_eq!(run(&mut Auto::new(10)), Ok(()));
        assert_eq!(run(&mut Always(true)), Err(Alg::P256));
        assert_eq!(run(&mut Always(false)), Err(Alg::P256));
    }
}
