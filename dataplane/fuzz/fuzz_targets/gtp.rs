#![no_main]
libfuzzer_sys::fuzz_target!(|octets: &[u8]| sealgate_wire::fuzzing::gtp::gtp(octets));
