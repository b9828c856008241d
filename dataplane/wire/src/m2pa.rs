//! M2PA (RFC 4165): MTP level 2 between two neighbours over SCTP, the label of the MTP level 3 message in it, and the filler that
//! replaces a refused one.
//!
//! Each User Data message with an MSU in it takes one number of a sequence that the two ends keep, apart from SCTP's: a message
//! that is left out, or that loses its MSU, would end the link as a hole does. So a refused one keeps priority and both numbers,
//! and gets another MSU of the same length ([`emit_filler`]): network management with heading code 0, which Q.704 leaves spare.

use crate::addr::PointCode;
use crate::cursor::Reader;
use crate::{Reason, Refusal};

/// SCTP payload protocol identifier of M2PA (RFC 4165 §6.1).
pub const PPID: u32 = 5;
/// Octets of the common header, and with the M2PA header behind it (RFC 4165 §2.1, §2.2).
pub const COMMON_LEN: usize = 8;
/// Octets in front of the body.
pub const HEADER_LEN: usize = 16;
/// The longest MSU: service information octet and 272 octets of signalling information field (Q.703 §2.2; RFC 4165 §2.3.1).
pub const MAX_MSU: usize = 273;
/// The shortest MSU that level 3 looks at: service information octet, label, heading code (Q.704 §2.2, §15).
pub const MIN_MSU: usize = 6;

/// Octets of a message that [`emit_filler`] looks at: up to the label's end.
pub const FILLER_HEAD: usize = USER_AT;

/// Message class of M2PA.
const CLASS: u8 = 11;
const USER_DATA: u8 = 1;
const LINK_STATUS: u8 = 2;
/// Numbers have 24 bits.
const MAX_NUMBER: u32 = 0xff_ffff;
/// Octets of the routeing label (Q.704 §2.2).
const LABEL_LEN: usize = 4;
/// Where the user part begins: behind header, priority, service information octet and label.
const USER_AT: usize = HEADER_LEN + 2 + LABEL_LEN;
/// Signalling network management (Q.704 §14.2.1), and a heading code that it does not have (Q.704 table 1).
const SI_MANAGEMENT: u8 = 0;
const SPARE_HEADING: u8 = 0;

/// State of a link (RFC 4165 §2.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Status {
    /// Alignment.
    Alignment = 1,
    /// Proving, normal; the only two with filler behind the state.
    ProvingNormal = 2,
    /// Proving, emergency.
    ProvingEmergency = 3,
    /// Ready.
    Ready = 4,
    /// Processor outage.
    ProcessorOutage = 5,
    /// Processor recovered.
    ProcessorRecovered = 6,
    /// Busy.
    Busy = 7,
    /// Busy ended.
    BusyEnded = 8,
    /// Out of service.
    OutOfService = 9,
}

impl Status {
    fn of(number: u32) -> Option<Self> {
        use Status::*;
        let all = [
            Alignment,
            ProvingNormal,
            ProvingEmergency,
            Ready,
            ProcessorOutage,
            ProcessorRecovered,
            Busy,
            BusyEnded,
            OutOfService,
        ];
        all.into_iter().find(|status| *status as u32 == number)
    }
}

/// What a message is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body<'a> {
    /// User data.
    Data {
        /// Priority octet: its two upper bits (RFC 4165 §2.3.1, Japan), as it stands there.
        priority: u8,
        /// The message signal unit, from its service information octet on.
        msu: &'a [u8],
    },
    /// User data without an MSU: it acknowledges, and takes no number.
    Empty,
    /// State of the link; filler behind it is passed over.
    Status(Status),
}

/// One M2PA message whose structure is proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// Backward sequence number: the last that came, 24 bits.
    pub bsn: u32,
    /// Forward sequence number: that of this message, or of the last one with an MSU; 24 bits.
    pub fsn: u32,
    /// What it is for.
    pub body: Body<'a>,
}

