//! Whole frames for tests, demo traffic and load: Ethernet, IP and SCTP around chunks that the caller writes.
//!
//! Not on the packet path, which rewrites frames it received.

use core::net::IpAddr;

use crate::cursor::emit_param;
use crate::sctp::{self, ChunkKind, Header};
use crate::{eth, ip, m3ua};

/// One direction of one path of an association.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Path {
    /// From, on the Ethernet.
    pub source_mac: [u8; 6],
    /// To, on the Ethernet.
    pub destination_mac: [u8; 6],
    /// Tag control information of an 802.1Q tag.
    pub vlan: Option<u16>,
    /// From. Of the same IP version as `destination`.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// From.
    pub source_port: u16,
    /// To.
    pub destination_port: u16,
    /// Verification tag of this direction.
    pub vtag: u32,
}

impl Path {
    /// The other direction, where packets carry `vtag`.
    pub const fn reversed(&self, vtag: u32) -> Self {
        Self {
            source_mac: self.destination_mac,
            destination_mac: self.source_mac,
            vlan: self.vlan,
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            vtag,
        }
    }

    /// Appends one frame, filled up to the least length of Ethernet, with all lengths and checksums right.
    ///
    /// * `identification`: of the IPv4 header
    /// * `chunks`: appends the chunks, each with its padding
    ///
    /// `false`, and nothing appended, if the two addresses are of different versions or the packet would pass 65535
    /// octets.
    pub fn emit(&self, identification: u16, chunks: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let built = self.try_emit(identification, chunks, out).is_some();
        if !built {
            out.truncate(start);
        }
        built
    }

    fn try_emit(&self, identification: u16, chunks: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) -> Option<()> {
        let start = out.len();
        let ethertype = if self.source.is_ipv4() { eth::IPV4 } else { eth::IPV6 };
        eth::emit_header(self.destination_mac, self.source_mac, self.vlan.as_slice(), ethertype, out);
        let ip_at = out.len();
        match (self.source, self.destination) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ip::emit_v4(from, to, ip::SCTP, 0, identification, out),
            (IpAddr::V6(from), IpAddr::V6(to)) => ip::emit_v6(from, to, ip::SCTP, 0, out),
            _ => return None,
        };
        let sctp_at = out.len();
        let &Self { source_port, destination_port, vtag, .. } = self;
        sctp::emit_header(&Header { source_port, destination_port, vtag, checksum: 0 }, out);
        chunks(out);
        let packet = out.get_mut(sctp_at..)?;
        let crc = sctp::packet_crc32c(packet);
        let payload_len = packet.len();
        let done = sctp::seal(packet, crc) && ip::set_lengths(out.get_mut(ip_at..)?, payload_len);
        out.resize(out.len().max(start + eth::MIN_LEN), 0);
        done.then_some(())
    }

    /// Appends one frame with one DATA chunk that holds a whole M3UA message.
    ///
    /// `false`, and nothing appended, if the user part does not fit.
    pub fn emit_m3ua(&self, message: &m3ua::Data<'_>, tsn: u32, stream: u16, ssn: u16, out: &mut Vec<u8>) -> bool {
        let mut user = Vec::with_capacity(message.user.len() + 64);
        let mut fits = message.emit(&mut user);
        let data = sctp::Data {
            begin: true,
            end: true,
            unordered: false,
            immediate: false,
            tsn,
            stream,
            ssn,
            ppid: m3ua::PPID,
            user: &user,
        };
        let start = out.len();
        fits = self.emit(1, |chunks| fits = fits && sctp::emit_data(&data, chunks), out) && fits;
        if !fits {
            out.truncate(start);
        }
        fits
    }
}

/// Appends an INIT or INIT ACK chunk: window 128 KiB, 10 streams each way; an INIT ACK has a state cookie.
///
/// * `forward_tsn`: offers FORWARD TSN (RFC 3758)
pub fn emit_init(kind: ChunkKind, initiate_tag: u32, initial_tsn: u32, forward_tsn: bool, out: &mut Vec<u8>) {
    const STATE_COOKIE: u16 = 7;
    const FORWARD_TSN_SUPPORTED: u16 = 0xc000;
    let mut params = Vec::new();
    if kind == ChunkKind::INIT_ACK {
        emit_param(STATE_COOKIE, b"cookie", &mut params);
    }
    if forward_tsn {
        emit_param(FORWARD_TSN_SUPPORTED, &[], &mut params);
    }
    let (tag, tsn) = (initiate_tag.to_be_bytes(), initial_tsn.to_be_bytes());
    let window_and_streams = [0, 2, 0, 0, 0, 10, 0, 10];
    sctp::emit_chunk(kind, 0, &[&tag, &window_and_streams, &tsn, &params], out);
}

