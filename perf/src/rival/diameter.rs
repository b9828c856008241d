//! The decoder `diameter` from crates.io, on the same octets.
//!
//! It makes values that own their octets, each with a reference to its dictionary, and looks into the groups it knows; ours lends,
//! looks into all groups that it knows, and refuses what two readers could read differently. What it knows are Credit-Control and
//! the base protocol, so that is what both read; a command of S6a it cannot name.

use std::io::Cursor;
use std::sync::Arc;

use diameter::DiameterMessage;
use diameter::avp::{Avp, AvpValue};
use diameter::dictionary::{DEFAULT_DICT_XML, Dictionary};

use crate::cost::charging::{self, Reading};

/// The decoder with its dictionary.
pub struct Decoder(Arc<Dictionary>);

impl Default for Decoder {
    fn default() -> Self {
        Self(Arc::new(Dictionary::new(&[&DEFAULT_DICT_XML])))
    }
}

impl Decoder {
    /// One message.
    ///
    /// # Errors
    /// What the crate says of it.
    #[inline(never)]
    pub fn decode(&self, octets: &[u8]) -> Result<DiameterMessage, String> {
        DiameterMessage::decode_from(&mut Cursor::new(octets), Arc::clone(&self.0)).map_err(|error| error.to_string())
    }
}

/// The same in our terms; `None`: something is not there.
pub fn reading(message: &DiameterMessage) -> Option<Reading<'_>> {
    let text = |code| text_of(message.get_avp(code)?);
    let number = |code| number_of(message.get_avp(code)?);
    let AvpValue::Grouped(group) = message.get_avp(443)?.get_value() else { return None };
    let child = |code| group.avps().iter().find(|avp| avp.get_code() == code);
    Some(Reading {
        header: (
            message.get_command_code() as u32,
            message.get_application_id() as u32,
            message.get_hop_by_hop_id(),
            message.get_end_to_end_id(),
        ),
        session: text(263)?,
        origin: (text(264)?, text(296)?),
        destination: text(283)?,
        request: (number(416)?, number(415)?),
        subscription: (number_of(child(450)?)?, text_of(child(444)?)?),
    })
}

fn text_of(avp: &Avp) -> Option<&[u8]> {
    match avp.get_value() {
        AvpValue::UTF8String(text) => Some(text.value().as_bytes()),
        AvpValue::Identity(text) => Some(text.value().as_bytes()),
        _ => None,
    }
}

fn number_of(avp: &Avp) -> Option<u32> {
    match avp.get_value() {
        AvpValue::Unsigned32(number) => Some(number.value()),
        AvpValue::Enumerated(number) => u32::try_from(number.value()).ok(),
        _ => None,
    }
}

/// Whether both read the same from every message.
///
/// # Errors
/// The first message on which they differ, and in what.
pub fn agree(messages: &[Vec<u8>]) -> Result<(), String> {
    let decoder = Decoder::default();
    for (number, octets) in messages.iter().enumerate() {
        let ours = charging::read(octets).ok_or_else(|| format!("message {number}: ours refuses it"))?;
        let theirs = decoder.decode(octets).map_err(|error| format!("message {number}: theirs refuses it: {error}"))?;
        if reading(&theirs) != Some(ours) {
            return Err(format!("message {number}: ours {ours:?}, theirs {:?}", reading(&theirs)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_read_the_same_from_every_message() {
        let messages: Vec<_> = (0..charging::MESSAGES).filter_map(charging::message).collect();
        assert_eq!(messages.len(), charging::MESSAGES as usize);
        assert_eq!(agree(&messages), Ok(()));
    }

    #[test]
    fn a_difference_is_found_in_every_field() {
        let octets = charging::message(5).expect("ours");
        let decoder = Decoder::default();
        let theirs = decoder.decode(&octets).expect("it agreed above");
        let (mut seen, mut refused) = (0, 0);
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 1;
            // Theirs computes with lengths before it looks at them: what ours refuses is not for it.
            let Some(ours) = charging::read(&changed) else {
                refused += 1;
                continue;
            };
            match decoder.decode(&changed) {
                Ok(their) if reading(&their).is_some_and(|their| their != ours) => {
                    panic!("octet {at}: {ours:?} and {:?}", reading(&their))
                }
                Ok(_) if Some(ours) != reading(&theirs) => seen += 1,
                _ => {}
            }
        }
        assert!(seen > 100 && refused > 5, "{seen} changes were read, {refused} refused");
    }
}