impl<'a> Message<'a> {
    /// Reads one message.
    ///
    /// * `user`: one whole SCTP user message
    /// # Errors
    /// [`Reason::M2paForm`]: not version 1, class 11 and one of its two types; a length that is not that of `user`; spare octets
    /// that are not zero; an MSU longer than [`MAX_MSU`]; no state of a link, or octets behind one that has none.
    pub fn parse(user: &'a [u8]) -> Result<Self, Refusal> {
        let bad = |at: usize| Reason::M2paForm.at(at);
        let mut reader = Reader::new(user);
        let &[version, spare, class, kind, l0, l1, l2, l3] = reader.array().ok_or(bad(user.len()))?;
        if version != 1 {
            return Err(bad(0));
        }
        if spare != 0 {
            return Err(bad(1));
        }
        if class != CLASS {
            return Err(bad(2));
        }
        if usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])) != Ok(user.len()) {
            return Err(bad(4));
        }
        let (bsn, fsn) = (reader.be32().ok_or(bad(user.len()))?, reader.be32().ok_or(bad(user.len()))?);
        if bsn > MAX_NUMBER {
            return Err(bad(8));
        }
        if fsn > MAX_NUMBER {
            return Err(bad(12));
        }
        let body = match kind {
            USER_DATA => match reader.rest().split_first() {
                None => Body::Empty,
                // A priority alone: some would count it as a message, some not.
                Some((_, msu)) if msu.is_empty() || msu.len() > MAX_MSU => return Err(bad(HEADER_LEN)),
                Some((&priority, msu)) => Body::Data { priority, msu },
            },
            LINK_STATUS => {
                let status = reader.be32().and_then(Status::of).ok_or(bad(HEADER_LEN))?;
                let proving = matches!(status, Status::ProvingNormal | Status::ProvingEmergency);
                if !reader.is_empty() && !proving {
                    return Err(bad(reader.at()));
                }
                Body::Status(status)
            }
            _ => return Err(bad(3)),
        };
        Ok(Self { bsn, fsn, body })
    }

    /// Appends the message; a state goes without filler.
    ///
    /// `false`, and nothing appended, for numbers above 24 bits, and for an MSU that [`Message::parse`] would not read.
    pub fn emit(&self, out: &mut Vec<u8>) -> bool {
        let (kind, len) = match self.body {
            Body::Data { msu, .. } if msu.is_empty() || msu.len() > MAX_MSU => return false,
            Body::Data { msu, .. } => (USER_DATA, 1 + msu.len()),
            Body::Empty => (USER_DATA, 0),
            Body::Status(_) => (LINK_STATUS, 4),
        };
        if self.bsn > MAX_NUMBER || self.fsn > MAX_NUMBER {
            return false;
        }
        out.extend_from_slice(&[1, 0, CLASS, kind]);
        out.extend_from_slice(&((HEADER_LEN + len) as u32).to_be_bytes());
        out.extend_from_slice(&self.bsn.to_be_bytes());
        out.extend_from_slice(&self.fsn.to_be_bytes());
        match self.body {
            Body::Data { priority, msu } => {
                out.push(priority);
                out.extend_from_slice(msu);
            }
            Body::Empty => {}
            Body::Status(status) => out.extend_from_slice(&(status as u32).to_be_bytes()),
        }
        true
    }
}

/// The label of a message of MTP level 3 with ITU-T point codes (Q.704 §2.2, §14.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Msu<'a> {
    /// Service indicator: 0 network management, 3 SCCP, 5 ISUP.
    pub si: u8,
    /// Network indicator: 0 international, 1 spare, 2 national, 3 reserved.
    pub ni: u8,
    /// The two bits between both, a priority in some networks.
    pub spare: u8,
    /// Destination point code, 14 bits.
    pub dpc: PointCode,
    /// Originating point code, 14 bits.
    pub opc: PointCode,
    /// Signalling link selection, 4 bits; of network management the signalling link code.
    pub sls: u8,
    /// What is behind the label.
    pub user: &'a [u8],
}

