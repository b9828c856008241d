//! The files that operators start from load, and each of their keys is really read: set to something wrong, or named
//! wrongly, it is a fault at its own line.

use std::path::{Path, PathBuf};

use sealgate_config::{Appliance, Faults, Policy, parse_appliance, parse_policy};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(example(name)).expect("the example is there")
}

fn faults(name: &str, text: &str) -> Option<Faults> {
    match name {
        "sealgate.yaml" => parse_appliance(text, name).err(),
        _ => parse_policy(text, name).err(),
    }
}

const FILES: [&str; 2] = ["sealgate.yaml", "policy.yaml"];

#[test]
fn the_examples_load_together() {
    let cores: Vec<usize> = (0..6).collect();
    let (appliance, policy) =
        sealgate_config::load(&example("sealgate.yaml"), Some(&cores)).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(appliance.policy, example("policy.yaml"));
    assert_eq!(appliance.state.as_deref(), Some(Path::new("/var/lib/sealgate/state")));
    assert_eq!(appliance.cores.workers, [2, 3]);
    assert_eq!(policy.peers.len(), 2);
    let geo = policy.detection.velocity.geo.expect("a geography");
    assert_eq!(geo.file, example("geo.csv"));
    assert!(geo.places.len() > 400, "{} lines", geo.places.len());
}

#[test]
fn the_examples_show_the_defaults() {
    let policy = Policy::parse(&text("policy.yaml")).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(policy.defaults, sealgate_config::Defaults::default());
    assert_eq!(policy.categories, sealgate_config::Categories::of(&policy.tables));
    let mut detection = policy.detection.clone();
    assert!(detection.velocity.geo.take().is_some_and(|geo| geo.file == Path::new("geo.csv")));
    assert_eq!(detection, sealgate_config::Detection::default());
    let appliance = Appliance::parse(&text("sealgate.yaml")).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(appliance.crypto, sealgate_config::Crypto::default());
    assert_eq!(appliance.memory, sealgate_config::Memory::default());
    assert_eq!(appliance.admin, sealgate_config::Admin::default());
    assert_eq!(appliance.trust.crl_grace_s, sealgate_config::TrustFiles::CRL_GRACE_S);
}

/// Each `key: value` of `text` with its line, the octets of the key, and those of the value up to a comment or the
/// bracket that ends it; values that go on in other lines are left out.
fn entries(text: &str) -> Vec<(usize, std::ops::Range<usize>, Option<std::ops::Range<usize>>)> {
    let mut found = Vec::new();
    let mut begin = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let code = line.find('#').map_or(line, |at| &line[..at]);
        for (colon, _) in code.match_indices(':') {
            let key_begin = code[..colon].rfind([' ', '{', '\n']).map_or(0, |at| at + 1);
            let key = &code[key_begin..colon];
            let follows = code[colon + 1..].chars().next();
            if key.contains(['"', '[', '=']) || !matches!(follows, Some(' ' | '\n')) {
                continue; // a colon inside a value
            }
            let mut depth = 0i32;
            let rest = &code[colon + 1..];
            let end = rest.char_indices().find(|(_, c)| {
                depth += i32::from("[{".contains(*c)) - i32::from("]}".contains(*c));
                depth < 0 || (depth == 0 && *c == ',')
            });
            let value = &rest[..end.map_or(rest.len(), |(at, _)| at)];
            let range = (!value.trim().is_empty()).then(|| {
                let at = begin + colon + 1 + (value.len() - value.trim_start().len());
                at..at + value.trim().len()
            });
            found.push((i + 1, begin + key_begin..begin + colon, range));
        }
        begin += line.len();
    }
    found
}

#[test]
fn every_value_of_the_examples_is_read() {
    for file in FILES {
        let text = text(file);
        let entries = entries(&text);
        assert!(entries.len() > 30, "{file}: {}", entries.len());
        for (line, key, value) in entries {
            let (name, Some(value)) = (&text[key], value) else { continue };
            for wrong in ["\"\\a\"", "{oops: 1}", "-7"] {
                let mut broken = text.clone();
                broken.replace_range(value.clone(), wrong);
                let faults = faults(file, &broken).unwrap_or_else(|| panic!("{file}:{line}: {name} takes {wrong}"));
                assert!(faults.iter().any(|fault| fault.line == line), "{file}:{line}: {} = {wrong}: {faults}", name);
            }
        }
    }
}

