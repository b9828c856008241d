//! What one peer can take from the others: honest peers and an attacker at one worker and one crypto thread.
//!
//! An honest peer's throughput is told in verifications per second of the crypto thread's CPU time, so that others who want
//! the core do not count. With every honest peer asking all it can, its part under attack should be no less than that of
//! one more peer who asks all he can. Delays are by the clock, of honest peers that ask a part of what there is.

use std::error::Error;
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::keyring::{KeyHandle, KeyRing};
use sealgate_crypto::pool::{Client, Outcome, Pool, PoolConfig};
use sealgate_crypto::sign::{SigningKey, sha256};

use crate::pool::{Load, stay_on, thread_cpu, wait_for_tables};

/// Octets of a message.
const MESSAGE: usize = 200;

/// Messages of each kind; they are asked again and again.
const MESSAGES: u64 = 2_000;

/// Jobs that a peer offers in a turn of the worker: a burst.
const BURST: usize = 32;

/// So long a queue that a worker which has to wait for its core does not leave the crypto thread without work: what is divided
/// then is the thread's time. Delays are measured with the queue that a gateway has.
const LONG_QUEUE: usize = 1 << 14;

/// Number of the first attacker; honest peers are 0 and up. Each attack is another peer's: what is known of a peer stays.
const ATTACKER: u32 = 1_000;

/// A key of 2048 bits; nobody makes one in a measurement.
const RSA: &str = include_str!("../../dataplane/vectors/keys/a-rsa.key.pem");

/// What the attacker sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Nothing: he is not there.
    None,
    /// As many good ones as he can, as the others: what one more peer costs.
    Peer,
    /// Signatures that do not hold, of a key with a table.
    Garbage,
    /// Signatures whose points meet at equal x, so that they are summed a second time (crypto.md 4, item 7).
    EqualX,
    /// Signatures that do not hold, of P-256 keys without tables: the reference answers.
    NoTable,
    /// The same of P-384 keys.
    P384,
    /// Good RSA signatures of 2048 bits, for which there are no tables.
    Rsa,
}

impl Attack {
    /// All of them, the quiet ones first.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Peer, Self::Garbage, Self::EqualX, Self::NoTable, Self::P384, Self::Rsa];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Peer => "one_more_peer",
            Self::Garbage => "garbage",
            Self::EqualX => "equal_x",
            Self::NoTable => "no_table",
            Self::P384 => "p384",
            Self::Rsa => "rsa",
        }
    }
}

/// What came of one attack in one round.
#[derive(Clone, Copy, Debug)]
pub struct Effect {
    /// The attack.
    pub attack: Attack,
    /// Honest verifications per second of the crypto thread's CPU time, everybody asking all he can.
    pub honest_per_s: f64,
    /// The attacker's.
    pub attacker_per_s: f64,
    /// Honest verifications against those without an attacker just before.
    pub kept: f64,
    /// Honest jobs refused for want of room, of those offered at a part of the pool's speed.
    pub refused: f64,
    /// Delay of honest jobs at a part of the pool's speed: 50, 90 and 99 of 100 take no longer, microseconds.
    pub delay_us: [f64; 3],
}

/// How it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Honest peers, with a key each.
    pub honest: usize,
    /// Core of the worker, core of the crypto thread.
    pub cores: [usize; 2],
    /// Rounds, each of all attacks in turn.
    pub rounds: usize,
    /// One slice.
    pub slice: Duration,
    /// Honest jobs per second of all honest peers together while delays are measured.
    pub offered_per_s: f64,
}

/// Signatures to ask about, and the keys that they are of.
struct Ammunition {
    handles: Vec<KeyHandle>,
    rounds: Vec<(usize, [u8; MESSAGE], Vec<u8>)>,
    next: usize,
}

impl Ammunition {
    fn new(
        ring: &KeyRing,
        keys: &[SigningKey],
        mut signature: impl FnMut(&SigningKey, &[u8]) -> Option<Vec<u8>>,
    ) -> Result<Self, Box<dyn Error>> {
        let public: Vec<_> = keys.iter().map(SigningKey::public).collect();
        let handles = ring.install_all(&public)?;
        let mut rounds = Vec::new();
        // RSA signs slowly.
        let count = if keys.iter().any(|key| key.public().alg() == Alg::Rsa2048) { MESSAGES / 10 } else { MESSAGES };
        for number in 0..count {
            let which = usize::try_from(number)? % keys.len();
            let mut message = [0; MESSAGE];
            message.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
            let key = keys.get(which).ok_or("no key")?;
            rounds.extend(signature(key, &message).map(|signature| (which, message, signature)));
        }
        Ok(Self { handles, rounds, next: 0 })
    }

