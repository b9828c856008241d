use proptest::{collection::vec, option, prelude::*, sample::select};
use sealgate_config::model::{Category, Check, Match, RoleName, Signature, Span};
use sealgate_crypto::pki::Role;
use sealgate_wire::Reason;
use sealgate_wire::addr::Digits;

use super::*;
use crate::pipeline::slots::SignatureState;

fn digits(text: &str) -> Digits {
    text.parse().unwrap_or_default()
}

fn rule(id: &str, matches: Match, action: Action) -> Written {
    Written { id: id.into(), matches, action, overrides: Vec::new(), log: false }
}

fn peers(name: &str) -> Option<PeerId> {
    ["unknown", "A", "B", "C"].iter().position(|known| *known == name).map(|place| place as PeerId)
}

/// What formats 13.1 says, word for word and one rule after the other.
fn matches(rule: &Match, facts: &Facts<'_>) -> bool {
    let prefix = |prefixes: &[Digits], number: Option<Digits>| {
        prefixes.is_empty() || prefixes.iter().any(|prefix| number.is_some_and(|number| number.starts_with(prefix)))
    };
    let state = match facts.signature {
        SignatureState::Claimed => Signature::Valid,
        SignatureState::Absent => Signature::Absent,
        SignatureState::UnknownSigner => Signature::UnknownSigner,
        SignatureState::Unchecked => Signature::Unchecked,
    };
    let role = facts.signer.and_then(|(_, role)| role).map(|role| match role {
        Role::Csp => RoleName::Csp,
        Role::Carrier => RoleName::Carrier,
        Role::Hub => RoleName::Hub,
    });
    let realm = std::str::from_utf8(facts.realm).unwrap_or_default().to_lowercase();
    let within = |above: &String| realm == *above || realm.ends_with(&format!(".{above}"));
    (rule.peer.is_empty() || rule.peer.iter().any(|name| peers(name) == Some(facts.peer)))
        && (rule.opcode.is_empty() || facts.code.is_some_and(|code| rule.opcode.contains(&code)))
        && (rule.method.is_empty() || rule.method.iter().any(|method| method.as_bytes() == facts.method))
        && (rule.ac.is_empty() || rule.ac.iter().any(|ac| ac == facts.ac))
        && prefix(&rule.calling, facts.calling)
        && prefix(&rule.called, facts.called)
        && prefix(&rule.imsi, facts.imsi)
        && (rule.opc.is_empty() || facts.opc.is_some_and(|opc| rule.opc.contains(&opc)))
        && (rule.realm.is_empty() || rule.realm.iter().any(within))
        && (rule.category.is_empty() || rule.category.contains(&facts.category))
        && (rule.signature.is_empty() || rule.signature.contains(&state))
        && (rule.sai.is_empty() || facts.signer.is_some_and(|(sai, _)| rule.sai.contains(&sai)))
        && (rule.role.is_empty() || role.is_some_and(|role| rule.role.contains(&role)))
        && rule.time.is_none_or(|span| span.has(facts.minute))
}

/// None in most cases, so that rules ask two or three things and not all.
fn some<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> BoxedStrategy<Vec<T>> {
    prop_oneof![4 => Just(Vec::new()), 2 => vec(select(values), 1..4)].boxed()
}

fn number() -> BoxedStrategy<Digits> {
    "[12]{0,3}[0-9]{0,2}".prop_map(|text| digits(&text)).boxed()
}

fn numbers() -> BoxedStrategy<Vec<Digits>> {
    prop_oneof![3 => Just(Vec::new()), 2 => vec(number(), 1..4), 1 => vec(number(), 9..20)].boxed()
}

fn a_match() -> BoxedStrategy<Match> {
    let who =
        (some(vec!["A".to_owned(), "B".into(), "unknown".into(), "gone".into()]), numbers(), numbers(), numbers());
    let what = (
        some((0..6_u32).collect()),
        some(vec!["INVITE".to_owned(), "BYE".into()]),
        some(vec![vec![4, 0, 0, 1, 0, 1, 3], vec![4, 0, 0, 1, 0, 29, 3]]),
        some((1..4_u32).collect()),
        some(vec!["example".to_owned(), "a.example".into(), "b.a.example".into()]),
    );
    let how = (
        some(vec![Category::None, Category::Cat1, Category::Cat2, Category::Cat3]),
        some(vec![Signature::Valid, Signature::Absent, Signature::UnknownSigner, Signature::Unchecked]),
        some(vec![[1; 8], [2; 8]]),
        some(vec![RoleName::Csp, RoleName::Hub, RoleName::Carrier]),
        option::weighted(0.2, (0..1440_u16, 0..1440_u16).prop_map(|(from, to)| Span { from, to })),
    );
    (who, what, how)
        .prop_map(
            |(
                (peer, calling, called, imsi),
                (opcode, method, ac, opc, realm),
                (category, signature, sai, role, time),
            )| {
                Match {
                    protocol: None,
                    outbound: None,
                    peer,
                    opcode,
                    command: Vec::new(),
                    message: Vec::new(),
                    method,
                    ac,
                    calling,
                    called,
                    opc,
                    realm,
                    imsi,
                    category,
                    signature,
                    sai,
                    role,
                    time,
                }
            },
        )
        .boxed()
}

