//! The modules that token makers supply: each is loaded once in a process, and started anew when its tokens stay away.

use super::{TokenAddress, TokenError};
use crate::secret::Secret;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

/// Octets of the longest PIN file.
const MAX_PIN: usize = 256;

/// Modules that run, by the path of their library. They stay until the process ends.
static MODULES: Mutex<Vec<(PathBuf, Arc<Module>)>> = Mutex::new(Vec::new());

/// A module that runs.
pub(crate) struct Module {
    calls: Pkcs11,
    /// Shared by who calls, alone for who starts it anew: no call may be under way then. Counts the starts.
    gate: RwLock<u64>,
}

impl Module {
    /// The module of this library, started if it was not.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, TokenError> {
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, module)) = modules.iter().find(|(other, _)| other == path) {
            return Ok(Arc::clone(module));
        }
        let fault = |cause: Error| TokenError::Module { path: path.to_owned(), cause: cause.to_string() };
        let module = Arc::new(Self { calls: Pkcs11::new(path).map_err(fault)?, gate: RwLock::new(0) });
        module.start().map_err(fault)?;
        modules.push((path.to_owned(), Arc::clone(&module)));
        Ok(module)
    }

    fn start(&self) -> Result<(), Error> {
        match self.calls.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Another path to the same library.
            Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, Function::Initialize)) => Ok(()),
            other => other,
        }
    }

    /// The right to call it, and the number of its start. Sessions are used, and closed, under this alone, and only those
    /// of this start: a module numbers its sessions and keys from 1 each time.
    pub(crate) fn enter(&self) -> RwLockReadGuard<'_, u64> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it anew, unless a call is under way: many modules see a token that was away only then. All sessions end.
    pub(crate) fn restart(&self) {
        let Ok(mut starts) = self.gate.try_write() else { return };
        *starts += 1;
        // Not started is what we want; and whether it starts shows at the next call.
        let _ = self.calls.clone().finalize();
        let _ = self.start();
    }
}

/// Opens a session with the one token that fits, and logs in. The caller has entered.
///
/// The PIN is read from its file each time, so that none stays in memory.
pub(crate) fn open(module: &Module, address: &TokenAddress) -> Result<Session, TokenError> {
    let module = &module.calls;
    let mut fitting = Vec::new();
    for slot in module.get_slots_with_initialized_token()? {
        // A slot whose token was just taken out fits nothing.
        let Ok(token) = module.get_token_info(slot) else { continue };
        let fits = |wanted: &Option<String>, has: &str| wanted.as_deref().is_none_or(|wanted| wanted == has);
        if fits(&address.token, token.label()) && fits(&address.serial, token.serial_number()) {
            fitting.push((slot, token));
        }
    }
    let [(slot, token)] = fitting.as_slice() else { return Err(TokenError::Tokens(fitting.len())) };
    if token.user_pin_locked() || token.user_pin_final_try() {
        return Err(TokenError::PinLocked);
    }
    let pin = pin(address)?;
    let session = module.open_ro_session(*slot)?;
    match session.login(UserType::User, Some(&pin)) {
        // One login counts for all sessions of a process.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
            Err(TokenError::Pin)
        }
        Err(Error::Pkcs11(RvError::PinLocked | RvError::PinExpired, _)) => Err(TokenError::PinLocked),
        Err(cause) => Err(cause.into()),
    }
}

/// The first line of the PIN file.
fn pin(address: &TokenAddress) -> Result<AuthPin, TokenError> {
    let path = &address.pin_file;
    let octets = Secret::read(path, MAX_PIN).map_err(|cause| TokenError::PinFile { path: path.clone(), cause })?;
    let line = octets.split(|&octet| octet == b'\n' || octet == b'\r').next().unwrap_or_default();
    match str::from_utf8(line) {
        Ok(line) if !line.is_empty() => Ok(AuthPin::new(line.into())),
        _ => Err(TokenError::NoPin { path: path.clone() }),
    }
}

impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        match error {
            Error::Pkcs11(code, function) => Self::Answer(format!("{code:?} to C_{function:?}")),
            other => Self::Answer(other.to_string()),
        }
    }
}
