//! What to do about what a repository says (formats 12.5): from what is held, what is fetched and the time, to what is held
//! next, the alarms and the time of the next look. Nothing here opens, waits or reads a clock.

mod judge;

use super::alarm::{Alarm, Alarms};
use super::callers::Callers;
use super::format::{Digest, MAX_SMALL, MAX_TOTAL, Manifest, SIGNATURE};
use super::objects::Objects;
use super::proof::{LastGood, Signed, chain_of, prove};
use super::source::{FetchError, Source, Step, Trouble, refused, steps, whole};
use sealgate_crypto::pki::{Anchor, CrlStale, Known, Object, Options, Trust};
use sealgate_crypto::verify::sha256;
use std::sync::Arc;

/// How long a session lasts at least.
const SESSION_S: i64 = 3600;
/// The longest pause between two looks at a server that does not answer.
const MAX_PAUSE_S: u64 = 900;
/// Failures in a row after which somebody is told.
const UNREACHABLE: u32 = 3;

/// How to follow a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seconds between two looks.
    pub poll_s: u64,
    /// Operators that may go at once, percent.
    pub max_shrink_percent: usize,
    /// Seconds that more than these are held back.
    pub shrink_hold_s: i64,
    /// Seconds without a successful check after which trust is stale.
    pub max_stale_s: i64,
    /// Whether no signer is good then.
    pub stale_fails: bool,
    /// How strictly certificates are loaded.
    pub options: Options,
}

impl Settings {
    /// Where no repository is followed: nothing gets stale.
    pub const ALONE: Self = Self {
        poll_s: 60,
        max_shrink_percent: 20,
        shrink_hold_s: 6 * 3600,
        max_stale_s: i64::MAX,
        stale_fails: false,
        options: Options { crl_grace_s: 24 * 3600, crl_stale: CrlStale::Fail },
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_stale_s: 72 * 3600, ..Self::ALONE }
    }
}

/// What the operator gave himself.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// The trust anchors.
    pub anchors: Vec<Anchor>,
    /// Certificates beside those of the repository.
    pub certificates: Vec<Object>,
    /// Revocation lists beside those of the repository.
    pub crls: Vec<Object>,
}

/// What a look came to.
#[derive(Debug)]
pub struct Round {
    /// Set if other certificates are in force now.
    pub applied: Option<Arc<LastGood>>,
    /// Seconds until the next look.
    pub next_s: u64,
}

/// A result that is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HeldBack {
    since: i64,
    manifest: Digest,
    confirmed: bool,
}

/// Everything that is remembered from one look to the next.
#[derive(Clone, Debug)]
pub struct Client {
    settings: Settings,
    local: Local,
    /// Our own certificate, where only the repository has it.
    pinned: Option<Object>,
    held: Option<Arc<LastGood>>,
    trust: Arc<Trust>,
    /// Certificates that were read and proven already.
    known: Known,
    /// Certificates of callers that were fetched.
    callers: Callers,
    /// The last successful check; at first when the manifest in force was made, or the start.
    checked: i64,
    failures: u32,
    mirror: usize,
    session_since: Option<i64>,
    shrink: Option<HeldBack>,
    alarms: Alarms,
}

/// A look that went as it should.
enum Done {
    Same,
    Kept,
    Applied(Box<(LastGood, Trust)>),
}

impl Client {
    /// Begins with what was held last, which must have been proven.
    ///
    /// * `now`: seconds since 1970
    pub fn new(settings: Settings, local: Local, held: Option<LastGood>, now: i64) -> Self {
        let held = held.map(Arc::new);
        // Nobody wrote down when it was checked last; that it was made is known, and that was earlier.
        let checked = held.as_ref().map_or(now, |held| held.manifest.this_update.min(now));
        let (trust, known) = (Arc::default(), Known::default());
        let mut client = Self {
            settings,
            local,
            pinned: None,
            held,
            trust,
            known,
            callers: Callers::default(),
            checked,
            failures: 0,
            mirror: 0,
            session_since: None,
            shrink: None,
            alarms: Alarms::default(),
        };
        client.reload(now);
        client
    }

    /// Judges what is held again at another time.
    pub fn reload(&mut self, now: i64) {
        let trust = match self.held.clone() {
            // With the authorities of signer.pem, as it was when it came into force.
            Some(held) => self.load(&held.objects, &held.retained, &chain_of(&held.signer).unwrap_or_default(), now),
            None => self.load(&Objects::default(), &[], &[], now),
        };
        self.tell_rejected(&trust, now);
        self.trust = Arc::new(trust);
    }

    /// Keeps the certificate of this name as if the operator had given it himself: what this gateway signs with does not
    /// go because the repository withdraws it.
    pub fn pin(&mut self, name: &str) {
        let found = self.trust.signers.iter().find(|one| one.certificate.name == name);
        let Some(der) = found.map(|one| &one.certificate.der) else { return };
        if !self.local.certificates.iter().any(|one| one.der == *der) {
            self.pinned = Some(Object { name: name.to_owned(), der: der.clone() });
        }
    }

