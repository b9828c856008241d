//! The shared vectors: `SEALGATE_VECTORS`, or the copy in the project.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::path::PathBuf;

use sealgate_wire::reason::Reason;
use sealgate_wire::{eth, ip, m3ua, sctp};
use serde_json::Value;

/// Octets of a hexadecimal string.
pub fn hex(text: &str) -> Vec<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).expect("hexadecimal") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// One file of them.
pub fn file(name: &str) -> Value {
    let folder = std::env::var_os("SEALGATE_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors")), PathBuf::from);
    let text = fs::read_to_string(folder.join(name).with_extension("json")).expect("a vector file");
    serde_json::from_str(&text).expect("JSON")
}

/// Every frame of a file, with its vector.
pub fn frames(file: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let vectors = file["vectors"].as_array().expect("a list");
    vectors.iter().flat_map(|vector| {
        let frames: &[Value] = vector["frames"].as_array().map_or(&[], Vec::as_slice);
        frames.iter().map(move |frame| (vector, frame))
    })
}

/// The reason that the vector gives for a frame.
pub fn reason(frame: &Value) -> Reason {
    frame["reason"].as_str().and_then(Reason::from_name).expect("a reason")
}

/// One frame of a vector over SCTP.
pub struct Step {
    pub id: String,
    pub message: Vec<u8>,
    pub at_ms: u64,
    pub reason: Reason,
    /// The message that leaves, as the vector says and as the frame has it.
    pub out_upper: Option<Vec<u8>>,
    pub out_frame: Option<Vec<u8>>,
    pub tbs: Option<Vec<u8>>,
}

/// The steps of a file.
///
/// * `message_of`: the message in a frame
pub fn steps(name: &str, message_of: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<Step> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let octets = |value: &Value| value.as_str().map(hex);
    let step = |(vector, frame): (&Value, &Value)| Step {
        id: text(&vector["id"]).expect("an id"),
        message: message_of(&octets(&frame["frame_hex"]).expect("a frame")).expect("a message"),
        at_ms: frame["at_unix_ms"].as_u64().expect("a time"),
        reason: reason(frame),
        out_upper: octets(&frame["out_upper_hex"]),
        out_frame: octets(&frame["out_frame_hex"]),
        tbs: octets(&vector["tbs"]).or(text(&vector["tbs_text"]).map(String::into_bytes)),
    };
    frames(&file(name)).map(step).collect()
}

/// Payload protocol and user data of the first DATA chunk of a frame.
pub fn user_of(frame: &[u8]) -> Option<(u32, Vec<u8>)> {
    let frame = eth::Frame::parse(frame).ok()?;
    let packet = ip::Packet::parse(frame.ethertype, frame.payload).ok()??;
    let packet = sctp::Packet::parse(packet.payload).ok()?;
    let chunk = packet.chunks().find(|chunk| chunk.kind == sctp::ChunkKind::DATA)?;
    let data = sctp::Data::parse(&chunk).ok()?;
    Some((data.ppid, data.user.to_vec()))
}

/// What the M3UA message of the first DATA chunk carries for this service; `None`: a filler.
pub fn service_of(frame: &[u8], si: u8) -> Option<Vec<u8>> {
    let (_, user) = user_of(frame)?;
    let message = m3ua::Data::parse(m3ua::View::new(&user).ok()?).ok()?;
    (message.si == si).then(|| message.user.to_vec())
}