impl<'a> Msu<'a> {
    /// Reads service information octet and label.
    ///
    /// # Errors
    /// [`Reason::M2paForm`] if nothing follows them; `at` counts from the service information octet.
    pub fn parse(msu: &'a [u8]) -> Result<Self, Refusal> {
        let cut = Reason::M2paForm.at(msu.len());
        let (&[sio, a, b, c, d], user) = msu.split_first_chunk().ok_or(cut)?;
        if user.is_empty() {
            return Err(cut);
        }
        let label = u32::from_le_bytes([a, b, c, d]);
        Ok(Self {
            si: sio & 0x0f,
            ni: sio >> 6,
            spare: sio >> 4 & 3,
            dpc: PointCode(label & 0x3fff),
            opc: PointCode(label >> 14 & 0x3fff),
            sls: (label >> 28) as u8,
            user,
        })
    }

    /// Appends the MSU; `false`, and nothing appended, for values that have more bits than their places, and for more octets than
    /// an MSU has.
    pub fn emit(&self, out: &mut Vec<u8>) -> bool {
        let fits = self.si < 16 && self.ni < 4 && self.spare < 4 && self.sls < 16;
        let codes = self.dpc.0 < 1 << 14 && self.opc.0 < 1 << 14;
        if !fits || !codes || self.user.is_empty() || self.user.len() > MAX_MSU - 1 - LABEL_LEN {
            return false;
        }
        out.push(self.si | self.spare << 4 | self.ni << 6);
        out.extend_from_slice(&(self.dpc.0 | self.opc.0 << 14 | u32::from(self.sls) << 28).to_le_bytes());
        out.extend_from_slice(self.user);
        true
    }
}

/// Appends the message with another user part behind the label; header, numbers, priority and label stay as they came.
///
/// `false`, and nothing appended, if `original` has no label, or the MSU would be longer than [`MAX_MSU`].
pub fn rebuild(original: &[u8], user: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(&[version, spare, class, kind, _, _, _, _, ref kept @ ..]) = original.first_chunk::<USER_AT>() else {
        return false;
    };
    if Message::parse(original).is_err() || user.is_empty() || 1 + LABEL_LEN + user.len() > MAX_MSU {
        return false;
    }
    out.extend_from_slice(&[version, spare, class, kind]);
    out.extend_from_slice(&((USER_AT + user.len()) as u32).to_be_bytes());
    out.extend_from_slice(kept);
    out.extend_from_slice(user);
    true
}

