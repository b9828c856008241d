//! The model against data whose truth is known.

use sealgate_perf::model::{Fault, Knees, Model, Observation, Server, Setting};

/// Coefficients that the data are made of, in the order of the module's equation.
const TRUTH: [f64; 11] = [410.0, 4100.0, 4500.0, 590.0, 9200.0, 95.0, 0.85, 60.0, 160.0, 50.0, 210.0];
const KNEES: Knees = Knees { peers: 3000.0, prefixes: 1000.0, keys: 100.0 };

/// The equation of the module's page, once more.
fn truth(at: &Setting) -> f64 {
    let any = 1.0 - (1.0 - at.signed).powf(at.burst);
    let batch = if at.signed > 0.0 { at.signed * at.burst / any } else { 1.0 };
    let inline = if at.offload { 0.0 } else { at.signed };
    let (handed, flush) = if at.offload { (at.signed, any / at.burst) } else { (0.0, 0.0) };
    let terms = [
        1.0,
        inline,
        inline / batch.sqrt(),
        handed,
        flush,
        1.0 / at.burst,
        at.octets,
        at.sms,
        (1.0 + at.peers / KNEES.peers).log2(),
        (1.0 + at.prefixes / KNEES.prefixes).log2(),
        inline * (1.0 + at.keys / KNEES.keys).log2(),
    ];
    terms.iter().zip(TRUTH).map(|(term, truth)| term * truth).sum()
}

const BASE: Setting = Setting {
    signed: 0.0,
    offload: false,
    burst: 32.0,
    octets: 190.0,
    sms: 0.13,
    peers: 200.0,
    keys: 100.0,
    prefixes: 2000.0,
};

/// Sweeps of one variable each, as `sgperf sweep` makes them.
fn sweeps() -> Vec<Setting> {
    let mut all: Vec<Setting> = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0].map(|signed| Setting { signed, ..BASE }).into();
    for burst in [1.0, 2.0, 4.0, 8.0, 16.0] {
        all.extend([0.0, 0.5].map(|signed| Setting { signed, burst, ..BASE }));
    }
    all.extend([120.0, 150.0, 180.0, 220.0, 255.0].map(|octets| Setting { octets, sms: 1.0, ..BASE }));
    all.extend([1.0, 10.0, 100.0, 1000.0, 10_000.0].map(|peers| Setting { peers, ..BASE }));
    all.extend([1.0, 10.0, 1e3, 1e4, 1e5, 1e6].map(|prefixes| Setting { prefixes, ..BASE }));
    all.extend([1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0].map(|keys| Setting { keys, signed: 1.0, ..BASE }));
    all.extend([0.02, 0.05, 0.1, 0.2, 0.3].map(|signed| Setting { signed, offload: true, ..BASE }));
    all
}

/// xorshift64* and Box-Muller: one seed, one sequence.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn measure(&mut self, settings: &[Setting], scatter: f64) -> Vec<Observation> {
        let point =
            |setting: &Setting| Observation { setting: *setting, ns: truth(setting) * (1.0 + scatter * self.normal()) };
        settings.iter().map(point).collect()
    }
}