    /// One more job; false if it is not taken.
    fn fire(&mut self, client: &mut Client, peer: u32, ticket: u64) -> bool {
        let Some((which, message, signature)) = self.rounds.get(self.next) else { return false };
        let Some(handle) = self.handles.get(*which) else { return false };
        let taken = client.verify(ticket, peer, handle, message, signature).is_ok();
        self.next = if self.next + 1 < self.rounds.len() { self.next + 1 } else { 0 };
        taken
    }
}

/// Everybody who sends.
struct Field {
    honest: Vec<Ammunition>,
    attacks: Vec<(Attack, Ammunition)>,
}

/// Measures all attacks of a plan; of each attack there is an effect a round.
///
/// # Errors
/// A library that makes no key, a pool that does not start, or an honest signature that does not hold.
pub fn measure(plan: &Plan, mut progress: impl FnMut(usize)) -> Result<Vec<Vec<Effect>>, Box<dyn Error>> {
    let [worker, crypto] = plan.cores;
    stay_on(worker);
    let ring = KeyRing::new();
    let honest: Vec<SigningKey> =
        (0..plan.honest).map(|_| ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING)).collect::<Result<_, _>>()?;
    let (own, one) = (ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING)?, one()?);
    let known: Vec<_> = honest.iter().chain([&own, &one]).map(SigningKey::public).collect();
    let honest_fire = honest
        .iter()
        .map(|key| Ammunition::new(&ring, std::slice::from_ref(key), good))
        .collect::<Result<Vec<_>, _>>()?;
    // Memory for the tables of these keys and no others.
    let table_memory = Load::table_octets(&known)?;
    let config = |queue| PoolConfig {
        cores: vec![crypto],
        avoid: vec![worker],
        table_memory,
        base_window: 16,
        queue,
        ..PoolConfig::default()
    };
    let (pool, mut clients) = Pool::start(config(LONG_QUEUE), 1, &ring)?;
    let client = clients.first_mut().ok_or("no client")?;
    let mut field = Field { honest: honest_fire, attacks: Vec::new() };
    let mine = std::slice::from_ref(&own);
    field.attacks.push((Attack::None, Ammunition { handles: Vec::new(), rounds: Vec::new(), next: 0 }));
    field.attacks.push((Attack::Peer, Ammunition::new(&ring, mine, good)?));
    field.attacks.push((Attack::Garbage, Ammunition::new(&ring, mine, garbage)?));
    field.attacks.push((Attack::EqualX, Ammunition::new(&ring, std::slice::from_ref(&one), equal_x)?));
    let mut warm = Ammunition::new(&ring, std::slice::from_ref(&one), good)?;
    wait_for_tables(&pool, known.len(), || {
        let Field { honest, attacks } = &mut field;
        let peers = honest.iter_mut().chain(attacks.get_mut(1).map(|(_, attack)| attack)).chain([&mut warm]);
        for (peer, one) in (0..).zip(peers) {
            (0..1_000).for_each(|_| {
                one.fire(client, peer, 0);
            });
            drain(client);
        }
        Ok(())
    })?;
    // What comes now finds no memory for tables.
    let without = |alg| (0..16).map(|_| ecdsa(alg)).collect::<Result<Vec<_>, _>>();
    let p256 = without(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let p384 = without(&ECDSA_P384_SHA384_FIXED_SIGNING)?;
    let rsa = SigningKey::from_pkcs8_pem(RSA)?;
    field.attacks.push((Attack::NoTable, Ammunition::new(&ring, &p256, garbage)?));
    field.attacks.push((Attack::P384, Ammunition::new(&ring, &p384, garbage)?));
    field.attacks.push((Attack::Rsa, Ammunition::new(&ring, std::slice::from_ref(&rsa), good)?));
    let mut effects = vec![Vec::new(); field.attacks.len()];
    for round in 0..plan.rounds {
        progress(round);
        for (number, effects) in effects.iter_mut().enumerate() {
            let [alone, _] = speeds(client, &mut field, 0, plan)?;
            let [honest_per_s, attacker_per_s] = speeds(client, &mut field, number, plan)?;
            let kept = honest_per_s / alone;
            let attack = field.attacks.get(number).map_or(Attack::None, |(attack, _)| *attack);
            effects.push(Effect { attack, honest_per_s, attacker_per_s, kept, refused: 0.0, delay_us: [0.0; 3] });
        }
    }
    pool.stop();
    let (pool, mut clients) = Pool::start(config(PoolConfig::default().queue), 1, &ring)?;
    let client = clients.first_mut().ok_or("no client")?;
    for round in 0..plan.rounds {
        progress(round);
        for (number, effects) in effects.iter_mut().enumerate() {
            let (refused, delay_us) = delays(client, &mut field, number, plan)?;
            if let Some(effect) = effects.get_mut(round) {
                (effect.refused, effect.delay_us) = (refused, delay_us);
            }
        }
    }
    pool.stop();
    Ok(effects)
}

