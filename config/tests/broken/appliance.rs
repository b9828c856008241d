//! Faults of the machine's file, each at its line, with its key and remedy.

use super::*;

#[test]
fn faults_of_an_appliance() {
    let cases: &[Case] = &[
        (
            "certificates: c, crls: r, keys: k, crl_grace: 24h",
            "keys: k, crls: r, enrolment: {url: \"file:///x\", roots: [], renew_before: 721h, more: 1}",
            &[
                "a.yaml:6: trust.certificates: missing; give it, as certificates: trust/certificates",
                "a.yaml:6: trust.enrolment.url: \"file:///x\" is not https://host/path/; give https://host/path/, without user \
                 or query",
                "a.yaml:6: trust.enrolment.roots: the list is empty; give at least one, as [tls-root.pem], or leave the key out",
                "a.yaml:6: trust.enrolment.renew_before: 721h is out of range; give 1h to 720h",
                "a.yaml:6: trust.enrolment.more: unknown key; known here: url, roots, renew_before",
            ],
        ),
        (
            "crl_grace: 24h",
            "enrolment: {}",
            &["a.yaml:6: trust.enrolment.url: missing; give it, as url: \"https://tsca.example/\""],
        ),
        (
            "crl_grace: 24h",
            "repository: {urls: [\"http://x/\"], poll: 0s, roots: [], max_shrink_percent: 101, more: 1}",
            &[
                "a.yaml:6: trust.repository.store: missing; give it, as store: /var/lib/sealgate/trust",
                "a.yaml:6: trust.repository.urls[0]: \"http://x/\" is neither https://host/path/ nor file:///directory; give \
                 https://host/path/, without user or query, or file:///directory",
                "a.yaml:6: trust.repository.poll: 0s is out of range; give 1s to 24h",
                "a.yaml:6: trust.repository.roots: the list is empty; give at least one, as [tls-root.pem], or leave the key out",
                "a.yaml:6: trust.repository.max_shrink_percent: 101 is out of range; give 0 to 100 percent",
                "a.yaml:6: trust.repository.more: unknown key; known here: urls, store, roots, poll, shrink_hold, max_stale, \
                 max_shrink_percent, repo_stale",
            ],
        ),
        (
            "policy: policy.yaml",
            "policy: policy.yaml\nservice: {user: \"-x\", group: \"a b\", more: 1}",
            &[
                "a.yaml:8: service.user: not a user or group; 1 to 32 letters, digits, _, - and . as in \"sealgate\"",
                "a.yaml:8: service.group: not a user or group; 1 to 32 letters, digits, _, - and . as in \"sealgate\"",
                "a.yaml:8: service.more: unknown key; known here: user, group",
            ],
        ),
        (
            "policy: policy.yaml",
            "policy: policy.yaml\nservice: {group: sealgate}",
            &["a.yaml:8: service.user: missing; give it, as user: sealgate"],
        ),
        (
            "\"0000:3b:00.0\"",
            "\"0000:3g:00.0\"",
            &[
                "a.yaml:3: ports.interconnect.device: \"0000:3g:00.0\" is not a device; use a PCI address as \"0000:3b:00.0\", af_packet:IF, af_xdp:IF, tap:NAME, memif:..., pcap:IN,OUT, null or ring",
            ],
        ),
        (
            "\"af_packet:veth1\"",
            "af_packet:a-name-far-too-long",
            &[
                "a.yaml:4: ports.home.device: \"a-name-far-too-long\" is not the name of an interface; give 1 to 15 letters, as af_packet:eth0",
            ],
        ),
        (
            "\"af_packet:veth1\"",
            "\"0000:3b:00.0\"",
            &["a.yaml:4: ports.home: 0000:3b:00.0 is the device of both ports; keep one; the first is on line 3"],
        ),
        ("mtu: 1500", "mtu: 100000", &["a.yaml:4: ports.home.mtu: 100000 is out of range; give 576 to 9600 octets"]),
        (
            "mtu: 1500",
            "mtu: 01500",
            &["a.yaml:4: ports.home.mtu: 01500 has leading zeros; write the number without them"],
        ),
        (
            "mtu: 1500",
            "mtu: \"1500\"",
            &["a.yaml:4: ports.home.mtu: \"1500\" is text, not a number; take the quotes away"],
        ),
        ("mtu: 1500", "mtu: [1500]", &["a.yaml:4: ports.home.mtu: a list is not a whole number; give a whole number"]),
        (
            "rx_ring: 1024",
            "rx_rng: 1024",
            &[
                "a.yaml:4: ports.home.rx_rng: unknown key (did you mean \"rx_ring\"?); known here: device, mtu, rx_ring, tx_ring",
            ],
        ),
        (
            "rx_ring: 1024",
            "rx_ring: 1000",
            &["a.yaml:4: ports.home.rx_ring: 1000 is not a power of two; use 512 or 1024"],
        ),
        (
            "batch: 64",
            "batch: 128, queue: 64",
            &["a.yaml:5: crypto.batch: a batch of 128 never fits a queue of 64; make the queue larger"],
        ),
        (
            "batch: 64",
            "engine: fastest",
            &["a.yaml:5: crypto.engine: \"fastest\" is not a choice of engines; use auto or reference"],
        ),
        (
            "crypto: {batch: 64}",
            "crypto: {device: qat0}",
            &[
                "a.yaml:5: crypto.device: \"qat0\" is not a crypto device; give the PCI address of a crypto card bound to a DPDK driver, as \"0000:3d:01.0\"",
            ],
        ),
        (
            "crypto: {batch: 64}",
            "crypto: {device: \"0000:3b:00.0\"}",
            &[
                "a.yaml:5: crypto.device: 0000:3b:00.0 is a port; give the PCI address of a crypto card bound to a DPDK driver, as \"0000:3d:01.0\"",
            ],
        ),
        (
            "crypto: {batch: 64}",
            "crypto: {device: \"0000:3d:01.0\", engine: reference}",
            &["a.yaml:5: crypto.device: with engine: reference a device is never asked; leave one of the two out"],
        ),
        (
            "batch: 64",
            "table_memory_mb: 65537",
            &["a.yaml:5: crypto.table_memory_mb: 65537 is out of range; give 0 to 65536 MiB"],
        ),
        (
            "batch: 64",
            "table_memory: 256",
            &[
                "a.yaml:5: crypto.table_memory: unknown key (did you mean \"table_memory_mb\"?); known here: engine, device, batch, batch_us, queue, share_percent, table_memory_mb",
            ],
        ),
        ("[root.pem]", "[]", &["a.yaml:6: trust.anchors: the list is empty; give at least one, as [root.pem]"]),
        (
            "policy: policy.yaml",
            "memory: {buffer: 1500}\npolicy: policy.yaml",
            &["a.yaml:7: memory.buffer: 1500 is out of range; give 2048 to 16384 octets, or auto"],
        ),
        (
            "policy: policy.yaml",
            "memory: {buffer: 32K}\npolicy: policy.yaml",
            &["a.yaml:7: memory.buffer: \"32K\" is not a whole number; give 2048 to 16384 octets, or auto"],
        ),
        (
            "policy: policy.yaml",
            "memory: {lock: always}\npolicy: policy.yaml",
            &["a.yaml:7: memory.lock: \"always\" is not a use of locked memory; use auto, on or off"],
        ),
        (
            "keys: k, ",
            "keys: k, token_keys: {home-ec: \"pkcs11:object=a?module-path=/m.so&pin-value=1234\"}, ",
            &[
                "a.yaml:6: trust.token_keys.home-ec: pin-value puts the PIN where all who read this file see it; write it into a file of mode 600 and give pin-source=file:/path",
            ],
        ),
        (
            "keys: k, ",
            "keys: k, token_keys: {\"a b\": \"pkcs11:object=a?module-path=/m.so&pin-source=/p\"}, ",
            &["a.yaml:6: trust.token_keys: \"a b\" cannot name a certificate; use 1 to 32 letters, digits, - _ or ."],
        ),
        (
            "keys: k, ",
            "keys: k, token_keys: {}, ",
            &["a.yaml:6: trust.token_keys: the mapping is empty; name at least one certificate"],
        ),
        ("keys: k, ", "", &["a.yaml:6: trust.keys: missing; give it, as keys: trust/keys"]),
        (
            "policy: policy.yaml",
            "policy: policy.yaml\nadmin: {group: \"a b\", http: \"0.0.0.0:9617\", refused: 33}",
            &[
                "a.yaml:8: admin.group: \"a b\" is not the name of a group; give one by name or number",
                "a.yaml:8: admin.http: 0.0.0.0:9617 can be reached by other hosts, and what is served there asks nobody who he \
                 is; give an address of this host alone, as 127.0.0.1:9617; for others put a server with TLS and passwords in \
                 front of it",
                "a.yaml:8: admin.refused: 33 is out of range; give 0 to 32 messages",
            ],
        ),
        (
            "policy: policy.yaml",
            "policy: policy.yaml\nadmin: {http: \"localhost:80\"}",
            &[
                "a.yaml:8: admin.http: \"localhost:80\" is not an address with a port; give one as 127.0.0.1:9617 or [::1]:9617",
            ],
        ),
        ("policy: policy.yaml", "policy: 7", &["a.yaml:7: policy: 7 is not text for YAML; put it in quotes: \"7\""]),
        (
            "workers: [1]",
            "workers: [1, 2]",
            &[
                "a.yaml:1: cores.crypto[0]: core 2 has another worker or crypto thread (line 1); give each of them a core of its own",
            ],
        ),
        (
            "workers: [1]",
            "workers: [1, 1]",
            &[
                "a.yaml:1: cores.workers[1]: core 1 has another worker or crypto thread (line 1); give each of them a core of its own",
            ],
        ),
        (
            "cores: {main: 0, workers: [1], crypto: [2]}",
            "cores: 3",
            &["a.yaml:1: cores: 3 is not a mapping; give keys and values, as key: value"],
        ),
    ];
    check::<Appliance>(APPLIANCE, cases, |text| sealgate_config::parse_appliance(text, "a.yaml"));
}