fn fit(points: &[Observation]) -> Model {
    Model::fit(2.6, points, &[]).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn without_noise_the_truth_itself_comes_out() {
    let model = fit(&Noise(1).measure(&sweeps(), 0.0));
    assert_eq!(model.worker.coefficients.len(), TRUTH.len());
    for (found, truth) in model.worker.coefficients.iter().zip(TRUTH) {
        assert!((found.ns / truth - 1.0).abs() < 1e-6, "{found:?}, not {truth}");
    }
    assert_eq!(model.worker.knees, KNEES);
    assert!(model.worker.scatter < 1e-9 && model.worker.left_out < 1e-9);
}

#[test]
fn intervals_hold_what_they_promise() {
    let (settings, server) = (sweeps(), Server { workers: 1, crypto: 0, ghz: 2.6 });
    // Places between, none of which was measured.
    let asked = [
        Setting { signed: 0.3, burst: 12.0, ..BASE },
        Setting { peers: 3000.0, prefixes: 300_000.0, octets: 160.0, sms: 0.5, ..BASE },
        Setting { signed: 0.9, keys: 500.0, ..BASE },
    ];
    let (mut coefficients, mut predictions) = ((0, 0), (0, 0));
    let mut noise = Noise(0x5ea1_9a7e);
    for _ in 0..400 {
        let model = fit(&noise.measure(&settings, 0.03));
        // Those of knees mean something else with another knee.
        for (coefficient, truth) in model.worker.coefficients.iter().zip(TRUTH).take(8) {
            // Of some 35 degrees of freedom: 2.03 standard errors hold 95 %.
            coefficients.0 += u32::from((coefficient.ns - truth).abs() <= 2.03 * coefficient.error);
            coefficients.1 += 1;
        }
        for setting in &asked {
            let ns = model.predict(&server, setting).unwrap_or_else(|fault| panic!("{fault}")).worker_ns;
            // One more measurement there, not the truth.
            let measured = truth(setting) * (1.0 + 0.03 * noise.normal());
            predictions.0 += u32::from((ns.low..=ns.high).contains(&measured));
            predictions.1 += 1;
        }
        assert!((0.01..0.06).contains(&model.worker.scatter), "{}", model.worker.scatter);
        assert!(model.worker.left_out >= model.worker.scatter * 0.8);
    }
    for (what, (within, of)) in [("coefficients", coefficients), ("predictions", predictions)] {
        let share = f64::from(within) / f64::from(of);
        println!("{what}: {within} of {of} within their 95 % interval, {:.1} %", share * 100.0);
        assert!((0.90..=0.99).contains(&share), "{what}: {within} of {of}");
    }
}

#[test]
fn a_wrong_equation_shows_in_what_is_left_out() {
    // A step of a cache that no logarithm knows.
    let step = |setting: &Setting| if setting.peers > 500.0 { 2.0 } else { 1.0 };
    let points: Vec<_> =
        sweeps().iter().map(|setting| Observation { setting: *setting, ns: truth(setting) * step(setting) }).collect();
    let model = fit(&points);
    assert!(model.worker.left_out > 0.05 && model.worker.left_out_worst > 0.2, "{:?}", model.worker);
}

#[test]
fn too_little_and_too_alike_are_refused() {
    let all = sweeps();
    let few: Vec<_> = Noise(2).measure(all.get(..8).unwrap_or(&[]), 0.01);
    match Model::fit(2.6, &few, &[]) {
        Err(fault @ Fault::TooFew { points: 8, .. }) => assert!(fault.to_string().contains("at least"), "{fault}"),
        other => panic!("{other:?}"),
    }
    // Peers and prefixes that always go together.
    let alike: Vec<_> = all.iter().map(|setting| Setting { prefixes: setting.peers * 10.0, ..*setting }).collect();
    match Model::fit(2.6, &Noise(3).measure(&alike, 0.01), &[]) {
        Err(Fault::Collinear { names }) => {
            assert!(names.iter().any(|name| ["peers", "prefixes", "message"].contains(name)), "{names:?}");
        }
        other => panic!("{other:?}"),
    }
    // One variable that was never varied cannot be told from any message.
    let still: Vec<_> = all.iter().map(|setting| Setting { burst: 32.0, ..*setting }).collect();
    assert!(matches!(Model::fit(2.6, &Noise(4).measure(&still, 0.01), &[]), Err(Fault::Collinear { .. })));
    let broken = [Observation { setting: BASE, ns: f64::NAN }];
    assert!(matches!(Model::fit(2.6, &broken, &[]), Err(Fault::Impossible { .. })));
}

fn crypto_ns(keys: f64) -> f64 {
    2900.0 + 240.0 * (1.0 + keys / 100.0).log2()
}

fn with_crypto() -> Model {
    let crypto = [1.0, 10.0, 100.0, 1000.0, 4000.0, 2.0].map(|keys: f64| {
        let setting = Setting { keys, signed: 1.0, offload: true, ..BASE };
        Observation { setting, ns: crypto_ns(keys) }
    });
    Model::fit(2.6, &Noise(5).measure(&sweeps(), 0.0), &crypto).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_server_does_what_its_scarcest_cores_do() {
    let model = with_crypto();
    let server = Server { workers: 4, crypto: 8, ghz: 2.6 };
    let predict = |server: &Server, setting: &Setting| model.predict(server, setting).unwrap_or_else(|f| panic!("{f}"));
    let signed = Setting { signed: 1.0, ..BASE };
    let crypto = predict(&server, &signed);
    assert!(crypto.bound_by_crypto);
    let expected = 8.0 * 1e9 / crypto_ns(BASE.keys);
    assert!((crypto.per_second.middle / expected - 1.0).abs() < 1e-6, "{crypto:?}");
    let unsigned = predict(&server, &BASE);
    assert!(!unsigned.bound_by_crypto);
    assert!((unsigned.per_second.middle / (4.0 * 1e9 / truth(&BASE)) - 1.0).abs() < 1e-6, "{unsigned:?}");
    // Twice the clock, twice the messages; inline a worker pays for signatures itself.
    let fast = predict(&Server { ghz: 5.2, ..server }, &BASE);
    assert!((fast.per_second.middle / unsigned.per_second.middle - 2.0).abs() < 1e-9);
    let inline = predict(&Server { crypto: 0, ..server }, &signed);
    assert!((inline.per_second.middle / (4.0 * 1e9 / truth(&signed)) - 1.0).abs() < 1e-6, "{inline:?}");
}

#[test]
fn nothing_is_extrapolated_in_silence() {
    let model = with_crypto();
    let one = Server { workers: 1, crypto: 0, ghz: 2.6 };
    let beyond = |server: &Server, setting: &Setting| {
        model.predict(server, setting).unwrap_or_else(|fault| panic!("{fault}")).beyond
    };
    assert_eq!(beyond(&one, &BASE), Vec::<String>::new());
    for (setting, name) in [
        (Setting { peers: 20_000.0, ..BASE }, "peers"),
        (Setting { keys: 5000.0, ..BASE }, "keys"),
        (Setting { octets: 900.0, ..BASE }, "octets"),
        (Setting { prefixes: 2e6, ..BASE }, "prefixes"),
    ] {
        let said = beyond(&one, &setting);
        assert!(said.len() == 1 && said.iter().all(|said| said.starts_with(name)), "{said:?}");
    }
    assert!(beyond(&Server { workers: 8, ..one }, &BASE).iter().any(|said| said.contains("8 workers")));
    assert!(beyond(&Server { ghz: 5.0, ..one }, &BASE).iter().any(|said| said.contains("GHz")));
    let half = Setting { signed: 0.5, ..BASE };
    assert!(beyond(&Server { crypto: 1, ..one }, &half).iter().any(|said| said.contains("up to 0.3")));
    // What was never measured is refused.
    let without = fit(&Noise(6).measure(&sweeps(), 0.0));
    let fault = without.predict(&Server { crypto: 1, ..one }, &BASE).err();
    assert!(fault.as_ref().is_some_and(|fault| fault.contains("crypto threads")), "{fault:?}");
    assert!(model.predict(&Server { workers: 0, ..one }, &BASE).is_err());
    assert!(model.predict(&Server { ghz: f64::NAN, ..one }, &BASE).is_err());
}
