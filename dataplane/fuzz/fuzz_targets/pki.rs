#![no_main]
use sealgate_crypto::pki::fuzzing;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    fuzzing::pki(octets);
    fuzzing::chain(octets);
});
