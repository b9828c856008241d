//! The DESS-Signature AVP, which both Diameter profiles use: its children, and how it is written (formats 6, 7).

use core::time::Duration;

use crate::diameter::{Avp, AvpId, FLAG_VENDOR, MAX_LEN, emit_avp};
use crate::list::List;
use crate::{Reason, Refusal, cursor};

/// The most children that are read: the profiles know five.
const MAX_CHILDREN: usize = 16;
/// Seconds from 1900 to 1970.
const UNIX_EPOCH: u32 = 2_208_988_800;

/// What a signature covers of an AVP: its padding and reserved flags are nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part<'a> {
    /// What it is.
    pub id: AvpId,
    /// Its flags.
    pub flags: u8,
    /// Its data.
    pub data: &'a [u8],
}

impl<'a> From<&Avp<'a>> for Part<'a> {
    fn from(&Avp { id, flags, data, .. }: &Avp<'a>) -> Self {
        Self { id, flags, data }
    }
}

/// The DESS-System-Time: seconds since 1900, modulo 2^32, which end in 2036 and begin again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SystemTime(pub u32);

impl SystemTime {
    /// The stamp of a moment given in milliseconds since 1970.
    pub const fn from_unix_ms(ms: u64) -> Self {
        Self(((ms / 1000) as u32).wrapping_add(UNIX_EPOCH))
    }

    /// Age at `now_ms` in milliseconds, right across the wrap; negative: ahead of our clock.
    pub const fn age_ms(self, now_ms: u64) -> i64 {
        let seconds = Self::from_unix_ms(now_ms).0.wrapping_sub(self.0) as i32;
        seconds as i64 * 1000 + (now_ms % 1000) as i64
    }

    /// The time rule of formats 1.4 in milliseconds against whole seconds; exactly at a limit passes.
    ///
    /// # Errors
    /// [`Reason::SecTimePast`] or [`Reason::SecTimeFuture`].
    pub fn check(self, now_ms: u64, past: Duration, future: Duration) -> Result<(), Reason> {
        let age = self.age_ms(now_ms);
        let within = |limit: Duration| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        if age > within(past) {
            Err(Reason::SecTimePast)
        } else if -age > within(future) {
            Err(Reason::SecTimeFuture)
        } else {
            Ok(())
        }
    }
}

/// The number of DESS-Digital-Signature-Type for an algorithm of the security header: 0 RSA, 1 any over a curve.
pub const fn signature_type(alg: u8) -> u32 {
    match alg {
        3 => 0,
        _ => 1,
    }
}

/// A DESS-Signature whose children are read and each there once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group<'a> {
    children: List<Avp<'a>, MAX_CHILDREN>,
    /// Octet of the message where the group begins.
    at: usize,
}

/// What both profiles want of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim<'a> {
    /// Who says to have signed: a realm or a host.
    pub identity: &'a [u8],
    /// When. Informative in the native profile, whose header has a stamp of its own.
    pub time: SystemTime,
    /// DESS-Digital-Signature-Type, see [`signature_type`].
    pub kind: u32,
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> Group<'a> {
    /// Reads the children.
    ///
    /// # Errors
    /// [`Reason::DiaAvpLength`] for a child that does not end inside of the group; [`Reason::DiaAvpDup`] for one that
    /// comes twice, known or not; [`Reason::SecSyntax`] for more than 16.
    pub fn read(dess: &Avp<'a>) -> Result<Self, Refusal> {
        let mut children = List::<Avp<'a>, MAX_CHILDREN>::new();
        for child in dess.children() {
            let child = child?;
            if children.iter().any(|seen| seen.id == child.id) {
                return Err(Reason::DiaAvpDup.at(child.at));
            }
            if !children.push(child) {
                return Err(Reason::SecSyntax.at(child.at));
            }
        }
        Ok(Self { children, at: dess.at })
    }

    /// True for the native profile, SG-DIA-1: its security header is there. Otherwise the group is DESS, SG-DIA-0.
    pub fn is_native(&self) -> bool {
        self.find(AvpId::SG_SECURITY_HEADER).is_some()
    }

    /// The child of this name.
    pub(super) fn find(&self, id: AvpId) -> Option<&Avp<'a>> {
        self.children.iter().find(|child| child.id == id)
    }

    /// The children in their order, without padding.
    pub fn parts(&self) -> impl Iterator<Item = Part<'a>> + Clone {
        self.children.iter().map(Part::from)
    }

    /// The four children that both profiles want.
    ///
    /// # Errors
    /// [`Reason::SecIdentityMissing`] if one is missing; [`Reason::SecSyntax`] if time or type has not four octets.
    pub fn claim(&self) -> Result<Claim<'a>, Refusal> {
        let get = |id| self.find(id).ok_or(Reason::SecIdentityMissing.at(self.at));
        let signature = get(AvpId::DESS_DIGITAL_SIGNATURE)?;
        let time = get(AvpId::DESS_SYSTEM_TIME)?;
        let identity = get(AvpId::DESS_SIGNING_IDENTITY)?;
        let kind = get(AvpId::DESS_DIGITAL_SIGNATURE_TYPE)?;
        let number = |avp: &Avp<'_>| avp.u32().ok_or(Reason::SecSyntax.at(avp.at));
        Ok(Claim {
            identity: identity.data,
            time: SystemTime(number(time)?),
            kind: number(kind)?,
            signature: signature.data,
        })
    }
}