    /// What the operator gave himself.
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// Goes on with other files of the operator's, and judges everything again.
    ///
    /// * `own`: as for [`Client::pin`]
    #[must_use]
    pub fn with_local(&self, local: Local, own: Option<&str>, now: i64) -> Self {
        let pinned = self.pinned.clone().filter(|one| own == Some(one.name.as_str()));
        let mut client = Self { local, pinned, ..self.clone() };
        client.reload(now);
        if let Some(name) = own {
            client.pin(name);
        }
        client
    }

    /// Certificates of callers.
    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    /// Goes on with other certificates of callers, and judges them.
    pub fn set_callers(&mut self, callers: Callers, now: i64) {
        self.callers = callers;
        self.reload(now);
    }

    /// What is held.
    pub fn held(&self) -> Option<&Arc<LastGood>> {
        self.held.as_ref()
    }

    /// The certificates in force, with those of the operator himself.
    pub fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    /// The alarms that stand.
    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// For alarms of those who fetch, store and publish.
    pub fn alarms_mut(&mut self) -> &mut Alarms {
        &mut self.alarms
    }

    /// When the repository was last known to be as it is held, seconds since 1970.
    pub fn checked(&self) -> i64 {
        self.checked
    }

    /// Looks in a row at which no mirror answered.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The mirror that is asked first.
    pub fn mirror(&self) -> usize {
        self.mirror
    }

    /// Whether the last successful check is too long ago. Raises and ends its alarm.
    pub fn is_stale(&mut self, now: i64) -> bool {
        let age = now.saturating_sub(self.checked);
        let stale = age > self.settings.max_stale_s;
        let text = stale.then(|| format!("no successful check for {} hours", age / 3600));
        self.alarms.set(Alarm::RepoStaleHard, text, now);
        stale
    }

    /// The certificates as they are in force now: none that is good, if they are stale and that is how it shall be.
    pub fn in_force(&mut self, now: i64) -> Arc<Trust> {
        match self.is_stale(now) && self.settings.stale_fails {
            true => Arc::new(Trust::clone(&self.trust).without_repository()),
            false => Arc::clone(&self.trust),
        }
    }

    /// Whether something is held back until an operator agrees.
    pub fn is_held_back(&self) -> bool {
        self.shrink.is_some()
    }

    /// An operator agrees that as many operators go as are held back. Returns whether something was.
    pub fn confirm_shrink(&mut self) -> bool {
        self.shrink.as_mut().map(|held| held.confirmed = true).is_some()
    }

