//! Why a request is not certified.

use axum::http::StatusCode;
use sealgate_crypto::pki::RequestError;

/// Why a request is refused. Nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No client certificate in the handshake.
    #[error("no client certificate was shown")]
    NoCertificate,
    /// A client certificate that is not in the database.
    #[error("the client certificate is none of this authority's")]
    Stranger,
    /// Another invitation took its place.
    #[error("the invitation of {0} was withdrawn")]
    Withdrawn(String),
    /// An invitation past its end.
    #[error("the invitation of {0} is over")]
    InvitationOver(String),
    /// A certificate that was revoked.
    #[error("certificate {0} is revoked")]
    Revoked(String),
    /// A certificate that is not valid now.
    #[error("certificate {0} is not valid now")]
    OutOfTime(String),
    /// An invitation that was used for another key.
    #[error("the invitation of {0} was used for another key")]
    OtherKey(String),
    /// Not a request of the profile.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A request without identifiers.
    #[error("{0} asks for no identifier")]
    Nothing(String),
    /// Nothing is recorded for the operator.
    #[error("{0} has no numbering records")]
    NoRecords(String),
    /// An identifier that the operator does not have.
    #[error("{outside} is not in the numbering records of {operator}")]
    OutsideRecords {
        /// Who asks.
        operator: String,
        /// For what.
        outside: String,
    },
    /// An identifier that the region does not have.
    #[error("{outside} is not inside what this authority may hand on")]
    OutsideRegion {
        /// Who asks.
        operator: String,
        /// For what.
        outside: String,
    },
    /// The key is somebody else's.
    #[error("the key asked for by {0} is held by another operator")]
    KeyTaken(String),
    /// The key's certificate was revoked.
    #[error("the certificate of the key asked for by {0} was revoked")]
    KeyRevoked(String),
    /// The key has a certificate for something else.
    #[error("the key asked for by {0} has a certificate for other identifiers already")]
    KeyUsed(String),
    /// As many requests wait as an operator may have.
    #[error("{0} has too many requests that wait for a decision")]
    TooMany(String),
    /// No such ticket of this operator.
    #[error("no such ticket")]
    UnknownTicket,
    /// The ticket was decided.
    #[error("ticket {0} was decided already")]
    Decided(String),
    /// A person said no.
    #[error("somebody there decided so: {0}")]
    Person(String),
}

impl Refusal {
    /// What somebody without a certificate of this authority is told.
    pub(in crate::authority) fn of_stranger(shown: Option<&[u8]>) -> Self {
        shown.map_or(Self::NoCertificate, |_| Self::Stranger)
    }

    /// The HTTP status that says so.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoCertificate => StatusCode::UNAUTHORIZED,
            Self::Request(RequestError::Size) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Request(_) | Self::Nothing(_) => StatusCode::BAD_REQUEST,
            Self::KeyTaken(_) | Self::KeyRevoked(_) | Self::KeyUsed(_) | Self::Decided(_) => StatusCode::CONFLICT,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::UnknownTicket => StatusCode::NOT_FOUND,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// Whom it is about, where it says so.
    pub(super) fn operator(&self) -> Option<&str> {
        match self {
            Self::Withdrawn(operator) | Self::InvitationOver(operator) => Some(operator),
            _ => None,
        }
    }

    /// What to do about it, in one line.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoCertificate
            | Self::Stranger
            | Self::Withdrawn(_)
            | Self::InvitationOver(_)
            | Self::Revoked(_)
            | Self::OutOfTime(_)
            | Self::OtherKey(_) => "ask the authority for a new invitation: sealgate tsca invite DIR OPERATOR",
            Self::Request(_) => "make the request with sealgate enrol; formats 12.6 says what it holds",
            Self::Nothing(_) => "give at least one identifier",
            Self::NoRecords(_) | Self::OutsideRecords { .. } => {
                "ask for what is recorded, or have the records changed: sealgate tsca numbering DIR FILE"
            }
            Self::OutsideRegion { .. } => "ask for identifiers inside it, or at another authority",
            Self::KeyTaken(_) | Self::KeyRevoked(_) | Self::KeyUsed(_) => "make a new key and ask with that",
            Self::TooMany(_) => "wait until they are decided: sealgate tsca approve DIR --list",
            Self::UnknownTicket | Self::Decided(_) => "see the tickets: sealgate tsca approve DIR --list",
            Self::Person(_) => "talk to the authority, then ask again",
        }
    }
}