/// What a signer says in the group beside the signature. Holds the octets of its numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signer<'a> {
    identity: &'a [u8],
    time: [u8; 4],
    kind: [u8; 4],
    header: Option<&'a [u8]>,
}

impl<'a> Signer<'a> {
    /// * `identity`: our realm or host name; `alg`: number of the security header
    /// * `header`: octets of the security header in the native profile, nothing in DESS
    pub fn new(identity: &'a [u8], time: SystemTime, alg: u8, header: Option<&'a [u8]>) -> Self {
        Self { identity, time: time.0.to_be_bytes(), kind: signature_type(alg).to_be_bytes(), header }
    }

    /// The children in the order of SigFW, the header behind them; all with the vendor flag alone.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> + Clone {
        let part = |id, data| Part { id, flags: FLAG_VENDOR, data };
        [
            part(AvpId::DESS_SIGNING_IDENTITY, self.identity),
            part(AvpId::DESS_SYSTEM_TIME, &self.time),
            part(AvpId::DESS_DIGITAL_SIGNATURE_TYPE, &self.kind),
        ]
        .into_iter()
        .chain(self.header.map(|header| part(AvpId::SG_SECURITY_HEADER, header)))
    }

    /// Octets of the whole DESS-Signature with a signature of this length: known before signing.
    pub fn len(&self, signature: usize) -> usize {
        let child = |data: usize| cursor::padded(12 + data);
        12 + child(signature) + self.parts().map(|part| child(part.data.len())).sum::<usize>()
    }

    /// Appends the whole DESS-Signature; its last octets are the signature and what pads it.
    ///
    /// `false`, and nothing appended, if it is longer than any AVP.
    pub fn emit(&self, signature: &[u8], out: &mut Vec<u8>) -> bool {
        let len = self.len(signature.len());
        if len > MAX_LEN {
            return false;
        }
        let start = out.len();
        // Head only: what is inside follows where it belongs.
        emit_avp(AvpId::DESS_SIGNATURE, 0, &[], out);
        for part in self.parts() {
            emit_avp(part.id, part.flags, part.data, out);
        }
        emit_avp(AvpId::DESS_DIGITAL_SIGNATURE, 0, signature, out);
        if let Some(field) = out.get_mut(start + 5..).and_then(|field| field.first_chunk_mut()) {
            let [_, a, b, c] = (len as u32).to_be_bytes();
            *field = [a, b, c];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diameter::Avps;

    /// A group of these children, as a message would hold it at octet 20.
    fn group(children: &[(AvpId, &[u8])]) -> Vec<u8> {
        let (mut inside, mut out) = (Vec::new(), Vec::new());
        children.iter().for_each(|(id, data)| assert!(emit_avp(*id, 0, data, &mut inside)));
        assert!(emit_avp(AvpId::DESS_SIGNATURE, 0, &inside, &mut out));
        out
    }

    fn first(octets: &[u8]) -> Avp<'_> {
        Avps::new(octets, 20).next().expect("one").expect("sound")
    }

    const GOOD: [(AvpId, &[u8]); 4] = [
        (AvpId::DESS_SIGNING_IDENTITY, b"r.example"),
        (AvpId::DESS_SYSTEM_TIME, &[0xee, 0xaa, 0, 1]),
        (AvpId::DESS_DIGITAL_SIGNATURE_TYPE, &[0; 4]),
        (AvpId::DESS_DIGITAL_SIGNATURE, &[7; 9]),
    ];

    #[test]
    fn a_group_reads_and_each_child_counts() -> Result<(), Refusal> {
        let octets = group(&GOOD);
        let read = Group::read(&first(&octets))?;
        let claim = Claim { identity: b"r.example", time: SystemTime(0xeeaa_0001), kind: 0, signature: &[7; 9] };
        assert_eq!((read.claim()?, read.is_native(), read.parts().count()), (claim, false, 4));
        for missing in 0..4 {
            let mut children = GOOD.to_vec();
            children.remove(missing);
            let octets = group(&children);
            assert_eq!(Group::read(&first(&octets))?.claim(), Err(Reason::SecIdentityMissing.at(20)), "{missing}");
        }
        for short in [1, 2] {
            let mut children = GOOD;
            children[short].1 = &[0, 0, 0];
            let octets = group(&children);
            let want = Reason::SecSyntax.at(if short == 1 { 56 } else { 72 });
            assert_eq!(Group::read(&first(&octets))?.claim(), Err(want), "{short}");
        }
        Ok(())
    }

    #[test]
    fn children_are_unique_bounded_and_inside() {
        let unknown = AvpId::new(5, 5);
        let octets = group(&[GOOD[0], (unknown, b""), (AvpId::new(0, 5), b""), (unknown, b"x")]);
        assert_eq!(Group::read(&first(&octets)), Err(Reason::DiaAvpDup.at(20 + 12 + 24 + 12 + 8)));
        let many: Vec<_> = (0..17).map(|code| (AvpId::new(5, code), &b""[..])).collect();
        assert!(Group::read(&first(&group(&many[..16]))).is_ok());
        assert_eq!(Group::read(&first(&group(&many))), Err(Reason::SecSyntax.at(20 + 12 + 16 * 12)));
        let mut octets = group(&GOOD);
        octets[12 + 7] = 11; // length of the first child, below its header
        assert_eq!(Group::read(&first(&octets)), Err(Reason::DiaAvpLength.at(20 + 12 + 5)));
    }

    #[test]
    fn what_a_signer_writes_is_what_was_read() -> Result<(), Refusal> {
        let signer = Signer::new(b"r.example", SystemTime(0xeeaa_0001), 3, None);
        let mut out = Vec::new();
        assert!(signer.emit(&[7; 9], &mut out));
        assert_eq!(out, group(&GOOD));
        assert_eq!(out.len(), signer.len(9));
        assert!(Group::read(&first(&out))?.parts().take(3).eq(signer.parts()));
        assert!(!signer.emit(&vec![0; MAX_LEN], &mut out) && out.len() == signer.len(9));
        for (alg, kind) in [(1, 1), (2, 1), (3, 0), (4, 1)] {
            assert_eq!(signature_type(alg), kind);
        }
        Ok(())
    }

    #[test]
    fn age_counts_milliseconds_and_survives_the_wrap() {
        let now = 1_795_000_000_250;
        let signed = SystemTime::from_unix_ms(now);
        assert_eq!((signed.0, signed.age_ms(now)), (4_003_988_800, 250));
        let wrap_ms = ((1_u64 << 32) - u64::from(UNIX_EPOCH)) * 1000; // 2036
        assert_eq!(SystemTime(0).age_ms(wrap_ms), 0);
        assert_eq!(SystemTime(u32::MAX).age_ms(wrap_ms + 5), 1005);
        assert_eq!(SystemTime(2).age_ms(wrap_ms), -2000);
        let limit = Duration::from_secs(30);
        let check = |seconds: i64| SystemTime((4_003_988_800 + seconds) as u32).check(now - 250, limit, limit);
        assert_eq!((check(-30), check(30)), (Ok(()), Ok(())));
        assert_eq!((check(-31), check(31)), (Err(Reason::SecTimePast), Err(Reason::SecTimeFuture)));
        let late = SystemTime(4_003_988_800 - 30).check(now, limit, limit);
        assert_eq!(late, Err(Reason::SecTimePast), "30.25 s");
    }
}