/// Appends what takes the place of a refused message with an MSU: the same priority, the same numbers, and an MSU of the same
/// length, at least [`MIN_MSU`]. `false`, and nothing appended, of any other message: those pass or are no M2PA at all.
///
/// * `head`: the first octets of the message, [`FILLER_HEAD`] or all that it has; `len`: octets of all of it. It need not be one
///   that [`Message::parse`] reads, as long as a receiver could take its numbers for those of an MSU.
///
/// What its receiver does with it: level 2 counts and acknowledges it as any MSU, so the link stays in step. Level 3 sees the same
/// network indicator and label as in the refused one, which leads to the same place, and there service indicator 0 with heading code
/// H0 = H1 = 0. No message of signalling network management has that code (Q.704 table 1), so there is no procedure to start and
/// nobody to answer: it is thrown away as an unrecognised message (Q.701 §7). What would be answered or acted upon is not used: a
/// test message (SLTM) gets an SLTA, a user part that is not there a UPU, SCCP connection messages an error; a destination
/// that cannot be reached gets a TFP.
///
/// Where the MSU is too short for a label, the label is zero: level 3 has no such destination.
pub fn emit_filler(head: &[u8], len: usize, out: &mut Vec<u8>) -> bool {
    let Some((&[1, _, CLASS, USER_DATA, _, _, _, _, 0, b0, b1, b2, 0, f0, f1, f2], body)) = head.split_first_chunk()
    else {
        return false;
    };
    let Some((&priority, msu)) = body.split_first() else { return false };
    let msu_len = len.saturating_sub(HEADER_LEN + 1).max(MIN_MSU);
    let label = msu.first_chunk::<{ 1 + LABEL_LEN }>().copied().unwrap_or_default();
    let [sio, label @ ..] = label;
    let start = out.len();
    let len = HEADER_LEN + 1 + msu_len;
    out.extend_from_slice(&[1, 0, CLASS, USER_DATA]);
    out.extend_from_slice(&(len as u32).to_be_bytes());
    out.extend_from_slice(&[0, b0, b1, b2, 0, f0, f1, f2, priority, sio & 0xf0 | SI_MANAGEMENT]);
    out.extend_from_slice(&label);
    out.push(SPARE_HEADING);
    out.resize(start + len, 0);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// User data with an ISUP message; tshark 4.0.17 reads the same fields.
    const DATA: [u8; 26] =
        [1, 0, 11, 1, 0, 0, 0, 0x1a, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0x85, 0xa6, 0x3c, 0xea, 0xdd, 0x02, 0x00, 0x10, 0x00];
    /// Link Status Ready (RFC 4165 §2.3.2), before anything was numbered.
    const READY: [u8; 20] = [1, 0, 11, 2, 0, 0, 0, 20, 0, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0, 0, 0, 4];

    #[test]
    fn messages_read_field_by_field_and_write_back() {
        let data = Message::parse(&DATA).expect("sound");
        let Body::Data { priority, msu } = data.body else { panic!("{data:?}") };
        assert_eq!((data.bsn, data.fsn, priority), (2, 3, 0));
        let label = Msu::parse(msu).expect("sound");
        assert_eq!((label.si, label.ni, label.spare, label.sls), (5, 2, 0, 13));
        assert_eq!((label.opc, label.dpc, label.user), (PointCode(14248), PointCode(15526), &[2, 0, 0x10, 0][..]));
        let mut out = Vec::new();
        assert!(label.emit(&mut out) && out == msu);
        let ready = Message::parse(&READY).expect("sound");
        assert_eq!((ready.bsn, ready.fsn, ready.body), (0xff_ffff, 0xff_ffff, Body::Status(Status::Ready)));
        let empty = Message { body: Body::Empty, ..data };
        for (message, octets) in [(data, &DATA[..]), (ready, &READY[..]), (empty, &[])] {
            let mut out = Vec::new();
            assert!(message.emit(&mut out));
            assert!(octets.is_empty() || out == octets);
            assert_eq!(Message::parse(&out), Ok(message));
        }
    }

    #[test]
    fn each_check_is_earned_by_one_octet() {
        for (octets, at, octet, want) in [
            (&DATA[..], 0, 2, 0),
            (&DATA, 1, 1, 1),
            (&DATA, 2, 1, 2),
            (&DATA, 3, 3, 3),
            (&DATA, 7, 0x19, 4),
            (&DATA, 7, 0x1b, 4),
            (&DATA, 8, 1, 8),
            (&DATA, 12, 1, 12),
            (&READY, 19, 0, 16),
            (&READY, 19, 10, 16),
            (&READY, 18, 1, 16),
        ] {
            let mut bad = octets.to_vec();
            bad[at] = octet;
            assert_eq!(Message::parse(&bad), Err(Reason::M2paForm.at(want)), "octet {at} set to {octet}");
        }
        let resized = |octets: &[u8], len: usize| {
            let mut out = octets.to_vec();
            out.resize(len, 0);
            out[4..8].copy_from_slice(&(len as u32).to_be_bytes());
            Message::parse(&out).map(|_| ())
        };
        assert_eq!(resized(&DATA, 17), Err(Reason::M2paForm.at(16)), "a priority alone");
        assert_eq!((resized(&DATA, 16), resized(&DATA, 18)), (Ok(()), Ok(())));
        assert_eq!(
            (resized(&DATA, 17 + MAX_MSU), resized(&DATA, 18 + MAX_MSU)),
            (Ok(()), Err(Reason::M2paForm.at(16)))
        );
        assert_eq!(resized(&READY, 24), Err(Reason::M2paForm.at(20)), "filler where none is");
        assert_eq!(resized(&READY, 19), Err(Reason::M2paForm.at(16)));
        let proving = {
            let mut octets = READY;
            octets[19] = 2;
            octets
        };
        assert_eq!(resized(&proving, 100), Ok(()), "filler of proving (RFC 4165 §2.3.2)");
        assert_eq!(Msu::parse(&[0x83, 1, 2, 3, 4]), Err(Reason::M2paForm.at(5)));
    }

    #[test]
    fn a_filler_keeps_what_the_link_counts() {
        for msu in
            [&[0x83, 0xa6, 0x3c, 0xea, 0x8d, 9, 0, 3, 14, 25, 11][..], &[0x83; 273], &[0xb5, 1], &[0xff, 1, 2, 3, 4]]
        {
            let (mut refused, mut out) = (Vec::new(), Vec::new());
            let data = Message { bsn: 7, fsn: 0xff_ffff, body: Body::Data { priority: 0x40, msu } };
            assert!(data.emit(&mut refused));
            assert!(emit_filler(&refused, refused.len(), &mut out));
            let head = &refused[..refused.len().min(FILLER_HEAD)];
            let mut same = Vec::new();
            assert!(emit_filler(head, refused.len(), &mut same) && same == out);
            let read = Message::parse(&out).expect("sound");
            let Body::Data { priority, msu: filler } = read.body else { panic!("{read:?}") };
            assert_eq!((read.bsn, read.fsn, priority), (7, 0xff_ffff, 0x40));
            assert_eq!(filler.len(), msu.len().max(MIN_MSU));
            let label = Msu::parse(filler).expect("a label");
            assert_eq!((label.si, label.user[0]), (0, 0));
            if let Ok(old) = Msu::parse(msu) {
                assert_eq!((label.ni, label.opc, label.dpc, label.sls), (old.ni, old.opc, old.dpc, old.sls));
            }
            assert!(label.user.iter().all(|octet| *octet == 0));
        }
        let mut out = Vec::new();
        assert!(!emit_filler(&READY, READY.len(), &mut out) && out.is_empty());
        // Not one that is read, and still somebody's number.
        let mut bad = DATA;
        bad[7] += 1;
        assert!(emit_filler(&bad, bad.len(), &mut out));
        assert_eq!(Message::parse(&out).map(|message| (message.bsn, message.fsn)), Ok((2, 3)));
        for (at, octet) in [(0, 2), (2, 3), (3, 3), (8, 1), (12, 1)] {
            let mut bad = DATA;
            bad[at] = octet;
            assert!(!emit_filler(&bad, bad.len(), &mut out), "octet {at}");
        }
        assert!(!emit_filler(&DATA[..16], 16, &mut out), "no MSU");
    }

    #[test]
    fn another_user_part_changes_nothing_else() {
        let mut out = vec![7];
        assert!(rebuild(&DATA, b"another", &mut out));
        let (old, new) = (Message::parse(&DATA).expect("sound"), Message::parse(&out[1..]).expect("sound"));
        let (Body::Data { priority, msu }, Body::Data { priority: kept, msu: made }) = (old.body, new.body) else {
            panic!("{new:?}")
        };
        assert_eq!((new.bsn, new.fsn, kept), (old.bsn, old.fsn, priority));
        assert_eq!(Msu::parse(made), Msu::parse(msu).map(|label| Msu { user: b"another", ..label }));
        let longest = [0; MAX_MSU - 5];
        assert!(rebuild(&DATA, &longest, &mut out));
        out.truncate(1);
        assert!(!rebuild(&DATA, &[0; MAX_MSU - 4], &mut out) && !rebuild(&DATA, b"", &mut out));
        assert!(!rebuild(&READY, b"user", &mut out) && !rebuild(&DATA[..25], b"user", &mut out));
        assert_eq!(out, [7]);
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in vec(any::<u8>(), 0..64)) {
            fuzzing::sigtran::m2pa(&octets);
        }

        #[test]
        fn nor_do_messages_nearly_right(status in any::<bool>(), at in 0..20_usize, octet in any::<u8>()) {
            let mut octets = if status { READY.to_vec() } else { DATA.to_vec() };
            octets[at] = octet;
            fuzzing::sigtran::m2pa(&octets);
        }
    }
}