/// Appends a SACK chunk without gaps: window 128 KiB.
pub fn emit_sack(cumulative_tsn: u32, out: &mut Vec<u8>) {
    sctp::emit_chunk(ChunkKind::SACK, 0, &[&cumulative_tsn.to_be_bytes(), &[0, 2, 0, 0, 0, 0, 0, 0]], out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::PointCode;
    use crate::sctp::{Init, Packet, Sack};

    const PATH: Path = Path {
        source_mac: [2; 6],
        destination_mac: [4; 6],
        vlan: None,
        source: IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 10)),
        destination: IpAddr::V4(core::net::Ipv4Addr::new(198, 51, 100, 10)),
        source_port: 2905,
        destination_port: 2906,
        vtag: 7,
    };
    const MESSAGE: m3ua::Data<'_> = m3ua::Data {
        network_appearance: None,
        routing_context: Some(1),
        correlation: None,
        opc: PointCode(1),
        dpc: PointCode(2),
        si: 3,
        ni: 0,
        mp: 0,
        sls: 0,
        user: b"user part",
    };

    #[test]
    fn what_is_built_reads_layer_by_layer() -> Result<(), crate::Refusal> {
        let v6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into();
        let six = Path { source: IpAddr::V6(v6), destination: IpAddr::V6(v6), vlan: Some(100), ..PATH };
        for path in [PATH, six, PATH.reversed(9)] {
            let mut out = Vec::new();
            assert!(path.emit_m3ua(&MESSAGE, 1000, 1, 5, &mut out));
            let frame = eth::Frame::parse(&out)?;
            assert_eq!(frame.vlans, u8::from(path.vlan.is_some()));
            let packet = ip::Packet::parse(frame.ethertype, frame.payload)?.unwrap();
            assert_eq!((packet.source, packet.destination), (path.source, path.destination));
            let sctp = Packet::parse(packet.payload)?;
            assert_eq!(sctp.checksum, sctp::packet_crc32c(packet.payload));
            assert_eq!((sctp.source_port, sctp.vtag), (path.source_port, path.vtag));
            let data = sctp::Data::parse(&sctp.chunks().next().unwrap())?;
            assert_eq!((data.tsn, data.stream, data.ssn, data.is_whole()), (1000, 1, 5, true));
            assert_eq!(m3ua::View::new(data.user).and_then(m3ua::Data::parse), Ok(MESSAGE));
        }
        Ok(())
    }

    #[test]
    fn control_chunks_read_back() -> Result<(), crate::Refusal> {
        let mut out = Vec::new();
        sctp::emit_header(&Header::default(), &mut out);
        emit_init(ChunkKind::INIT, 7, 1000, true, &mut out);
        emit_init(ChunkKind::INIT_ACK, 9, 2000, false, &mut out);
        emit_sack(999, &mut out);
        let packet = Packet::parse(&out)?;
        let mut chunks = packet.chunks();
        for (tag, tsn, forward_tsn) in [(7, 1000, true), (9, 2000, false)] {
            let init = Init::parse(&chunks.next().unwrap())?;
            assert_eq!((init.initiate_tag, init.initial_tsn, init.forward_tsn), (tag, tsn, forward_tsn));
        }
        assert_eq!(Sack::parse(&chunks.next().unwrap())?.cumulative_tsn, 999);
        Ok(())
    }

    #[test]
    fn what_cannot_be_is_not_built() {
        let mut out = vec![7];
        let mixed = Path { destination: IpAddr::V6(core::net::Ipv6Addr::LOCALHOST), ..PATH };
        assert!(!mixed.emit_m3ua(&MESSAGE, 0, 0, 0, &mut out));
        let long = vec![0; m3ua::MAX_USER + 1];
        assert!(!PATH.emit_m3ua(&m3ua::Data { user: &long, ..MESSAGE }, 0, 0, 0, &mut out));
        let longer_than_a_chunk = &long[1..];
        assert!(!PATH.emit_m3ua(&m3ua::Data { user: longer_than_a_chunk, ..MESSAGE }, 0, 0, 0, &mut out));
        assert!(!PATH.emit(1, |chunks| chunks.resize(chunks.len() + 65536, 0), &mut out));
        assert_eq!(out, [7]);
        assert!(PATH.emit(1, |_| {}, &mut out));
        assert_eq!(out.len(), 1 + eth::MIN_LEN);
    }
}
