//! What a source has made, counted.

use super::message::Kind;
use super::operation::Operation;

/// What a source has made so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Made {
    /// Frames.
    pub frames: u64,
    /// Octets of them.
    pub octets: u64,
    /// Frames with more than one message.
    pub bundles: u64,
    /// Messages.
    pub messages: u64,
    /// Of these, of our own network.
    pub outbound: u64,
    /// From other operators: with a good signature.
    pub signed: u64,
    /// Without one.
    pub unsigned: u64,
    /// With one that is not theirs.
    pub forged: u64,
    /// Without one, under a title of ours.
    pub spoofed: u64,
    /// With one that was there before.
    pub replayed: u64,
    /// Out of a capture, with or without a fresh signature.
    pub played: u64,
    /// Answers to what the other side asked.
    pub answers: u64,
    /// Of either side: what needs no signature, and is in none of the counts above.
    pub exempt: u64,
    /// In XUDT, or in LUDT where that is too short.
    pub extended: u64,
    /// By operation, in the order of [`Operation::ALL`].
    pub operations: [u64; Operation::ALL.len()],
}

/// What a message is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Worth {
    Outbound,
    Signed,
    Unsigned,
    Forged,
    Spoofed,
    Replayed,
    /// Not judged by a signature, of whichever side.
    Exempt,
    /// From a capture; true: signed afresh.
    Played(bool),
}

impl Made {
    pub(super) fn count(&mut self, worth: Worth, kind: Kind) {
        self.messages += 1;
        let by_worth = match worth {
            Worth::Outbound => &mut self.outbound,
            Worth::Signed => &mut self.signed,
            Worth::Unsigned => &mut self.unsigned,
            Worth::Forged => &mut self.forged,
            Worth::Spoofed => &mut self.spoofed,
            Worth::Replayed => &mut self.replayed,
            Worth::Exempt => &mut self.exempt,
            Worth::Played(_) => &mut self.played,
        };
        *by_worth += 1;
        if matches!(worth, Worth::Played(_)) {
            return; // its kind is anybody's guess
        }
        self.answers += u64::from(kind.answer);
        self.extended += u64::from(kind.extended);
        if let Some(count) = self.operations.get_mut(kind.operation as usize) {
            *count += 1;
        }
    }
}