#[test]
fn a_token_needs_a_crypto_core() {
    let token = "keys: k, token_keys: {home-ec: \"pkcs11:token=t;object=a?module-path=/m.so&pin-source=file:/p\"}, ";
    let good = APPLIANCE.replace("keys: k, ", token);
    let appliance = sealgate_config::parse_appliance(&good, "a.yaml").unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(appliance.trust.token_keys[0].0, "home-ec");
    assert_eq!(sealgate_config::parse_appliance(&appliance.to_yaml(), "b.yaml").as_ref(), Ok(&appliance));
    let faults = sealgate_config::parse_appliance(&good.replace("crypto: [2]", "crypto: []"), "a.yaml").unwrap_err();
    let want = "a.yaml:6: trust.token_keys: a token takes its time, and would hold up a worker that signs inline; \
                give cores.crypto at least one core";
    assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), [want]);
}

#[test]
fn devices_are_read_in_all_their_forms() {
    for device in [
        "0000:3b:1f.7",
        "af_xdp:veth0",
        "tap:sg0",
        "memif:role=server,id=0,socket=/run/m.sock",
        "pcap:in.pcap,out.pcap",
        "pcap:in.pcap,",
        "pcap:,out.pcap",
        "null",
        "ring",
    ] {
        let text = APPLIANCE.replace("\"af_packet:veth1\"", &format!("{device:?}"));
        let read = Appliance::parse(&text).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!((read.ports.home.device.to_string().as_str(), &read.state), (device, &None));
        assert_eq!(Appliance::parse(&read.to_yaml()).ok(), Some(read), "{device}");
    }
    let text = APPLIANCE.replace("\"af_packet:veth1\"", "null");
    assert_eq!(Appliance::parse(&text).map(|read| read.ports.home.device), Ok(Device::Null));
    for device in [
        "0000:3b:20.0",
        "0000:3b:00.8",
        "000:3b:00.0",
        "0000:+b:00.0",
        "3b:00.0",
        "null:x",
        "pcap:,",
        "memif:role=x",
        "tap:",
    ] {
        let text = APPLIANCE.replace("\"af_packet:veth1\"", &format!("{device:?}"));
        assert!(Appliance::parse(&text).is_err(), "{device}");
    }
}