fn facts() -> BoxedStrategy<Facts<'static>> {
    let who = (0..5_u16, option::of(number()), option::of(number()), option::of(number()), option::of(0..7_u32));
    let words = (
        select(vec![&b""[..], b"INVITE", b"BYE", b"ACK"]),
        select(vec![&b""[..], &[4, 0, 0, 1, 0, 1, 3], &[4, 0, 0, 1, 0, 29, 3], &[4, 0, 0, 1, 0, 29]]),
        select(vec![&b""[..], b"example", b"A.example", b"c.b.a.Example", b"xexample", b"a.example.net"]),
        option::of(0..5_u32),
    );
    let how = (
        select(vec![Category::None, Category::Cat1, Category::Cat2, Category::Cat3]),
        select(vec![
            SignatureState::Claimed,
            SignatureState::Absent,
            SignatureState::UnknownSigner,
            SignatureState::Unchecked,
        ]),
        option::of((
            select(vec![[1; 8], [2; 8], [3; 8]]),
            option::of(select(vec![Role::Csp, Role::Carrier, Role::Hub])),
        )),
        0..1440_u16,
    );
    (who, words, how)
        .prop_map(
            |((peer, calling, called, imsi, code), (method, ac, realm, opc), (category, signature, signer, minute))| {
                Facts { peer, code, method, ac, calling, called, opc, realm, imsi, category, signature, signer, minute }
            },
        )
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_first_rule_that_matches_is_found(all in vec(a_match(), 0..120), messages in vec(facts(), 1..60)) {
        let written: Vec<Written> =
            all.iter().enumerate().map(|(i, matches)| rule(&i.to_string(), matches.clone(), Action::Allow)).collect();
        let rules = Rules::new(&written, Unmatched::Allow, peers);
        for facts in &messages {
            let want = all.iter().position(|rule| matches(rule, facts)).map(|place| place.to_string());
            let got = rules.first(Protocol::Map, Direction::In, facts);
            let got = got.and_then(|ruling| rules.name_of(ruling.tag)).map(str::to_owned);
            prop_assert_eq!(got, want, "{:?}", facts);
        }
    }
}

#[test]
fn a_rule_counts_for_its_protocol_and_direction_alone() {
    let of = |protocol, outbound| Match { protocol, outbound, ..Match::default() };
    let written = [
        rule("map-in", of(Some(Protocol::Map), Some(false)), Action::Drop),
        rule("out", of(None, Some(true)), Action::Alert),
        rule("all", of(None, None), Action::Allow),
    ];
    let rules = Rules::new(&written, Unmatched::Allow, peers);
    let name = |protocol, way| {
        let ruling = rules.first(protocol, way, &Facts::default());
        ruling.and_then(|ruling| rules.name_of(ruling.tag))
    };
    assert_eq!(name(Protocol::Map, Direction::In), Some("map-in"));
    assert_eq!(name(Protocol::Map, Direction::Out), Some("out"));
    assert_eq!(name(Protocol::Sip, Direction::In), Some("all"));
    let command = [rule("c", Match { command: vec![71], ..Match::default() }, Action::Drop)];
    let rules = Rules::new(&command, Unmatched::Allow, peers);
    let facts = Facts { code: Some(71), ..Facts::default() };
    assert!(rules.first(Protocol::Map, Direction::In, &facts).is_none(), "a command is no operation");
    assert!(rules.first(Protocol::Diameter, Direction::In, &facts).is_some());
    let none = Rules::new(&written[..1], Unmatched::Allow, peers);
    assert!(none.is_idle(Protocol::Map, Direction::Out) && !none.is_idle(Protocol::Map, Direction::In));
    assert!(!Rules::new(&[], Unmatched::Drop, peers).is_idle(Protocol::Gtp, Direction::In), "a default is looked at");
}

