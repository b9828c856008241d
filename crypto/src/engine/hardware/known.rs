//! What a device must answer rightly before it may say anything about a live message: signatures that hold, and more that
//! do not, since a driver that says yes to everything, or to another message, is the one to be afraid of.

use super::range::order;
use crate::alg::Alg;
use crate::engine::Check;
use crate::verify::PublicKey;

/// Hexadecimal. A curve's keys are x then y, its signatures are of the first key: digest, then r and s.
struct Curve {
    alg: Alg,
    keys: [&'static str; 2],
    good: [(&'static str, &'static str); 4],
}

/// Made for this with keys and nonces of our own: a plain one, and such with a zero for the first octet of the digest, of r
/// and of s, where a driver that shortens numbers shows it.
const CURVES: [Curve; 2] = [
    Curve {
        alg: Alg::P256,
        keys: [
            "0b4519cd080f1c9956b00865590174cf1b571ad25b250122f2e8063c25eea0129e15b32076a2f73b47fdc1ec7a990bc326b05cee55e5\
             17aadf852963f7e7e568",
            "0b2501a67af1adb75ba56e23dc46252ea9d433bd250fc23509cda14d069d20ca63b6ebe8a54b1af4916cf41dde53c900c47fac545b5d\
             3b7bec36d41b6fe328ea",
        ],
        good: [
            (
                "89d7b64ab86fdd1d67dc7a251e8ff23fc50997a5dbb654a14935fe3b855576d0",
                "cdad342e8d13641726eb293f48882d63a7bcc3b6220d24afaf846d134af84e573e8e2ed61453271b066286a50df0930bc5adee51\
                 be0e041fd76332fa1e95826b",
            ),
            (
                "00d73e826c731d09d8cc60463132c98a7feb5689f3408b9e0180ff9d17dccdf9",
                "0667a89f67a208728cd6669181960f6afc795cbbe6d312489b4d13695d61eb9a9e26019c47fc0a2d978daac8e434d263f3b3bd7e\
                 6fa2c655c59004a78dfaefa4",
            ),
            (
                "654c1f4bcc331d5e588ed77222eb6967dd19dbe1fb6df2f7b26f646b4e594ad3",
                "002f184fcd428e4d490001a7be7a5af02318fb42d0b0cfd5878a823161c87d570339db77013d5229126686dc2468f011d97e4085\
                 a5a83584b9c5c61184165ac9",
            ),
            (
                "7c076e0f0f58328add8ae0825df65ff8c78748a45c2f688b3c03b6833a5b0a78",
                "2ff3437570920de9f59316b756f3586814000169829c7981cb0693eb3a30b3c3000418bd5218f858daf107b9d18416dae39892ef\
                 476b696a992353dfbdbdc492",
            ),
        ],
    },
    Curve {
        alg: Alg::P384,
        keys: [
            "c1e705f704c73cca7bc35bc7322158764b09f6d7e58a981fc822138d446fd1401f9548e2b862de958e5a5d8c462bcdecae1f9dcb6b69\
             78b8246661431c4ade5fec266e5cb75db87a27a102d1bdeabef0e74beb443de64cdd1b0b8bead1750b83",
            "76cbe1dc683b51bb741da37b83b3335d314723b383d097ef480cd6c6ff99d3139dc4171622fc9eef31a0a826616ee2b2fc17586ae0ca\
             1e7d6a880582b23fb05176c0dc2f9b1f49e6e82b51a5e006faa221deb0b9b2686aadb7c768e775ab85b9",
        ],
        good: [
            (
                "d5cb2f9fa39ccaa48bc890c5ce9e3064312dd3213b108bb2a63e34a962e1317e57cd96e1337a7fceb7fff6dfade3aeda",
                "b89f4d7863db6b7e8078afdb1842e7da73460e0e1c83465b7a8d310d0a5cf7eab1e26ed0f11e40cdaa42087ea393880b59f95c59\
                 c9973c096042133b8b8dbe6a00f6a01d6d8b8aa7355ab2ff36d493d860b650b49aa901198b41a0f736868b1f",
            ),
            (
                "00c0340d84d7c4355ca4bbb93c588285277df2d65b559103df10637f5c4228fa7f61d348d16ea11ff83bb7262b65a630",
                "5c40c71eb80a5345424bc040adbee0fada80cc5e38c7b17ee7f97c780bf298c0e6ab61a72108b71a2bc7e5727a49004cd9afc07b\
                 8ad4f20664e17aa1aa9b6ba0da3dc7783ba983580b541bc9c1922bd4c86792f1c638662248f254c1d416c6da",
            ),
            (
                "ffdeca3ff7fe46e95a75eab6f7d819ebd5aac2db73183afb1a9a88eb373e7ca02e9bbf327b299c16534038d91af42804",
                "00f5d19d1b829cbd4df2e71af21284b2af2715fa8341145bde66893cbe4ee4d4ef626cb3379c2084433cf2722849404a4145ae92\
                 2fc4015cb58bb2de37ef98944dc030b889cd2b6a41a9b20273d9206eb6b6f2d749c1c385ffdfc2775d604c7f",
            ),
            (
                "7acd4dc3ff35621f1d198783e7e9f74198b97a3c14bfa124d6b46b97910f86fe0c37ae597f6c1864ea1b5454df36f92f",
                "ddefaef657e31d48580e928410eec154ba9196fa223dbf89232fe768675d251ba1833877a425184b1a91759d561a35df0096f9e6\
                 ca6cc23520b014d1656b1dcfe0713435b1e9645e6454544ce0403ed83e05d1ee25ea45af192263f3f291b41f",
            ),
        ],
    },
];

/// A question and its answer.
pub(super) struct Known {
    pub(super) alg: Alg,
    /// What differs from a signature that holds.
    pub(super) what: &'static str,
    pub(super) key: PublicKey,
    pub(super) digest: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) holds: bool,
}

