//! What is varied, and what stays.

use crate::mix::{Operations, Profile};

use super::rig::signed;

/// Peers, keys and prefixes where they are not varied.
const PEERS: u32 = 64;
const KEYS: u32 = 64;
const PREFIXES: u32 = 10_000;
/// Frames that a turn finds where that is not varied.
const BURST: usize = 32;

/// One point of an axis.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// What was varied; `None` if it is only known once the traffic is there: octets.
    pub(super) x: Option<f64>,
    pub(super) profile: Profile,
    pub(super) burst: usize,
}

/// One sweep.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) label: &'static str,
    pub(super) unit: &'static str,
    pub(super) log: bool,
    pub(super) cases: Vec<Case>,
}

/// Names of all sweeps, in their order; the last three need threads of their own.
pub const NAMES: [&str; 10] =
    ["signed", "burst", "signed-burst", "octets", "peers", "prefixes", "keys", "offload", "crypto", "workers"];

/// Traffic from other operators only, one message a frame, as mixed as the default profile's.
pub(super) fn base() -> Profile {
    Profile {
        name: "sweep".to_owned(),
        peers: PEERS,
        keys: KEYS,
        prefixes: PREFIXES,
        sign_outbound: false,
        outbound: 0.0,
        bundled: 0.0,
        judgement: signed(0.0),
        ..Profile::default()
    }
}

fn case(x: f64, profile: Profile) -> Case {
    Case { x: Some(x), profile, burst: BURST }
}

/// Steps of ten, up to and with the highest.
fn decades(high: u32) -> Vec<u32> {
    let mut steps: Vec<_> = (0..10).map(|power| 10_u32.saturating_pow(power)).take_while(|step| *step < high).collect();
    steps.push(high);
    steps
}

/// The sweeps of one thread.
///
/// * `keys`: most of them
pub(super) fn all(keys: u32) -> Vec<Axis> {
    let share = |share: f64| Profile { judgement: signed(share), ..base() };
    let bursts =
        |signed: f64| [1, 2, 4, 8, 16, 32].map(|burst| Case { burst, ..case(burst as f64, share(signed)) }).into();
    let short = Operations { mt_forward_sm: 1.0, ..Operations::default() };
    let axis = |name, title, label, unit, log, cases| Axis { name, title, label, unit, log, cases };
    vec![
        axis(
            "signed",
            "Cost against the share signed",
            "signed",
            "%",
            false,
            [0.0, 10.0, 25.0, 50.0, 75.0, 100.0].map(|percent| case(percent, share(percent / 100.0))).into(),
        ),
        axis("burst", "Cost against the frames of a turn, unsigned", "frames that a turn finds", "", true, bursts(0.0)),
        axis(
            "signed-burst",
            "Cost against the frames of a turn, half signed",
            "frames that a turn finds",
            "",
            true,
            bursts(0.5),
        ),
        axis(
            "octets",
            "Cost against the size of short messages",
            "frame",
            "octets",
            false,
            [1, 35, 70, 105, 140]
                .map(|text| Case { x: None, ..case(0.0, Profile { operations: short, sms_octets: text, ..base() }) })
                .into(),
        ),
        axis(
            "peers",
            "Cost against peers",
            "peers",
            "",
            true,
            decades(10_000)
                .into_iter()
                .map(|peers| case(f64::from(peers), Profile { peers, keys: 1, ..base() }))
                .collect(),
        ),
        axis(
            "prefixes",
            "Cost against prefixes in the policy",
            "prefixes",
            "",
            true,
            decades(1_000_000)
                .into_iter()
                .map(|prefixes| case(f64::from(prefixes), Profile { peers: 1, keys: 1, prefixes, ..base() }))
                .collect(),
        ),
        axis(
            "keys",
            "Cost against keys, all signed",
            "keys",
            "",
            true,
            of_many_keys(keys).into_iter().map(|(count, profile)| case(count, profile)).collect(),
        ),
    ]
}

/// 1, 3, 10, 30 and so on, up to and with the highest.
fn half_decades(high: u32) -> Vec<u32> {
    let steps = (0..10).map(|power| 10_u32.saturating_pow(power)).flat_map(|step| [step, step.saturating_mul(3)]);
    let mut steps: Vec<_> = steps.take_while(|step| *step < high).collect();
    steps.push(high);
    steps
}

/// Numbers of keys, and traffic that is all signed by as many peers, each with its own.
pub(super) fn of_many_keys(most: u32) -> Vec<(f64, Profile)> {
    let traffic = |keys: u32| Profile { peers: keys, keys, judgement: signed(1.0), ..base() };
    half_decades(most).into_iter().map(|keys| (f64::from(keys), traffic(keys))).collect()
}

/// Shares signed with which a worker's part of a signature is measured: so few that crypto threads do not hold it up.
pub(super) const OFFLOADED: [f64; 6] = [0.0, 2.0, 5.0, 10.0, 20.0, 30.0];
