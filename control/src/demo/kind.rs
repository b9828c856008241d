//! The kinds of messages in the demo, and what the gateway must make of each.

use super::world::Operator;
use sealgate_wire::Reason;
use serde::Serialize;

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Signed by its sender, as it should be.
    Signed,
    /// A signed answer to a question of ours.
    Answer,
    /// Signed, and too long for one SCCP message: the first of two segments.
    FirstSegment,
    /// The second one.
    LastSegment,
    /// Not signed, from somebody who must.
    Unsigned,
    /// Signed, then another subscriber was put in.
    ChangedSubscriber,
    /// Signed, then another sender was put in.
    ChangedSender,
    /// Signed, then its application context was changed.
    ChangedContext,
    /// A good message, sent again.
    Replayed,
    /// Signed a minute ago, kept back until now.
    Late,
    /// Signed by B, with a sender of A's.
    Borrowed,
    /// Signed with a certificate of an authority that we do not trust.
    Rogue,
    /// Signed with a certificate that has expired.
    Expired,
    /// Signed with a key that was stolen, and revoked since.
    Revoked,
    /// Signed and genuine, but an operation that nobody outside may ask for.
    Forbidden,
    /// Signed and genuine, but about a subscriber of ours.
    OurSubscriber,
    /// From outside, with a sender of ours.
    OurNumber,
    /// Not signed, from somebody who is on the way there.
    Tolerated,
    /// Of our own network, on its way out.
    Outgoing,
    /// Of 4G, signed by its sender.
    FourSigned,
    /// Of 4G, a signed answer to a question of ours.
    FourAnswer,
    /// Of 4G, signed, then another subscriber was put in.
    FourChanged,
    /// Of 4G, not signed, from somebody who must.
    FourUnsigned,
    /// Of 4G, a good message, sent again.
    FourReplayed,
    /// Of 4G, signed and genuine, but about a subscriber of ours.
    FourOurSubscriber,
    /// Of 4G and our own network, on its way out.
    FourOutgoing,
    /// A telephone call, signed by the caller's network.
    CallSigned,
    /// A telephone call, signed, then another caller was put in.
    CallChanged,
    /// A call over IP, signed by the caller's network.
    NetSigned,
    /// A call over IP, signed, then another caller was put in.
    NetChanged,
    /// A call over IP that nobody has signed.
    NetUnsigned,
    /// A call over IP with the signature of one before.
    NetReplayed,
    /// A call over IP of our own network, on its way out.
    NetOutgoing,
    /// Roaming data: a session of a subscriber of ours.
    DataSession,
    /// Roaming data: a session of somebody whom the sender does not serve.
    DataStranger,
}

impl Kind {
    /// All, in the order of the table.
    pub const ALL: [Kind; 35] = [
        Kind::Signed,
        Kind::Answer,
        Kind::FirstSegment,
        Kind::LastSegment,
        Kind::Tolerated,
        Kind::Unsigned,
        Kind::ChangedSubscriber,
        Kind::ChangedSender,
        Kind::ChangedContext,
        Kind::Replayed,
        Kind::Late,
        Kind::Borrowed,
        Kind::Rogue,
        Kind::Expired,
        Kind::Revoked,
        Kind::Forbidden,
        Kind::OurSubscriber,
        Kind::OurNumber,
        Kind::FourSigned,
        Kind::FourAnswer,
        Kind::FourUnsigned,
        Kind::FourChanged,
        Kind::FourReplayed,
        Kind::FourOurSubscriber,
        Kind::CallSigned,
        Kind::CallChanged,
        Kind::NetSigned,
        Kind::NetUnsigned,
        Kind::NetChanged,
        Kind::NetReplayed,
        Kind::DataSession,
        Kind::DataStranger,
        Kind::Outgoing,
        Kind::FourOutgoing,
        Kind::NetOutgoing,
    ];

