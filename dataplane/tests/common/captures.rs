//! The captures of traffic that nobody here made, and what tshark reads in them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of the captures: `SEALGATE_CAPTURES`, or `shared/captures` beside the repository, if it is there.
pub fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("SEALGATE_CAPTURES").map(PathBuf::from) {
        assert!(named.is_dir(), "SEALGATE_CAPTURES: {} is no folder", named.display());
        return Some(named);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    if !beside.is_dir() {
        println!("nothing is compared: no SEALGATE_CAPTURES, and no {}", beside.display());
        return None;
    }
    Some(beside)
}

/// The frames of a little-endian capture of Ethernet, each with its time, milliseconds since 1970.
pub fn frames(path: &Path) -> Vec<(u64, Vec<u8>)> {
    let file = std::fs::read(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    assert_eq!(file[..4], [0xd4, 0xc3, 0xb2, 0xa1], "{}", path.display());
    assert_eq!(file[20..24], [1, 0, 0, 0], "{}: Ethernet", path.display());
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four octets"));
    let (mut frames, mut at) = (Vec::new(), 24);
    while at + 16 <= file.len() {
        let (len, at_ms) = (word(at + 8) as usize, u64::from(word(at)) * 1000 + u64::from(word(at + 4)) / 1000);
        frames.push((at_ms, file[at + 16..at + 16 + len].to_vec()));
        at += 16 + len;
    }
    frames
}

/// What tshark reads in each frame.
pub fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tshark.tsv.gz");
    let mut text = String::new();
    let file = std::fs::File::open(name).expect("an expected decode");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().expect("names").split('\t').collect();
    let row =
        |line: &str| names.iter().zip(line.split('\t')).map(|(name, text)| ((*name).into(), text.into())).collect();
    lines.map(row).collect()
}
