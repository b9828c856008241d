//! Finding a private key on a token, and reading its public half.

use super::{TokenAddress, TokenError};
use crate::alg::Alg;
use crate::der;
use crate::verify::{KeyError, PublicKey};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

/// The one private key that fits.
pub(crate) fn private_key(session: &Session, address: &TokenAddress) -> Result<ObjectHandle, TokenError> {
    let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Token(true)];
    template.extend(address.object.iter().map(|label| Attribute::Label(label.clone().into_bytes())));
    template.extend(address.id.iter().map(|id| Attribute::Id(id.clone())));
    match session.find_objects(&template)?.as_slice() {
        [key] => Ok(*key),
        keys => Err(TokenError::Keys(keys.len())),
    }
}

/// The public half of a private key: the public key object with its identifier, or with its label where it has none.
pub(crate) fn public_half(session: &Session, private: ObjectHandle) -> Result<PublicKey, TokenError> {
    let wanted = [AttributeType::Id, AttributeType::Label, AttributeType::AlwaysAuthenticate];
    let (mut id, mut label) = (None, None);
    for attribute in session.get_attributes(private, &wanted)? {
        match attribute {
            Attribute::AlwaysAuthenticate(true) => return Err(TokenError::AlwaysAuthenticate),
            Attribute::Id(octets) if !octets.is_empty() => id = Some(Attribute::Id(octets)),
            Attribute::Label(octets) if !octets.is_empty() => label = Some(Attribute::Label(octets)),
            _ => {}
        }
    }
    let name = id.or(label).ok_or(TokenError::NoPublic)?;
    let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Token(true), name];
    let public = *session.find_objects(&template)?.first().ok_or(TokenError::NoPublic)?;
    let kind = session.get_attributes(public, &[AttributeType::KeyType])?;
    let [Attribute::KeyType(kind)] = kind.as_slice() else { return Err(TokenError::NoPublic) };
    let wanted: &[AttributeType] = match *kind {
        KeyType::EC | KeyType::EC_EDWARDS => &[AttributeType::EcParams, AttributeType::EcPoint],
        KeyType::RSA => &[AttributeType::Modulus, AttributeType::PublicExponent],
        _ => return Err(KeyError::Algorithm.into()),
    };
    let (alg, bits) = match session.get_attributes(public, wanted)?.as_slice() {
        [Attribute::EcParams(curve), Attribute::EcPoint(point)] => {
            let alg = curve_of(curve).ok_or(KeyError::Algorithm)?;
            (alg, unwrapped(alg, point).to_vec())
        }
        [Attribute::Modulus(modulus), Attribute::PublicExponent(exponent)] => {
            (Alg::Rsa2048, der::rsa_public(modulus, exponent).ok_or(KeyError::Der)?)
        }
        _ => return Err(TokenError::NoPublic),
    };
    let public = PublicKey::from_bits(alg, &bits, false)?;
    if public.signature_len() != alg.signature_len() {
        let bits = u32::try_from(public.signature_len() * 8).unwrap_or(u32::MAX);
        return Err(KeyError::RsaSize { bits }.into());
    }
    Ok(public)
}

/// The algorithm of CKA_EC_PARAMS: the object identifier of the curve, for Ed25519 its name as well.
/// # Source
/// PKCS#11 3.0 sections 2.3.3 and 2.3.10.
fn curve_of(params: &[u8]) -> Option<Alg> {
    /// PrintableString "edwards25519".
    const NAME: &[u8] = b"\x13\x0cedwards25519";
    if params == NAME || params == der::ID_ED25519 {
        return Some(Alg::Ed25519);
    }
    [(der::ID_P256, Alg::P256), (der::ID_P384, Alg::P384)]
        .into_iter()
        .find(|(identifier, _)| identifier.strip_prefix(der::EC_PUBLIC_KEY) == Some(params))
        .map(|(_, alg)| alg)
}

/// The point of CKA_EC_POINT: in an OCTET STRING as the standard wants it, or bare as some tokens have it.
fn unwrapped(alg: Alg, point: &[u8]) -> &[u8] {
    let bare = match alg {
        Alg::P256 => 65,
        Alg::P384 => 97,
        Alg::Ed25519 | Alg::Rsa2048 => 32,
    };
    match der::take(point, 0x04) {
        Some((inner, [])) if point.len() != bare => inner,
        _ => point,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_have_their_names() {
        assert_eq!(curve_of(&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]), Some(Alg::P256));
        assert_eq!(curve_of(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]), Some(Alg::P384));
        assert_eq!(curve_of(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]), None, "P-521");
        assert_eq!(curve_of(&[0x06, 0x03, 0x2b, 0x65, 0x70]), Some(Alg::Ed25519));
        assert_eq!(curve_of(b"\x13\x0cedwards25519"), Some(Alg::Ed25519));
        assert_eq!(curve_of(&[0x06, 0x03, 0x2b, 0x65, 0x71]), None, "Ed448");
    }

    #[test]
    fn points_come_wrapped_or_bare() {
        let mut point = vec![0x04, 65];
        point.extend([4; 65]);
        assert_eq!(unwrapped(Alg::P256, &point), &[4; 65]);
        assert_eq!(unwrapped(Alg::P256, &point[2..]), &[4; 65]);
        // A bare Ed25519 key that looks like a wrapped one.
        let mut bare = vec![0x04, 30];
        bare.extend([9; 30]);
        assert_eq!(unwrapped(Alg::Ed25519, &bare), bare);
    }
}
