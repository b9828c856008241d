//! Verification tags of one association: learned from its handshake, or adopted from running traffic.
//!
//! A gateway that was restarted never saw the handshake. It adopts the tag it meets, and takes it for proven only when
//! the other host acknowledges data sent under it: until then another tag may replace it, so a forged packet in the
//! first moment cannot lock the real one out.

use sealgate_wire::Reason;

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Direction {
    /// From interconnect to our own network: verified.
    In = 0,
    /// From our own network to interconnect: signed.
    Out = 1,
}

impl Direction {
    /// The other way.
    pub const fn opposite(self) -> Self {
        match self {
            Direction::In => Direction::Out,
            Direction::Out => Direction::In,
        }
    }
}

/// What a packet's chunks say about the association, as far as tags go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Signs {
    /// INIT: the tag that packets to its sender must carry, and whether it offers FORWARD TSN (RFC 3758).
    pub init: Option<(u32, bool)>,
    /// The same of an INIT ACK.
    pub init_ack: Option<(u32, bool)>,
    /// COOKIE ECHO is there.
    pub cookie_echo: bool,
    /// ABORT or SHUTDOWN COMPLETE is there, with its T bit: the tag is then the sender's own (RFC 9260 §8.5.1).
    pub end: Option<bool>,
    /// First TSN of the packet's DATA.
    pub first_tsn: Option<u32>,
    /// Cumulative TSN of a SACK.
    pub acked: Option<u32>,
}

/// What a good packet did to the association.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing.
    None,
    /// It was set up anew: what is remembered of the old one must go.
    Fresh,
    /// It ended.
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tag {
    Unknown,
    /// Seen on running traffic; proven when this TSN is acknowledged.
    Adopted {
        tag: u32,
        tsn: Option<u32>,
    },
    Firm(u32),
}

/// A handshake half done: the tags that packets must carry if it completes.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    tags: [u32; 2],
    forward_tsn: bool,
}

/// Verification tags of both directions.
#[derive(Clone, Debug)]
pub struct Tags {
    tags: [Tag; 2],
    /// What the operator set for inbound packets.
    configured: Option<u32>,
    /// The last INITs by the direction they went, newest first: tag and offer of FORWARD TSN. A forged INIT must not
    /// push out the real one at once.
    inits: [[Option<(u32, bool)>; 8]; 2],
    /// The last handshakes by the direction of their INIT ACK, newest first.
    candidates: [[Option<Candidate>; 4]; 2],
    forward_tsn: bool,
    adopt: bool,
    /// The handshake was seen, or adopted traffic was acknowledged.
    proven: bool,
}

/// How far an acknowledgement may be ahead of the first data seen under a tag and still prove it.
const ACK_REACH: u32 = 4096;

/// INIT and all that must be alone in its packet carries tag zero (RFC 9260 §8.5.1).
const INIT_TAG: u32 = 0;

impl Tags {
    /// * `configured`: the tag of inbound packets, where the operator set it
    /// * `adopt`: whether running associations are taken over
    pub fn new(configured: Option<u32>, adopt: bool) -> Self {
        let inbound = configured.map_or(Tag::Unknown, Tag::Firm);
        Self {
            tags: [inbound, Tag::Unknown],
            configured,
            inits: [[None; 8]; 2],
            candidates: [[None; 4]; 2],
            forward_tsn: false,
            adopt,
            proven: false,
        }
    }

    /// Whether both ends offered FORWARD TSN.
    pub fn forward_tsn(&self) -> bool {
        self.forward_tsn
    }

    /// Whether the association is proven: its handshake was seen, or adopted traffic was acknowledged.
    pub fn is_proven(&self) -> bool {
        self.proven
    }

    /// Whether a tag is certainly not the association's. Learns nothing.
    pub fn contradicts(&self, way: Direction, vtag: u32) -> bool {
        matches!(self.tags[way as usize], Tag::Firm(tag) if tag != vtag)
    }

