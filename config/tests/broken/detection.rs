//! Faults of what a policy says of detection, and of the geography that it names.

use sealgate_config::{DetectMode, GeoCode, Policy, load_policy, parse_geo, parse_policy_for};

use super::{Scratch, check};

const POLICY: &str = concat!(
    home!(),
    ss7_link!(),
    r#"detection:
  subscribers: {limit: 1024, idle: 10h}
  sources: {limit: 256}
  steps: {limit: 2048}
  velocity: {mode: drop, learn: 0s, kmh: 900, geo: geo.csv}
  previous_location: {mode: alert, learn: 720h}
  multi_request: {window: 2s}
  scan: {mode: drop, window: 1h, subscribers: 10}
  flood: {per_second: 7, burst: 8}
  multi_protocol: {mode: alert, window: 1h}
  cross_generation: {mode: drop}
"#,
);

const GEO: &str = "# two places\nkind,code,latitude,longitude,radius_km,name\ngt,99902,10.5,-20,30,A\nplmn,00103,-1,2.25,0,B, or so\n";

#[test]
fn faults_of_detection() {
    let cases: &[super::Case] = &[
        (
            "mode: drop, learn: 0s",
            "mode: refuse, learn: 721h",
            &[
                "p.yaml:16: detection.velocity.mode: \"refuse\" is not a mode of a detector; use off, alert or drop",
                "p.yaml:16: detection.velocity.learn: 721h is out of range; give 0s to 720h",
            ],
        ),
        (
            ", kmh: 900, geo: geo.csv",
            "",
            &[
                "p.yaml:16: detection.velocity.geo: missing; give it, as geo: geo.csv; config/examples/geo.csv is one to begin with",
            ],
        ),
        (
            "kmh: 900",
            "kmh: 99",
            &["p.yaml:16: detection.velocity.kmh: 99 is out of range; give 100 to 10000 kilometres an hour"],
        ),
        (
            "{limit: 1024, idle: 10h}",
            "{limit: 1023, idle: 9h}",
            &[
                "p.yaml:13: detection.subscribers.limit: 1023 is out of range; give 1024 to 100000000 subscribers",
                "p.yaml:13: detection.subscribers.idle: 9h is out of range; give 10h to 600h",
            ],
        ),
        (
            "{limit: 256}",
            "{limit: 1048577}",
            &["p.yaml:14: detection.sources.limit: 1048577 is out of range; give 256 to 1048576 sources"],
        ),
        (
            "{mode: alert, learn: 720h}",
            "{mode: alert, window: 1s}",
            &["p.yaml:17: detection.previous_location.window: unknown key; known here: mode, learn"],
        ),
        (
            "{limit: 2048}",
            "{limit: 3}",
            &["p.yaml:15: detection.steps.limit: 3 is out of range; give 1024 to 16777216 subscribers"],
        ),
        (
            "{window: 2s}",
            "{window: 1s}",
            &["p.yaml:18: detection.multi_request.window: 1s is out of range; give 2s to 1h"],
        ),
        (
            "window: 1h, subscribers: 10",
            "window: 25h, subscribers: 9",
            &[
                "p.yaml:19: detection.scan.window: 25h is out of range; give 1s to 24h",
                "p.yaml:19: detection.scan.subscribers: 9 is out of range; give 10 to 1000000 subscribers",
            ],
        ),
        (
            "{per_second: 7, burst: 8}",
            "{per_second: 0, burst: 0}",
            &[
                "p.yaml:20: detection.flood.per_second: 0 is out of range; give 1 to 1000000 requests a second",
                "p.yaml:20: detection.flood.burst: 0 is out of range; give 1 to 1000000 requests",
            ],
        ),
        (
            "window: 1h}\n  cross",
            "window: 1s}\n  cross",
            &["p.yaml:21: detection.multi_protocol.window: 1s is out of range; give 2s to 1h"],
        ),
        (
            "cross_generation: {mode: drop}",
            "cross_generation: drop",
            &["p.yaml:22: detection.cross_generation: \"drop\" is not a mapping; give keys and values, as key: value"],
        ),
    ];
    check::<Policy>(POLICY, cases, |text| parse_policy_for(text, "p.yaml", 1));
}

