//! From a file to a profile, or to what is wrong with it.

use std::path::Path;

use super::super::fault::{Fault, last_line_of, line_of};
use super::super::iam::NUMBER_LEN;
use super::super::operation::{Operation, Protocol};
use super::super::policy::Numbering;
use super::{Judgement, Profile};

/// The profiles that come with the program, by name.
const BUILT_IN: [(&str, &str); 10] = [
    ("default", include_str!("../../../profiles/default.yaml")),
    ("unsigned", include_str!("../../../profiles/unsigned.yaml")),
    ("signed-10", include_str!("../../../profiles/signed-10.yaml")),
    ("signed-50", include_str!("../../../profiles/signed-50.yaml")),
    ("signed-100", include_str!("../../../profiles/signed-100.yaml")),
    ("attack", include_str!("../../../profiles/attack.yaml")),
    ("diameter", include_str!("../../../profiles/diameter.yaml")),
    ("isup", include_str!("../../../profiles/isup.yaml")),
    ("sip", include_str!("../../../profiles/sip.yaml")),
    ("interconnect", include_str!("../../../profiles/interconnect.yaml")),
];

/// A profile is a page of text.
const MAX_FILE: usize = 1 << 20;
/// How far shares may be from 1 together: what two decimals cost.
const ROUNDING: f64 = 1e-6;

impl Profile {
    /// Names of the profiles that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A profile that comes with the program.
    ///
    /// # Errors
    /// No such name.
    pub fn named(name: &str) -> Result<Self, Fault> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| Fault {
            file: name.to_owned(),
            line: 0,
            key: String::new(),
            message: "no profile has this name".to_owned(),
            remedy: format!("take one of {}, or give a file", Self::names().collect::<Vec<_>>().join(", ")),
        })?;
        Self::parse(text, name)
    }

    /// A profile by its name, or from a file where there is one at this path.
    ///
    /// # Errors
    /// As [`Profile::named`] and [`Profile::read`].
    pub fn find(name: &str) -> Result<Self, Fault> {
        let path = Path::new(name);
        let known = Self::names().any(|known| known == name);
        if !known && (path.exists() || path.components().count() > 1 || path.extension().is_some()) {
            return Self::read(path);
        }
        Self::named(name)
    }

    /// A profile from a file.
    ///
    /// # Errors
    /// What is wrong with it: file, line, key and remedy.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let file = path.display().to_string();
        let fault = |message: String, remedy: &str| Fault {
            file: file.clone(),
            line: 0,
            key: String::new(),
            message,
            remedy: remedy.to_owned(),
        };
        let unreadable = |error| fault(format!("cannot be read: {error}"), "check the path and who may read it");
        let len = std::fs::metadata(path).map_err(unreadable)?.len();
        if len > MAX_FILE as u64 {
            return Err(fault(format!("{len} octets are too many"), "this is not a profile: check the path"));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?, &file)
    }

    /// A profile from text; `file`: what faults call it.
    ///
    /// # Errors
    /// As [`Profile::read`].
    pub fn parse(text: &str, file: &str) -> Result<Self, Fault> {
        let profile: Self = serde_yaml::from_str(text).map_err(|error| unreadable(&error, text, file))?;
        profile.check().map_err(|(key, message, remedy)| Fault {
            file: file.to_owned(),
            line: line_of(text, key),
            key: key.to_owned(),
            message,
            remedy,
        })?;
        Ok(profile)
    }

    /// The first thing that is wrong with it: key, what, and what to do.
    fn check(&self) -> Result<(), (&'static str, String, String)> {
        let within = |key, value: u32, low: u32, high: u32| {
            let fault = || (key, format!("{value} is out of range"), format!("give {low} to {high}"));
            if (low..=high).contains(&value) { Ok(()) } else { Err(fault()) }
        };
        within("peers", self.peers, 1, 10_000)?;
        within("links", self.links.into(), 1, 1000)?;
        let links: u32 = Protocol::CARRIERS.map(|protocol| u32::from(self.links_of(protocol))).iter().sum();
        within("associations", self.associations.into(), 1, 1024 / links.max(1))?;
        within("sms_octets", self.sms_octets.into(), 1, 140)?;
        within("prefixes", self.prefixes(), self.peers, 1_000_000)?;
        if self.prefixes != 0 {
            within("prefixes", self.prefixes, self.peers, 1_000_000)?;
        }
        within("keys", self.keys(), 1, self.peers)?;
        let title_len = Numbering::new(self).title_len();
        if self.has_calls() && title_len != NUMBER_LEN {
            let message = format!("calls would need numbers of {title_len} digits, and certificates have {NUMBER_LEN}");
            return Err(("prefixes", message, "give fewer peers and prefixes, or no IAM and INVITE".to_owned()));
        }
        for (key, share) in [("outbound", self.outbound), ("bundled", self.bundled), ("xudt", self.xudt)] {
            is_share(key, share)?;
        }
        if !(0.0..=0.5).contains(&self.answers) {
            let message = format!("{} is out of range", self.answers);
            return Err(("answers", message, "give 0 to 0.5: each question is answered once".to_owned()));
        }
        let Judgement { signed, unsigned, forged, spoofed, replayed } = self.judgement;
        let judgement = [
            ("judgement.signed", signed),
            ("judgement.unsigned", unsigned),
            ("judgement.forged", forged),
            ("judgement.spoofed", spoofed),
            ("judgement.replayed", replayed),
        ];
        add_up("judgement", &judgement)?;
        if replayed > 0.0 && signed == 0.0 {
            let message = "nothing is signed that could be replayed".to_owned();
            return Err(("judgement.replayed", message, "give signed a share too, or replayed none".to_owned()));
        }
        let operations = Operation::ALL.map(|operation| (operation.key(), self.operations.share(operation)));
        add_up("operations", &operations)
    }
}

