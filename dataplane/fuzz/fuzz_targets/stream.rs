#![no_main]
libfuzzer_sys::fuzz_target!(|octets: &[u8]| sealgate_dataplane::state::stream::fuzzing::stream(octets));