#[test]
fn what_detection_says_is_read_and_printed_alike() {
    let policy = parse_policy_for(POLICY, "p.yaml", 1).expect("sound");
    let detection = &policy.detection;
    assert_eq!(
        (detection.velocity.switch.mode, detection.velocity.switch.learn_s, detection.velocity.kmh),
        (DetectMode::Drop, 0, 900)
    );
    assert_eq!((detection.previous_location.mode, detection.previous_location.learn_s), (DetectMode::Alert, 2_592_000));
    assert_eq!((detection.multi_request.switch.mode, detection.multi_request.window_s), (DetectMode::Off, 2));
    assert_eq!((detection.scan.window_s, detection.scan.subscribers), (3600, 10));
    assert_eq!(
        (detection.flood.per_second, detection.flood.burst, detection.flood.switch.mode),
        (7, 8, DetectMode::Off)
    );
    assert_eq!((detection.multi_protocol.window_s, detection.cross_generation.switch.mode), (3600, DetectMode::Drop));
    let again = parse_policy_for(&policy.to_yaml(), "again.yaml", 1).expect("sound");
    assert_eq!(again, policy);
}

#[test]
fn faults_of_a_geography() {
    let good = parse_geo(GEO, "geo.csv").expect("sound");
    let digits = |text: &str| text.parse().expect("digits");
    assert_eq!(good[0].code, GeoCode::Number(digits("99902")));
    assert_eq!((good[1].code, good[1].name.as_str()), (GeoCode::Network(digits("00103")), "B, or so"));
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "kind,code",
            "code",
            &[
                "geo.csv:2: \"code,latitude,longitude,radius_km,name\" is not the header; begin with kind,code,latitude,longitude,radius_km,name",
            ],
        ),
        ("gt,99902", "gtt,99902", &["geo.csv:3: kind: \"gtt\" is not a kind (did you mean \"gt\"?); use gt or plmn"]),
        (
            "gt,99902",
            "gt,9x",
            &["geo.csv:3: code: \"9x\" is not a prefix; give 1 to 15 digits, the country code first"],
        ),
        (
            "plmn,00103",
            "plmn,0010",
            &["geo.csv:4: code: \"0010\" is not a network; give an MCC, or an MCC and an MNC: 3, 5 or 6 digits"],
        ),
        (
            "10.5,-20,30,A",
            "90.5,-181,20001,",
            &[
                "geo.csv:3: latitude: \"90.5\" is not a latitude; give -90 to 90 degrees, as 51.2 or -33.87",
                "geo.csv:3: longitude: \"-181\" is not a longitude; give -180 to 180 degrees, as 51.2 or -33.87",
                "geo.csv:3: radius_km: \"20001\" is not a number of kilometres; give 0 to 20000: how far from its middle the place reaches",
                "geo.csv:3: name: no name; give one, for people",
            ],
        ),
        (
            "plmn,00103,-1,2.25,0,B, or so",
            "gt,99902,1,2,3,again\nplmn,001",
            &[
                "geo.csv:4: code: this code stands here twice; keep one; the first is on line 3",
                "geo.csv:5: latitude: missing; a line has kind,code,latitude,longitude,radius_km,name",
            ],
        ),
    ];
    for (from, to, want) in cases {
        assert_eq!(GEO.matches(from).count(), 1, "{from}");
        let faults = parse_geo(&GEO.replace(from, to), "geo.csv").expect_err(to);
        let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(found, *want, "{from} -> {to}");
    }
    for (text, want) in [
        ("", "geo.csv: the file is empty; begin with the example that comes with Sealgate, geo.csv"),
        (
            "kind,code,latitude,longitude,radius_km,name\n",
            "geo.csv: no place in the file; give a line for each prefix, as gt,49,51.2,10.4,550,Germany",
        ),
    ] {
        assert_eq!(parse_geo(text, "geo.csv").expect_err(want).to_string(), want);
    }
}

#[test]
fn a_geography_is_read_with_its_policy_and_both_show_their_faults() {
    let scratch = Scratch::new("geography");
    let policy = scratch.put("p.yaml", POLICY.as_bytes());
    let missing = load_policy(&policy).expect_err("no geography yet").to_string();
    assert!(missing.contains("geo.csv: cannot be read: "), "{missing}");
    let geo = scratch.put("geo.csv", GEO.as_bytes());
    let read =
        load_policy(&policy).unwrap_or_else(|faults| panic!("{faults}")).detection.velocity.geo.expect("a geography");
    assert_eq!((read.file, read.places.len()), (geo, 2), "beside the policy");
    scratch.put("p.yaml", POLICY.replace("kmh: 900", "kmh: 1").as_bytes());
    scratch.put("geo.csv", GEO.replace("10.5", "x").as_bytes());
    let faults = load_policy(&policy).expect_err("two faults");
    let found: Vec<_> = faults.iter().map(|fault| (fault.line, fault.path.as_str())).collect();
    assert_eq!(found, [(16, "detection.velocity.kmh"), (3, "latitude")]);
}