/// What YAML says of a file that has not the form of a profile.
fn unreadable(error: &serde_yaml::Error, text: &str, file: &str) -> Fault {
    let words = error.to_string();
    let place = error.location();
    let words = match &place {
        Some(place) => words.replace(&format!(" at line {} column {}", place.line(), place.column()), ""),
        None => words,
    };
    let (key, message) = match words.split_once(": ") {
        Some((key, rest)) if !key.contains(' ') => (key.to_owned(), rest.to_owned()),
        _ => (String::new(), words),
    };
    // Of a key that is there twice YAML names the mapping.
    let twice = message.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`'));
    let line = match twice {
        Some(name) => last_line_of(text, name),
        None if key == "rate" => line_of(text, &key), // a shape is refused when it was read whole
        None => place.map_or(0, |place| place.line()),
    };
    let remedy = "see perf/profiles/default.yaml for every key".to_owned();
    Fault { file: file.to_owned(), line, key, message, remedy }
}

fn is_share(key: &'static str, share: f64) -> Result<(), (&'static str, String, String)> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    Err((key, format!("{share} is not a share"), "give 0 to 1".to_owned()))
}

fn add_up(key: &'static str, shares: &[(&'static str, f64)]) -> Result<(), (&'static str, String, String)> {
    for (key, share) in shares {
        is_share(key, *share)?;
    }
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    if (sum - 1.0).abs() <= ROUNDING {
        return Ok(());
    }
    let sum = (sum * 1e6).round() / 1e6;
    Err((key, format!("the shares add up to {sum}"), "change them until they add up to 1".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_profiles_read_and_have_their_names() {
        for name in Profile::names() {
            let profile = Profile::named(name).unwrap_or_else(|fault| panic!("{fault}"));
            assert_eq!(profile.name, name);
        }
        assert_eq!(Profile::named("default"), Ok(Profile::default()), "the file shows the defaults");
        let fault = Profile::named("defualt").map_err(|fault| fault.to_string());
        assert!(fault.is_err_and(|text| text.contains("signed-100")));
    }

    #[test]
    fn each_fault_has_its_line_and_its_remedy() {
        for (text, line, key, words) in [
            ("seed: 1\npears: 3\n", 2, "", "unknown field `pears`"),
            ("seed: 1\nseed: 2\n", 2, "", "duplicate"),
            ("peers: 0\n", 1, "peers", "give 1 to 10000"),
            ("# a comment\npeers: 10001\n", 2, "peers", "give 1 to 10000"),
            ("peers: many\n", 1, "peers", "invalid type"),
            ("peers: -1\n", 1, "peers", "-1"),
            ("peers: 5\nkeys: 6\n", 2, "keys", "give 1 to 5"),
            ("peers: 5\nprefixes: 4\n", 2, "prefixes", "give 5 to 1000000"),
            ("prefixes: 1000001\n", 1, "prefixes", "give 200 to 1000000"),
            ("links: 0\n", 1, "links", "give 1 to 1000"),
            ("links: 600\nassociations: 2\n", 2, "associations", "give 1 to 1"),
            ("sms_octets: 141\n", 1, "sms_octets", "give 1 to 140"),
            ("answers: 0.6\n", 1, "answers", "give 0 to 0.5"),
            ("outbound: 1.5\n", 1, "outbound", "give 0 to 1"),
            ("xudt: .nan\n", 1, "xudt", "give 0 to 1"),
            ("judgement:\n  unsigned: 0.5\n  forged: -0.1\n", 3, "judgement.forged", "give 0 to 1"),
            ("judgement:\n  signed: 0.5\n  unsigned: 0.4\n", 1, "judgement", "add up to 0.9"),
            ("judgement: {unsigned: 0.5, replayed: 0.5}\n", 1, "judgement.replayed", "give signed a share"),
            ("operations: {purgeMS: 0.5}\n", 1, "operations", "add up to 0.5"),
            ("operations: {mt-ForwardSM: 2}\n", 1, "operations.mt-ForwardSM", "give 0 to 1"),
            ("operations:\n  purgeSM: 1\n", 2, "operations", "unknown field `purgeSM`"),
            ("operations: {IAM: 1}\nprefixes: 1000000\n", 2, "prefixes", "give fewer"),
            ("operations: {INVITE: 1}\nprefixes: 1000000\n", 2, "prefixes", "no IAM and INVITE"),
            ("mode: ignore\n", 1, "mode", "unknown variant"),
            ("seed: 1\nrate: {shape: ramp}\n", 2, "rate", "needs from"),
            ("rate: {shape: constant, over_s: 3}\n", 1, "rate", "belongs to the shape ramp"),
            ("rate: {shape: burst, length_ms: 3, period_ms: 2}\n", 1, "rate", "at most period_ms"),
            ("rate: {shape: ramp, from: 0, over_s: 2}\n", 1, "rate", "above 0"),
        ] {
            let Err(fault) = Profile::parse(text, "mine.yaml") else { panic!("accepted: {text}") };
            assert_eq!((fault.line, fault.key.as_str()), (line, key), "{text}: {fault}");
            let shown = fault.to_string();
            assert!(shown.contains(words) && shown.starts_with("mine.yaml:"), "{text}: {shown}");
            assert!(!fault.remedy.is_empty());
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let Err(fault) = Profile::read(Path::new("/nonexistent/mix.yaml")) else { panic!("read") };
        assert!(fault.to_string().starts_with("/nonexistent/mix.yaml: cannot be read"), "{fault}");
    }
}