/// Everybody asks all he can, the attacker first in each turn: honest and other verifications per second of CPU time.
fn speeds(client: &mut Client, field: &mut Field, number: usize, plan: &Plan) -> Result<[f64; 2], Box<dyn Error>> {
    let [_, crypto] = plan.cores;
    let (mut done, mut wrong) = ([0_u64; 2], 0_u64);
    let Field { honest, attacks } = field;
    let attack = &mut attacks.get_mut(number).ok_or("no attack")?.1;
    let attacker = ATTACKER + u32::try_from(number)?;
    let mut turn = |client: &mut Client, done: &mut [u64; 2]| {
        for _ in 0..10 * BURST {
            if !attack.fire(client, attacker, 1) {
                break;
            }
        }
        for (peer, one) in (0..).zip(honest.iter_mut()) {
            for _ in 0..BURST {
                if !one.fire(client, peer, 0) {
                    break;
                }
            }
        }
        client.flush();
        client.collect(&mut |outcome| {
            wrong += u64::from(outcome.ticket() == 0 && !matches!(outcome, Outcome::Verified(_)));
            if let Some(count) = done.get_mut(usize::from(outcome.ticket() == 1)) {
                *count += 1;
            }
        });
    };
    // Until all that came first, before queues were full, is answered.
    let began = Instant::now();
    while done.iter().sum::<u64>() < 2 * LONG_QUEUE as u64 && began.elapsed() < 10 * plan.slice {
        turn(client, &mut done);
    }
    let (before, began) = (done, thread_cpu(crypto)?);
    let mut spent = Duration::ZERO;
    while spent < plan.slice {
        (0..16).for_each(|_| turn(client, &mut done));
        spent = thread_cpu(crypto)?.saturating_sub(began);
    }
    drain(client);
    if wrong > 0 {
        return Err("an honest signature does not hold".into());
    }
    let [honest, attacker] = done;
    Ok([honest - before[0], attacker - before[1]].map(|count| count as f64 / spent.as_secs_f64()))
}

/// Honest peers ask at an even pace, the attacker all he can: which part of theirs is refused, and how long the rest takes.
fn delays(
    client: &mut Client,
    field: &mut Field,
    number: usize,
    plan: &Plan,
) -> Result<(f64, [f64; 3]), Box<dyn Error>> {
    let Field { honest, attacks } = field;
    let attack = &mut attacks.get_mut(number).ok_or("no attack")?.1;
    let attacker = ATTACKER + u32::try_from(number)?;
    let (mut times, mut due, mut refused) = (Vec::new(), 0_u64, 0_u64);
    let began = Instant::now();
    // The first quarter fills the attacker's queue and does not count.
    let counts_from = u64::try_from((plan.slice / 4).as_nanos())?;
    while began.elapsed() < plan.slice {
        for _ in 0..BURST {
            if !attack.fire(client, attacker, 0) {
                break;
            }
        }
        let wanted = (began.elapsed().as_secs_f64() * plan.offered_per_s) as u64;
        for _ in 0..BURST {
            if due >= wanted {
                break;
            }
            // From when it should have been asked: a worker that was late does not hide it.
            let scheduled = (due as f64 / plan.offered_per_s * 1e9) as u64;
            let peer = usize::try_from(due)? % honest.len();
            let one = honest.get_mut(peer).ok_or("no peer")?;
            if !one.fire(client, u32::try_from(peer)?, scheduled + 1) && scheduled >= counts_from {
                refused += 1;
            }
            due += 1;
        }
        client.flush();
        let now = u64::try_from(began.elapsed().as_nanos())?;
        client.collect(&mut |outcome| {
            if outcome.ticket() > counts_from {
                times.push(now.saturating_sub(outcome.ticket() - 1));
            }
        });
    }
    drain(client);
    times.sort_unstable();
    let at = |of: usize| times.get(times.len() * of / 100).map_or(f64::NAN, |ns| *ns as f64 / 1e3);
    Ok((refused as f64 / (times.len() as u64 + refused).max(1) as f64, [50, 90, 99].map(at)))
}

