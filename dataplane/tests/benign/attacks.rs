//! Attacks that others made, against such policies: at worst, who attacks is a partner with links of its own.

use super::case::{CASE, Case, NOBODY, Operator, link, m3ua};

/// A partner that is let in and should not have been; of MAP version 1 too, which has no application context.
const PARTNER: Operator = Operator {
    gt: &["49172"],
    plmns: &["26202"],
    realms: &["attacker.com"],
    nodes: &["10.99.0.1"],
    more: ", allow_no_ac: yes",
};
/// Somebody else than whom the operator has a contract with at that address.
const PRETENDED: Operator = Operator { gt: &["49171"], realms: &["partner.example"], ..PARTNER };
const VICTIM: Operator =
    Operator { gt: &["441234567890"], plmns: &["23410"], realms: &["home-net.com"], nodes: &["10.1.0.2"], ..NOBODY };

/// A capture of attacks, how many of them pass, and why.
pub type Attack = (Case, u64, &'static str);

const SS7: Case = Case {
    capture: "ss7_m3ua_map_attacks_a",
    party: "a partner",
    anew: true,
    links: &[m3ua(&["10.0.0.1"], &["10.0.0.2"], [&[100], &[200]], ", ni: [national]")],
    ends: [&[PARTNER], &[VICTIM]],
    homes: &[1],
    ..CASE
};
const DIAMETER: Case = Case {
    capture: "dia_s6a_attack",
    links: &[link("diameter", &["10.99.0.1"], &["10.1.0.1"], ", applications: [base, s6a]")],
    ..SS7
};
const MIX: Case = Case {
    capture: "mix_ss7_diameter_gtp_attacks",
    links: &[SS7.links[0], DIAMETER.links[0], link("gtp", &["10.99.0.1"], &["10.1.0.2"], "")],
    ..SS7
};

/// The same of somebody whom the policy does not name.
const fn of_a_stranger(case: Case) -> Case {
    Case { party: "a stranger", ends: [&[PRETENDED], &[VICTIM]], ..case }
}

pub const CASES: &[Attack] = &[
    (SS7, 1, "forwardSM (46), which a roaming subscriber sends: where he is nobody has said so far"),
    (of_a_stranger(SS7), 0, ""),
    (DIAMETER, 0, ""),
    (of_a_stranger(DIAMETER), 0, ""),
    (MIX, 0, ""),
    (of_a_stranger(MIX), 0, ""),
];