impl Known {
    pub(super) fn check(&self) -> Check<'_> {
        Check { key: &self.key, table: None, digest: &self.digest, message: &[], signature: &self.signature }
    }
}

/// All questions of a curve; empty for what is no ECDSA. r and s are in range in all of them.
pub(super) fn known(alg: Alg) -> Vec<Known> {
    let curve = CURVES.iter().find(|curve| curve.alg == alg);
    curve.and_then(questions).unwrap_or_default()
}

fn questions(curve: &Curve) -> Option<Vec<Known>> {
    let order = order(curve.alg)?;
    let [own, other] = curve.keys.map(|bits| key(curve.alg, bits));
    let (own, other) = (own?, other?);
    let mut out = Vec::new();
    for (number, (digest, signature)) in curve.good.iter().enumerate() {
        let (digest, signature) = (hex(digest)?, hex(signature)?);
        let (r, s) = signature.split_at_checked(order.len())?;
        let (one, top) = (small(order, 1), minus(order, &small(order, 1)));
        let turned = minus(order, s);
        let mut ask = |what, key: &PublicKey, digest: &[u8], r: &[u8], s: &[u8], holds| {
            let (key, digest, signature) = (key.clone(), digest.to_vec(), [r, s].concat());
            out.push(Known { alg: curve.alg, what, key, digest, signature, holds });
        };
        ask("a good signature", &own, &digest, r, s, true);
        ask("another digest", &own, &flipped_last(&digest), r, s, false);
        ask("n - s for s, as good", &own, &digest, r, &turned, true);
        ask("a damaged s", &own, &digest, r, &flipped_last(s), false);
        if number > 0 {
            continue;
        }
        ask("another key", &other, &digest, r, s, false);
        ask("another first octet of the digest", &own, &flipped_first(&digest), r, s, false);
        ask("a damaged r", &own, &digest, &flipped_last(r), s, false);
        ask("r and s exchanged", &own, &digest, s, r, false);
        ask("n - r for r", &own, &digest, &minus(order, r), s, false);
        ask("r of 1", &own, &digest, &one, s, false);
        ask("s of 1", &own, &digest, r, &one, false);
        ask("r and s of 1", &own, &digest, &one, &one, false);
        ask("r of n - 1", &own, &digest, &top, s, false);
        ask("s of n - 1", &own, &digest, r, &top, false);
        ask("r and s of n - 1", &own, &digest, &top, &top, false);
    }
    Some(out)
}

fn key(alg: Alg, bits: &str) -> Option<PublicKey> {
    PublicKey::from_bits(alg, &hex(&format!("04{bits}"))?, false).ok()
}

/// A number as long as the order.
fn small(order: &[u8], value: u8) -> Vec<u8> {
    let mut number = vec![0; order.len()];
    number.iter_mut().last().into_iter().for_each(|octet| *octet = value);
    number
}

/// The order less a number below it.
fn minus(order: &[u8], number: &[u8]) -> Vec<u8> {
    let mut out = order.to_vec();
    let mut borrow = false;
    for (to, from) in out.iter_mut().zip(number).rev() {
        let (less, one) = to.overflowing_sub(*from);
        let (less, two) = less.overflowing_sub(u8::from(borrow));
        (*to, borrow) = (less, one || two);
    }
    out
}

fn flipped_last(octets: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    octets.iter_mut().last().into_iter().for_each(|octet| *octet ^= 1);
    octets
}

fn flipped_first(octets: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    octets.iter_mut().take(1).for_each(|octet| *octet ^= 1);
    octets
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::range::is_in_range;
    use super::*;

    #[test]
    fn the_reference_gives_every_known_answer() {
        for alg in [Alg::P256, Alg::P384] {
            let all = known(alg);
            assert_eq!((all.len(), all.iter().filter(|one| one.holds).count()), (27, 8));
            for one in all {
                assert!(is_in_range(order(alg).unwrap(), &one.signature), "{alg} {}", one.what);
                assert_eq!(one.key.verify_digest(&one.digest, &one.signature), one.holds, "{alg} {}", one.what);
            }
        }
        assert!(known(Alg::Ed25519).is_empty() && known(Alg::Rsa2048).is_empty());
    }
}