#[test]
fn many_rules_are_asked_apart_and_not_one_by_one() {
    // Each rule has prefixes of its own and an operation; some general ones lie before and behind.
    let mut written: Vec<Written> = (0..5_000_u32)
        .map(|i| {
            let calling =
                (0..4).map(|k| digits(&format!("{:0>9}", (i * 4 + k).wrapping_mul(40_503) % 999_999_937))).collect();
            rule(&format!("r{i}"), Match { calling, opcode: vec![i % 7], ..Match::default() }, Action::Drop)
        })
        .collect();
    written.insert(0, rule("first", Match { opcode: vec![200], ..Match::default() }, Action::Allow));
    written.push(rule("last", Match { signature: vec![Signature::Absent], ..Match::default() }, Action::Alert));
    let rules = Rules::new(&written, Unmatched::Allow, peers);
    let report = rules.report();
    assert_eq!((report.rules, report.values), (5_002, 5_000 * 5 + 2));
    assert!(report.widest <= 8, "{report:?}");
    for (i, rule) in written.iter().enumerate().skip(1).take(5_000).step_by(97) {
        for prefix in &rule.matches.calling {
            let code = rule.matches.opcode.first().copied();
            let calling = Some(digits(&format!("{prefix}0042")));
            let facts = Facts { calling, code, ..Facts::default() };
            let want = written.iter().position(|rule| matches(&rule.matches, &facts)).unwrap();
            let got = rules.first(Protocol::Map, Direction::In, &facts).unwrap();
            assert_eq!(got.place as usize, want, "rule {i}");
        }
    }
}

#[test]
fn rules_that_only_lists_tell_apart_take_memory_in_proportion() {
    // Each asks three long lists, which have all in common: as a table of combinations that would be 64 million.
    let list: Vec<Digits> = (100..500).map(|n| digits(&n.to_string())).collect();
    let matches = Match { calling: list.clone(), called: list.clone(), imsi: list, ..Match::default() };
    let written: Vec<Written> = (0..200_u32)
        .map(|i| rule(&i.to_string(), Match { opcode: vec![i], ..matches.clone() }, Action::Drop))
        .collect();
    let rules = Rules::new(&written, Unmatched::Allow, peers);
    assert!(rules.report().octets < 4 << 20, "{:?}", rules.report());
    let number = Some(digits("3331"));
    let facts = Facts { calling: number, called: number, imsi: number, code: Some(77), ..Facts::default() };
    assert_eq!(rules.first(Protocol::Map, Direction::In, &facts).map(|ruling| ruling.place), Some(77));
}

#[test]
fn counts_follow_a_rule_into_the_next_policy() {
    let one = |id: &str| rule(id, Match::default(), Action::Drop);
    let before = Rules::new(&[one("a"), one("b")], Unmatched::Allow, peers);
    let ruling = before.first(Protocol::Map, Direction::In, &Facts::default()).unwrap();
    let after = Rules::new(&[one("x"), one("a")], Unmatched::Allow, peers);
    after.count(&ruling, true, 1);
    after.count(&ruling, false, 9);
    let counted: Vec<(&str, Counted)> = after.counted().collect();
    assert_eq!(counted, [("x", Counted::default()), ("a", Counted { matched: 2, refused: 1 })]);
    Rules::new(&[one("x")], Unmatched::Allow, peers).count(&ruling, true, 0); // gone: counted nowhere
}

#[test]
fn of_two_parts_of_a_message_the_stricter_ruling_counts() {
    let written = [
        rule("allow", Match { opcode: vec![1], ..Match::default() }, Action::Allow),
        rule("drop", Match { opcode: vec![2], ..Match::default() }, Action::Drop),
    ];
    let rules = Rules::new(&written, Unmatched::Allow, peers);
    let of = |code| rules.first(Protocol::Map, Direction::In, &Facts { code: Some(code), ..Facts::default() }).unwrap();
    assert_eq!(of(1).stricter(of(2)).tag, tag_of("drop"));
    assert_eq!(of(2).stricter(of(1)).tag, tag_of("drop"));
}

#[test]
fn an_override_is_of_the_checks_that_it_names() {
    let checks = [Check::Cat1, Check::Velocity];
    let written = [Written { overrides: checks.to_vec(), ..rule("a", Match::default(), Action::Allow) }];
    let rules = Rules::new(&written, Unmatched::Allow, peers);
    let overrides = rules.first(Protocol::Map, Direction::In, &Facts::default()).unwrap().overrides;
    assert!(overrides.has(Reason::PolCat1) && overrides.has(Reason::DetVelocity));
    assert!(!overrides.has(Reason::PolHomeImsi) && !overrides.has(Reason::SecSigInvalid));
    assert!(rules.overrides(Protocol::Map, Direction::In));
}