fn drain(client: &mut Client) {
    while client.in_flight() > 0 {
        client.flush();
        client.collect(&mut |_| ());
    }
}

fn good(key: &SigningKey, message: &[u8]) -> Option<Vec<u8>> {
    let mut out = [0; 256];
    let len = key.sign(message, &mut out).ok()?;
    out.get(..len).map(<[u8]>::to_vec)
}

fn garbage(key: &SigningKey, message: &[u8]) -> Option<Vec<u8>> {
    let mut signature = good(key, message)?;
    signature.last_mut().map(|octet| *octet ^= 1)?;
    Some(signature)
}

/// With the key d = 1, so that Q = G: u1 = 1 and u2 = 2^128 + 1, hence s = z and r = u2 z mod n.
///
/// With windows of 16 and 8 bits the levels leave three points of a signature: u1 G, and those of the lower and the upper half
/// of u2. The digits of the lower half add up to 1, so the first two are both G.
fn equal_x(_: &SigningKey, message: &[u8]) -> Option<Vec<u8>> {
    let z = sha256(message);
    let mut shifted = z;
    for _ in 0..128 {
        shifted = sum_mod_n(&shifted, &shifted);
    }
    Some([sum_mod_n(&shifted, &z), z].concat())
}

/// a + b modulo the order of P-256, for a and b below it. A digest is, but for one in 2^32.
fn sum_mod_n(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    const N: [u8; 32] = *b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\
        \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
    let (mut sum, mut less, mut carry, mut borrow) = ([0; 32], [0; 32], 0, 0);
    for ((((to, less), a), b), n) in sum.iter_mut().zip(&mut less).zip(a).zip(b).zip(&N).rev() {
        let both = u16::from(*a) + u16::from(*b) + carry;
        let [low, high] = both.to_le_bytes();
        (*to, carry) = (low, high.into());
        let [low, high] = u16::from(low).wrapping_sub(u16::from(*n) + borrow).to_le_bytes();
        (*less, borrow) = (low, u16::from(high > 0));
    }
    if carry >= borrow { less } else { sum }
}

fn ecdsa(alg: &'static EcdsaSigningAlgorithm) -> Result<SigningKey, Box<dyn Error>> {
    let der = EcdsaKeyPair::generate_pkcs8(alg, &SystemRandom::new())?;
    Ok(SigningKey::from_pkcs8_der(der.as_ref())?)
}

/// The P-256 key whose private number is 1, so that its point is the generator.
fn one() -> Result<SigningKey, Box<dyn Error>> {
    const G: [u8; 65] = *b"\x04\
        \x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\
        \x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
    let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(alg, &SystemRandom::new())?;
    let pair = EcdsaKeyPair::from_pkcs8(alg, document.as_ref())?;
    let mut der = document.as_ref().to_vec();
    let private = pair.private_key().as_be_bytes()?;
    let mut number = [0; 32];
    number.last_mut().map(|octet| *octet = 1).ok_or("no octet")?;
    for (old, new) in [(private.as_ref(), &number[..]), (pair.public_key().as_ref(), &G[..])] {
        let at = der.windows(old.len()).position(|part| part == old).ok_or("not where it should be")?;
        der.iter_mut().skip(at).zip(new).for_each(|(to, from)| *to = *from);
    }
    Ok(SigningKey::from_pkcs8_der(&der)?)
}
