//! Every frame of the shared vectors, through Ethernet, IP, SCTP and M3UA: refused here exactly where the vector says
//! so, and the frames that the vectors expect back are built from the same parts.

mod vectors;

use sealgate_wire::frame_builder::Path;
use sealgate_wire::reason::{Reason, Refusal};
use sealgate_wire::{eth, ip, m3ua, sctp};
use vectors::hex;

/// One frame of a vector.
struct Frame {
    id: String,
    octets: Vec<u8>,
    reason: Reason,
    out: Option<Vec<u8>>,
}

fn frames() -> Vec<Frame> {
    let mut frames = Vec::new();
    for name in ["transport", "tcap_native", "tcap_policy", "tcap_sigfw", "isup", "diameter_native", "diameter_dess"] {
        frames.extend(vectors::frames(&vectors::file(name)).map(|(vector, frame)| Frame {
            id: vector["id"].as_str().unwrap_or_default().to_owned(),
            octets: hex(frame["frame_hex"].as_str().unwrap_or_default()),
            reason: vectors::reason(frame),
            out: frame["out_frame_hex"].as_str().map(hex),
        }));
    }
    assert!(frames.len() > 100, "{} frames", frames.len());
    frames
}

/// The layers under SCTP; `None` for what is not SCTP.
fn sctp_of(frame: &[u8]) -> Result<Option<(eth::Frame<'_>, ip::Packet<'_>)>, Refusal> {
    let frame = eth::Frame::parse(frame)?;
    let packet = ip::Packet::parse(frame.ethertype, frame.payload)?;
    Ok(packet.filter(|packet| packet.protocol == ip::SCTP).map(|packet| (frame, packet)))
}

/// Every check of these layers, in the order of formats 2.
fn check(frame: &[u8]) -> Result<(), Refusal> {
    let Some((_, packet)) = sctp_of(frame)? else { return Ok(()) };
    let header = sctp::Header::parse(packet.payload)?;
    if header.checksum != sctp::packet_crc32c(packet.payload) {
        return Err(Reason::SctpCrc32c.at(8));
    }
    for chunk in sctp::Packet::parse(packet.payload)?.chunks() {
        assert!(chunk.kind.is_known());
        if chunk.kind != sctp::ChunkKind::DATA {
            continue;
        }
        let data = sctp::Data::parse(&chunk)?;
        if data.ppid == m3ua::PPID && data.is_whole() {
            let view = m3ua::View::new(data.user)?;
            if view.is_data() {
                m3ua::Data::parse(view)?;
            }
        }
    }
    Ok(())
}

/// Reasons that these layers find without any state or configuration.
const OURS: [Reason; 12] = [
    Reason::L2Runt,
    Reason::Vlan,
    Reason::IpHeader,
    Reason::IpChecksum,
    Reason::IpFragment,
    Reason::IpOptions,
    Reason::SctpCrc32c,
    Reason::SctpChunkLen,
    Reason::SctpChunkType,
    Reason::M3uaVersion,
    Reason::M3uaLength,
    Reason::M3uaParam,
];

#[test]
fn each_frame_is_refused_where_its_vector_says() {
    let mut refused = 0;
    for frame in frames() {
        let want = OURS.contains(&frame.reason).then_some(frame.reason);
        assert_eq!(check(&frame.octets).err().map(|refusal| refusal.reason), want, "{}", frame.id);
        refused += usize::from(want.is_some());
        if let Some(out) = &frame.out {
            assert_eq!(check(out), Ok(()), "{}, the frame that leaves", frame.id);
        }
    }
    assert!(refused >= 6, "only {refused} refusals");
}

#[test]
fn frames_are_built_to_the_octet() {
    let mut built = 0;
    for Frame { id, octets, out, .. } in frames() {
        for octets in [Some(octets), out].into_iter().flatten().filter(|octets| check(octets).is_ok()) {
            let Ok(Some((frame, packet))) = sctp_of(&octets) else { continue };
            let parsed = sctp::Packet::parse(packet.payload).expect("checked");
            let path = Path {
                destination_mac: octets[..6].try_into().expect("six octets"),
                source_mac: octets[6..12].try_into().expect("six octets"),
                vlan: (frame.vlans == 1).then(|| u16::from_be_bytes([octets[14], octets[15]])),
                source: packet.source,
                destination: packet.destination,
                source_port: parsed.source_port,
                destination_port: parsed.destination_port,
                vtag: parsed.vtag,
            };
            let mut again = Vec::new();
            let done = path.emit(1, |out| assert!(parsed.chunks().all(|chunk| emit(&chunk, out))), &mut again);
            assert!(done && again == octets, "{id}");
            built += 1;
        }
    }
    assert!(built > 100, "only {built} frames built");
}

/// Writes a chunk from its values where they say it all, else as it came.
fn emit(chunk: &sctp::Chunk<'_>, out: &mut Vec<u8>) -> bool {
    let Ok(data) = sctp::Data::parse(chunk) else { return chunk.emit(out) };
    let mut user = Vec::new();
    let whole = data.is_whole() && data.ppid == m3ua::PPID;
    if let Some(message) = m3ua::View::new(data.user).and_then(m3ua::Data::parse).ok().filter(|_| whole) {
        assert!(message.emit(&mut user));
        let mut rebuilt = Vec::new();
        assert!(m3ua::rebuild(data.user, message.user, &mut rebuilt) && rebuilt == user);
        return sctp::emit_data(&sctp::Data { user: &user, ..data }, out);
    }
    sctp::emit_data(&data, out)
}

#[test]
fn a_refused_message_becomes_the_filler_of_the_vectors() {
    let mut replaced = 0;
    for Frame { id, octets, reason, out } in frames() {
        let Ok(Some((frame, packet))) = sctp_of(&octets) else { continue };
        let Ok(parsed) = sctp::Packet::parse(packet.payload) else { continue };
        let mut chunks = parsed.chunks();
        let (Some(chunk), None, Some(want)) = (chunks.next(), chunks.next(), out) else { continue };
        let Ok(data) = sctp::Data::parse(&chunk) else { continue };
        if reason.passes() || !data.is_whole() || !matches!(data.ppid, 0 | m3ua::PPID) {
            continue;
        }
        let mut made = octets[..frame.header_len + packet.header_len].to_vec();
        let sctp_at = made.len();
        sctp::emit_header(&parsed.header(), &mut made);
        assert!(sctp::emit_data(&sctp::Data { ppid: m3ua::PPID, user: &m3ua::BEAT_ACK, ..data }, &mut made));
        let crc = sctp::packet_crc32c(&made[sctp_at..]);
        assert!(sctp::seal(&mut made[sctp_at..], crc));
        let payload_len = made.len() - sctp_at;
        assert!(ip::set_lengths(&mut made[frame.header_len..], payload_len));
        assert_eq!(made, want, "{id}");
        replaced += 1;
    }
    assert!(replaced > 20, "only {replaced} messages replaced");
}