    /// Judges a packet's tag and learns from its chunks.
    ///
    /// # Errors
    /// [`Reason::SctpVtag`]: not the tag of the association; [`Reason::SctpAssocUnknown`]: running traffic of an
    /// association whose handshake was never seen, where adoption is off.
    pub fn judge(&mut self, way: Direction, vtag: u32, signs: &Signs) -> Result<Effect, Reason> {
        let (here, back) = (way as usize, way.opposite() as usize);
        if let Some(init) = signs.init {
            if vtag != INIT_TAG {
                return Err(Reason::SctpVtag);
            }
            if !self.inits[here].contains(&Some(init)) {
                self.inits[here].rotate_right(1);
                self.inits[here][0] = Some(init);
            }
            return Ok(Effect::None);
        }
        if let Some((initiate_tag, forward_tsn)) = signs.init_ack {
            // It carries the tag of the INIT that it answers: who has not seen that INIT cannot forge it.
            let offered = self.inits[back].iter().flatten().find(|(tag, _)| *tag == vtag);
            let Some(&(_, offered)) = offered else { return Err(Reason::SctpVtag) };
            let mut tags = [0; 2];
            tags[here] = vtag;
            tags[back] = initiate_tag;
            let answers = &mut self.candidates[here];
            answers.rotate_right(1);
            answers[0] = Some(Candidate { tags, forward_tsn: forward_tsn && offered });
            return Ok(Effect::None);
        }
        // The COOKIE ECHO goes against the INIT ACK, from the one who can know the tag in it.
        let echoed = self.candidates[back].iter().flatten().find(|candidate| candidate.tags[here] == vtag);
        if signs.cookie_echo
            && let Some(candidate) = echoed
        {
            self.tags = candidate.tags.map(Tag::Firm);
            self.forward_tsn = candidate.forward_tsn;
            (self.inits, self.candidates) = ([[None; 8]; 2], [[None; 4]; 2]);
            self.proven = true;
            return Ok(Effect::Fresh);
        }
        let owner = if signs.end == Some(true) { back } else { here };
        match self.tags[owner] {
            Tag::Firm(tag) if tag == vtag => {}
            Tag::Adopted { tag, .. } if tag == vtag => self.note(here, owner, vtag, signs),
            Tag::Unknown | Tag::Adopted { .. } if self.adopt && vtag != INIT_TAG => {
                if signs.end.is_some() {
                    return Ok(Effect::None); // never adopt from the last packet: a forged one would end what it names
                }
                self.tags[here] = Tag::Adopted { tag: vtag, tsn: signs.first_tsn };
            }
            Tag::Unknown if !self.adopt => {
                let greeted = self.candidates.iter().flatten().flatten().any(|candidate| candidate.tags[owner] == vtag);
                return if greeted { Ok(Effect::None) } else { Err(Reason::SctpAssocUnknown) };
            }
            Tag::Unknown | Tag::Adopted { .. } | Tag::Firm(_) => return Err(Reason::SctpVtag),
        }
        if let (Some(acked), Tag::Adopted { tag, tsn: Some(tsn) }) = (signs.acked, self.tags[back])
            && acked.wrapping_sub(tsn) < ACK_REACH
        {
            self.tags[back] = Tag::Firm(tag);
            self.proven = true;
        }
        if signs.end.is_some() {
            *self = Self { inits: self.inits, ..Self::new(self.configured, self.adopt) };
            return Ok(Effect::Ended);
        }
        Ok(Effect::None)
    }

