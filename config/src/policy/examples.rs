//! The section `examples`: messages, and what must become of them.

use sealgate_wire::Reason;
use sealgate_wire::addr::Digits;

use crate::model::*;
use crate::names;
use crate::units;
use crate::walk::{Item, Section, twice};
use crate::words::{EXAMPLE_DIRECTION, EXAMPLE_SIGNATURE, EXPECT};

/// Most examples: each is a message that is judged at every reload.
const MOST: usize = 10_000;

/// The examples, and what each says about a link.
pub(super) fn read<'a>(item: &Item<'a>) -> Vec<(Example, Option<Item<'a>>)> {
    let items =
        item.list_or_none("{name: ..., calling_gt: \"999020000011\", called_gt: \"999010000001\", expect: pass}");
    if items.len() > MOST {
        item.fault(format!("{} examples", items.len()), format!("give at most {MOST}"));
        return Vec::new();
    }
    let examples: Vec<_> = items.iter().filter_map(|item| Some((one(item)?, item))).collect();
    let mut seen = std::collections::HashMap::new();
    for ((example, _), item) in &examples {
        if let Some(first) = seen.insert(example.name.as_str(), item.line()) {
            item.fault(format!("an example {:?} stands here already", example.name), twice(first));
        }
    }
    examples.into_iter().map(|(example, _)| example).collect()
}

fn one<'a>(item: &Item<'a>) -> Option<(Example, Option<Item<'a>>)> {
    let mut section = Section::open(item);
    let name = section.need("name", "a forged location update");
    let name = name.and_then(|item| item.text("a name").map(str::to_owned));
    let outbound = section.get("direction").and_then(|item| item.word("a direction", EXAMPLE_DIRECTION));
    let link = section.get("link");
    let link_name = link.as_ref().and_then(|item| item.text("the name of a link").map(str::to_owned));
    let mut title = |key, example| section.need(key, example).and_then(|item| title(&item));
    let calling_gt = title("calling_gt", "\"999020000011\"");
    let called_gt = title("called_gt", "\"999010000001\"");
    let mut ssn = |key, other| section.get(key).and_then(|item| units::octet(&item, 1..=254, "")).unwrap_or(other);
    let (calling_ssn, called_ssn) = (ssn("calling_ssn", 7), ssn("called_ssn", 6));
    let opcode = section.get("opcode").and_then(|item| {
        let code = units::octet(&item, 0..=127, "(an operation code)")?;
        if sealgate_wire::map::context_of(code).is_none() {
            item.fault(format!("no application context of MAP has operation {code}"), "give one of TS 29.002, as 2");
        }
        Some(code)
    });
    let imsi = section.get("imsi").and_then(|item| units::digits(&item, 6..=15, "an IMSI of 6 to 15 digits"));
    let signature_item = section.get("signature");
    let signature = signature_item.as_ref().and_then(|item| item.word("a signature", EXAMPLE_SIGNATURE));
    let signature = signature.unwrap_or_default();
    let signer_item = section.get("signer");
    let signer = signer_item.as_ref().and_then(units::certificate_name);
    let expect = section.need("expect", "pass").and_then(|item| expect(&item));
    section.close();

    let outbound = outbound.unwrap_or_default();
    if let Some(item) = signature_item.filter(|_| outbound && signature != ExampleSignature::Absent) {
        item.fault("what leaves our network has no signature yet", "take the key out: the gateway signs it");
    }
    let signed = matches!(signature, ExampleSignature::Valid | ExampleSignature::Invalid);
    if let Some(item) = signer_item.filter(|_| !signed) {
        item.fault("nobody signs this example", "give signature: valid, or take the key out");
    }
    let example = Example {
        name: name?,
        outbound,
        link: link_name,
        calling_gt: calling_gt?,
        called_gt: called_gt?,
        calling_ssn,
        called_ssn,
        opcode: opcode.unwrap_or(2),
        imsi,
        signature,
        signer,
        expect: expect?,
    };
    Some((example, link))
}

fn title(item: &Item<'_>) -> Option<Digits> {
    units::digits(item, 1..=15, "a Global Title of 1 to 15 digits")
}

fn expect(item: &Item<'_>) -> Option<Expect> {
    let text = item.text("a verdict")?;
    if let Some((_, expect)) = EXPECT.iter().find(|(word, _)| *word == text) {
        return Some(*expect);
    }
    if let Some(reason) = sealgate_wire::reason::ALL.iter().find(|reason| reason.name() == text) {
        return Some(Expect::Reason(*reason));
    }
    let known =
        EXPECT.iter().map(|(word, _)| *word).chain(sealgate_wire::reason::ALL.iter().map(|reason| reason.name()));
    let hint = names::hint(text, known);
    item.fault(format!("{text:?} is no verdict{hint}"), "use pass, refuse or the name of a reason, as R_SEC_MISSING");
    None
}

/// The word of a verdict.
pub(crate) fn expect_word(expect: &Expect) -> &'static str {
    match expect {
        Expect::Reason(reason) => Reason::name(*reason),
        other => crate::words::word(EXPECT, other),
    }
}
