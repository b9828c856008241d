//! Our table of reasons has every reason of the vectors under its number, and a few of its own.

mod common;

use std::collections::BTreeMap;

use sealgate_wire::reason::ALL;

/// Reasons that the vectors do not know: what ends at this gateway, carriers that they do not have, and what becomes of a message
/// inside its crypto pool.
const OURS: [(u16, &str); 8] = [
    (8, "R_OK_ANSWERED"),
    (9, "R_OK_MARKED"),
    (150, "R_M2PA_FORM"),
    (155, "R_SUA_FORM"),
    (271, "R_DIA_AVP_UNKNOWN"),
    (806, "R_RES_CRYPTO_SHARE"),
    (807, "R_RES_CRYPTO_THREAD"),
    (808, "R_RES_CRYPTO_KEY"),
];

#[test]
fn numbers_are_those_of_the_vectors_and_ours_are_listed() {
    let text = std::fs::read(common::vectors().join("reasons.json")).expect("reasons.json");
    let theirs: BTreeMap<String, u16> = serde_json::from_slice(&text).expect("names and numbers");
    let mut ours = Vec::new();
    let mut found = 0;
    for reason in ALL {
        match theirs.get(reason.name()) {
            Some(&code) => {
                assert_eq!(reason.code(), code, "{}", reason.name());
                found += 1;
            }
            None => ours.push((reason.code(), reason.name())),
        }
    }
    assert_eq!((found, ours.as_slice()), (theirs.len(), &OURS[..]));
}