    /// Looks once, at each mirror in turn until one answers.
    ///
    /// * `sources`: the mirrors, at least one, always in the same order
    /// * `now`: seconds since 1970
    /// * `dice`: any number, for the jitter of the next look
    pub fn round(&mut self, sources: &mut [&mut dyn Source], now: i64, dice: u32) -> Round {
        let mut why = Vec::new();
        for _ in 0..sources.len() {
            self.mirror %= sources.len().max(1);
            let Some(source) = sources.get_mut(self.mirror) else { break };
            let mut notes = Vec::new();
            match self.look(*source, now, &mut notes) {
                Ok(done) => {
                    let applied = self.succeed(done, notes, now);
                    return Round { applied, next_s: self.pause(dice) };
                }
                Err(Trouble::Refused(alarm, text)) => {
                    self.failures = 0;
                    self.alarms.clear(Alarm::RepoUnreachable);
                    self.raise(notes, now);
                    self.alarms.raise(alarm, text, now);
                    self.mirror += 1;
                    return Round { applied: None, next_s: self.pause(dice) };
                }
                Err(Trouble::Unreachable(text)) => {
                    why.push(text);
                    self.mirror += 1;
                }
            }
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= UNREACHABLE {
            let text = format!("{} looks in a row: {}", self.failures, why.join("; "));
            self.alarms.raise(Alarm::RepoUnreachable, text, now);
        }
        Round { applied: None, next_s: self.pause(dice) }
    }

    /// Seconds to the next look: the poll, doubled with each failure up to a quarter of an hour, give or take a tenth.
    fn pause(&self, dice: u32) -> u64 {
        let poll = self.settings.poll_s;
        let doubled = poll.saturating_mul(1 << self.failures.min(16)).min(MAX_PAUSE_S.max(poll));
        // In thousandths: 900 to 1100.
        (doubled.saturating_mul(900 + u64::from(dice) % 201) / 1000).max(1)
    }

    fn raise(&mut self, notes: Vec<(Alarm, String)>, now: i64) {
        for (alarm, text) in notes {
            self.alarms.raise(alarm, text, now);
        }
    }

    fn succeed(&mut self, done: Done, notes: Vec<(Alarm, String)>, now: i64) -> Option<Arc<LastGood>> {
        self.failures = 0;
        self.checked = now;
        for alarm in [
            Alarm::RepoUnreachable,
            Alarm::RepoSignature,
            Alarm::RepoStale,
            Alarm::RepoRollback,
            Alarm::RepoEquivocation,
            Alarm::RepoHash,
            Alarm::RepoSession,
            Alarm::RepoDelta,
            Alarm::RepoStaleHard,
        ] {
            if !notes.iter().any(|(note, _)| *note == alarm) {
                self.alarms.clear(alarm);
            }
        }
        self.raise(notes, now);
        match done {
            Done::Kept => None,
            Done::Same => {
                self.shrink = None;
                self.alarms.clear(Alarm::RepoShrink);
                None
            }
            Done::Applied(applied) => {
                let (good, trust) = *applied;
                if self.held.as_ref().is_some_and(|held| held.manifest.session != good.manifest.session) {
                    self.session_since = Some(now);
                }
                self.shrink = None;
                self.alarms.clear(Alarm::RepoShrink);
                self.alarms.clear(Alarm::StoreLost);
                self.tell_rejected(&trust, now);
                self.trust = Arc::new(trust);
                let good = Arc::new(good);
                self.held = Some(Arc::clone(&good));
                Some(good)
            }
        }
    }

    /// Looks at one mirror.
    fn look(&mut self, source: &mut dyn Source, now: i64, notes: &mut Vec<(Alarm, String)>) -> Result<Done, Trouble> {
        let held = self.held.clone();
        let held_digest = held.as_ref().map(|held| sha256(&held.octets));
        let fetched = source.manifest(held_digest.as_ref())?;
        if let Some(held) = held.as_ref().filter(|held| fetched.as_ref().is_none_or(|octets| *octets == held.octets)) {
            return in_time(&held.manifest, now).map(|()| Done::Same);
        }
        let Some(octets) = fetched else {
            return Err(Trouble::Unreachable("the server says that nothing changed, and nothing is held".to_owned()));
        };
        let signed = self.signed(source, octets, now)?;
        let (manifest, digest) = (&signed.manifest, sha256(&signed.octets));
        in_time(manifest, now)?;
        let mut from = None;
        if let Some(held) = held {
            let serial = (manifest.serial, held.manifest.serial);
            if manifest.session != held.manifest.session {
                if manifest.this_update < held.manifest.this_update.min(now) {
                    let text = format!("session {} is older than the one in force", manifest.session);
                    return Err(Trouble::Refused(Alarm::RepoRollback, text));
                }
                let text = format!("session {} follows {}", manifest.session, held.manifest.session);
                notes.push((Alarm::RepoSession, text));
                if self.session_since.is_some_and(|since| now.saturating_sub(since) < SESSION_S) {
                    return Ok(Done::Kept);
                }
            } else if serial.0 < serial.1 {
                let text = format!("serial {} was offered, {} is in force", serial.0, serial.1);
                return Err(Trouble::Refused(Alarm::RepoRollback, text));
            } else if signed.octets == held.octets {
                // The second read gave what the first should have: a mirror in the middle of its update.
                return Ok(Done::Same);
            } else if serial.0 == serial.1 {
                let text = format!("two manifests of serial {}; the first stays in force", serial.0);
                return Err(Trouble::Refused(Alarm::RepoEquivocation, text));
            } else {
                from = Some(held);
            }
        }
        if let Some(back) = self.shrink.as_ref().filter(|back| back.manifest == digest)
            && !back.confirmed
            && now.saturating_sub(back.since) < self.settings.shrink_hold_s
        {
            return Ok(Done::Kept);
        }
        let mut room = MAX_TOTAL;
        let stepped = from.and_then(|held| match steps(source, manifest, &held, &mut room) {
            Ok(objects) => Some(Ok(objects)),
            Err(Step::Wrong(why)) => {
                notes.push((Alarm::RepoDelta, why));
                None
            }
            Err(Step::Lost(fault)) => Some(Err(fault)),
        });
        let objects = match stepped {
            Some(objects) => objects?,
            None => whole(source, manifest, &mut room)?,
        };
        self.judge(signed, objects, digest, now, notes)
    }

    /// Fetches the rest of a manifest and proves it. Between two reads a publication may have come: once more, then.
    fn signed(&self, source: &mut dyn Source, octets: Vec<u8>, now: i64) -> Result<Signed, Trouble> {
        let mut octets = octets;
        for again in [true, false] {
            let signer = source.get("signer.pem", MAX_SMALL)?;
            let signature = match source.get("manifest.sig", SIGNATURE) {
                Err(FetchError::TooLong(_)) => Vec::new(),
                other => other?,
            };
            match prove(octets, signature, signer) {
                Ok(signed) => {
                    self.check_chain(&signed, now)?;
                    return Ok(signed);
                }
                Err(fault) if !again => return Err(refused(Alarm::RepoSignature)(fault)),
                Err(_) => {}
            }
            octets = source.manifest(None)?.unwrap_or_default();
        }
        Err(Trouble::Refused(Alarm::RepoSignature, "the manifest changes with each read".to_owned()))
    }
}

fn in_time(manifest: &Manifest, now: i64) -> Result<(), Trouble> {
    let late = now.saturating_sub(manifest.next_update);
    match late > 0 {
        true => Err(Trouble::Refused(Alarm::RepoStale, format!("next_update was {late} seconds ago"))),
        false => Ok(()),
    }
}
