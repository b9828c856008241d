//! A key on a token, and each thread's own session with it.
//!
//! A signature waits for the token, so only crypto threads and control may ask for one. A session that fails is closed and
//! opened again after a pause; until then signing fails at once. When that fails several times the module is started anew.

use super::module::{self, Module};
use super::{TokenAddress, TokenError, find};
use crate::alg::Alg;
use crate::backoff::Backoff;
use crate::verify::PublicKey;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a thread waits while another one opens its session.
const OPENING: Duration = Duration::from_millis(100);

/// `DigestInfo` of SHA-256 up to the digest (RFC 8017 9.2, note 1).
const DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// A private key on a token.
pub(crate) struct TokenKey(Arc<Inner>);

struct Inner {
    module: Arc<Module>,
    address: TokenAddress,
    public: PublicKey,
    /// Held while a session is opened: a PIN that turned wrong is shown once, not once a thread.
    opening: Mutex<()>,
    /// Set when the token refused the PIN; from then on it is left alone.
    dead: AtomicBool,
}

/// A thread's session with one key.
struct Seat {
    key: Weak<Inner>,
    module: Arc<Module>,
    session: Option<Opened>,
    backoff: Backoff,
}

/// A session and its key.
struct Opened {
    session: Session,
    private: ObjectHandle,
    /// The start of the module that both belong to.
    start: u64,
}

thread_local! {
    static SEATS: RefCell<Vec<Seat>> = const { RefCell::new(Vec::new()) };
}

impl TokenKey {
    /// Finds the key, reads its public half and signs once for trial.
    pub(crate) fn open(address: &TokenAddress) -> Result<(Self, PublicKey), TokenError> {
        const TRIAL: &[u8] = b"sealgate: a signature for trial";
        let module = Module::load(&address.module)?;
        let entered = module.enter();
        let session = module::open(&module, address)?;
        let private = find::private_key(&session, address)?;
        let public = find::public_half(&session, private)?;
        let signature = ask(&session, private, &public, TRIAL)?;
        if !public.verify(TRIAL, &signature) {
            return Err(TokenError::Trial);
        }
        drop(session);
        drop(entered);
        let (address, opening, dead) = (address.clone(), Mutex::new(()), AtomicBool::new(false));
        let key = Self(Arc::new(Inner { module, address, public: public.clone(), opening, dead }));
        Ok((key, public))
    }

    /// Signs on the token; raw, r then s for ECDSA. `None`: it did not, and is left alone for a while.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        // While a thread ends its seats are gone: it signs nothing any more.
        SEATS.try_with(|seats| self.sign_at(&mut seats.borrow_mut(), message)).ok()?
    }

    fn sign_at(&self, seats: &mut Vec<Seat>, message: &[u8]) -> Option<Vec<u8>> {
        let key = &self.0;
        let at = match seats.iter().position(|seat| seat.key.as_ptr() == Arc::as_ptr(key)) {
            Some(at) => at,
            None => {
                // A new key is rare, and often takes the place of an old one.
                seats.retain(|seat| seat.key.strong_count() > 0);
                seats.push(Seat::new(key));
                seats.len() - 1
            }
        };
        seats.get_mut(at)?.sign(key, message)
    }
}

impl Seat {
    fn new(key: &Arc<Inner>) -> Self {
        let module = Arc::clone(&key.module);
        Self { key: Arc::downgrade(key), module, session: None, backoff: Backoff::default() }
    }

    fn sign(&mut self, key: &Inner, message: &[u8]) -> Option<Vec<u8>> {
        if self.session.is_none() {
            if key.dead.load(Ordering::Relaxed) || !self.backoff.is_over(Instant::now()) {
                return None;
            }
            if self.backoff.is_lasting() {
                key.module.restart();
            }
            self.session = key.session().ok();
        }
        let made = self.session.as_ref().map(|opened| {
            let start = key.module.enter();
            (opened.start == *start).then(|| ask(&opened.session, opened.private, &key.public, message))
        });
        match made {
            Some(Some(Ok(signature))) if signature.len() == key.public.signature_len() => {
                self.backoff.succeeded();
                return Some(signature);
            }
            Some(Some(Err(error))) if is_gone(&error) => self.forget(),
            _ => self.close(),
        }
        self.backoff.failed(Instant::now());
        None
    }

    /// Ends the session where it still is ours.
    fn close(&mut self) {
        let start = self.module.enter();
        match self.session.take() {
            Some(opened) if opened.start != *start => std::mem::forget(opened),
            other => drop(other),
        }
    }

    /// Leaves a session that is no more: its number may be another one's by now, so it must not be closed.
    fn forget(&mut self) {
        std::mem::forget(self.session.take());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    /// A new session of this thread.
    fn session(&self) -> Result<Opened, TokenError> {
        let _alone = self.alone().ok_or(TokenError::Answer("nothing for too long".to_owned()))?;
        if self.dead.load(Ordering::Relaxed) {
            return Err(TokenError::Pin);
        }
        let start = self.module.enter();
        let opened = module::open(&self.module, &self.address);
        if matches!(opened, Err(TokenError::Pin | TokenError::PinLocked)) {
            self.dead.store(true, Ordering::Relaxed);
        }
        let session = opened?;
        let private = find::private_key(&session, &self.address)?;
        Ok(Opened { session, private, start: *start })
    }

    /// The right to open a session; `None` if another thread has not come to an end with that.
    fn alone(&self) -> Option<MutexGuard<'_, ()>> {
        let deadline = Instant::now() + OPENING;
        loop {
            match self.opening.try_lock() {
                Ok(guard) => return Some(guard),
                Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(Duration::from_millis(1)),
                Err(TryLockError::WouldBlock) => return None,
            }
        }
    }
}

/// Lets the token sign.
fn ask(session: &Session, private: ObjectHandle, public: &PublicKey, message: &[u8]) -> Result<Vec<u8>, Error> {
    let digest = public.digest(message);
    let digest = digest.as_ref().map_or(message, AsRef::as_ref);
    match public.alg() {
        Alg::P256 | Alg::P384 => session.sign(&Mechanism::Ecdsa, private, digest),
        Alg::Ed25519 => {
            let params = EddsaParams::new(EddsaSignatureScheme::Pure);
            session.sign(&Mechanism::Eddsa(params), private, message)
        }
        Alg::Rsa2048 => {
            let mut info = [0; DIGEST_INFO.len() + 32];
            let (head, tail) = info.split_at_mut(DIGEST_INFO.len());
            head.copy_from_slice(&DIGEST_INFO);
            tail.copy_from_slice(digest);
            session.sign(&Mechanism::RsaPkcs, private, &info)
        }
    }
}

/// Whether an error says that the session is no more.
fn is_gone(error: &Error) -> bool {
    use RvError::{CryptokiNotInitialized, DeviceRemoved, SessionClosed, SessionHandleInvalid, TokenNotPresent};
    matches!(
        error,
        Error::Pkcs11(
            SessionHandleInvalid | SessionClosed | DeviceRemoved | TokenNotPresent | CryptokiNotInitialized,
            _
        )
    )
}