    /// Those that are attacks or mistakes: each is sent as often as the others.
    pub const BAD: [Kind; 22] = [
        Kind::Unsigned,
        Kind::ChangedSubscriber,
        Kind::ChangedSender,
        Kind::ChangedContext,
        Kind::Replayed,
        Kind::Late,
        Kind::Borrowed,
        Kind::Rogue,
        Kind::Expired,
        Kind::Revoked,
        Kind::Forbidden,
        Kind::OurSubscriber,
        Kind::OurNumber,
        Kind::FourChanged,
        Kind::FourUnsigned,
        Kind::FourReplayed,
        Kind::FourOurSubscriber,
        Kind::CallChanged,
        Kind::NetChanged,
        Kind::NetUnsigned,
        Kind::NetReplayed,
        Kind::DataStranger,
    ];

    /// Whether it comes in a datagram of its own, which goes nowhere when it is refused.
    pub const fn is_datagram(self) -> bool {
        matches!(
            self,
            Kind::NetSigned
                | Kind::NetChanged
                | Kind::NetUnsigned
                | Kind::NetReplayed
                | Kind::NetOutgoing
                | Kind::DataSession
                | Kind::DataStranger
        )
    }

    /// The operator it says it is from; for what leaves, the sender.
    pub const fn operator(self) -> Option<Operator> {
        Some(match self {
            Kind::Unsigned
            | Kind::ChangedSubscriber
            | Kind::ChangedSender
            | Kind::Replayed
            | Kind::Late
            | Kind::Borrowed
            | Kind::Rogue
            | Kind::FirstSegment
            | Kind::LastSegment
            | Kind::FourSigned
            | Kind::FourChanged
            | Kind::FourAnswer
            | Kind::FourUnsigned
            | Kind::FourReplayed
            | Kind::FourOurSubscriber
            | Kind::CallSigned
            | Kind::CallChanged
            | Kind::NetSigned
            | Kind::NetChanged
            | Kind::NetUnsigned
            | Kind::NetReplayed
            | Kind::DataSession
            | Kind::DataStranger => Operator::A,
            Kind::ChangedContext | Kind::Expired | Kind::Forbidden => Operator::B,
            Kind::Revoked | Kind::OurSubscriber | Kind::Tolerated => Operator::C,
            Kind::OurNumber | Kind::Outgoing | Kind::FourOutgoing | Kind::NetOutgoing => Operator::Home,
            Kind::Signed | Kind::Answer => return None,
        })
    }