#[test]
fn every_key_of_the_examples_is_known_by_its_name() {
    for file in FILES {
        let text = text(file);
        for (line, key, _) in entries(&text) {
            let name = &text[key.clone()];
            if ["A", "C", "ss7-1", "dia-1", "sip-1", "grx-1"].contains(&name) {
                continue; // names that the operator chose
            }
            let mut broken = text.clone();
            broken.replace_range(key.clone(), &format!("{name}x"));
            let faults = faults(file, &broken).unwrap_or_else(|| panic!("{file}:{line}: {name}x is taken"));
            let found =
                faults.iter().any(|fault| fault.line == line && fault.message.starts_with("unknown key (did you mean"));
            assert!(found, "{file}:{line}: {name}x: {faults}");
        }
    }
}

/// What only other protocols could use, or a gateway that is not inline.
#[test]
fn keys_without_a_function_are_unknown() {
    for (before, line, path) in [
        ("\nhome: ", "  sip_domains: [home.example]", "home.sip_domains"),
        ("\ndefaults: ", "  on_drop: drop", "defaults.on_drop"),
        ("\ndefaults: ", "  clock_error: verify", "defaults.clock_error"),
        ("\n  A:", "    tn_prefixes: [\"99902\"]", "peers.A.tn_prefixes"),
        ("\n  A:", "    ignore_measure: no", "peers.A.ignore_measure"),
    ] {
        let text = text("policy.yaml");
        let at = text.find(before).expect(before) + 1;
        let end = at + text[at..].find('\n').expect(before) + 1;
        let broken = format!("{}{line}\n{}", &text[..end], &text[end..]);
        let faults = parse_policy(&broken, "policy.yaml").expect_err(path);
        let found: Vec<_> = faults.iter().map(|fault| (fault.path.as_str(), &fault.message[..11])).collect();
        assert_eq!(found, [(path, "unknown key")]);
    }
}

#[test]
fn every_key_given_twice_is_a_fault() {
    for file in FILES {
        let text = text(file);
        for (line, key, value) in entries(&text) {
            let Some(value) = value else { continue };
            let (name, value) = (&text[key.clone()], &text[value]);
            let own_line = text[..key.start].rsplit('\n').next().is_some_and(|before| before.trim().is_empty());
            if !own_line {
                continue;
            }
            let indent = key.start - text[..key.start].rfind('\n').map_or(0, |at| at + 1);
            let mut broken = text.clone();
            let next = text[key.start..].find('\n').map_or(text.len(), |at| key.start + at + 1);
            broken.insert_str(next, &format!("{}{name}: {value}\n", " ".repeat(indent)));
            let faults = faults(file, &broken).unwrap_or_else(|| panic!("{file}:{line}: {name} is taken twice"));
            let found = faults.iter().any(|fault| fault.line > line && fault.message == "the key stands here twice");
            assert!(found, "{file}:{line}: {name}: {faults}");
        }
    }
}

#[test]
fn the_effective_configuration_loads_back_to_the_same() {
    let appliance = Appliance::parse(&text("sealgate.yaml")).unwrap_or_else(|f| panic!("{f}"));
    let printed = appliance.to_yaml();
    assert_eq!(Appliance::parse(&printed).unwrap_or_else(|f| panic!("{f}\n{printed}")), appliance);
    let policy = Policy::parse(&text("policy.yaml")).unwrap_or_else(|f| panic!("{f}"));
    let printed = policy.to_yaml();
    assert_eq!(Policy::parse(&printed).unwrap_or_else(|f| panic!("{f}\n{printed}")), policy);
    assert_eq!(Policy::parse(&printed).map(|policy| policy.to_yaml()).ok(), Some(printed));
}

#[test]
fn the_vectors_policy_says_what_the_vectors_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane/tests/data/vectors-policy.yaml");
    let policy = sealgate_config::load_policy(&path).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(policy.links[0].vtag_in, Some(0x5ea1_9a7e));
    assert_eq!(policy.links[0].opcs, [4128, 4144, 4160, 4176, 4224]);
    let modes: Vec<_> = policy.peers.iter().map(|peer| peer.mode).collect();
    use sealgate_config::Mode::{Ignore, Prefer, Require};
    assert_eq!(modes, [Require, Prefer, Require, Ignore]);
    let printed = policy.to_yaml();
    assert_eq!(Policy::parse(&printed).unwrap_or_else(|f| panic!("{f}\n{printed}")), policy);
}
