//! The golden vectors of the PKI: `unit.json` (identifiers and SAI) and `pki.json` (the load procedure).
//!
//! Prints `vectors unit P/T` and `vectors pki P/T`. `SEALGATE_VECTORS` names another directory than the workspace's.

use sealgate_crypto::pki::{
    Anchor, CertState, Certificate, Fault, Kind, Object, Options, Signer, Trust, load, objects_from_file,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn vectors() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dataplane/vectors");
    std::env::var_os("SEALGATE_VECTORS").map_or(beside, PathBuf::from)
}

fn read(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(vectors().join(file)).expect("the vector file is there");
    let whole: Value = serde_json::from_str(&text).expect("the vector file is JSON");
    whole["vectors"].as_array().expect("it has vectors").clone()
}

fn objects(file: &str, kind: Kind) -> Vec<Object> {
    objects_from_file(&vectors().join(file), kind).expect("the file named in the vector is there")
}

fn certificate(name: &str) -> Certificate {
    Certificate::parse(&objects(&format!("certs/{name}.pem"), Kind::Certificate)[0]).expect("it follows the profile")
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Runs the cases, prints the score under `name`, and fails naming those that did not pass.
fn score(name: &str, cases: Vec<(String, Value, Value)>) {
    let failed: Vec<_> = cases.iter().filter(|(_, got, want)| got != want).collect();
    println!("vectors {name} {}/{}", cases.len() - failed.len(), cases.len());
    assert!(!cases.is_empty() && failed.is_empty(), "id, got, want: {failed:#?}");
}

fn unit_case(kind: &str, input: &Value) -> Option<Value> {
    let text = |key: &str| input[key].as_str().unwrap_or_default();
    Some(match kind {
        "sai" => json!(hex(&certificate(input.as_str()?).sai)),
        "resources" => {
            let found = certificate(input.as_str()?);
            let ids = found.identifiers;
            json!({ "gt": ids.gt_prefixes, "plmns": ids.plmns, "ispcs": ids.ispcs, "realms": ids.realms,
                "sip": ids.sip_domains, "tn": ids.tn_ranges, "any": ids.any, "role": found.role.map(|role| role.name()) })
        }
        "tn_covered" => json!(certificate(text("cert")).identifiers.covers_tn(text("tn"))),
        "realm_covered" => json!(certificate(text("cert")).identifiers.covers_realm(text("realm"))),
        "gt_covered" => {
            let plan = u8::try_from(input["plan"].as_u64()?).ok()?;
            json!(certificate(text("cert")).identifiers.covers_gt(plan, text("digits")))
        }
        // Time stamps, SCCP addresses and CRC-32C belong to the crates of the packet path.
        _ => return None,
    })
}

#[test]
fn unit() {
    let cases = read("unit.json").into_iter().filter_map(|vector| {
        let got = unit_case(vector["kind"].as_str()?, &vector["input"])?;
        Some((vector["id"].to_string(), got, vector["expect"].clone()))
    });
    score("unit", cases.collect());
}

/// What loading says of the certificate called `name`: its SAI if it may be used at `now`, else the fault.
fn verdict(trust: &Trust, name: &str, now: i64) -> Result<[u8; 8], Option<Fault>> {
    let named = |signer: &&Signer| signer.certificate.name == name;
    match trust.signers.iter().chain(&trust.authorities).find(named) {
        Some(signer) if signer.state(now) == CertState::Good => Ok(signer.certificate.sai),
        Some(signer) => Err(signer.state(now).fault()),
        None => Err(trust.rejected.iter().find(|one| one.name == name).map(|one| one.fault)),
    }
}

#[test]
fn pki() {
    let cases = read("pki.json").into_iter().map(|vector| {
        let files = |key: &str, kind| -> Vec<Object> {
            let names = vector[key].as_array().into_iter().flatten().filter_map(Value::as_str);
            names.flat_map(|file| objects(file, kind)).collect()
        };
        let file = vector["cert"].as_str().expect("a vector names its certificate");
        let chain = files("chain", Kind::Certificate);
        let root = chain.last().expect("a chain ends at its anchor").der.clone();
        let mut certificates = objects(file, Kind::Certificate);
        let name = certificates[0].name.clone();
        certificates.extend(chain);
        let now = vector["at_unix_ms"].as_i64().expect("a vector has its time") / 1000;
        let anchor = Anchor { der: root, limit: None };
        let trust = load(&[anchor], &certificates, &files("crls", Kind::Crl), Options::default(), now);
        let got = match verdict(&trust, &name, now) {
            Ok(sai) => json!({ "accept": true, "sai_hex": hex(&sai) }),
            Err(fault) => json!({ "accept": false, "reason": fault.map(Fault::name) }),
        };
        let mut want = json!({ "accept": vector["accept"] });
        for key in ["sai_hex", "reason"] {
            if let Some(value) = vector.get(key) {
                want[key] = value.clone();
            }
        }
        (vector["id"].to_string(), got, want)
    });
    score("pki", cases.collect());
}