    /// What it is, for somebody who has never seen signalling.
    pub const fn words(self) -> &'static str {
        match self {
            Kind::Signed => "signed by its sender",
            Kind::Answer => "signed answer to a question of ours",
            Kind::FirstSegment => "signed, first half of a long one",
            Kind::LastSegment => "signed, too long for one message: in two",
            Kind::Tolerated => "not signed, which C need not yet",
            Kind::Unsigned => "not signed",
            Kind::ChangedSubscriber => "signed, subscriber changed on the way",
            Kind::ChangedSender => "signed, sender changed on the way",
            Kind::ChangedContext => "signed, purpose changed on the way",
            Kind::Replayed => "signed, recorded and sent again",
            Kind::Late => "signed, kept back for a minute",
            Kind::Borrowed => "signed by B in A's name",
            Kind::Rogue => "signed with a certificate of a rogue authority",
            Kind::Expired => "signed with an expired certificate",
            Kind::Revoked => "signed with a stolen key, since revoked",
            Kind::Forbidden => "signed, spies where a subscriber is",
            Kind::OurSubscriber => "signed, deletes our own subscriber",
            Kind::OurNumber => "from outside, in our own name",
            Kind::Outgoing => "our own, on the way out",
            Kind::FourSigned => "4G: signed by its sender",
            Kind::FourAnswer => "4G: signed answer to a question of ours",
            Kind::FourReplayed => "4G: signed, recorded and sent again",
            Kind::FourChanged => "4G: signed, subscriber changed on the way",
            Kind::FourUnsigned => "4G: not signed",
            Kind::FourOurSubscriber => "4G: signed, rewrites our own subscriber",
            Kind::FourOutgoing => "4G: our own, on the way out",
            Kind::CallSigned => "call: signed by the caller's network",
            Kind::CallChanged => "call: signed, caller changed on the way",
            Kind::NetSigned => "call over IP: signed by the caller's network",
            Kind::NetChanged => "call over IP: signed, caller changed on the way",
            Kind::NetUnsigned => "call over IP: not signed",
            Kind::NetReplayed => "call over IP: signature of another call",
            Kind::NetOutgoing => "call over IP: our own, on the way out",
            Kind::DataSession => "roaming data: for a subscriber of ours",
            Kind::DataStranger => "roaming data: for a subscriber of B's",
        }
    }

    /// The reason that the gateway must give.
    pub const fn expected(self) -> Reason {
        match self {
            Kind::Signed
            | Kind::Answer
            | Kind::LastSegment
            | Kind::FourSigned
            | Kind::FourAnswer
            | Kind::CallSigned
            | Kind::NetSigned => Reason::OkVerified,
            Kind::FirstSegment => Reason::OkHeld,
            Kind::Tolerated | Kind::DataSession => Reason::OkUnsignedAllowed,
            Kind::NetUnsigned => Reason::StirMissing,
            Kind::NetChanged => Reason::StirOrig,
            Kind::NetReplayed => Reason::StirReplay,
            Kind::DataStranger => Reason::PolImsiGt,
            Kind::Unsigned | Kind::FourUnsigned => Reason::SecMissing,
            Kind::ChangedSubscriber
            | Kind::ChangedSender
            | Kind::ChangedContext
            | Kind::FourChanged
            | Kind::CallChanged => Reason::SecSigInvalid,
            Kind::Replayed | Kind::FourReplayed => Reason::SecReplay,
            Kind::Late => Reason::SecTimePast,
            Kind::Borrowed => Reason::CrtResource,
            Kind::Rogue => Reason::CrtUnknownSai,
            Kind::Expired => Reason::CrtExpired,
            Kind::Revoked => Reason::CrtRevoked,
            Kind::Forbidden => Reason::PolCat1,
            Kind::OurSubscriber | Kind::FourOurSubscriber => Reason::PolHomeImsi,
            Kind::OurNumber => Reason::SccpCgpaOwn,
            Kind::Outgoing | Kind::FourOutgoing | Kind::NetOutgoing => Reason::OkSignedEgress,
        }
    }

    /// What was done with it, for the same reader.
    pub const fn outcome(self) -> &'static str {
        match self {
            Kind::Signed | Kind::Answer | Kind::FourSigned | Kind::FourAnswer | Kind::CallSigned => {
                "verified, signature taken off"
            }
            Kind::FirstSegment => "kept until the rest is here",
            Kind::LastSegment => "put together, verified",
            Kind::Tolerated => "allowed by policy, counted",
            Kind::NetSigned => "verified, caller may be shown",
            Kind::DataSession => "from A's node, about its guest",
            Kind::DataStranger => "neither A's subscriber nor ours",
            Kind::NetChanged => "signature speaks of another caller",
            Kind::NetReplayed => "made for a call before",
            Kind::Unsigned | Kind::FourUnsigned | Kind::NetUnsigned => "A must sign",
            Kind::ChangedSubscriber
            | Kind::ChangedSender
            | Kind::ChangedContext
            | Kind::FourChanged
            | Kind::CallChanged => "signature does not fit the content",
            Kind::Replayed | Kind::FourReplayed => "number already used",
            Kind::Late => "older than 10 seconds",
            Kind::Borrowed => "B's certificate does not cover A's numbers",
            Kind::Rogue => "nobody we trust vouches for the key",
            Kind::Expired => "certificate no longer valid",
            Kind::Revoked => "certificate withdrawn",
            Kind::Forbidden => "no outsider may ask that",
            Kind::OurSubscriber => "not C's subscriber to delete",
            Kind::FourOurSubscriber => "not A's subscriber to change",
            Kind::OurNumber => "our numbers cannot come from outside",
            Kind::Outgoing | Kind::FourOutgoing | Kind::NetOutgoing => "signed in our name",
        }
    }
}
