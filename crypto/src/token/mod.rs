//! Private keys that never leave a PKCS#11 token: where one is, and what can be wrong with it.
//!
//! The address and its faults are there in every build; the way to a token only with the feature `pkcs11`.

#[cfg(feature = "pkcs11")]
mod find;
#[cfg(feature = "pkcs11")]
mod module;
#[cfg(feature = "pkcs11")]
mod seat;

use crate::secret::SecretError;
use crate::verify::KeyError;
use std::path::PathBuf;

#[cfg(feature = "pkcs11")]
pub(crate) use seat::TokenKey;

/// Where a private key is. What is not given is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAddress {
    /// The shared library of the token's maker.
    pub module: PathBuf,
    /// Label of the token.
    pub token: Option<String>,
    /// Serial number of the token.
    pub serial: Option<String>,
    /// Label of the private key (CKA_LABEL).
    pub object: Option<String>,
    /// Identifier of the private key (CKA_ID).
    pub id: Option<Vec<u8>>,
    /// File whose first line is the PIN; it must belong to its owner alone.
    pub pin_file: PathBuf,
}

/// Why a key on a token cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The program was built without the feature.
    #[error("this build cannot use PKCS#11 tokens")]
    Feature,
    /// The module's library cannot be loaded or does not start.
    #[error("module {path}: {cause}", path = .path.display())]
    Module {
        /// The library.
        path: PathBuf,
        /// What the loader or the module says.
        cause: String,
    },
    /// The PIN file cannot be read.
    #[error("PIN file {path}: {cause}", path = .path.display())]
    PinFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: SecretError,
    },
    /// The PIN file holds no line of text.
    #[error("PIN file {path}: its first line is not a PIN", path = .path.display())]
    NoPin {
        /// The file.
        path: PathBuf,
    },
    /// The token does not take the PIN. It is not shown again: a token locks itself after a few wrong ones.
    #[error("the token refuses the PIN")]
    Pin,
    /// One more wrong PIN would lock the token, or it is locked.
    #[error("the token is locked, or the next wrong PIN locks it")]
    PinLocked,
    /// The address fits no token, or several.
    #[error("{0} tokens fit")]
    Tokens(usize),
    /// The address fits no private key of the token, or several.
    #[error("{0} private keys of the token fit")]
    Keys(usize),
    /// The token has no public key of the same identifier or label.
    #[error("the public half of the key is not on the token")]
    NoPublic,
    /// The key is of a kind that we do not sign with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key wants the PIN again for each signature.
    #[error("the key wants its PIN for every signature (CKA_ALWAYS_AUTHENTICATE)")]
    AlwaysAuthenticate,
    /// A signature made for trial does not hold under the public half.
    #[error("a signature made for trial does not hold under the public half of the key")]
    Trial,
    /// Anything else that the token answers.
    #[error("the token answers {0}")]
    Answer(String),
}

impl TokenError {
    /// What the operator can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Feature => "build with --features pkcs11",
            Self::Module { .. } => {
                "give module-path the library of the token's maker, with its settings in the environment"
            }
            Self::PinFile { cause: SecretError::Shared { .. }, .. } => "chmod 600, and take a new PIN if it was read",
            Self::PinFile { .. } | Self::NoPin { .. } => "write the PIN into the first line of the file",
            Self::Pin => "correct the PIN before the next try; a token locks itself after a few wrong ones",
            Self::PinLocked => "unlock it, or log in once, with the tool of its maker",
            Self::Tokens(_) => "name one by token= or serial=",
            Self::Keys(_) => "name one by object= or id=",
            Self::NoPublic => "write the public key onto the token, with the same id",
            Self::Key(_) => "use a key on P-256, P-384 or Ed25519, or RSA with 2048 bits",
            Self::AlwaysAuthenticate => "use a key that is free once the PIN was given",
            Self::Trial => "the token has another key under that id, or signs wrongly",
            Self::Answer(_) => "see the messages of the token's maker",
        }
    }
}