    /// Remembers the first TSN sent under an adopted tag that came without one.
    fn note(&mut self, here: usize, owner: usize, vtag: u32, signs: &Signs) {
        if here == owner
            && let (Tag::Adopted { tsn: None, .. }, Some(tsn)) = (self.tags[here], signs.first_tsn)
        {
            self.tags[here] = Tag::Adopted { tag: vtag, tsn: Some(tsn) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{In, Out};

    fn data(tsn: u32) -> Signs {
        Signs { first_tsn: Some(tsn), ..Signs::default() }
    }

    fn shake(tags: &mut Tags) {
        // The neighbour (tag 0xa) calls our host (tag 0xb).
        assert_eq!(tags.judge(In, 0, &Signs { init: Some((0xa, true)), ..Signs::default() }), Ok(Effect::None));
        assert_eq!(tags.judge(Out, 0xa, &Signs { init_ack: Some((0xb, true)), ..Signs::default() }), Ok(Effect::None));
        assert_eq!(tags.judge(In, 0xb, &Signs { cookie_echo: true, ..Signs::default() }), Ok(Effect::Fresh));
    }

    #[test]
    fn tags_are_learned_from_the_handshake() {
        let mut tags = Tags::new(None, true);
        shake(&mut tags);
        assert!(tags.forward_tsn() && tags.is_proven());
        assert_eq!(tags.judge(In, 0xb, &data(1)), Ok(Effect::None));
        assert_eq!(tags.judge(Out, 0xa, &data(1)), Ok(Effect::None));
        assert_eq!(tags.judge(In, 0xa, &data(1)), Err(Reason::SctpVtag));
        assert_eq!(tags.judge(Out, 0xb, &data(1)), Err(Reason::SctpVtag));
    }

    #[test]
    fn a_forged_init_changes_nothing_until_its_cookie_comes_back() {
        let mut tags = Tags::new(None, true);
        shake(&mut tags);
        assert_eq!(tags.judge(In, 0, &Signs { init: Some((0xe, false)), ..Signs::default() }), Ok(Effect::None));
        assert_eq!(tags.judge(Out, 0xe, &Signs { init_ack: Some((0xf, true)), ..Signs::default() }), Ok(Effect::None));
        assert_eq!(tags.judge(In, 0xb, &data(2)), Ok(Effect::None));
        assert_eq!(tags.judge(In, 0xc, &Signs { cookie_echo: true, ..Signs::default() }), Err(Reason::SctpVtag));
        assert_eq!(tags.judge(In, 0xf, &Signs { cookie_echo: true, ..Signs::default() }), Ok(Effect::Fresh));
        assert!(!tags.forward_tsn(), "only one end offered it");
        assert_eq!(tags.judge(In, 0xb, &data(3)), Err(Reason::SctpVtag));
    }

    #[test]
    fn one_side_alone_cannot_set_an_association_up_anew() {
        let mut tags = Tags::new(None, true);
        shake(&mut tags);
        let forged = Signs { init_ack: Some((0xf, true)), ..Signs::default() };
        assert_eq!(tags.judge(In, 0xe, &forged), Err(Reason::SctpVtag), "it answers no INIT");
        assert_eq!(tags.judge(Out, 0, &Signs { init: Some((0xc, true)), ..Signs::default() }), Ok(Effect::None));
        assert_eq!(tags.judge(In, 0xc, &forged), Ok(Effect::None), "it could know the tag");
        let echo = Signs { cookie_echo: true, ..Signs::default() };
        assert_eq!(tags.judge(In, 0xc, &echo), Err(Reason::SctpVtag), "but the echo is the other side's");
        assert_eq!(tags.judge(In, 0xb, &data(1)), Ok(Effect::None));
    }

    #[test]
    fn running_traffic_is_adopted_and_proven_by_its_acknowledgement() {
        let mut tags = Tags::new(None, true);
        assert_eq!(tags.judge(In, 0xdead, &data(7)), Ok(Effect::None)); // forged, first
        assert_eq!(tags.judge(In, 0xb, &data(100)), Ok(Effect::None)); // the real one still gets through
        let sack = |acked| Signs { acked: Some(acked), ..Signs::default() };
        assert_eq!(tags.judge(Out, 0xa, &sack(99)), Ok(Effect::None));
        assert!(!tags.is_proven());
        assert_eq!(tags.judge(Out, 0xa, &sack(100)), Ok(Effect::None));
        assert_eq!(tags.judge(In, 0xdead, &data(8)), Err(Reason::SctpVtag));
        assert_eq!(Tags::new(None, false).judge(In, 0xb, &data(1)), Err(Reason::SctpAssocUnknown));
    }

    #[test]
    fn an_end_needs_the_right_tag_or_its_reflection() {
        let end = |reflected| Signs { end: Some(reflected), ..Signs::default() };
        let mut tags = Tags::new(None, true);
        shake(&mut tags);
        assert_eq!(tags.judge(In, 0xa, &end(false)), Err(Reason::SctpVtag));
        assert_eq!(tags.judge(In, 0xb, &end(true)), Err(Reason::SctpVtag));
        assert_eq!(tags.judge(In, 0xa, &end(true)), Ok(Effect::Ended));
        let mut fresh = Tags::new(None, true);
        assert_eq!(fresh.judge(In, 0x1, &end(false)), Ok(Effect::None), "nothing to end, nothing adopted");
        assert!(!fresh.is_proven());
    }

    #[test]
    fn a_configured_tag_holds_from_the_first_packet() {
        let mut tags = Tags::new(Some(0x5ea1_9a7e), true);
        assert_eq!(tags.judge(In, 0x5ea1_9a7e, &data(1000)), Ok(Effect::None));
        assert_eq!(tags.judge(In, 0x5ea1_9a7f, &data(1000)), Err(Reason::SctpVtag));
    }
}
