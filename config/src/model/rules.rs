//! Operator rules (formats 13.1): which messages they mean, and what becomes of those.

use sealgate_wire::addr::Digits;

use super::{Category, RoleName};

/// One rule. The first rule of the list that matches a message counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its name: 1 to 32 characters, of no other rule.
    pub id: String,
    /// Which messages it means.
    pub matches: Match,
    /// What becomes of them.
    pub action: Action,
    /// Built-in checks that do not count for them.
    pub overrides: Vec<Check>,
    /// Whether each of them is logged.
    pub log: bool,
}

/// What a message must be for a rule to match: all that is given. An empty list, or `None`, matches every message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Match {
    /// Its protocol.
    pub protocol: Option<Protocol>,
    /// Whether it leaves our network; `None`: either way.
    pub outbound: Option<bool>,
    /// The peer that it comes from or goes to, by name.
    pub peer: Vec<String>,
    /// Operation code of MAP and CAP. Of these three lists one is given at most: a message has one code.
    pub opcode: Vec<u32>,
    /// Command code of Diameter.
    pub command: Vec<u32>,
    /// Message type of GTP.
    pub message: Vec<u32>,
    /// Method of a SIP request.
    pub method: Vec<String>,
    /// Application context: the content of its OBJECT IDENTIFIER.
    pub ac: Vec<Vec<u8>>,
    /// Prefixes of the calling Global Title, in ISUP and SIP of the calling number.
    pub calling: Vec<Digits>,
    /// The same of who is called.
    pub called: Vec<Digits>,
    /// Originating point code.
    pub opc: Vec<u32>,
    /// Origin-Realm, or one above it; in lower case.
    pub realm: Vec<String>,
    /// Prefixes of the subscriber's IMSI.
    pub imsi: Vec<Digits>,
    /// Category of the operation or command.
    pub category: Vec<Category>,
    /// How the message stands with its signature.
    pub signature: Vec<Signature>,
    /// Who signed: first eight octets of the key's identifier.
    pub sai: Vec<[u8; 8]>,
    /// As what the signer is certified.
    pub role: Vec<RoleName>,
    /// Time of day.
    pub time: Option<Span>,
}

impl Match {
    /// The codes that are asked for, and the protocols that have such codes.
    pub fn codes(&self) -> (&[u32], &'static [Protocol]) {
        match (self.opcode.as_slice(), self.command.as_slice(), self.message.as_slice()) {
            ([], [], []) => (&[], &Protocol::ALL),
            (codes @ [_, ..], _, _) => (codes, &[Protocol::Map, Protocol::Cap]),
            (_, codes @ [_, ..], _) => (codes, &[Protocol::Diameter]),
            (_, _, codes) => (codes, &[Protocol::Gtp]),
        }
    }

    /// Whether a message of this protocol, on its way out or in, can match.
    pub fn means(&self, protocol: Protocol, outbound: bool) -> bool {
        self.protocol.is_none_or(|other| other == protocol)
            && self.outbound.is_none_or(|other| other == outbound)
            && self.codes().1.contains(&protocol)
    }
}

/// A protocol that rules tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// MAP, and TCAP of subsystems that are not told apart.
    Map,
    /// CAP.
    Cap,
    /// ISUP.
    Isup,
    /// Diameter.
    Diameter,
    /// SIP.
    Sip,
    /// GTP-C.
    Gtp,
}

impl Protocol {
    /// All of them; the place of each is its number.
    pub const ALL: [Protocol; 6] =
        [Protocol::Map, Protocol::Cap, Protocol::Isup, Protocol::Diameter, Protocol::Sip, Protocol::Gtp];
}

/// How a message stands with its signature (formats 1.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Signature {
    /// Signed, and the signature holds.
    Valid,
    /// Not signed.
    Absent,
    /// Signed by somebody who is not known.
    UnknownSigner,
    /// Not looked at: the peer's mode is ignore.
    Unchecked,
}

/// Minutes of a day, the first one in and the last one out. From later to earlier goes over midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// First minute, of UTC: 0 to 1439.
    pub from: u16,
    /// Behind the last minute, of UTC: 0 to 1439.
    pub to: u16,
}

impl Span {
    /// Whether a minute of the day lies in it.
    pub fn has(&self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// What becomes of a message that a rule matches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// It passes.
    Allow,
    /// It is refused without an answer.
    Drop,
    /// It is refused with an answer, where the gateway can give one.
    Reject,
    /// It passes, and an operator is told.
    Alert,
    /// It passes as long as there are tokens.
    RateLimit(Rate),
    /// It passes with a mark (SIP: `verstat`).
    Mark,
}

/// A token bucket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rate {
    /// What has a bucket of its own.
    pub per: Per,
    /// Messages a second in the long run: 1 to 1000000.
    pub per_second: u32,
    /// Messages at once after a pause: 1 to 1000000.
    pub burst: u32,
    /// What becomes of a message that finds none.
    pub over: Over,
}

/// What has a token bucket of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Per {
    /// The rule.
    #[default]
    Rule,
    /// Each peer.
    Peer,
    /// Each calling Global Title or number; in Diameter each Origin-Host.
    CallingGt,
}

/// What becomes of a message beyond a rate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Over {
    /// It is refused without an answer.
    #[default]
    Drop,
    /// It is refused with an answer, where the gateway can give one.
    Reject,
    /// It passes, and an operator is told.
    Alert,
}

/// A built-in check that a rule may switch off.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Check {
    /// Operations and commands that never come from outside.
    Cat1,
    /// Operations and commands that only the subscriber's home network sends.
    Cat2,
    /// What only the network sends where the subscriber is.
    Cat3,
    /// Where a subscriber is to get a short message is asked of the SMS router.
    HomeRouting,
    /// Addresses inside MAP belong to the peer of the calling title.
    XlayerAddr,
    /// A BEGIN has an application context.
    AcMissing,
    /// The application context is known, and has the operation.
    AcOpcode,
    /// A command belongs to its application.
    Command,
    /// Origin-Host lies under Origin-Realm.
    HostRealm,
    /// Visited-PLMN-Id belongs to the peer.
    VplmnRealm,
    /// Detection of impossible speed.
    Velocity,
    /// Detection of messages from where the subscriber is not.
    PrevLocation,
    /// Detection over several requests.
    MultiRequest,
    /// Detection over MAP and Diameter.
    MultiProtocol,
    /// Detection over generations.
    CrossGeneration,
    /// Detection of scans.
    Scan,
    /// Detection of floods.
    Flood,
}

/// What becomes of a message that no rule matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unmatched {
    /// It passes.
    #[default]
    Allow,
    /// It is refused without an answer.
    Drop,
    /// It is refused with an answer, where the gateway can give one.
    Reject,
}

/// What the policy does to messages of a peer that it refuses for what they ask (formats 13.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Screening {
    /// They pass, and are counted.
    Learn,
    /// They pass, and are counted and logged.
    Test,
    /// They are refused.
    #[default]
    Active,
}
