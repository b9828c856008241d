//! A certificate of an authority that nobody trusts, for trying a policy out.

use super::error::AuthorityError;
use super::mint::{self, Content, Purpose, Signer};
use sealgate_crypto::alg::Alg;
use sealgate_crypto::pki::{Certificate, Identifiers, Role};
use sealgate_crypto::sign::SigningKey;
use time::{Duration, OffsetDateTime};

/// A certificate for these identifiers, valid for an hour around `now`, and its private key.
/// # Errors
/// Identifiers that a certificate cannot carry.
pub fn certificate(
    identifiers: &Identifiers,
    role: Role,
    alg: Alg,
    now: OffsetDateTime,
) -> Result<(Certificate, SigningKey), AuthorityError> {
    let (issuer, own) = (mint::new_key(Alg::P256)?, mint::new_key(alg)?);
    let issuer = Signer { subject: mint::name("Sealgate", "Trial"), key: issuer };
    let content = Content {
        subject: mint::name("Sealgate", "Example"),
        serial: 1,
        not_before: now - Duration::HOUR,
        not_after: now + Duration::HOUR,
        identifiers,
        purpose: Purpose::Messages(role),
    };
    let certificate = mint::certificate("example", &content, &own, &issuer)?;
    let key = SigningKey::from_pkcs8_pem(&own.serialize_pem()).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    Ok((certificate, key))
}
