//! `sgperf mix` as a user calls it.

mod mix_rig;

use std::process::{Command, Output};

use mix_rig::{Fallible, scratch};
use sealgate_dataplane::io::pcap;
use sealgate_wire::{eth, ip, sctp};

fn mix(args: &[&str]) -> Fallible<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_sgperf")).arg("mix").args(args).output()?)
}

#[test]
fn it_measures_what_making_frames_costs() -> Fallible {
    let output = mix(&["default", "-n", "2048", "--rounds", "2", "--json"])?;
    assert!(output.status.success(), "{output:?}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    for figure in ["mix_source_ns_per_frame", "mix_source_ns_per_message", "mix_reader_ns_per_frame"] {
        let samples = document[figure]["samples"].as_array().ok_or("samples")?;
        assert_eq!(samples.len(), 2, "{figure}");
        assert!(samples.iter().all(|sample| sample.as_f64().is_some_and(|ns| ns > 1.0)), "{figure}: {samples:?}");
    }
    let table = mix(&["attack", "-n", "1024", "--rounds", "1"])?;
    let text = String::from_utf8(table.stdout)?;
    assert!(text.contains("from others: forged") && text.contains("initialDP"), "{text}");
    Ok(())
}

#[test]
fn it_writes_a_capture_and_plays_it() -> Fallible {
    let path = scratch("command")?.join("mix.pcap");
    let name = path.to_str().ok_or("a path")?;
    assert!(mix(&["signed-10", "-n", "100", "-o", name])?.status.success());
    let mut reader = pcap::Reader::open(&path)?;
    let (mut octets, mut frames, mut messages) = (Vec::new(), 0, 0);
    while reader.read(&mut octets)?.is_some() {
        let frame = eth::Frame::parse(&octets).map_err(|refusal| format!("{refusal:?}"))?;
        let packet = ip::Packet::parse(frame.ethertype, frame.payload).map_err(|refusal| format!("{refusal:?}"))?;
        let packet = packet.ok_or("IP")?;
        let sctp = sctp::Packet::parse(packet.payload).map_err(|refusal| format!("{refusal:?}"))?;
        assert_eq!(sctp.checksum, sctp::packet_crc32c(packet.payload), "frame {frames}");
        messages += sctp.chunks().filter(|chunk| chunk.kind == sctp::ChunkKind::DATA).count();
        frames += 1;
    }
    assert_eq!(frames, 4 * 16 + 100, "sixteen handshakes of four packets, and a hundred");
    let played = mix(&["signed-10", "--capture", name, "--sign", "-n", "1024", "--rounds", "1"])?;
    let told = String::from_utf8(played.stderr)?;
    assert!(played.status.success() && told.contains(&format!("{messages} messages are played")), "{told}");
    Ok(())
}

#[test]
fn it_writes_a_configuration_and_says_what_to_do_with_it() -> Fallible {
    let folder = scratch("configuration")?;
    let name = folder.to_str().ok_or("a path")?;
    let output = mix(&["signed-10", "--write", name, "--worker-cores", "2,3", "--crypto-cores", "4"])?;
    let (told, printed) = (String::from_utf8(output.stderr)?, String::from_utf8(output.stdout)?);
    assert!(output.status.success() && printed.is_empty(), "nothing was measured: {printed}");
    for words in
        ["sealgate run", "first name its ports", "sgperf load signed-10 --depth 1024 --ports INTERCONNECT HOME"]
    {
        assert!(told.contains(words), "{told}");
    }
    let text = std::fs::read_to_string(folder.join("sealgate.yaml"))?;
    assert!(text.contains("cores: {workers: [2, 3], crypto: [4]}"), "{text}");
    Ok(())
}

#[test]
fn it_says_what_is_wrong_with_a_profile() -> Fallible {
    let path = scratch("wrong")?.join("mine.yaml");
    std::fs::write(&path, "name: mine\njudgement:\n  signed: 0.4\n  unsigned: 0.4\n")?;
    let name = path.to_str().ok_or("a path")?;
    for (profile, words) in
        [(name, "mine.yaml:2: judgement: the shares add up to 0.8"), ("defualt", "take one of default")]
    {
        let output = mix(&[profile])?;
        let told = String::from_utf8(output.stderr)?;
        assert!(!output.status.success() && told.contains(words), "{told}");
    }
    Ok(())
}
