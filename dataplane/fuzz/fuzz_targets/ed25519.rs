#![no_main]
libfuzzer_sys::fuzz_target!(|octets: &[u8]| sealgate_crypto::fuzzing::ed25519(octets));
